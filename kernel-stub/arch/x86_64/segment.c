/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ring 3's data segments: %ds, %es, %fs, %gs, and the bases of the last two. The kernel uses none
 * of them but a base of its own for %gs, so they stay in the processor until another task wants it.
 *
 * To load a selector changes the base as well, to its descriptor's (that of a null selector perhaps
 * not at all: SDM vol. 3, 3.4.4); so the selectors go first and the bases after them. Hardly any
 * 64-bit program loads one: they are only looked at, unless one task or the other has some.
 */
#include "arch/x86_64/cpu.h"

#include "arch/x86_64/arch.h"

/* ---- one after the other ---- */

static inline uint32_t selectors_in_use(void)
{
	uint32_t ds, es, fs, gs;

	__asm__ volatile("movl %%ds, %0" : "=r"(ds));
	__asm__ volatile("movl %%es, %0" : "=r"(es));
	__asm__ volatile("movl %%fs, %0" : "=r"(fs));
	__asm__ volatile("movl %%gs, %0" : "=r"(gs));
	return ds | es | fs | gs;
}

static inline void fs_load(uint32_t selector)
{
	__asm__ volatile("movl %0, %%fs" ::"r"(selector));
}

/* The base that goes with it is ring 3's, which is not in force. */
static inline void gs_load(uint32_t selector)
{
	__asm__ volatile("swapgs; movl %0, %%gs; swapgs" ::"r"(selector) : "memory");
}

/* No load fails: each was read from the register, and the descriptors stay as they are. */
static __attribute__((noinline, cold)) void selectors_load(const struct arch_selectors *s)
{
	__asm__ volatile("movl %0, %%ds" ::"r"((uint32_t)s->ds));
	__asm__ volatile("movl %0, %%es" ::"r"((uint32_t)s->es));
	fs_load(s->fs);
	gs_load(s->gs);
}

/* ---- of a task ---- */

void segments_save(struct arch_task *t)
{
	__asm__ volatile("movw %%ds, %0" : "=m"(t->selectors.ds));
	__asm__ volatile("movw %%es, %0" : "=m"(t->selectors.es));
	__asm__ volatile("movw %%fs, %0" : "=m"(t->selectors.fs));
	__asm__ volatile("movw %%gs, %0" : "=m"(t->selectors.gs));
	t->fs_base = arch_get_fs_base();
	t->gs_base = arch_get_gs_base();
}

void segments_load(const struct arch_task *t)
{
	uint64_t wanted;

	_Static_assert(sizeof(wanted) == sizeof(t->selectors), "struct arch_selectors");
	__builtin_memcpy(&wanted, &t->selectors, sizeof(wanted));
	if (unlikely(wanted | selectors_in_use()))
		selectors_load(&t->selectors);
	wrmsr(MSR_FS_BASE, t->fs_base);
	wrmsr(MSR_KERNEL_GS_BASE, t->gs_base);
}

void arch_task_set_fs_base(struct arch_task *t, uint64_t base)
{
	t->selectors.fs = 0;
	t->fs_base = base;
}

/* ---- of the one that runs ---- */

void arch_set_fs_base(uint64_t base)
{
	fs_load(0);
	wrmsr(MSR_FS_BASE, base);
}

uint64_t arch_get_fs_base(void)
{
	return rdmsr(MSR_FS_BASE);
}

void arch_set_gs_base(uint64_t base)
{
	gs_load(0);
	wrmsr(MSR_KERNEL_GS_BASE, base);
}

uint64_t arch_get_gs_base(void)
{
	return rdmsr(MSR_KERNEL_GS_BASE);
}

void arch_segments_reset(void)
{
	static const struct arch_selectors none;

	selectors_load(&none);
	wrmsr(MSR_FS_BASE, 0);
	wrmsr(MSR_KERNEL_GS_BASE, 0);
}
