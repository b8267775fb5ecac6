/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What arch/ offers to kern/. */
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H

#include <stddef.h>
#include <stdint.h>

#include "frame.h"

#define KERNEL_STACK_SIZE 16384u

/* ---- user memory (uaccess.S): faults on the way are served or end in the exception table. Each
 * returns the number of bytes NOT copied (0 = good), the count exact. Needs: no lock ranked at or
 * above LOCK_MMAP held. Addresses beyond TASK_SIZE fail without an access. ---- */
size_t copy_from_user(void *to, uint64_t from, size_t n);
size_t copy_to_user(uint64_t to, const void *from, size_t n);
size_t clear_user(uint64_t to, size_t n);
/* Length without the NUL, -EFAULT, or `max` if there is no NUL among max bytes. */
int64_t strncpy_from_user(char *to, uint64_t from, size_t max);

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

/* Saves the callee-saved state of the running task at *save_sp and continues at next_sp. A new
 * task's stack is prepared by arch_new_stack. */
void arch_switch_stack(uint64_t *save_sp, uint64_t next_sp);
/* The stack pointer of a task that will start at entry(arg) and must not return. */
uint64_t arch_new_stack(void *stack_base, void (*entry)(void *), void *arg);
/* Entries from ring 3 start at this kernel stack (TSS.rsp0 and the system-call stack). */
void arch_set_kernel_stack(uint64_t top);

void arch_set_fs_base(uint64_t base);
uint64_t arch_get_fs_base(void);
void arch_set_gs_base(uint64_t base); /* ring 3's */
uint64_t arch_get_gs_base(void);

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

/* Ends the machine. code: enum fl_exit_code. */
_Noreturn void arch_exit(unsigned code);

#endif
