/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fork, vfork, clone and wait4: what a child has of its parent, how it ends, who hears of it.
 * Process numbers are never printed, only how they relate. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "abi.h"

static int in_data = 1;
static int status;

static void show_status(const char *what)
{
	if (WIFEXITED(status))
		printf("%-44s exited %d\n", what, WEXITSTATUS(status));
	else
		printf("%-44s killed by %d\n", what, WTERMSIG(status));
}

/* Waits for it and says how it ended. */
static void reap(const char *what, pid_t pid)
{
	printf("%-44s %s\n", what, waitpid(pid, &status, 0) == pid ? "reaped" : "not reaped");
	show_status(what);
}

/* ---- memory and registers ---- */

static void memory(void)
{
	int on_stack = 1, *mapped = mmap((void *)BASE, PAGE, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	int *in_heap = malloc(sizeof(int));
	pid_t pid;

	*mapped = *in_heap = 1;
	pid = fork();
	if (!pid) {
		printf("child sees %d %d %d %d\n", in_data, on_stack, *mapped, *in_heap);
		in_data = on_stack = *mapped = *in_heap = 2;
		mprotect(mapped, PAGE, PROT_READ);
		munmap((void *)(BASE + PAGE), PAGE);
		_exit(in_data + on_stack + *mapped + *in_heap);
	}
	in_data = on_stack = *mapped = *in_heap = 3;
	reap("child that writes", pid);
	printf("parent sees %d %d %d %d\n", in_data, on_stack, *mapped, *in_heap);
	*mapped = 4;
	munmap(mapped, PAGE);
	free(in_heap);
}

/* Each generation adds its own and forks the next. */
static int generations(int depth)
{
	pid_t pid;

	in_data = depth;
	if (depth == 4)
		return in_data;
	pid = fork();
	if (!pid)
		_exit(generations(depth + 1));
	waitpid(pid, &status, 0);
	return in_data == depth ? WEXITSTATUS(status) + 1 : 99;
}

static void floating_point(void)
{
	volatile double third = 1.0 / 3;
	double live = third * 3;
	pid_t pid = fork();

	if (!pid)
		_exit(live == 1.0 && third * 2 + third == live ? 0 : 1);
	reap("floating point in the child", pid);
	printf("in the parent: %d\n", live == 1.0);
}

static void identity(void)
{
	pid_t parent = getpid(), pid = fork();

	if (!pid) {
		printf("getppid is the parent: %d\n", getppid() == parent);
		printf("getpid is another: %d\n", getpid() != parent);
		printf("gettid is getpid: %d\n", syscall(SYS_gettid) == getpid());
		_exit(0);
	}
	reap("identity", pid);
	printf("children are numbered apart: %d\n", pid != parent && pid > 0);
}

/* ---- ends ---- */

static void ends(void)
{
	static const int codes[] = {0, 1, 255, 256, -1};
	pid_t pid;

	for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		pid = fork();
		if (!pid)
			_exit(codes[i]);
		reap("exit", pid);
	}
	pid = fork();
	if (!pid)
		*(volatile int *)NOWHERE = 1;
	reap("wild write", pid);
	pid = fork();
	if (!pid)
		__builtin_trap();
	reap("illegal instruction", pid);
	pid = fork();
	if (!pid)
		syscall(SYS_exit, 7);
	reap("exit of the thread", pid);
}

static void waits(void)
{
	struct rusage usage;
	pid_t a, b;

	show("wait without children", wait(&status));
	show("wait for another's child", waitpid(1 << 21, &status, 0));
	show("wait with bad options", waitpid(-1, &status, 0x100));
	a = fork();
	if (!a)
		_exit(1);
	b = fork();
	if (!b)
		_exit(2);
	printf("second first: %d\n", waitpid(b, &status, 0) == b);
	show_status("second");
	printf("any: %d\n", wait4(-1, &status, 0, &usage) == a);
	show_status("first");
	show("again", waitpid(a, &status, 0));
	a = fork();
	if (!a)
		_exit(3);
	show("bad place for the status", syscall(SYS_wait4, a, NOWHERE, 0, 0));
	show("it is gone anyway", waitpid(a, &status, 0));
	a = fork();
	if (!a)
		_exit(4);
	printf("own group: %d\n", waitpid(0, NULL, 0) == a);
}

