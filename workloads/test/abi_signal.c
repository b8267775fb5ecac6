/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SIGSEGV of every kind as a handler sees it: siginfo, the context's err, trapno and cr2; masks,
 * alternate stacks, nesting, and the registers that rt_sigreturn takes back. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdbool.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "abi.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)

static sigjmp_buf back;

/* ---- what a handler is told ---- */

static void describe(int sig, siginfo_t *si, void *context)
{
	const greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;

	printf("  signal %d code %d errno %d addr %p\n", sig, si->si_code, si->si_errno,
	       si->si_addr);
	printf("  trapno %lld err %#llx oldmask %#llx cs/ss %llx\n", r[REG_TRAPNO], r[REG_ERR],
	       r[REG_OLDMASK], r[REG_CSGSFS]);
	if (r[REG_TRAPNO] == 14)
		printf("  cr2 %#llx\n", r[REG_CR2]);
	siglongjmp(back, 1);
}

static void on(int sig, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = handler;
	sa.sa_flags = SA_SIGINFO | flags;
	sigaction(sig, &sa, NULL);
}

enum access { READ, WRITE, EXEC };

static void try_access(const char *what, unsigned long addr, enum access access)
{
	printf("%s\n", what);
	if (sigsetjmp(back, 1))
		return;
	switch (access) {
	case READ:
		(void)*(volatile char *)addr;
		break;
	case WRITE:
		*(volatile char *)addr = 1;
		break;
	case EXEC:
		((void (*)(void))addr)();
	}
	printf("  no fault\n");
}

static void bad_accesses(void)
{
	on(SIGSEGV, describe, 0);
	mmap((void *)BASE, PAGE, PROT_READ, ANON, -1, 0);
	mmap((void *)(BASE + PAGE), PAGE, RW, ANON, -1, 0);
	mmap((void *)(BASE + 2 * PAGE), PAGE, PROT_NONE, ANON, -1, 0);
	try_access("read of nothing", NOWHERE, READ);
	try_access("write to nothing", NOWHERE + 8, WRITE);
	try_access("fetch from nothing", NOWHERE + 16, EXEC);
	try_access("read of null", 0, READ);
	try_access("write to read-only, untouched", BASE + 1, WRITE);
	try_access("read of read-only", BASE + 1, READ);
	try_access("write to read-only, present", BASE + 1, WRITE);
	try_access("fetch from no-execute, untouched", BASE + PAGE + 1, EXEC);
	try_access("write to read-write", BASE + PAGE, WRITE);
	try_access("fetch from no-execute, present", BASE + PAGE + 1, EXEC);
	try_access("read of PROT_NONE", BASE + 2 * PAGE, READ);
	try_access("write to PROT_NONE", BASE + 2 * PAGE, WRITE);
	try_access("read of the kernel's half", KERNEL, READ);
	try_access("write to the kernel's half", KERNEL, WRITE);
	try_access("fetch from the kernel's half", KERNEL, EXEC);
	try_access("read of the first byte past user space", 0x7ffffffff000ul, READ);
	try_access("read of a non-canonical address", NONCANONICAL, READ);
	try_access("write to the program's text", (unsigned long)bad_accesses, WRITE);
	mprotect((void *)(BASE + PAGE), PAGE, PROT_READ);
	try_access("write after mprotect to read-only", BASE + PAGE, WRITE);
	munmap((void *)(BASE + PAGE), PAGE);
	try_access("read after munmap", BASE + PAGE, READ);
	munmap((void *)BASE, 3 * PAGE);
}

/* ---- other exceptions ---- */

static void exceptions(void)
{
	volatile int zero = 0;

	on(SIGILL, describe, 0);
	on(SIGFPE, describe, 0);
	on(SIGTRAP, describe, 0);
	printf("divide error\n");
	if (!sigsetjmp(back, 1)) {
		int r;

		__asm__ volatile("idivl %2" : "=a"(r) : "a"(1), "r"(zero), "d"(0));
	}
	printf("int3\n");
	if (!sigsetjmp(back, 1))
		__asm__ volatile("int3");
	printf("hlt\n");
	if (!sigsetjmp(back, 1))
		__asm__ volatile("hlt");
}

/* ---- registers come back ---- */

static int skipped;

/* Moves over the faulting instruction (movb (%rax),%al and movb %al,(%rax) are two bytes). */
static void skip(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)si;
	uc->uc_mcontext.gregs[REG_RIP] += 2;
	uc->uc_mcontext.gregs[REG_R12] = 0x1234;
	skipped++;
}

