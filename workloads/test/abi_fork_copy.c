/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a child begins with: what it has of its parent, field by field of Linux's dup_mm() and
 * copy_process(), and what is its own from the start. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "abi_area.h"

#define PAGES 10
#define RW (PROT_READ | PROT_WRITE)

static volatile char *mem;

/* Runs it in a child and waits. */
static void in_child(void (*body)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		body();
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (status)
		printf("  child's status %#x\n", status);
}

/* ---- memory, as smaps and status show it ---- */

static int inside;
static int left_out; /* Referenced: Linux counts what mlock touched, too */

static void show_field(char *line)
{
	static const char *const fields[] = {
		"Rss:", "Private_Dirty:", "Shared_Dirty:", "Anonymous:", "Locked:", "Referenced:"};
	size_t nr = sizeof(fields) / sizeof(fields[0]) - (size_t)left_out;
	char *rest;
	unsigned long start = strtoul(line, &rest, 16);

	if (*rest == '-') {
		inside = start == BASE;
		return;
	}
	for (size_t i = 0; inside && i < nr; i++)
		if (!strncmp(line, fields[i], strlen(fields[i])))
			printf("    %s\n", line);
	if (inside && !strncmp(line, "VmFlags:", 8))
		printf("    locked %d, dontcopy %d, wipeonfork %d\n", !!strstr(line, " lo"),
		       !!strstr(line, " dc"), !!strstr(line, " wf"));
}

/* What smaps says of the mapping at BASE. */
static void show_pages(const char *who)
{
	printf("  %s\n", who);
	inside = 0;
	area_each_line("/proc/self/smaps", show_field);
	fflush(stdout);
}

static void show_locked(char *line)
{
	if (!strncmp(line, "VmLck:", 6) || !strncmp(line, "VmPin:", 6))
		printf("    %s\n", line);
}

