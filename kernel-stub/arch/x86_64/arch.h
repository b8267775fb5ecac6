/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What arch/ offers to kern/. */
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/frame.h"

struct mm;

#define KERNEL_STACK_SIZE 16384u

/* ---- user memory (uaccess.S): faults on the way are served or end in the exception table. Each
 * returns the number of bytes NOT copied (0 = good), the count exact. Needs: no lock ranked at or
 * above LOCK_MMAP held. Addresses beyond TASK_SIZE fail without an access. ---- */
size_t copy_from_user(void *to, uint64_t from, size_t n);
size_t copy_to_user(uint64_t to, const void *from, size_t n);
size_t clear_user(uint64_t to, size_t n);
/* Length without the NUL, -EFAULT, or `max` if there is no NUL among max bytes. */
int64_t strncpy_from_user(char *to, uint64_t from, size_t max);

/* If the word at addr, which is 4-aligned, is *old: makes it `new`; else *old what it is. In one
 * piece. 0 or -1: bad address. */
int cmpxchg_user(uint64_t addr, uint32_t *old, uint32_t new);

/* One load or store with no exception-table entry: for stubctl. A fault here is an oops. */
uint8_t arch_raw_read(uint64_t addr);
void arch_raw_write(uint64_t addr, uint8_t value);

/* Runs fn once, when the next page fault enters the kernel and before anything looks at it: what
 * another CPU may do in that moment. Costs a fault nothing otherwise, since the IDT's gate is
 * changed for it. fn must not fault. For stubctl. */
void arch_before_next_fault(void (*fn)(void));

/* ---- context ---- */

/* Leaves for ring 3 with these registers. Never returns. The frame is copied. */
_Noreturn void arch_enter_user(const struct trap_frame *frame);

/* Entries from ring 3 start at this kernel stack (TSS.rsp0 and the system-call stack). */
void arch_set_kernel_stack(uint64_t top);

/* Ring 3's data segments. */
struct arch_selectors {
	uint16_t ds, es, fs, gs;
};

/* What the processor holds of a task while the task does not run (switch.c). 16-aligned, all zero
 * at first; the first task needs only stack_top and user. */
struct arch_task {
	uint8_t fpu[512] __attribute__((aligned(16))); /* FXSAVE image */
	uint64_t sp;
	uint64_t stack_top; /* of its kernel stack */
	uint64_t fs_base, gs_base;
	struct arch_selectors selectors;
	bool user; /* has ring 3's state: the FXSAVE image, selectors and bases count */
};

/* Leaves prev, whose code this is, for next, and returns when somebody switches back to prev. Loads
 * next's address space where it is another (NULL, a kernel task: keeps what is loaded), its kernel
 * stack, and ring 3's x87/SSE state, selectors and segment bases. Records a page fault that is
 * under way, so that no time away is counted. prev may be freed once another task runs: its stack
 * is used until then. Needs: interrupts off, prev != next. */
void arch_switch_task(struct arch_task *prev, struct arch_task *next, struct mm *next_mm);

/* A kernel task's start: *t begins at entry(arg), which must not return. */
void arch_task_init_kernel(struct arch_task *t, void *stack_base, void (*entry)(void *), void *arg);

/* A forked child's start: *t leaves for ring 3 with the registers of *frame, but rax 0, and with
 * the running task's x87/SSE state, selectors and segment bases. When it runs first, before it
 * leaves, it calls first(its frame) on its own stack: what the scheduler has to finish, signals
 * that came meanwhile. Needs: *frame complete (a system call's is). */
void arch_task_init_fork(struct arch_task *t, void *stack_base, const struct trap_frame *frame,
			 void (*first)(struct trap_frame *));

/* Ring 3's bases of the running task. Set, a base has no selector any more: 0. */
void arch_set_fs_base(uint64_t base);
uint64_t arch_get_fs_base(void);
void arch_set_gs_base(uint64_t base);
uint64_t arch_get_gs_base(void);

