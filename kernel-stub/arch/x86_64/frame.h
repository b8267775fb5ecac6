/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers that every entry into the kernel leaves at the top of the kernel stack, in the
 * order of Linux's struct pt_regs. trap.S and syscall.S build it.
 *
 * The page-fault fast path leaves the callee-saved registers (r15..rbx) where they are, in the CPU,
 * and stores them here only when something slow follows (a signal, an oops); see trap.S.
 */
#ifndef ARCH_FRAME_H
#define ARCH_FRAME_H

#include <stdbool.h>
#include <stdint.h>

struct trap_frame {
	uint64_t r15, r14, r13, r12, rbp, rbx;
	uint64_t r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint64_t error_code; /* system calls: the call's number (orig_rax). A call that replaces the
				frame (rt_sigreturn) sets -1: every register is then loaded from it
			      */
	uint64_t rip, cs, rflags, rsp, ss;
};

#define RFLAGS_RF 0x10000ul

static inline bool frame_from_user(const struct trap_frame *f)
{
	return f->cs & 3;
}

#endif
