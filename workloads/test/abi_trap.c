/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions other than page faults as a handler sees them, and frames that rt_sigreturn cannot go
 * back to. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>
#include <unistd.h>

#include "abi.h"

#define RFLAGS_STATUS 0xcd5	/* OF DF SF ZF AF PF CF */
#define BEYOND 0x800000000000ul /* the first address that is not canonical */

static sigjmp_buf back;

static void on(int sig, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = handler;
	sa.sa_flags = SA_SIGINFO | SA_NODEFER | flags;
	sigaction(sig, &sa, NULL);
}

/* ---- 1. exceptions ---- */

static void describe(int sig, siginfo_t *si, void *context)
{
	const greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	const char *addr = "other";

	if (!si->si_addr)
		addr = "0";
	else if ((uintptr_t)si->si_addr == (uintptr_t)r[REG_RIP])
		addr = "rip";
	printf("  signal %d code %d addr %s vector %d err %#llx\n", sig, si->si_code, addr,
	       (int)r[REG_TRAPNO], r[REG_ERR]);
	siglongjmp(back, 1);
}

static void divide(void)
{
	__asm__ volatile("movl $1, %%eax; xorl %%edx, %%edx; xorl %%ecx, %%ecx; divl %%ecx" ::
				 : "eax", "ecx", "edx");
}

static void undefined(void)
{
	__asm__ volatile("ud2");
}

static void breakpoint(void)
{
	__asm__ volatile("int3");
}

static void overflow(void)
{
	__asm__ volatile("int $4");
}

static void halt(void)
{
	__asm__ volatile("hlt");
}

static void port(void)
{
	__asm__ volatile("outb %%al, $0xe9" ::"a"(0));
}

static void read_noncanonical(void)
{
	__asm__ volatile("movb (%0), %%al" ::"r"(BEYOND) : "eax");
}

static void jump_noncanonical(void)
{
	((void (*)(void))BEYOND)();
}

static void bad_selector(void)
{
	__asm__ volatile("movl %0, %%ds" ::"r"(0x1230));
}

static void single_step(void)
{
	__asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq; nop" ::: "cc", "memory");
}

static void x87_divide(void)
{
	__asm__ volatile(
		"fninit; pushq $0x37b; fldcw (%%rsp); popq %%rax; fld1; fldz; fdivrp; fwait" ::
			: "rax", "memory");
}

static const struct {
	const char *name;
	void (*raise)(void);
} exceptions[] = {
	{"divide by zero", divide},
	{"ud2", undefined},
	{"int3", breakpoint},
	{"int $4", overflow},
	{"hlt", halt},
	{"out", port},
	{"read of a non-canonical address", read_noncanonical},
	{"jump to a non-canonical address", jump_noncanonical},
	{"a selector beyond the table", bad_selector},
	{"single step", single_step},
	{"x87 division by zero", x87_divide},
};

static void try_exception(const char *name, void (*raise_it)(void))
{
	printf("%s\n", name);
	fflush(stdout);
	if (sigsetjmp(back, 1))
		return;
	raise_it();
	printf("  nothing\n");
}

static void try_exceptions(void)
{
	static const int signals[] = {SIGFPE, SIGILL, SIGTRAP, SIGBUS, SIGSEGV};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		on(signals[i], describe, 0);
	for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++)
		try_exception(exceptions[i].name, exceptions[i].raise);
}

/* ---- 2. frames that can't be gone back to ---- */

static char stack[65536];
static int step;

/* Each step leaves a worse frame; the next signal shows which registers came back from it. */
static void spoil(int sig, siginfo_t *si, void *context)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;

	printf("  step %d: signal %d code %d", step, sig, si->si_code);
	if (step)
		printf(" addr %p rip %#llx rax %#llx rbx %#llx r15 %#llx flags %#llx", si->si_addr,
		       r[REG_RIP], r[REG_RAX], r[REG_RBX], r[REG_R15], r[REG_EFL] & RFLAGS_STATUS);
	printf("\n");
	fflush(stdout);
	switch (step++) {
	case 0:
		r[REG_RIP] = (greg_t)BEYOND;
		r[REG_RAX] = 0x1111;
		r[REG_RBX] = 0x2222;
		r[REG_R15] = 0x3333;
		r[REG_EFL] = 0x246;
		break;
	case 1:
		r[REG_RIP] = (greg_t)KERNEL;
		break;
	case 2:
		r[REG_RIP] = 0;
		r[REG_RSP] = (greg_t)BEYOND;
		break;
	case 3:
		r[REG_RIP] = (greg_t)NONCANONICAL;
		r[REG_EFL] = 0x200 | RFLAGS_STATUS;
		break;
	default:
		_exit(0);
	}
}

static void try_frames(void)
{
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)};

	printf("frames that can't be gone back to\n");
	sigaltstack(&ss, NULL);
	on(SIGSEGV, spoil, SA_ONSTACK);
	raise(SIGSEGV);
}

int main(void)
{
	try_exceptions();
	try_frames();
	return 1;
}
