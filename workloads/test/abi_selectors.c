/* SPDX-License-Identifier: GPL-2.0-or-later */
/* %ds, %es, %fs, %gs and the bases of the last two: what a program starts with, what a load
 * changes, whose they are: another process's or thread's never, the child's after fork, nobody's
 * after execve.
 *
 * %fs is the C library's. Where it holds something else, nothing but the code here runs, and its
 * system calls are made by hand. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "abi_area.h"

enum { ARCH_SET_GS = 0x1001, ARCH_SET_FS, ARCH_GET_FS, ARCH_GET_GS };

#define DATA 0x2b
#define CODE32 0x23
#define CODE64 0x33
#define ROUNDS 20

struct selectors {
	uint16_t ds, es, fs, gs;
};

static inline struct selectors get(void)
{
	struct selectors s;

	__asm__ volatile("movw %%ds, %0; movw %%es, %1; movw %%fs, %2; movw %%gs, %3"
			 : "=m"(s.ds), "=m"(s.es), "=m"(s.fs), "=m"(s.gs));
	return s;
}

/* All but %fs. */
static inline void set(uint16_t ds, uint16_t es, uint16_t gs)
{
	__asm__ volatile("movw %w0, %%ds; movw %w1, %%es; movw %w2, %%gs" ::"r"(ds), "r"(es),
			 "r"(gs));
}

static void print(const char *what)
{
	struct selectors s = get();
	unsigned long gs = 1;

	syscall(SYS_arch_prctl, ARCH_GET_GS, &gs);
	printf("%-44s ds %x es %x fs %x gs %x, gs base %#lx\n", what, s.ds, s.es, s.fs, s.gs, gs);
	fflush(stdout);
}

static inline long raw(long nr, long a, long b, long c)
{
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return r;
}

/* ---- loads ---- */

static volatile int fails;

static void on_fault(int signo, siginfo_t *si, void *context)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)si;
	fails = signo;
	r[REG_RIP] = r[REG_R8]; /* behind the load */
}

#define LOAD(reg, value)                                                                           \
	__asm__ volatile("leaq 1f(%%rip), %%r8; movw %w0, %%" #reg "; 1:" ::"r"(value)             \
			 : "r8", "memory")

/* Which selectors can be loaded; not null ones with a privilege level, of which hardware makes 0 as
 * it likes, nor 0x78, where Linux keeps the CPU's number. */
static void loadable(void)
{
	struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	for (unsigned s = 4; s < 0x400; s++) {
		if ((s & ~7u) == 0x78)
			continue;
		fails = 0;
		LOAD(es, s);
		if (!fails)
			printf("selector %#x: loaded, is %#x\n", s, get().es);
		else if (fails != SIGSEGV)
			printf("selector %#x: signal %d\n", s, fails);
	}
	set(0, 0, 0);
	print("none");
}

static void bases(void)
{
	syscall(SYS_arch_prctl, ARCH_SET_GS, 0x1234567000);
	print("ARCH_SET_GS");
	set(DATA, CODE64, DATA);
	print("a selector takes the base");
	for (int i = 0; i < ROUNDS; i++)
		sched_yield();
	print("later");
	syscall(SYS_arch_prctl, ARCH_SET_GS, 0x7654321000);
	print("ARCH_SET_GS takes the selector");
	set(0, 0, DATA);
	set(0, 0, 0);
	show("a base in the kernel's half", syscall(SYS_arch_prctl, ARCH_SET_GS, KERNEL));
	print("none");
}

/* The same with %fs; its base comes back before anything else runs. */
static __attribute__((noinline)) void base_of_fs(void)
{
	unsigned long own = 0, base[3] = {1, 1, 1};
	uint16_t fs[2];

	syscall(SYS_arch_prctl, ARCH_GET_FS, &own);
	__asm__ volatile("movw %w0, %%fs" ::"r"(DATA));
	raw(SYS_arch_prctl, ARCH_GET_FS, (long)&base[0], 0);
	for (int i = 0; i < ROUNDS; i++)
		raw(SYS_sched_yield, 0, 0, 0);
	fs[0] = get().fs;
	raw(SYS_arch_prctl, ARCH_GET_FS, (long)&base[1], 0);
	raw(SYS_arch_prctl, ARCH_SET_FS, (long)own, 0);
	fs[1] = get().fs;
	syscall(SYS_arch_prctl, ARCH_GET_FS, &base[2]);
	printf("%%fs: base %#lx, later %x with %#lx, ARCH_SET_FS: %x, base back %d\n", base[0],
	       fs[0], base[1], fs[1], base[2] == own);
}