static void no_hang(void)
{
	int fd[2];
	char byte;
	pid_t pid;

	show("pipe", pipe(fd));
	pid = fork();
	if (!pid) {
		close(fd[1]);
		_exit((int)read(fd[0], &byte, 1));
	}
	show("not ended yet", waitpid(pid, &status, WNOHANG));
	show("any", waitpid(-1, &status, WNOHANG));
	close(fd[0]);
	close(fd[1]);
	reap("after its pipe closed", pid);
	show("no child any more", waitpid(-1, &status, WNOHANG));
}

/* The child of a child goes to somebody else when its parent ends: on the stub, to the first
 * process, which is this one. */
static void orphan(void)
{
	struct timespec tick = {0, 1000000};
	pid_t middle;
	int fd[2];
	char byte;

	show("pipe", pipe(fd));
	middle = fork();
	if (!middle) {
		pid_t self = getpid();

		if (!fork()) {
			while (getppid() == self)
				nanosleep(&tick, NULL);
			byte = 'y';
			write(fd[1], &byte, 1);
			_exit(0);
		}
		_exit(0);
	}
	close(fd[1]);
	reap("middle", middle);
	printf("orphan's word: %zd %c\n", read(fd[0], &byte, 1), byte);
	show("the pipe's end", read(fd[0], &byte, 1));
	close(fd[0]);
}

/* ---- SIGCHLD ---- */

static volatile int chld_code, chld_status, chld_pid, chld_count;

static void on_chld(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	chld_code = info->si_code;
	chld_status = info->si_status;
	chld_pid = info->si_pid;
	chld_count++;
}

static void sigchld(void)
{
	struct sigaction sa = {.sa_sigaction = on_chld, .sa_flags = SA_SIGINFO | SA_RESTART};
	pid_t pid;

	sigaction(SIGCHLD, &sa, NULL);
	pid = fork();
	if (!pid)
		_exit(42);
	reap("with a handler", pid);
	printf("SIGCHLD %d: code %d status %d pid %d\n", chld_count, chld_code, chld_status,
	       chld_pid == pid);
	pid = fork();
	if (!pid) {
		raise(SIGTERM);
		_exit(0);
	}
	reap("killed", pid);
	printf("SIGCHLD %d: code %d status %d pid %d\n", chld_count, chld_code, chld_status,
	       chld_pid == pid);
	signal(SIGCHLD, SIG_IGN);
	pid = fork();
	if (!pid)
		_exit(1);
	show("ignored: waits, then nobody is there", waitpid(pid, &status, 0));
	signal(SIGCHLD, SIG_DFL);
}

/* ---- vfork and clone ---- */

static void vforks(void)
{
	static volatile int shared;
	pid_t pid = vfork();

	if (!pid) {
		shared = 5;
		_exit(6);
	}
	printf("vfork's child wrote: %d\n", shared);
	reap("vfork", pid);
}

static void clones(void)
{
	pid_t tid = 0, pid;

	show("CLONE_VM alone", syscall(SYS_clone, CLONE_THREAD | SIGCHLD, 0, 0, 0, 0));
	pid = (pid_t)syscall(SYS_clone, CLONE_CHILD_SETTID | CLONE_PARENT_SETTID | SIGCHLD, 0, &tid,
			     &tid, 0);
	if (!pid)
		_exit(tid == (pid_t)syscall(SYS_gettid));
	printf("parent's tid: %d\n", tid == pid);
	reap("child's tid", pid);
	pid = (pid_t)syscall(SYS_clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
	if (!pid) {
		in_data = 77;
		_exit(8);
	}
	printf("CLONE_VFORK without CLONE_VM: %d\n", in_data != 77);
	reap("it", pid);
}

/* ---- many ---- */

static void many(void)
{
	pid_t pid[8];
	int sum = 0;

	for (int i = 0; i < 8; i++) {
		pid[i] = fork();
		if (!pid[i])
			_exit(i);
	}
	for (int i = 8; i--;)
		if (waitpid(pid[i], &status, 0) == pid[i])
			sum += WEXITSTATUS(status);
	printf("8 at once: %d\n", sum);
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	memory();
	printf("generations %d\n", generations(0));
	floating_point();
	identity();
	ends();
	waits();
	no_hang();
	orphan();
	sigchld();
	vforks();
	clones();
	many();
	return 0;
}
