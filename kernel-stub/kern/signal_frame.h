/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frame that a signal handler runs on, laid out exactly as Linux's x86-64 struct rt_sigframe
 * (Linux, arch/x86/include/asm/sigframe.h and uapi/asm/sigcontext.h). Pure: hosted too.
 */
#ifndef KERN_SIGNAL_FRAME_H
#define KERN_SIGNAL_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"

#define FXSAVE_SIZE 512u
#define RED_ZONE 128u /* bytes below rsp that a leaf function may use (psABI 3.2.2) */

struct signal_stack { /* stack_t */
	uint64_t sp;
	int32_t flags;
	uint32_t pad;
	uint64_t size;
};

struct signal_context { /* struct sigcontext */
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	uint16_t cs, gs, fs, ss;
	uint64_t err, trapno, oldmask, cr2;
	uint64_t fpstate; /* user address of an FXSAVE image, or 0 */
	uint64_t reserved[8];
};

struct signal_ucontext { /* struct ucontext */
	uint64_t flags, link;
	struct signal_stack stack;
	struct signal_context mcontext;
	uint64_t sigmask;
};

struct signal_info { /* siginfo_t */
	int32_t signo, err, code, pad;
	uint64_t payload; /* si_addr; or si_pid and si_uid */
	uint64_t rest[13];
};

struct signal_frame { /* struct rt_sigframe */
	uint64_t return_address;
	struct signal_ucontext uc;
	struct signal_info info;
};

_Static_assert(sizeof(struct signal_context) == 256, "struct sigcontext");
_Static_assert(sizeof(struct signal_ucontext) == 304, "struct ucontext");
_Static_assert(sizeof(struct signal_info) == 128, "siginfo_t");
_Static_assert(sizeof(struct signal_frame) == 440, "struct rt_sigframe");

/* The most stack that a signal takes, alignment included: AT_MINSIGSTKSZ. */
#define SIGNAL_FRAME_MAX                                                                           \
	((RED_ZONE + FXSAVE_SIZE + 63 + sizeof(struct signal_frame) + 15 + 8 + 15) & ~15ull)

/* What the last fault of ring 3 left behind, for the context. */
struct signal_trap {
	uint64_t trapno, err, cr2;
};

/* User addresses of the two parts of a frame. */
struct signal_place {
	uint64_t frame;	  /* 16-byte aligned, less 8, as after a call instruction */
	uint64_t fpstate; /* 64-byte aligned, above the frame */
};

/* Where a frame goes whose stack is used downwards from sp (red zone already left out). */
struct signal_place signal_frame_place(uint64_t sp);

/* Fills *frame but for `info`: the registers that the handler interrupts, the mask to come back to,
 * the alternate stack in force. */
void signal_frame_fill(struct signal_frame *frame, const struct trap_frame *regs,
		       const struct signal_trap *trap, const struct signal_stack *stack,
		       uint64_t mask, uint64_t fpstate, uint64_t restorer);

/* Points *regs at the handler of `signo`. */
void signal_frame_enter(struct trap_frame *regs, uint64_t frame, uint64_t handler, int signo);

/* Takes back the registers that a handler left: all general ones, rip and rsp as they are, of
 * rflags only what ring 3 may change; cs and ss stay those of *regs. */
void signal_frame_restore(struct trap_frame *regs, const struct signal_context *context);

/* The exception number that Linux reports for a fault's signal. */
uint64_t signal_trapno(int signo, int si_code);

#endif
