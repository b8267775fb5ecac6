/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From one task to another. Everything of a task is on its kernel stack but what the processor has
 * one of: the address space, the stack for entries from ring 3, the x87/SSE registers, the data
 * segments (segment.c). The kernel uses none of the last two, so a kernel task leaves ring 3's
 * where they are.
 */
#include "arch/x86_64/cpu.h"

#include "arch/x86_64/arch.h"

extern char syscall_task_start[], syscall_fork_start[];

/* Saves the callee-saved registers on the stack, this at *save_sp, and goes on at next_sp. */
void syscall_switch_stack(uint64_t *save_sp, uint64_t next_sp);

/* ---- the switch ---- */

static void user_state_save(struct arch_task *t)
{
	arch_fpu_save(t->fpu);
	segments_save(t);
}

static void user_state_load(const struct arch_task *t)
{
	arch_fpu_load(t->fpu);
	segments_load(t);
}

/* A fault that ends in a signal may end its task, and so come here on its way: it is recorded
 * before the processor is another's (recorder.h). */
void arch_switch_task(struct arch_task *prev, struct arch_task *next, struct mm *next_mm)
{
	struct cpu *cpu = this_cpu();

	recorder_flush(&cpu->recorder);
	if (prev->user)
		user_state_save(prev);
	if (next_mm && next_mm != cpu->loaded_mm)
		port_load_mm(next_mm);
	else if (next_mm && cpu->lazy)
		smp_mm_resume(next_mm);
	arch_set_kernel_stack(next->stack_top);
	if (next->user)
		user_state_load(next);
	syscall_switch_stack(&prev->sp, next->sp);
}

/* ---- a new task's stack ---- */

/* What syscall_switch_stack pops: the registers, `start` to return to. */
static uint64_t push_start(void *top, const char *start, uint64_t rbx, uint64_t r12)
{
	uint64_t *sp = top;

	*--sp = (uint64_t)start;
	*--sp = 0; /* rbp */
	*--sp = rbx;
	*--sp = r12;
	*--sp = 0;
	*--sp = 0;
	*--sp = 0;
	return (uint64_t)sp;
}

void arch_task_init_kernel(struct arch_task *t, void *stack_base, void (*entry)(void *), void *arg)
{
	t->stack_top = (uint64_t)stack_base + KERNEL_STACK_SIZE;
	t->sp = push_start((void *)t->stack_top, syscall_task_start, (uint64_t)entry,
			   (uint64_t)arg);
	t->user = false;
}

void arch_task_init_fork(struct arch_task *t, void *stack_base, const struct trap_frame *frame,
			 void (*first)(struct trap_frame *))
{
	struct trap_frame *copy;

	t->stack_top = (uint64_t)stack_base + KERNEL_STACK_SIZE;
	copy = (struct trap_frame *)(t->stack_top - 8 -
				     sizeof(*copy)); /* as syscall_entry has it */
	*copy = *frame;
	copy->rax = 0;
	t->sp = push_start(copy, syscall_fork_start, (uint64_t)first, 0);
	t->user = true;
	user_state_save(t);
}
