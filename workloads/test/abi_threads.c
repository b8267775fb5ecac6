/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clone and clone3 as the kernel has them, without a thread library: which flags go together,
 * threads and what they share, the end of one and of all, exec and fork from a thread, waiting,
 * process groups. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "abi.h"

#define STACK_SIZE 65536ul
#define FUTEX_WAIT 0
#define CLONE_CLEAR_SIGHAND 0x100000000ull
#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)
#define JOINABLE (THREAD | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

struct clone_args { /* musl comes without Linux's headers */
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
		set_tid_size, cgroup;
};

static const struct timespec tick = {0, 20000000};
static char *program, leaf_name[] = "leaf";

/* ---- threads, by hand ---- */

struct thread {
	volatile int tid; /* 0 when it has ended */
	int (*fn)(void *);
	void *arg;
	char *stack;
};

/* The new thread's code: on its own stack, without a thread pointer of its own, so that it may call
 * nothing of the C library that needs one, errno among it. */
static long raw(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return r;
}

__attribute__((noinline, used)) static void thread_main(struct thread *t)
{
	raw(SYS_exit, t->fn(t->arg), 0, 0, 0, 0, 0);
}

/* The system call itself: the child calls thread_main(t) on its stack. */
static long clone_into(unsigned long flags, void *top, struct thread *t)
{
	register long r10 __asm__("r10") = (long)&t->tid;
	register long r8 __asm__("r8") = 0;
	void **sp = (void **)((uintptr_t)top & ~15ul);
	long r;

	sp -= 2; /* aligned at the call */
	*--sp = t;
	__asm__ volatile("syscall\n\t"
			 "testq %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "popq %%rdi\n\t"
			 "xorl %%ebp, %%ebp\n\t"
			 "call thread_main\n\t"
			 "ud2\n"
			 "1:"
			 : "=a"(r)
			 : "0"(SYS_clone), "D"(flags), "S"(sp), "d"(&t->tid), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return r;
}

static char *new_stack(void)
{
	return mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long start(struct thread *t, unsigned long flags, int (*fn)(void *), void *arg)
{
	*t = (struct thread){.fn = fn, .arg = arg, .stack = new_stack()};
	return clone_into(flags, t->stack + STACK_SIZE, t);
}

static void join(struct thread *t)
{
	int tid;

	while ((tid = t->tid))
		syscall(SYS_futex, &t->tid, FUTEX_WAIT, tid, NULL, NULL, 0);
	munmap(t->stack, STACK_SIZE);
}

static void reap(const char *what, pid_t pid)
{
	int status = 0;
	pid_t r;

	while ((r = waitpid(pid, &status, __WALL)) == -1 && errno == EINTR)
		;
	if (r != pid)
		printf("%-44s nobody: %s\n", what, strerror(errno));
	else if (WIFEXITED(status))
		printf("%-44s exited %d\n", what, WEXITSTATUS(status));
	else
		printf("%-44s killed by %d\n", what, WTERMSIG(status));
}

/* ---- flags ---- */

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static long try_clone(unsigned long flags)
{
	struct thread t;
	long r = start(&t, flags, nothing, NULL);

	munmap(t.stack, STACK_SIZE);
	if (r > 0)
		waitpid((pid_t)r, NULL, __WALL);
	return r > 0 ? 0 : r;
}

static void flags(void)
{
	static const struct {
		const char *name;
		unsigned long flags;
	} bad[] = {
		{"THREAD alone", CLONE_THREAD},
		{"THREAD without SIGHAND", CLONE_THREAD | CLONE_VM},
		{"THREAD without VM", CLONE_THREAD | CLONE_SIGHAND},
		{"SIGHAND without VM", CLONE_SIGHAND | SIGCHLD},
		{"FS and NEWNS", CLONE_FS | CLONE_NEWNS},
		{"a process", SIGCHLD},
		{"a process without a signal", 0},
		{"a process with another signal", SIGUSR2},
		{"VM, with VFORK", CLONE_VM | CLONE_VFORK | SIGCHLD},
		{"VM and FILES", CLONE_VM | CLONE_FILES | CLONE_VFORK | SIGCHLD},
		{"VM and SIGHAND", CLONE_VM | CLONE_SIGHAND | CLONE_VFORK | SIGCHLD},
		{"FILES alone", CLONE_FILES | SIGCHLD},
		{"FS, SYSVSEM, IO", CLONE_FS | CLONE_SYSVSEM | CLONE_IO | SIGCHLD},
		{"DETACHED", CLONE_DETACHED | SIGCHLD},
	};

	signal(SIGUSR2, SIG_IGN);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		printf("%-44s %ld\n", bad[i].name, try_clone(bad[i].flags));
	signal(SIGUSR2, SIG_DFL);
}

static void handler(int signo)
{
	(void)signo;
}

static long clone3(const struct clone_args *args, size_t size)
{
	return syscall(SYS_clone3, args, size);
}

static void clone3_errors(void)
{
	struct {
		struct clone_args args;
		char more[8];
	} a;
	char *page = mmap((void *)BASE, 2 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	memset(&a, 0, sizeof(a));
	show("clone3: too small", clone3(&a.args, 63));
	show("clone3: too large", clone3(&a.args, 4097));
	show("clone3: bad pointer", clone3((void *)NOWHERE, 64));
	a.more[0] = 1;
	show("clone3: more than is known", clone3(&a.args, sizeof(a)));
	a.more[0] = 0;
	a.args.exit_signal = 65;
	show("clone3: no such signal", clone3(&a.args, 88));
	a.args.exit_signal = 1ul << 32;
	show("clone3: no signal at all", clone3(&a.args, 88));
	a.args.exit_signal = SIGCHLD;
	a.args.flags = CLONE_DETACHED;
	show("clone3: DETACHED", clone3(&a.args, 88));
	a.args.flags = SIGCHLD;
	show("clone3: a signal among the flags", clone3(&a.args, 88));
	a.args.flags = THREAD;
	show("clone3: a thread's signal", clone3(&a.args, 88));
	a.args.flags = 0;
	a.args.stack = (uintptr_t)page;
	show("clone3: a stack without a size", clone3(&a.args, 88));
	a.args.stack = 0;
	a.args.stack_size = PAGE;
	show("clone3: a size without a stack", clone3(&a.args, 88));
	a.args.stack = KERNEL;
	show("clone3: a stack of the kernel's", clone3(&a.args, 88));
	a.args.stack = a.args.stack_size = 0;
	a.args.flags = CLONE_SIGHAND | CLONE_VM | CLONE_CLEAR_SIGHAND;
	show("clone3: SIGHAND and CLEAR_SIGHAND", clone3(&a.args, 88));
	a.args.flags = CLONE_SETTLS;
	a.args.tls = KERNEL;
	show("clone3: a thread pointer of the kernel's", clone3(&a.args, 88));
	munmap(page, 2 * PAGE);
}

static void clone3_process(void)
{
	struct clone_args a = {.flags = CLONE_PARENT_SETTID | CLONE_CLEAR_SIGHAND,
			       .exit_signal = SIGCHLD};
	struct sigaction sa;
	pid_t tid = 0;
	long pid;

	signal(SIGUSR1, handler);
	signal(SIGUSR2, SIG_IGN);
	a.parent_tid = (uintptr_t)&tid;
	fflush(stdout);
	pid = clone3(&a, sizeof(a));
	if (!pid) {
		sigaction(SIGUSR1, NULL, &sa);
		printf("USR1 default: %d\n", sa.sa_handler == SIG_DFL);
		sigaction(SIGUSR2, NULL, &sa);
		printf("USR2 ignored: %d\n", sa.sa_handler == SIG_IGN);
		fflush(stdout);
		_exit(5);
	}
	reap("clone3", (pid_t)pid);
	printf("parent_tid: %d\n", tid == pid);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
}

/* ---- what threads share ---- */

static volatile int shared_value;

static int writes_value(void *arg)
{
	shared_value = (int)(uintptr_t)arg;
	return 0;
}

static volatile long seen[4];

static int identity(void *arg)
{
	(void)arg;
	seen[0] = raw(SYS_getpid, 0, 0, 0, 0, 0, 0);
	seen[1] = raw(SYS_gettid, 0, 0, 0, 0, 0, 0);
	seen[2] = raw(SYS_getppid, 0, 0, 0, 0, 0, 0);
	seen[3] = raw(SYS_close, 100, 0, 0, 0, 0, 0);
	return 0;
}

static void sharing(void)
{
	struct thread t[8];
	long tid;

	for (int i = 0; i < 8; i++) {
		start(&t[i], JOINABLE, writes_value, (void *)(uintptr_t)(i + 1));
		join(&t[i]);
		printf("thread %d wrote %d\n", i, shared_value);
	}
	tid = start(&t[0], JOINABLE, identity, NULL);
	join(&t[0]);
	printf("same process %d, own number %d, same parent %d, close %ld\n", seen[0] == getpid(),
	       seen[1] == tid && tid != getpid(), seen[2] == getppid(), seen[3]);
	show("waitpid for a thread", waitpid((pid_t)tid, NULL, __WALL) == -1 ? -1 : 0);
	show("tgkill to who ended", syscall(SYS_tgkill, getpid(), tid, 0));
}

/* Actions are shared, masks are not. */
static int changes_signals(void *arg)
{
	uint64_t all = ~0ul;
	struct {
		uint64_t handler, flags, restorer, mask;
	} ignore = {1, 0, 0, 0};

	(void)arg;
	raw(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, 0, 8, 0, 0);
	raw(SYS_rt_sigaction, SIGUSR1, (long)&ignore, 0, 8, 0, 0);
	return 0;
}

static void signals(void)
{
	struct sigaction sa;
	struct thread t;
	sigset_t mask;

	start(&t, JOINABLE, changes_signals, NULL);
	join(&t);
	sigaction(SIGUSR1, NULL, &sa);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	printf("action shared %d, mask own %d\n", sa.sa_handler == SIG_IGN,
	       !sigismember(&mask, SIGUSR2));
	signal(SIGUSR1, SIG_DFL);
}

/* ---- the end of one, and of all ---- */

static int sleeps(void *arg)
{
	struct timespec t = {1000, 0};

	(void)arg;
	raw(SYS_nanosleep, (long)&t, 0, 0, 0, 0, 0);
	return 1;
}

static int exits_group(void *arg)
{
	raw(SYS_nanosleep, (long)&tick, 0, 0, 0, 0, 0);
	raw(SYS_exit_group, (long)arg, 0, 0, 0, 0, 0);
	return 0;
}

static int faults(void *arg)
{
	(void)arg;
	*(volatile char *)NOWHERE = 1;
	return 0;
}

static int computes(void *arg)
{
	(void)arg;
	for (volatile unsigned long n = 0;; n++)
		;
	return 0;
}

/* How a process ends in which one thread does `fn` while others sleep and compute. */
static void process_with(const char *what, int (*fn)(void *), void *arg, int leader_ends)
{
	struct thread t[3];
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		start(&t[0], THREAD, sleeps, NULL);
		start(&t[1], THREAD, computes, NULL);
		start(&t[2], THREAD, fn, arg);
		if (leader_ends)
			syscall(SYS_exit, 7);
		for (;;)
			pause();
	}
	reap(what, pid);
}

static int hold[2]; /* a pipe: whoever reads goes on when its last writer is gone */

static volatile int leader_lives; /* cleared as the first thread ends */

static int ends_later(void *arg)
{
	char byte;

	raw(SYS_read, hold[0], (long)&byte, 1, 0, 0, 0);
	while (leader_lives)
		raw(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
	raw(SYS_exit, (long)arg, 0, 0, 0, 0, 0);
	return 0;
}

/* A process of two threads. The first ends; the other does after that, and after the caller has
 * closed hold[1]. */
static pid_t leader_ends(void)
{
	struct thread t;
	pid_t pid;

	pipe(hold);
	pid = fork();
	if (!pid) {
		close(hold[1]);
		leader_lives = 1;
		syscall(SYS_set_tid_address, &leader_lives);
		start(&t, THREAD, ends_later, (void *)9);
		syscall(SYS_exit, 6);
	}
	close(hold[0]);
	return pid;
}

static void ends(void)
{
	struct thread t;
	pid_t pid;
	int status;

	process_with("exit_group from a thread", exits_group, (void *)3, 0);
	process_with("exit_group after the first thread's end", exits_group, (void *)4, 1);
	process_with("a fault in a thread", faults, NULL, 0);
	process_with("a fault after the first thread's end", faults, NULL, 1);
	fflush(stdout);
	pid = leader_ends();
	show("not ended yet", waitpid(pid, &status, WNOHANG) == 0 ? 0 : -1);
	close(hold[1]);
	reap("the last thread ends, its status", pid);
	signal(SIGCHLD, SIG_IGN);
	pid = leader_ends();
	close(hold[1]);
	show("the same, and nobody asks", waitpid(pid, &status, 0));
	signal(SIGCHLD, SIG_DFL);
	pid = fork();
	if (!pid) {
		start(&t, THREAD, sleeps, NULL);
		start(&t, THREAD, computes, NULL);
		syscall(SYS_exit, 6);
	}
	nanosleep(&tick, NULL);
	show("kill, first thread ended", kill(pid, SIGTERM));
	reap("SIGTERM, first thread ended", pid);
	pid = fork();
	if (!pid) {
		start(&t, THREAD, sleeps, NULL);
		start(&t, THREAD, computes, NULL);
		for (;;)
			pause();
	}
	nanosleep(&tick, NULL);
	kill(pid, SIGKILL);
	reap("SIGKILL", pid);
}

/* ---- exec, fork, vfork from a thread ---- */

static int execs(void *arg)
{
	char *argv[] = {program, arg, NULL};

	raw(SYS_nanosleep, (long)&tick, 0, 0, 0, 0, 0);
	raw(SYS_execve, (long)program, (long)argv, (long)environ, 0, 0, 0);
	return 0;
}

static int execs_badly(void *arg)
{
	char *argv[] = {program, arg, NULL}, *envp[] = {NULL};

	raw(SYS_execve, (long)"/nowhere", (long)argv, (long)envp, 0, 0, 0);
	raw(SYS_exit_group, 11, 0, 0, 0, 0, 0);
	return 0;
}

static int forks(void *arg)
{
	long pid = raw(SYS_fork, 0, 0, 0, 0, 0, 0);
	int status = 0;

	(void)arg;
	if (!pid)
		raw(SYS_exit,
		    raw(SYS_gettid, 0, 0, 0, 0, 0, 0) == raw(SYS_getpid, 0, 0, 0, 0, 0, 0) ? 21
											   : 22,
		    0, 0, 0, 0, 0);
	raw(SYS_wait4, pid, (long)&status, 0, 0, 0, 0);
	seen[0] = status;
	return 0;
}

static int limits_itself(void *arg)
{
	const unsigned long none[2] = {0, ~0ul}; /* struct rlimit */

	(void)arg;
	return (int)raw(SYS_prlimit64, 0, RLIMIT_AS, (long)none, 0, 0, 0);
}

/* In a process whose first thread has ended: a child in the same memory sets a limit of its own. */
static int maps_after_limited_child(void *arg)
{
	struct thread t;
	long child;

	(void)arg;
	raw(SYS_nanosleep, (long)&tick, 0, 0, 0, 0, 0);
	child = start(&t, CLONE_VM | SIGCHLD, limits_itself, NULL);
	raw(SYS_wait4, child, 0, 0, 0, 0, 0);
	raw(SYS_exit_group,
	    raw(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) > 0 ? 31 : 32, 0,
	    0, 0, 0, 0);
	return 0;
}

static void exec_and_fork(void)
{
	struct thread t;

	process_with("exec from a thread", execs, leaf_name, 0);
	process_with("exec after the first thread's end", execs, leaf_name, 1);
	process_with("exec that fails", execs_badly, leaf_name, 0);
	process_with("a child's limit", maps_after_limited_child, NULL, 1);
	start(&t, JOINABLE, forks, NULL);
	join(&t);
	printf("forked by a thread: %#lx\n", seen[0]);
}

/* What the program run again does: it is alone, and the first thread. */
static int leaf(void)
{
	printf("leaf: first thread %d\n", syscall(SYS_gettid) == getpid());
	show("leaf: exit status", 0);
	fflush(stdout);
	_exit(12);
}

/* ---- processes that share ---- */

static int opens_and_writes(void *arg)
{
	shared_value = 77;
	seen[0] = raw(SYS_dup, 1, 0, 0, 0, 0, 0);
	seen[1] = raw(SYS_getpid, 0, 0, 0, 0, 0, 0);
	return (int)(uintptr_t)arg;
}

static void share_without_thread(void)
{
	struct thread t;
	long pid;

	shared_value = 0;
	pid = start(&t, CLONE_VM | CLONE_FILES | SIGCHLD, opens_and_writes, (void *)31);
	reap("VM and FILES", (pid_t)pid);
	printf("memory shared %d, another process %d\n", shared_value == 77,
	       seen[1] == pid && pid != getpid());
	show("its descriptor is here", close((int)seen[0]));
	shared_value = 0;
	pid = start(&t, SIGCHLD, opens_and_writes, (void *)32);
	reap("nothing shared", (pid_t)pid);
	printf("memory shared %d\n", shared_value == 77);
	signal(SIGUSR1, SIG_IGN);
	pid = start(&t, CLONE_VM | SIGUSR1, nothing, NULL);
	nanosleep(&tick, NULL);
	show("another signal, wait without __WCLONE", waitpid((pid_t)pid, NULL, 0) == -1 ? -1 : 0);
	show("with it", waitpid((pid_t)pid, NULL, __WCLONE) == pid ? 0 : -1);
	signal(SIGUSR1, SIG_DFL);
	pid = fork();
	if (!pid)
		_exit(0);
	nanosleep(&tick, NULL);
	show("__WCLONE for a child of fork", waitpid((pid_t)pid, NULL, __WCLONE) == -1 ? -1 : 0);
	reap("a child of fork", (pid_t)pid);
}

/* ---- waitid, groups ---- */

static void show_info(const char *what, long r, const siginfo_t *si, pid_t pid)
{
	show(what, r);
	printf("  signo %d errno %d code %d status %d, pid %s\n", si->si_signo, si->si_errno,
	       si->si_code, si->si_status,
	       si->si_pid == pid ? "the child's"
	       : si->si_pid	 ? "?"
				 : "0");
}

static void waitids(void)
{
	siginfo_t si;
	pid_t pid;
	char byte;

	pipe(hold);
	pid = fork();
	if (!pid) {
		close(hold[1]);
		_exit(17 + (int)read(hold[0], &byte, 1));
	}
	close(hold[0]);
	memset(&si, 0xff, sizeof(si));
	show_info("waitid, not yet", waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG), &si, pid);
	close(hold[1]);
	show_info("waitid, left there", waitid(P_ALL, 0, &si, WEXITED | WNOWAIT), &si, pid);
	show("waitid, stopped", waitid(P_PID, (id_t)pid, &si, WSTOPPED | WNOHANG));
	show("waitid, continued", waitid(P_ALL, 0, &si, WCONTINUED));
	show_info("waitid", waitid(P_PGID, (id_t)getpgrp(), &si, WEXITED), &si, pid);
	show("waitid, nobody", waitid(P_ALL, 0, &si, WEXITED));
	show("waitid, for nothing", waitid(P_ALL, 0, &si, WNOHANG));
	show("waitid, bad flags", waitid(P_ALL, 0, &si, WEXITED | 64));
	show("waitid, bad kind", waitid(9, 0, &si, WEXITED));
	show("waitid, pid 0", waitid(P_PID, 0, &si, WEXITED));
	pid = fork();
	if (!pid)
		for (;;)
			pause();
	kill(pid, SIGKILL);
	show_info("waitid, killed", waitid(P_PID, (id_t)pid, &si, WEXITED), &si, pid);
}

static void groups(void)
{
	pid_t a = fork(), b;

	if (!a)
		for (;;)
			pause();
	show("setpgid of a child", setpgid(a, 0));
	printf("its group %d\n", getpgid(a) == a);
	b = fork();
	if (!b)
		for (;;)
			pause();
	show("into the same group", setpgid(b, a));
	show("wait for a group, nobody yet", waitpid(-a, NULL, WNOHANG));
	show("kill the group", kill(-a, SIGTERM));
	reap("one", a);
	printf("wait for the group: %d\n", waitpid(-a, NULL, 0) == b);
	show("wait for no group", waitpid(-a, NULL, 0));
	show("kill no group", kill(-a, SIGTERM));
	fflush(stdout);
	a = fork();
	if (!a) {
		show("setsid", setsid() == getpid() ? 0 : -1);
		printf("group %d session %d\n", getpgrp() == getpid(), getsid(0) == getpid());
		show("setsid again", setsid());
		show("setpgid of a leader", setpgid(0, 0));
		show("setpgid of the parent", setpgid(getppid(), 0));
		show("kill(0)", kill(0, 0));
		fflush(stdout);
		kill(0, SIGUSR2);
		_exit(0);
	}
	reap("a session of one's own", a);
	show("setpgid of nobody", setpgid(1 << 21, 0));
	show("setpgid, negative", setpgid(0, -1));
	show("getpgid of nobody", getpgid(1 << 21));
	show("getsid of nobody", getsid(1 << 21));
}

/* ---- words that are written ---- */

static int waits_for_value(void *arg)
{
	volatile int *word = arg;

	while (!*word)
		raw(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
	return 0;
}

static void words(void)
{
	static volatile int go;
	struct thread t;
	long tid = start(&t, JOINABLE, waits_for_value, (void *)&go);

	printf("PARENT_SETTID %d\n", t.tid == tid);
	go = 1;
	join(&t);
	printf("CHILD_CLEARTID %d\n", t.tid == 0);
	printf("set_tid_address %d\n", syscall(SYS_set_tid_address, NULL) == getpid());
}

int main(int argc, char **argv)
{
	program = argv[0];
	if (argc > 1 && !strcmp(argv[1], leaf_name))
		return leaf();
	setvbuf(stdout, NULL, _IONBF, 0);
	flags();
	clone3_errors();
	clone3_process();
	sharing();
	signals();
	ends();
	exec_and_fork();
	share_without_thread();
	waitids();
	groups();
	words();
	return 0;
}
