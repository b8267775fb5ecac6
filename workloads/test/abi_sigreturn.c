/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rt_sigreturn from frames that a handler spoilt: no register may bring the kernel down, and where
 * the program can't go on it gets SIGSEGV at the place it asked for. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "abi.h"

static sigjmp_buf back;
static int spoil_register;
static unsigned long spoil_value;
static void *spoil_fpregs;

static void report(int sig, siginfo_t *si, void *context)
{
	const greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;

	printf("  signal %d code %d addr %p at %#llx trapno %lld err %#llx\n", sig, si->si_code,
	       si->si_addr, r[REG_RIP], r[REG_TRAPNO], r[REG_ERR]);
	siglongjmp(back, 1);
}

static void spoil(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)si;
	if (spoil_register >= 0)
		uc->uc_mcontext.gregs[spoil_register] = (greg_t)spoil_value;
	if (spoil_fpregs)
		uc->uc_mcontext.fpregs = spoil_fpregs;
}

static void on(int sig, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = handler;
	sa.sa_flags = SA_SIGINFO | flags;
	sigaction(sig, &sa, NULL);
}

/* Raises SIGUSR1, whose handler spoils one register of the frame. */
static void return_with(const char *what, int reg, unsigned long value)
{
	printf("%s %#lx\n", what, value);
	spoil_register = reg;
	spoil_value = value;
	if (sigsetjmp(back, 1))
		return;
	raise(SIGUSR1);
	printf("  went on\n");
}

static void instruction_pointers(void)
{
	return_with("rip", REG_RIP, NOWHERE);
	return_with("rip", REG_RIP, KERNEL);
	return_with("rip", REG_RIP, NONCANONICAL);
	return_with("rip", REG_RIP, 0x800000000000ul);
	return_with("rip", REG_RIP, 0x7ffffffff000ul);
	return_with("rip", REG_RIP, 0);
}

static unsigned long flags_now(void)
{
	unsigned long f;

	__asm__ volatile("pushfq\n\tpopq %0" : "=r"(f));
	return f;
}

/* The flags that a handler may not give: IOPL, IF off, NT, VM, VIF, VIP, and whatever is above. TF,
 * DF and AC are left out: they would be obeyed. */
static void flags(void)
{
	unsigned long f = flags_now();

	spoil_fpregs = NULL;
	return_with("rflags", REG_EFL, 0);
	printf("  IF still on: %d\n", !!(flags_now() & 0x200));
	return_with("rflags", REG_EFL, (~0ul & ~0x40500ul) | f);
	printf("  flags beyond one's rights: %#lx\n", flags_now() & 0x1a7100);
}

static void fp_states(void)
{
	static unsigned char image[1024] __attribute__((aligned(64)));
	unsigned mxcsr = 0;

	memset(image, 0, sizeof(image));
	__asm__ volatile("fxsave (%0)" ::"r"(image) : "memory");
	spoil_register = -1;
	memcpy(image + 64 * 8, image, 512);
	image[24] = 0xc0; /* MXCSR: denormals are zero, other exceptions unmasked */
	image[25] = 0x1f;
	printf("fpregs elsewhere\n");
	spoil_fpregs = image;
	if (!sigsetjmp(back, 1)) {
		raise(SIGUSR1);
		__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
		printf("  mxcsr %#x\n", mxcsr);
	}
	printf("fpregs unmapped\n");
	spoil_fpregs = (void *)NOWHERE;
	if (!sigsetjmp(back, 1))
		raise(SIGUSR1);
	printf("fpregs in the kernel\n");
	spoil_fpregs = (void *)KERNEL;
	if (!sigsetjmp(back, 1))
		raise(SIGUSR1);
	spoil_fpregs = NULL;
}

/* rt_sigreturn called without a frame, on a stack that isn't there. */
static void no_frame(void)
{
	static char alternate[32768];
	stack_t ss = {.ss_sp = alternate, .ss_size = sizeof(alternate)};

	sigaltstack(&ss, NULL);
	on(SIGSEGV, report, SA_ONSTACK);
	printf("rt_sigreturn on an unmapped stack\n");
	if (!sigsetjmp(back, 1))
		__asm__ volatile("movq %0, %%rsp\n\tmovl $15, %%eax\n\tsyscall" ::"r"(NOWHERE)
				 : "rax", "rcx", "r11", "memory");
	printf("rt_sigreturn with the stack in the kernel\n");
	if (!sigsetjmp(back, 1))
		__asm__ volatile("movq %0, %%rsp\n\tmovl $15, %%eax\n\tsyscall" ::"r"(KERNEL)
				 : "rax", "rcx", "r11", "memory");
	printf("fault with the stack pointer in the kernel\n");
	if (!sigsetjmp(back, 1))
		__asm__ volatile("movq %0, %%rsp\n\tmovb (%1), %%al" ::"r"(KERNEL), "r"(NOWHERE)
				 : "rax", "memory");
}

int main(void)
{
	on(SIGSEGV, report, 0);
	on(SIGUSR1, spoil, 0);
	instruction_pointers();
	flags();
	fp_states();
	no_frame();
	fflush(stdout);
	/* The stack takes no frame for the SIGSEGV of the stack: the end. */
	on(SIGSEGV, report, 0);
	__asm__ volatile("xorl %%esp, %%esp\n\tmovb (%%rsp), %%al" ::: "rax", "memory");
	return 0;
}
