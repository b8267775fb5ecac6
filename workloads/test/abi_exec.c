/* SPDX-License-Identifier: GPL-2.0-or-later */
/* execve: errors, arguments, what the new program keeps of the old one and what not. The program is
 * this one again, as /proc/self/exe, with a word that says which part it is. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi.h"

#define SELF "/proc/self/exe"

extern char **environ;

static void on_signal(int signo)
{
	(void)signo;
}

/* ---- the new program ---- */

static int part_args(int argc, char **argv)
{
	unsigned long total = 0;

	for (int i = 0; i < argc; i++)
		total += strlen(argv[i]);
	printf("argc %d total %lu last [%.20s] argv[argc] %d\n", argc, total, argv[argc - 1],
	       argv[argc] == NULL);
	for (char **e = environ; *e; e++)
		printf("env %.20s\n", *e);
	return argc & 0xff;
}

static const char *handler_name(int signo)
{
	struct sigaction sa;

	sigaction(signo, NULL, &sa);
	if (sa.sa_handler == SIG_DFL)
		return "default";
	return sa.sa_handler == SIG_IGN ? "ignored" : "handler";
}

static int part_state(char **argv)
{
	sigset_t set;
	stack_t ss;

	sigprocmask(SIG_BLOCK, NULL, &set);
	printf("blocked USR1 %d USR2 %d\n", sigismember(&set, SIGUSR1), sigismember(&set, SIGUSR2));
	sigpending(&set);
	printf("pending USR1 %d\n", sigismember(&set, SIGUSR1));
	printf("HUP %s TERM %s\n", handler_name(SIGHUP), handler_name(SIGTERM));
	sigaltstack(NULL, &ss);
	printf("alternate stack: flags %d\n", ss.ss_flags);
	printf("same pid %d\n", atoi(argv[2]) == getpid());
	show("kept descriptor", fcntl(atoi(argv[3]), F_GETFD));
	show("closed descriptor", fcntl(atoi(argv[4]), F_GETFD));
	show("the mapping is gone",
	     (long)mmap((void *)BASE, PAGE, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
	return 0;
}

/* An SSE and an x87 rounding mode that the old program changed. */
static int part_fpu(void)
{
	unsigned mxcsr;
	unsigned short fcw;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	__asm__ volatile("fnstcw %0" : "=m"(fcw));
	printf("mxcsr %#x fcw %#x\n", mxcsr & ~0x3fu, fcw);
	return 0;
}

static int part(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	if (!strcmp(argv[1], "args"))
		return part_args(argc, argv);
	if (!strcmp(argv[1], "state"))
		return part_state(argv);
	return part_fpu();
}

/* ---- the old one ---- */

static void reap(const char *what, pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	printf("%-44s status %#x\n", what, status);
}

typedef const char *const words[];

static int exec_words(const char *path, words argv, words envp)
{
	return execve(path, (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)envp);
}

static void run(const char *what, words argv, words envp)
{
	pid_t pid = fork();

	if (!pid) {
		exec_words(SELF, argv, envp);
		show("execve", -1);
		_exit(99);
	}
	reap(what, pid);
}

static long raw_exec(unsigned long path, unsigned long argv, unsigned long envp)
{
	return syscall(SYS_execve, path, argv, envp);
}

static void errors(void)
{
	static char big[140000];
	char *argv[] = {big, NULL};
	char *bad[] = {(char *)1, NULL};

	memset(big, 'x', sizeof(big) - 1);
	show("no such file", raw_exec((unsigned long)"/no/such/program", 0, 0));
	show("empty path", raw_exec((unsigned long)"", 0, 0));
	show("null path", raw_exec(0, 0, 0));
	show("path in the kernel", raw_exec(KERNEL, 0, 0));
	show("a directory", raw_exec((unsigned long)"/", 0, 0));
	show("a device", raw_exec((unsigned long)"/dev/null", 0, 0));
	show("bad argv", raw_exec((unsigned long)SELF, NOWHERE, 0));
	show("bad string", raw_exec((unsigned long)SELF, (unsigned long)bad, 0));
	show("bad envp", raw_exec((unsigned long)SELF, 0, NOWHERE));
	show("one string too long", execve(SELF, argv, NULL));
}

static void arguments(void)
{
	static const char *many[103];
	static char big[5000];
	words few = {"me", "args", "", "a b", NULL};
	words env = {"ONE=1", "TWO=2", NULL};
	words long_one = {"me", "args", big, NULL};

	run("few", few, env);
	run("no environment", few, NULL);
	memset(big, 'y', sizeof(big) - 1);
	run("a long one", long_one, env);
	many[0] = "me";
	many[1] = "args";
	for (int i = 2; i < 102; i++)
		many[i] = "argument";
	run("102", many, env);
}

static void state(void)
{
	static char stack[16384];
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)};
	char pid[16], keep[16], drop[16];
	words argv = {"me", "state", pid, keep, drop, NULL}, env = {NULL};
	pid_t child = fork();
	sigset_t set;
	int fd[2];

	if (child) {
		reap("state", child);
		return;
	}
	pipe(fd);
	fcntl(fd[1], F_SETFD, FD_CLOEXEC);
	snprintf(pid, sizeof(pid), "%d", getpid());
	snprintf(keep, sizeof(keep), "%d", fd[0]);
	snprintf(drop, sizeof(drop), "%d", fd[1]);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, on_signal);
	sigaltstack(&ss, NULL);
	mmap((void *)BASE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
	     -1, 0);
	exec_words(SELF, argv, env);
	_exit(99);
}

static void fpu(void)
{
	words argv = {"me", "fpu", NULL}, env = {NULL};
	unsigned mxcsr = 0x7f80;
	unsigned short fcw = 0xf7f;
	pid_t pid = fork();

	if (!pid) {
		__asm__ volatile("ldmxcsr %0" ::"m"(mxcsr));
		__asm__ volatile("fldcw %0" ::"m"(fcw));
		exec_words(SELF, argv, env);
		_exit(99);
	}
	reap("x87 and SSE", pid);
}

static int spawn(pid_t *pid, const char *path, words argv, words envp)
{
	return posix_spawn(pid, path, NULL, NULL, (char *const *)(uintptr_t)argv,
			   (char *const *)(uintptr_t)envp);
}

static void by_vfork(void)
{
	words argv = {"me", "args", "vforked", NULL}, env = {NULL};
	pid_t pid = vfork();

	if (!pid) {
		exec_words(SELF, argv, env);
		_exit(99);
	}
	reap("vfork", pid);
	pid = vfork();
	if (!pid) {
		exec_words("/no/such/program", argv, env);
		_exit(98);
	}
	reap("vfork of nothing", pid);
	printf("posix_spawn of nothing: %d\n", spawn(&pid, "/no/such/program", argv, env));
	if (!spawn(&pid, SELF, argv, env))
		reap("posix_spawn", pid);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return part(argc, argv);
	setvbuf(stdout, NULL, _IONBF, 0);
	errors();
	arguments();
	state();
	fpu();
	by_vfork();
	return 0;
}
