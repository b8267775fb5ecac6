/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel stacks come from vmalloc's eager slot: mapped in every address space from its birth, since
 * a fault for a stack could not be taken, with an unmapped page below. One that runs over hits that
 * page; the page fault finds no stack to be delivered on and becomes a double fault, which has its
 * own (trap.c).
 *
 * Each CPU keeps the last few that were given back, linked through their lowest word: fork and exit
 * change no page table then. Ring 0 is not pre-empted, so no lock is needed.
 */
#include "kern/task/kstack.h"

#include "arch/x86_64/arch.h"
#include "mm/pgtable/vmalloc.h"
#include "port/port.h"

#define KEPT 4u /* by each CPU */

struct free_stack {
	struct free_stack *next;
};

static struct {
	struct free_stack *head;
	uint32_t count;
} kept[MAX_CPUS];

void *kstack_alloc(void)
{
	unsigned cpu = port_cpu_id();
	struct free_stack *stack = kept[cpu].head;

	if (!stack)
		return vmalloc_slot(VMALLOC_EAGER_SLOT, KERNEL_STACK_SIZE);
	if (port_should_fail())
		return NULL;
	kept[cpu].head = stack->next;
	kept[cpu].count--;
	return stack;
}

void kstack_free(void *stack)
{
	unsigned cpu = port_cpu_id();
	struct free_stack *s = stack;

	if (!s || kept[cpu].count == KEPT) {
		vfree(s);
		return;
	}
	s->next = kept[cpu].head;
	kept[cpu].head = s;
	kept[cpu].count++;
}

bool kstack_overrun(uint64_t top, uint64_t addr)
{
	uint64_t base = top - KERNEL_STACK_SIZE;

	return addr < base && addr >= base - PAGE_SIZE;
}