static void registers(void)
{
	uint64_t in[6] = {1, 2, 3, 4, 5, 6}, out[7] = {0};
	double x = 1.5, y;

	on(SIGSEGV, skip, 0);
	__asm__ volatile("movq %0, %%xmm7" ::"r"(x) : "xmm7");
	__asm__ volatile("movq (%0), %%rbx\n\tmovq 8(%0), %%rcx\n\tmovq 16(%0), %%rdx\n\t"
			 "movq 24(%0), %%r8\n\tmovq 32(%0), %%r11\n\tmovq 40(%0), %%r15\n\t"
			 "movl $7, %%r12d\n\tstc\n\t"
			 "movb (%%rax), %%al\n\t"
			 "setc %%al\n\tmovzbl %%al, %%eax\n\tmovq %%rax, 48(%1)\n\t"
			 "movq %%rbx, (%1)\n\tmovq %%rcx, 8(%1)\n\tmovq %%rdx, 16(%1)\n\t"
			 "movq %%r8, 24(%1)\n\tmovq %%r11, 32(%1)\n\tmovq %%r12, 40(%1)"
			 :
			 : "S"(in), "D"(out), "a"(NOWHERE)
			 : "rbx", "rcx", "rdx", "r8", "r11", "r12", "r15", "memory", "cc");
	__asm__ volatile("movq %%xmm7, %0" : "=r"(y));
	printf("registers %lx %lx %lx %lx %lx, r12 from the handler %lx, carry %lx, xmm7 %.1f\n",
	       out[0], out[1], out[2], out[3], out[4], out[5], out[6], y);
	printf("skipped %d\n", skipped);
}

/* A handler that changes an SSE register in the saved state: the program sees it. */
static void change_xmm(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;
	uint64_t v = 0x4004000000000000ull; /* 2.5 */

	(void)sig;
	(void)si;
	memcpy(&uc->uc_mcontext.fpregs->_xmm[6], &v, sizeof(v));
	printf("fpstate aligned %d, mxcsr %x, control word %x\n",
	       !((uintptr_t)uc->uc_mcontext.fpregs & 63), uc->uc_mcontext.fpregs->mxcsr,
	       uc->uc_mcontext.fpregs->cwd);
	uc->uc_mcontext.gregs[REG_RIP] += 2;
}

static void fp_registers(void)
{
	double y;

	on(SIGSEGV, change_xmm, 0);
	__asm__ volatile("xorps %%xmm6, %%xmm6\n\tmovb (%%rax), %%al\n\tmovq %%xmm6, %0"
			 : "=r"(y)
			 : "a"(NOWHERE)
			 : "xmm6");
	printf("xmm6 from the handler: %.1f\n", y);
}

/* A handler that mends the mapping: the access is made again. */
static void mend(int sig, siginfo_t *si, void *context)
{
	(void)sig;
	(void)context;
	mprotect((void *)((unsigned long)si->si_addr & ~(PAGE - 1)), PAGE, RW);
}

static void retry(void)
{
	char *p = mmap((void *)BASE, PAGE, PROT_READ, ANON, -1, 0);

	on(SIGSEGV, mend, 0);
	p[5] = 'y';
	printf("written after mprotect in the handler: %c\n", p[5]);
	munmap(p, PAGE);
}

/* ---- masks and nesting ---- */

static int depth;

static unsigned long mask_now(void)
{
	unsigned long set = 0;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &set, 8);
	return set;
}

static void nested(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;
	int level = ++depth;

	(void)si;
	printf("  level %d signal %d mask %#lx interrupted mask %#lx\n", level, sig, mask_now(),
	       *(unsigned long *)&uc->uc_sigmask);
	if (level < 3)
		raise(sig);
	printf("  level %d ends\n", level);
}

static void masks(void)
{
	struct sigaction sa;
	sigset_t set;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = nested;
	sa.sa_flags = SA_SIGINFO | SA_NODEFER;
	sigaddset(&sa.sa_mask, SIGUSR2);
	sigaction(SIGUSR1, &sa, NULL);
	printf("NODEFER: nests\n");
	raise(SIGUSR1);
	depth = 0;
	sa.sa_flags = SA_SIGINFO;
	sigaction(SIGUSR1, &sa, NULL);
	printf("deferred: runs again after its end\n");
	raise(SIGUSR1);
	depth = 0;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	depth = 2;
	printf("blocked, mask %#lx\n", mask_now());
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	printf("unblocked, mask %#lx\n", mask_now());
	depth = 2;
	sa.sa_flags = SA_SIGINFO | SA_RESETHAND;
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	sigaction(SIGUSR1, NULL, &sa);
	printf("RESETHAND leaves the default: %d\n", sa.sa_handler == SIG_DFL);
	signal(SIGUSR1, SIG_IGN);
	show("raise of an ignored signal", raise(SIGUSR1));
}

static void self_sent(int sig, siginfo_t *si, void *context)
{
	(void)context;
	printf("  signal %d code %d, from myself: %d\n", sig, si->si_code, si->si_pid == getpid());
}