static void map(int flags)
{
	mem = mmap((void *)BASE, PAGES * PAGE, RW, flags | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static void touch_some(void)
{
	show_pages("child, untouched");
	(void)mem[0];
	show_pages("child, one page read");
	mem[PAGE] = 2;
	show_pages("child, one more written");
}

static void write_some(void)
{
	show_pages("child, untouched");
	mem[PAGE] = 2;
	show_pages("child, one page written");
}

static void touch_and_fork(void)
{
	(void)mem[0];
	mem[3 * PAGE] = 3;
	in_child(touch_some);
	show_pages("child, after its own fork");
}

static void readable_again(void)
{
	show_pages("child, untouched");
	mprotect((void *)mem, PAGES * PAGE, RW);
	touch_some();
}

static void give_up_some(void)
{
	show_pages("child, untouched");
	mem[0] = 5;
	madvise((void *)(mem + PAGE), PAGE, MADV_FREE);
	show_pages("child, one page written, one given up");
}

static void pages_of_private_memory(void)
{
	printf("private, written\n");
	map(MAP_PRIVATE);
	memset((char *)mem, 1, PAGES * PAGE);
	in_child(touch_some);
	show_pages("parent");
	printf("from entries that were read-only already\n");
	in_child(touch_and_fork);
	printf("after MADV_COLD in the parent\n");
	madvise((void *)mem, PAGES * PAGE, MADV_COLD);
	show_pages("parent");
	in_child(touch_some);
	printf("PROT_NONE since it was written\n");
	mprotect((void *)mem, PAGES * PAGE, PROT_NONE);
	in_child(readable_again);
	printf("read only ever\n");
	map(MAP_PRIVATE);
	for (int i = 0; i < PAGES; i++)
		(void)mem[i * PAGE];
	in_child(touch_some);
	printf("after MADV_FREE in the parent\n");
	memset((char *)mem, 1, PAGES * PAGE);
	madvise((void *)mem, 4 * PAGE, MADV_FREE);
	mem[2 * PAGE] = 4;
	in_child(give_up_some);
}

static void show_all(void)
{
	show_pages("child");
	area_each_line("/proc/self/status", show_locked);
	mem = mmap((void *)(BASE + 16 * PAGE), PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		   -1, 0);
	printf("    after another mmap\n");
	area_each_line("/proc/self/status", show_locked);
	munmap((void *)mem, PAGE);
}

static void other_memory(void)
{
	printf("shared\n");
	map(MAP_SHARED);
	memset((char *)mem, 1, PAGES * PAGE);
	in_child(write_some);
	show_pages("parent");
	printf("MADV_WIPEONFORK\n");
	map(MAP_PRIVATE);
	memset((char *)mem, 1, PAGES * PAGE);
	madvise((void *)mem, PAGES * PAGE, MADV_WIPEONFORK);
	in_child(touch_some);
	printf("MADV_DONTFORK\n");
	madvise((void *)mem, PAGES * PAGE, MADV_DONTFORK);
	in_child(show_all);
	printf("mlock, mlockall(MCL_FUTURE)\n");
	map(MAP_PRIVATE);
	left_out = 1;
	mlock((void *)mem, PAGES * PAGE);
	mlockall(MCL_FUTURE);
	in_child(show_all);
	area_each_line("/proc/self/status", show_locked);
	munlockall();
}

/* ---- signals ---- */

static void handler(int signo)
{
	printf("    handler %d\n", signo);
}

static void show_signals(void)
{
	sigset_t set;
	stack_t stack;
	struct sigaction sa;

	sigpending(&set);
	printf("    pending %d %d, ", sigismember(&set, SIGUSR1), sigismember(&set, SIGRTMIN));
	sigprocmask(SIG_BLOCK, NULL, &set);
	printf("blocked %d %d, ", sigismember(&set, SIGUSR1), sigismember(&set, SIGUSR2));
	sigaltstack(NULL, &stack);
	printf("altstack %d %#lx, ", stack.ss_flags, stack.ss_size);
	sigaction(SIGUSR1, NULL, &sa);
	printf("handler %d, ", sa.sa_handler == handler);
	sigaction(SIGUSR2, NULL, &sa);
	printf("ignored %d\n", sa.sa_handler == SIG_IGN);
}

static void unblock(void)
{
	sigset_t set;

	show_signals();
	sigfillset(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static int show_signals_and_end(void *unused)
{
	(void)unused;
	show_signals();
	fflush(stdout);
	syscall(SYS_exit, 0);
	return 0;
}

/* A child by clone with these flags on a stack of its own. */
static void in_clone(const char *what, int flags)
{
	static char stack[1 << 16] __attribute__((aligned(16)));
	int status;
	pid_t pid;

	printf("  %s\n", what);
	fflush(stdout);
	pid = clone(show_signals_and_end, stack + sizeof(stack), flags | SIGCHLD, NULL);
	waitpid(pid, &status, 0);
}

static void signals(void)
{
	static char stack[1 << 14];
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)};
	union sigval value = {.sival_int = 1};
	sigset_t set;

	printf("signals\n");
	signal(SIGUSR1, handler);
	signal(SIGUSR2, SIG_IGN);
	sigaltstack(&ss, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	kill(getpid(), SIGUSR1);
	sigqueue(getpid(), SIGRTMIN, value);
	show_signals();
	in_child(unblock);
	in_clone("clone, nothing shared", 0);
	in_clone("CLONE_VM", CLONE_VM);
	in_clone("CLONE_VM and CLONE_VFORK", CLONE_VM | CLONE_VFORK);
	in_clone("CLONE_VM and CLONE_SIGHAND", CLONE_VM | CLONE_SIGHAND);
	signal(SIGRTMIN, SIG_IGN);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* ---- the rest ---- */

static struct {
	void *next;
	long offset;
	void *pending;
} robust = {&robust, 0, NULL};

static void show_rest(void)
{
	struct rlimit core, files;
	cpu_set_t cpus;
	size_t size = 0;
	void *head = NULL;
	char adj[16] = "";
	int fd;

	syscall(SYS_get_robust_list, 0, &head, &size);
	getrlimit(RLIMIT_CORE, &core);
	getrlimit(RLIMIT_NOFILE, &files);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	fd = open("/proc/self/oom_score_adj", O_RDONLY);
	read(fd, adj, sizeof(adj) - 1);
	close(fd);
	printf("    robust list %d, limits %#lx %#lx, cpus %d, oom_score_adj %s", head == &robust,
	       (long)core.rlim_cur, (long)files.rlim_cur, CPU_COUNT(&cpus), adj);
}

static void forks_on(void)
{
	show_rest();
	in_child(show_rest);
}

static void rest(void)
{
	struct rlimit core = {0, 7}, files = {33, 44};
	cpu_set_t cpus;
	char adj[] = "77";
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	printf("the rest\n");
	write(fd, adj, 2);
	close(fd);
	setrlimit(RLIMIT_CORE, &core);
	setrlimit(RLIMIT_NOFILE, &files);
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	syscall(SYS_set_robust_list, &robust, sizeof(robust));
	show_rest();
	in_child(forks_on);
}

/* The parent's CLONE_CHILD_CLEARTID and robust list are not the child's: its end changes neither
 * word in memory that both have. */
static void words_of_the_end(void)
{
	struct {
		void *next;
		long offset;
		void *pending;
		void *entry;
		uint32_t lock, tid;
	} *shared = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	fflush(stdout);
	shared->next = &shared->entry;
	shared->entry = shared;
	shared->offset = (long)((char *)&shared->lock - (char *)&shared->entry);
	shared->tid = 5;
	syscall(SYS_set_robust_list, shared, 24);
	syscall(SYS_set_tid_address, &shared->tid);
	pid = fork();
	if (!pid) {
		shared->lock = (uint32_t)syscall(SYS_gettid);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	printf("at the child's end: lock is its own %d, tid %u\n", shared->lock == (uint32_t)pid,
	       shared->tid);
}

int main(void)
{
	pages_of_private_memory();
	other_memory();
	signals();
	rest();
	words_of_the_end();
	return 0;
}