/* As a program finds them at its start (execve): no selectors, bases 0. */
void arch_segments_reset(void);

/* The same of a task that has not run yet: CLONE_SETTLS. */
void arch_task_set_fs_base(struct arch_task *t, uint64_t base);

/* FXSAVE image of ring 3's x87/SSE state; 512 bytes, 16-aligned. arch_fpu_load masks reserved MXCSR
 * bits, so that bytes from ring 3 cannot fault. arch_fpu_initial: as a program starts. */
void arch_fpu_save(void *area);
void arch_fpu_load(const void *area);
extern const uint8_t arch_fpu_initial[];

/* ---- signal frames (signal_user.S) ---- */
struct signals;

/* Writes the struct signal_frame of `regs` (complete), and the x87/SSE state above it, to ring 3's
 * memory at `frame`, a struct signal_place; that state is then the initial one. Needs: all of it is
 * below TASK_SIZE. 0 if the memory took it not: then nothing but memory has changed. */
uint64_t arch_signal_write(const struct trap_frame *regs, uint64_t frame, const struct signals *s,
			   uint64_t restorer, uint32_t signo, int32_t code, uint64_t payload);

/* rt_sigreturn: goes back to ring 3 with what the context at regs->rsp holds, or, if anything about
 * it is out of the ordinary, by way of signal_return_slow(regs). Needs: the call of a system call.
 */
_Noreturn void arch_signal_return(struct trap_frame *regs, struct signals *s);

/* The running task's x87/SSE state as a program finds it at its start (execve). */
void arch_fpu_reset(void);

/* ---- the timer (lapic.c) ----
 *
 * One shot at a point of TSC time, by this CPU's LAPIC; off until it is armed, so that a run that
 * never arms it is as if there were none. Ring 0 runs with interrupts off: the interrupt comes in
 * ring 3, or in arch_idle. */

/* Sets the timers' rate and this CPU's LAPIC up, and says who is told. Once, on CPU 0. on_timer
 * runs with interrupts off, the timer disarmed and not before the deadline. With a frame from ring
 * 3 (complete; registers are reloaded from it) it may switch tasks and deliver signals. With NULL,
 * from arch_idle, it only makes tasks runnable. Either may arm again. */
void arch_timer_init(void (*on_timer)(struct trap_frame *frame));
/* Replaces the deadline, in port_tsc()'s units; one that has passed fires at once. */
void arch_timer_arm(uint64_t tsc);
/* No deadline: the timer is as if it had never been armed. */
void arch_timer_stop(void);

/* Waits for an interrupt: the timer, then calls on_timer(NULL), or another CPU's (look again
 * whether there is something to run). Needs: interrupts off, as they are again afterwards. */
void arch_idle(void);

/* ---- other CPUs (smp.c) ---- */

/* Starts CPUs 1 to boot_info.nr_cpus - 1, one after the other; each ends in sched_start_cpu() on a
 * stack of its own. Panics if one does not come. Once, on CPU 0. */
void arch_start_cpus(void);

/* Every CPU is about to wait for an interrupt, and: one is about to go on. What gives CPUs their
 * turns under QEMU's TCG (ticker.c) rests meanwhile. Called by turns, by one CPU at a time. Needs:
 * interrupts off. */
void arch_turns_stop(void);
void arch_turns_start(void);

/* Makes that CPU look what there is to schedule (sched_look), if it is in ring 3 or in arch_idle;
 * otherwise as soon as it is. */
void arch_kick(unsigned cpu);

/* Between the last user of loaded address spaces and the next: what is loaded stays so, in case it
 * is wanted again, and nothing else follows from it: flushes may pass this CPU by. Until
 * arch_switch_task goes to a task with an address space. */
void arch_mm_lazy(void);

/* After its last user: no CPU has it loaded any more. Needs: this CPU has not. */
void arch_mm_unload(struct mm *mm);

/* Ends the machine. code: enum fl_exit_code. */
_Noreturn void arch_exit(unsigned code);

#endif
