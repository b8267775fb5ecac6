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
 * Everything is inline: a fault that a handler mends pays for each of these once.
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

/* uc_flags: the context has SS, and restoring takes it seriously. */
#define UC_SIGCONTEXT_SS 2u
#define UC_STRICT_RESTORE_SS 4u
#define UC_FLAGS (UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS)

/* rflags that ring 3 may change: AC RF OF DF TF SF ZF AF PF CF. */
#define RFLAGS_USER 0x50dd5ull
#define RFLAGS_TF 0x100ull
#define RFLAGS_DF 0x400ull
#define RFLAGS_RF 0x10000ull

/* Where a frame goes whose stack is used downwards from sp (red zone already left out). */
static inline struct signal_place signal_frame_place(uint64_t sp)
{
	struct signal_place place;

	place.fpstate = (sp - FXSAVE_SIZE) & ~63ull;
	place.frame = ((place.fpstate - sizeof(struct signal_frame)) & ~15ull) - 8;
	return place;
}

/* Each general register, once for saving and once for restoring. */
#define SIGNAL_GENERAL_REGISTERS(do)                                                               \
	do                                                                                         \
	(r8) do(r9) do(r10) do(r11) do(r12) do(r13) do(r14) do(r15) do(rdi) do(rsi) do(rbp) do(    \
		rbx) do(rdx) do(rax) do(rcx) do(rsp) do(rip)

/* Fills *context with what a handler interrupts. Needs: what is not named here (gs, fs, reserved)
 * is zero already and stays so. */
static inline void signal_frame_save(struct signal_context *context, const struct trap_frame *regs,
				     const struct signal_trap *trap, uint64_t mask,
				     uint64_t fpstate)
{
#define SAVE(reg) context->reg = regs->reg;
	SIGNAL_GENERAL_REGISTERS(SAVE)
#undef SAVE
	context->rflags = regs->rflags;
	context->cs = (uint16_t)regs->cs;
	context->ss = (uint16_t)regs->ss;
	context->err = trap->err;
	context->trapno = trap->trapno;
	context->oldmask = mask;
	context->cr2 = trap->cr2;
	context->fpstate = fpstate;
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
	regs->rflags &= ~(RFLAGS_TF | RFLAGS_DF | RFLAGS_RF);
}

/* Takes back the registers that a handler left: all general ones, rip and rsp as they are, of
 * rflags only what ring 3 may change; cs and ss stay those of *regs. */
static inline void signal_frame_restore(struct trap_frame *regs,
					const struct signal_context *context)
{
#define RESTORE(reg) regs->reg = context->reg;
	SIGNAL_GENERAL_REGISTERS(RESTORE)
#undef RESTORE
	regs->rflags = (regs->rflags & ~RFLAGS_USER) | (context->rflags & RFLAGS_USER);
}

/* The exception number that Linux reports for a fault's signal (its numbers: signal.h). */
static inline uint64_t signal_trapno(int signo, int si_code)
{
	enum { ILL = 4, TRAP = 5, FPE = 8, SEGV = 11 };
	enum { KERNEL = 0x80, INTDIV = 1, ADRALN = 1, TRACE = 2 };

	if (__builtin_expect(signo == SEGV, 1))
		return si_code == KERNEL ? 13 : 14; /* #GP, #PF */
	switch (signo) {
	case ILL:
		return 6; /* #UD */
	case TRAP:
		return si_code == TRACE ? 1 : 3; /* #DB, #BP */
	case FPE:
		return si_code == INTDIV ? 0 : 19;  /* #DE, #XM */
	default:				    /* SIGBUS */
		return si_code == ADRALN ? 17 : 14; /* #AC, #PF */
	}
}

#endif
