/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `int n` for every n: the two vectors that programs may raise, and the others, which are
 * protection faults. Not n = 0x80, a system call where Linux has 32-bit ones. Of a protection
 * fault's error code only the bit is shown that says it names a gate: QEMU 7.2 numbers gates by
 * sixteen, processors by eight. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "abi.h"

#define GENERAL_PROTECTION 13

static sigjmp_buf back;
static unsigned char *code;

static void describe(int sig, siginfo_t *si, void *context)
{
	const greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	long err = (long)r[REG_ERR];

	if (r[REG_TRAPNO] == GENERAL_PROTECTION)
		err &= 2;
	printf("signal %d code %d addr %p vector %d err %ld, %ld bytes on\n", sig, si->si_code,
	       si->si_addr, (int)r[REG_TRAPNO], err, (long)(r[REG_RIP] - (greg_t)(uintptr_t)code));
	siglongjmp(back, 1);
}

static void raise_vector(unsigned n)
{
	code[0] = 0xcd;
	code[1] = (unsigned char)n;
	code[2] = 0xc3;
	printf("int %d: ", n);
	if (sigsetjmp(back, 1))
		return;
	((void (*)(void))(uintptr_t)code)();
	printf("nothing\n");
}

int main(void)
{
	static const int signals[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV};
	struct sigaction sa = {.sa_sigaction = describe, .sa_flags = SA_SIGINFO | SA_NODEFER};

	code = mmap((void *)BASE, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
	for (unsigned n = 0; n < 256; n++)
		if (n != 0x80)
			raise_vector(n);
	return 0;
}
