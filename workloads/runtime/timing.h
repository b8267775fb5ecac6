/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One access or one system call between two readings of the time-stamp counter.
 *
 * Each of these is a single asm statement, so that the compiler puts nothing between the two
 * readings: under icount the difference is then exactly the instructions of the pair (a constant,
 * see timing_overhead), of the access or call itself, and of the kernel. The lfence instructions
 * keep an out-of-order CPU from starting the access early or reading the counter late (SDM volume
 * 2, RDTSC); rdtscp would do too, but not every guest may execute it. The same code runs
 * everywhere, so counts agree.
 */
#ifndef WORKLOADS_TIMING_H
#define WORKLOADS_TIMING_H

#include <stdint.h>

/* Needs outputs t0l, t0h (any register but rax, rdx), t1l (rax) and t1h (rdx), all early-clobber.
 */
#define TIMING_PAIR(op)                                                                            \
	"lfence\n\trdtsc\n\tlfence\n\tmovl %%eax, %k[t0l]\n\tmovl %%edx, %k[t0h]\n\t" op           \
	"\n\tlfence\n\trdtsc"
#define TIMING_OUT [t0l] "=&r"(t0l), [t0h] "=&r"(t0h), [t1l] "=&a"(t1l), [t1h] "=&d"(t1h)
#define TIMING_VARS uint64_t t0l, t0h, t1l, t1h
#define TIMING_BEGIN (t0h << 32 | t0l)
#define TIMING_RESULT ((struct timing){TIMING_BEGIN, (t1h << 32 | t1l) - TIMING_BEGIN})

/* What a pair read: when the first reading was, and how much later the second. */
struct timing {
	uint64_t begin, ticks;
};

/* Which pair a sample was taken with: what its overhead is. */
enum timing_pair { TIMING_ACCESS, TIMING_CALL, TIMING_NR_PAIRS };

/* The cost of the pair around nothing: the least of many readings. */
uint64_t timing_overhead(enum timing_pair pair);

/* True if the counter counts this CPU's instructions one by one (QEMU -icount shift=0). */
int timing_counts_instructions(void);

/* One 8-byte store. */
static inline struct timing timing_write(volatile void *p, uint64_t value)
{
	TIMING_VARS;

	asm volatile(TIMING_PAIR("movq %[v], (%[p])")
		     : TIMING_OUT
		     : [p] "r"(p), [v] "r"(value)
		     : "memory", "cc");
	return TIMING_RESULT;
}

/* One 8-byte load; what it read is left in *value. */
static inline struct timing timing_read(const volatile void *p, uint64_t *value)
{
	TIMING_VARS;
	uint64_t v;

	asm volatile(TIMING_PAIR("movq (%[p]), %[v]")
		     : TIMING_OUT, [v] "=&r"(v)
		     : [p] "r"(p)
		     : "memory", "cc");
	*value = v;
	return TIMING_RESULT;
}

/* The kernel's own answer: a negative error number on failure. */
static inline long sys_call(long nr, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
			    uint64_t a5, uint64_t a6)
{
	register uint64_t r10 asm("r10") = a4;
	register uint64_t r8 asm("r8") = a5;
	register uint64_t r9 asm("r9") = a6;

	asm volatile("syscall"
		     : "+a"(nr)
		     : "D"(a1), "S"(a2), "d"(a3), "r"(r10), "r"(r8), "r"(r9)
		     : "rcx", "r11", "memory", "cc");
	return nr;
}

/* A system call with its arguments. */
struct timing_call {
	long nr;
	uint64_t a[6];
};

/* One system call; its result (negative error number on failure) is left in *result. */
struct timing timing_syscall(const struct timing_call *call, long *result);

#endif
