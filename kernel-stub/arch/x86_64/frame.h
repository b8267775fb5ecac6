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

/* Ring 3's selectors, at Linux's places: signal frames show them, and sysret wants SS = CS - 8. */
#define USER_DS 0x2b
#define USER_CS 0x33

struct trap_frame {
	uint64_t r15, r14, r13, r12, rbp, rbx;
	uint64_t r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint64_t error_code; /* system calls: the call's number (orig_rax) */
	uint64_t rip, cs, rflags, rsp, ss;
};

static inline bool frame_from_user(const struct trap_frame *f)
{
	return f->cs & 3;
}

#endif
