/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The task that this CPU runs. */
#ifndef ARCH_CURRENT_H
#define ARCH_CURRENT_H

#include <stdint.h>

#include "arch/x86_64/cpu_layout.h"

struct task;

/* NULL before the first task. The same for as long as a function runs, whatever runs in between: so
 * the compiler may keep it. */
static inline struct task *current(void)
{
	struct task *t;

	__asm__("movq %%gs:%c1, %0" : "=r"(t) : "i"(CPU_TASK));
	return t;
}

/* For who switches to it. current() in the same function may still be the one before. */
static inline void set_current(struct task *t)
{
	__asm__ volatile("movq %0, %%gs:%c1" ::"r"(t), "i"(CPU_TASK) : "memory");
}

/* This CPU's number. Read anew each time, since a switch may have changed it. */
static inline unsigned current_cpu(void)
{
	uint64_t id;

	__asm__ volatile("movq %%gs:%c1, %0" : "=r"(id) : "i"(CPU_ID));
	return (unsigned)id;
}

#endif