/* ---- whose they are ---- */

/* Passes a byte on, and takes it back: both processes run in turn. */
static void turn(int to, int from)
{
	char byte = 0;

	write(to, &byte, 1);
	read(from, &byte, 1);
}

/* Two processes, each with its own in every round; ROUNDS is what both count if none is lost. */
static void processes(void)
{
	int there[2], back[2], status, kept = 0;
	pid_t pid;

	pipe(there);
	pipe(back);
	pid = fork();
	if (!pid) {
		for (int i = 0; i < ROUNDS; i++) {
			struct selectors s;

			set(CODE32, 0, CODE64);
			syscall(SYS_arch_prctl, ARCH_SET_GS, 0x2000 + i);
			turn(back[1], there[0]);
			s = get();
			kept += s.ds == CODE32 && !s.es && !s.gs;
		}
		_exit(kept);
	}
	for (int i = 0; i < ROUNDS; i++) {
		struct selectors s;

		set(i & 1 ? DATA : 0, CODE64, i & 2 ? DATA : 0);
		turn(there[1], back[0]);
		s = get();
		kept += s.ds == (i & 1 ? DATA : 0) && s.es == CODE64 && s.gs == (i & 2 ? DATA : 0);
	}
	waitpid(pid, &status, 0);
	printf("kept by a process %d, by the other %d of %d\n", kept, WEXITSTATUS(status), ROUNDS);
	set(0, 0, 0);
}

static int in_clone(void *unused)
{
	struct selectors s = get();

	(void)unused;
	return s.ds == DATA && s.es == CODE64 && !s.fs && s.gs == CODE32;
}

/* %fs is what CLONE_SETTLS makes it. */
static void with_tls(void)
{
	static char stack[1 << 14] __attribute__((aligned(16)));
	unsigned long own = 0;
	int status;
	pid_t pid;

	syscall(SYS_arch_prctl, ARCH_GET_FS, &own);
	set(DATA, CODE64, CODE32);
	__asm__ volatile("movw %w0, %%fs" ::"r"(DATA));
	pid = (pid_t)raw(SYS_fork, 0, 0, 0);
	if (!pid)
		raw(SYS_exit_group, get().fs == DATA, 0, 0);
	raw(SYS_arch_prctl, ARCH_SET_FS, (long)own, 0);
	waitpid(pid, &status, 0);
	printf("fork: %%fs is the child's too: %d\n", WEXITSTATUS(status));
	pid = clone(in_clone, stack + sizeof(stack), CLONE_SETTLS | SIGCHLD, NULL, NULL, own);
	waitpid(pid, &status, 0);
	printf("CLONE_SETTLS: none in %%fs, the others are the parent's: %d\n",
	       WEXITSTATUS(status));
}

/* ---- signals ---- */

static void in_handler(int signo, siginfo_t *si, void *context)
{
	const greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)si;
	printf("signal %d: cs, gs, fs, ss of the context %#llx\n", signo, r[REG_CSGSFS]);
	print("in the handler");
	set(CODE32, 0, DATA);
}

static void signals(void)
{
	struct sigaction sa = {.sa_sigaction = in_handler, .sa_flags = SA_SIGINFO};

	sigaction(SIGUSR1, &sa, NULL);
	set(DATA, CODE64, CODE32);
	raise(SIGUSR1);
	print("after the handler");
	set(0, 0, 0);
}

int main(int argc, char **argv)
{
	print(argc > 1 ? "after execve" : "at the start");
	if (argc > 1)
		return 0;
	loadable();
	bases();
	base_of_fs();
	processes();
	with_tls();
	signals();
	set(DATA, CODE64, CODE32);
	execl("/proc/self/exe", argv[0], "again", NULL);
	return 1;
}