static void sending(void)
{
	on(SIGUSR2, self_sent, 0);
	show("kill", kill(getpid(), SIGUSR2));
	show("raise", raise(SIGUSR2));
	show("kill signal 0", kill(getpid(), 0));
	show("kill bad signal", kill(getpid(), 65));
	show("tgkill bad signal", syscall(SYS_tgkill, getpid(), getpid(), 65));
	show("tgkill process 0", syscall(SYS_tgkill, 0, getpid(), 0));
	show("tgkill nobody", syscall(SYS_tgkill, 0x3fffffff, 0x3fffffff, 0));
	show("kill nobody", kill(0x3fffffff, 0));
}

/* ---- alternate stack ---- */

static char altstack[64 * 1024];

static void where(int sig, siginfo_t *si, void *context)
{
	char here;
	stack_t now;
	ucontext_t *uc = context;
	bool inside = &here >= altstack && &here < altstack + sizeof(altstack);

	(void)si;
	sigaltstack(NULL, &now);
	printf("  signal %d on the alternate stack: %d, flags %d, size in the context %d\n", sig,
	       inside, now.ss_flags, (int)uc->uc_stack.ss_size);
	if (inside)
		show("  sigaltstack while on it", sigaltstack(&now, NULL));
	if (sig == SIGSEGV)
		siglongjmp(back, 1);
}

static void overflow(unsigned long n)
{
	volatile char page[PAGE];

	page[0] = (char)n;
	if (n)
		overflow(n - 1);
	page[1] = page[0];
}

static void alternate_stack(void)
{
	stack_t ss = {.ss_sp = altstack, .ss_size = sizeof(altstack)}, old;
	stack_t small = {.ss_sp = altstack, .ss_size = 100};
	stack_t odd = {.ss_sp = altstack, .ss_size = sizeof(altstack), .ss_flags = 77};

	show("sigaltstack query", sigaltstack(NULL, &old));
	printf("flags %d size %d\n", old.ss_flags, (int)old.ss_size);
	show("sigaltstack too small", sigaltstack(&small, NULL));
	show("sigaltstack bad flags", sigaltstack(&odd, NULL));
	show("sigaltstack", sigaltstack(&ss, NULL));
	sigaltstack(NULL, &old);
	printf("flags %d size %d\n", old.ss_flags, (int)old.ss_size);
	on(SIGUSR1, where, 0);
	raise(SIGUSR1);
	on(SIGUSR1, where, SA_ONSTACK);
	raise(SIGUSR1);
	on(SIGSEGV, where, SA_ONSTACK);
	printf("stack overflow\n");
	if (!sigsetjmp(back, 1))
		overflow(1ul << 20);
	ss.ss_flags = SS_DISABLE;
	show("sigaltstack disable", sigaltstack(&ss, NULL));
	sigaltstack(NULL, &old);
	printf("flags %d\n", old.ss_flags);
}

/* ---- the calls' errors ---- */

static void errors(void)
{
	struct sigaction sa;
	unsigned long set = ~0ul;

	memset(&sa, 0, sizeof(sa));
	show("rt_sigaction bad size", syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4));
	show("rt_sigaction signal 0", syscall(SYS_rt_sigaction, 0, NULL, NULL, 8));
	show("rt_sigaction signal 65", syscall(SYS_rt_sigaction, 65, NULL, NULL, 8));
	show("rt_sigaction SIGKILL", syscall(SYS_rt_sigaction, SIGKILL, &sa, NULL, 8));
	show("rt_sigaction SIGKILL query", syscall(SYS_rt_sigaction, SIGKILL, NULL, &sa, 8));
	show("rt_sigaction bad pointer", syscall(SYS_rt_sigaction, SIGUSR1, NOWHERE, NULL, 8));
	show("rt_sigaction bad old", syscall(SYS_rt_sigaction, SIGUSR1, NULL, KERNEL, 8));
	show("rt_sigprocmask bad how", syscall(SYS_rt_sigprocmask, 9, &set, NULL, 8));
	show("rt_sigprocmask bad how, no set", syscall(SYS_rt_sigprocmask, 9, NULL, NULL, 8));
	show("rt_sigprocmask bad size", syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 16));
	show("rt_sigprocmask bad set", syscall(SYS_rt_sigprocmask, SIG_BLOCK, NOWHERE, NULL, 8));
	show("rt_sigprocmask all", syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, 8));
	printf("mask %#lx\n", mask_now());
	set = 0;
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, 8);
}

int main(void)
{
	bad_accesses();
	exceptions();
	registers();
	fp_registers();
	retry();
	masks();
	sending();
	alternate_stack();
	errors();
	fflush(stdout);
	signal(SIGABRT, SIG_DFL);
	return 7;
}
