/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "timing.h"

#define OVERHEAD_ROUNDS 1000

/* rax and rdx belong to rdtsc, so number, third argument and result take a detour through other
 * registers; timing_empty_call makes the same detour and its cost is taken off. */
#define CALL_MOVES(op) "movq %[r], %%rax\n\tmovq %[a3], %%rdx\n\t" op "\n\tmovq %%rax, %[r]"
#define CALL_REGS                                                                                  \
	uint64_t r = (uint64_t)call->nr;                                                           \
	register uint64_t r10 asm("r10") = call->a[3];                                             \
	register uint64_t r8 asm("r8") = call->a[4];                                               \
	register uint64_t r9 asm("r9") = call->a[5];                                               \
	TIMING_VARS
#define CALL_OUT TIMING_OUT, [r] "+r"(r)
#define CALL_IN [a3] "r"(call->a[2]), "D"(call->a[0]), "S"(call->a[1]), "r"(r10), "r"(r8), "r"(r9)
#define CALL_CLOBBER "rcx", "r11", "memory", "cc"

__attribute__((noinline)) struct timing timing_syscall(const struct timing_call *call, long *result)
{
	CALL_REGS;

	asm volatile(TIMING_PAIR(CALL_MOVES("syscall")) : CALL_OUT:CALL_IN : CALL_CLOBBER);
	*result = (long)r;
	return TIMING_RESULT;
}

static __attribute__((noinline)) struct timing timing_empty_call(const struct timing_call *call)
{
	CALL_REGS;

	asm volatile(TIMING_PAIR(CALL_MOVES("")) : CALL_OUT:CALL_IN : CALL_CLOBBER);
	return TIMING_RESULT;
}

static struct timing timing_empty(void)
{
	TIMING_VARS;

	asm volatile(TIMING_PAIR("") : TIMING_OUT : : "memory", "cc");
	return TIMING_RESULT;
}

uint64_t timing_overhead(enum timing_pair pair)
{
	static const struct timing_call nothing;
	uint64_t best = UINT64_MAX;

	for (unsigned i = 0; i < OVERHEAD_ROUNDS; i++) {
		struct timing t =
			pair == TIMING_CALL ? timing_empty_call(&nothing) : timing_empty();

		if (t.ticks < best)
			best = t.ticks;
	}
	return best;
}

int timing_counts_instructions(void)
{
	uint64_t pair = timing_overhead(TIMING_ACCESS);

	for (unsigned i = 0; i < 4; i++) {
		TIMING_VARS;

		asm volatile(TIMING_PAIR(".rept 1000\n\tnop\n\t.endr")
			     : TIMING_OUT
			     :
			     : "memory", "cc");
		if (TIMING_RESULT.ticks - pair != 1000)
			return 0;
	}
	return 1;
}
