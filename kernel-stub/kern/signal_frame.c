/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the interrupted stack pointer downwards:
 *
 *     interrupted rsp
 *       red zone, 128 bytes (none on an alternate stack)
 *       FXSAVE image, 512 bytes, 64-byte aligned      <- uc.uc_mcontext.fpstate
 *       struct signal_frame: return address, ucontext, siginfo
 *                                                     <- rsp in the handler, (rsp + 8) % 16 == 0
 *
 * Linux: arch/x86/kernel/signal_64.c.
 */
#include "signal_frame.h"

#define SIGILL 4
#define SIGTRAP 5
#define SIGBUS 7
#define SIGFPE 8
#define SI_KERNEL 0x80
#define FPE_INTDIV 1
#define TRAP_TRACE 2

#define UC_SIGCONTEXT_SS 2u
#define UC_STRICT_RESTORE_SS 4u

/* rflags that ring 3 may change: AC RF OF DF TF SF ZF AF PF CF. */
#define RFLAGS_USER 0x50dd5ull
#define RFLAGS_TF 0x100ull
#define RFLAGS_DF 0x400ull
#define RFLAGS_RF 0x10000ull

struct signal_place signal_frame_place(uint64_t sp)
{
	struct signal_place place;

	place.fpstate = (sp - FXSAVE_SIZE) & ~63ull;
	place.frame = ((place.fpstate - sizeof(struct signal_frame)) & ~15ull) - 8;
	return place;
}

static void fill_registers(struct signal_context *c, const struct trap_frame *regs)
{
	c->r8 = regs->r8;
	c->r9 = regs->r9;
	c->r10 = regs->r10;
	c->r11 = regs->r11;
	c->r12 = regs->r12;
	c->r13 = regs->r13;
	c->r14 = regs->r14;
	c->r15 = regs->r15;
	c->rdi = regs->rdi;
	c->rsi = regs->rsi;
	c->rbp = regs->rbp;
	c->rbx = regs->rbx;
	c->rdx = regs->rdx;
	c->rax = regs->rax;
	c->rcx = regs->rcx;
	c->rsp = regs->rsp;
	c->rip = regs->rip;
	c->rflags = regs->rflags;
	c->cs = (uint16_t)regs->cs;
	c->gs = 0;
	c->fs = 0;
	c->ss = (uint16_t)regs->ss;
}

void signal_frame_fill(struct signal_frame *frame, const struct trap_frame *regs,
		       const struct signal_trap *trap, const struct signal_stack *stack,
		       uint64_t mask, uint64_t fpstate, uint64_t restorer)
{
	struct signal_context *c = &frame->uc.mcontext;

	frame->return_address = restorer;
	frame->uc.flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
	frame->uc.link = 0;
	frame->uc.stack = *stack;
	fill_registers(c, regs);
	c->err = trap->err;
	c->trapno = trap->trapno;
	c->oldmask = mask;
	c->cr2 = trap->cr2;
	c->fpstate = fpstate;
	for (int i = 0; i < 8; i++)
		c->reserved[i] = 0;
	frame->uc.sigmask = mask;
}

void signal_frame_enter(struct trap_frame *regs, uint64_t frame, uint64_t handler, int signo)
{
	regs->rdi = (uint64_t)signo;
	regs->rsi = frame + offsetof(struct signal_frame, info);
	regs->rdx = frame + offsetof(struct signal_frame, uc);
	regs->rax = 0;
	regs->rsp = frame;
	regs->rip = handler;
	regs->rflags &= ~(RFLAGS_TF | RFLAGS_DF | RFLAGS_RF);
}

void signal_frame_restore(struct trap_frame *regs, const struct signal_context *c)
{
	regs->r8 = c->r8;
	regs->r9 = c->r9;
	regs->r10 = c->r10;
	regs->r11 = c->r11;
	regs->r12 = c->r12;
	regs->r13 = c->r13;
	regs->r14 = c->r14;
	regs->r15 = c->r15;
	regs->rdi = c->rdi;
	regs->rsi = c->rsi;
	regs->rbp = c->rbp;
	regs->rbx = c->rbx;
	regs->rdx = c->rdx;
	regs->rax = c->rax;
	regs->rcx = c->rcx;
	regs->rsp = c->rsp;
	regs->rip = c->rip;
	regs->rflags = (regs->rflags & ~RFLAGS_USER) | (c->rflags & RFLAGS_USER);
}

uint64_t signal_trapno(int signo, int si_code)
{
	switch (signo) {
	case SIGILL:
		return 6; /* #UD */
	case SIGTRAP:
		return si_code == TRAP_TRACE ? 1 : 3; /* #DB, #BP */
	case SIGFPE:
		return si_code == FPE_INTDIV ? 0 : 19; /* #DE, #XM */
	case SIGBUS:
		return 14;
	default:
		return si_code == SI_KERNEL ? 13 : 14; /* #GP, #PF */
	}
}
