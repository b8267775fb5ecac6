/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frame that a signal handler runs on, laid out exactly as Linux's x86-64 struct rt_sigframe
 * (Linux, arch/x86/include/asm/sigframe.h and uapi/asm/sigcontext.h). Pure: hosted too.
 *
 * From the interrupted stack pointer downwards (Linux arch/x86/kernel/signal_64.c):
 *
 *     interrupted rsp
 *       red zone, 128 bytes (none on an alternate stack)
 *       FXSAVE image, 512 bytes, 64-byte aligned      <- uc.uc_mcontext.fpstate
 *       struct signal_frame: return address, ucontext, siginfo
 *                                                     <- rsp in the handler, (rsp + 8) % 16 == 0
 *
 * arch/x86_64/signal_user.S writes and reads it.
 */
#ifndef KERN_SIGNAL_FRAME_H
#define KERN_SIGNAL_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/cpu_layout.h"
#include "arch/x86_64/frame.h"
#include "arch/x86_64/signal_layout.h"

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
	uint64_t payload;  /* si_addr; or si_pid and si_uid */
	uint64_t rest[13]; /* SIGCHLD: si_status first */
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

/* What signal_user.S knows of it. */
#define UC_FIELD(name, offset, field)                                                              \
	_Static_assert(offsetof(struct signal_ucontext, field) == (offset), #field);
#include "arch/x86_64/signal_context.def"
#undef UC_FIELD
_Static_assert(offsetof(struct signal_frame, uc) == SIGNAL_UC, "SIGNAL_UC");
_Static_assert(offsetof(struct signal_frame, info) == SIGNAL_INFO, "SIGNAL_INFO");
_Static_assert(offsetof(struct signal_info, code) == INFO_CODE, "INFO_CODE");
_Static_assert(offsetof(struct signal_info, payload) == INFO_PAYLOAD, "INFO_PAYLOAD");
_Static_assert(offsetof(struct signal_info, rest) == INFO_REST, "INFO_REST");
_Static_assert(sizeof(struct signal_ucontext) == UC_SIZE, "UC_SIZE");
_Static_assert(sizeof(struct signal_info) == INFO_SIZE, "INFO_SIZE");

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
	uint64_t fpstate; /* 64-byte aligned, above the frame: always as far */
};

/* rflags that ring 3 may change: AC RF OF DF TF SF ZF AF PF CF. */
#define RFLAGS_USER 0x50dd5ull
#define RFLAGS_TF 0x100ull
#define RFLAGS_DF 0x400ull

/* Where a frame goes whose stack is used downwards from sp (red zone already left out). */
static inline struct signal_place signal_frame_place(uint64_t sp)
{
	struct signal_place place;

	place.fpstate = (sp - FXSAVE_SIZE) & ~63ull;
	place.frame = ((place.fpstate - sizeof(struct signal_frame)) & ~15ull) - 8;
	return place;
}

/* Whether all of it is below TASK_SIZE. */
static inline bool signal_place_ok(struct signal_place place)
{
	return place.frame <= 0x7ffffffff000 - SIGNAL_EXTENT;
}

/* Points *regs at the handler of `signo`. */
static inline void signal_frame_enter(struct trap_frame *regs, uint64_t frame, uint64_t handler,
				      int signo)
{
	regs->rdi = (uint64_t)signo;
	regs->rsi = frame + offsetof(struct signal_frame, info);
	regs->rdx = frame + offsetof(struct signal_frame, uc);
	regs->rax = 0;
	regs->rsp = frame;
	regs->rip = handler;
	regs->cs = GDT_USER_CODE; /* 32-bit code may have been interrupted */
	regs->ss = GDT_USER_DATA;
	regs->rflags &= ~(RFLAGS_TF | RFLAGS_DF | RFLAGS_RF);
}

/* Takes back the registers that a handler left: all general ones, rip and rsp as they are, of
 * rflags only what ring 3 may change, cs and ss as selectors of ring 3. What is no good there,
 * iretq will say. */
static inline void signal_frame_restore(struct trap_frame *regs,
					const struct signal_context *context)
{
	regs->r8 = context->r8;
	regs->r9 = context->r9;
	regs->r10 = context->r10;
	regs->r11 = context->r11;
	regs->r12 = context->r12;
	regs->r13 = context->r13;
	regs->r14 = context->r14;
	regs->r15 = context->r15;
	regs->rdi = context->rdi;
	regs->rsi = context->rsi;
	regs->rbp = context->rbp;
	regs->rbx = context->rbx;
	regs->rdx = context->rdx;
	regs->rax = context->rax;
	regs->rcx = context->rcx;
	regs->rsp = context->rsp;
	regs->rip = context->rip;
	regs->rflags = (regs->rflags & ~RFLAGS_USER) | (context->rflags & RFLAGS_USER);
	regs->cs = context->cs | 3u;
	regs->ss = context->ss | 3u;
}

#endif
