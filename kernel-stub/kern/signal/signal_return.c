/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way back from a handler: rt_sigreturn takes everything from the frame, which is ring 3's to
 * change. arch_signal_return() does what is common, signal_return_slow() the rest.
 */
#include "kern/signal/signal_action.h"

#include "arch/x86_64/arch.h"
#include "kern/kern_lock.h"
#include "kern/signal/signal_frame.h"
#include "kern/sys/kern_syscall.h"
#include "mm/base/mm_errno.h"

/* ---- return ---- */

/* What ring 3's FXSAVE image says, made good (reserved MXCSR bits); none: as a handler starts.
 * False: not readable. */
static bool restore_fpu(uint64_t user)
{
	uint8_t area[FXSAVE_SIZE] __attribute__((aligned(16)));

	if (!user) {
		arch_fpu_load(arch_fpu_initial);
		return true;
	}
	if (copy_from_user(area, user, sizeof(area)))
		return false;
	arch_fpu_load(area);
	return true;
}

/* The frame can't be read: a SIGSEGV that can't be refused. */
static void bad_frame(struct signals *s, struct trap_frame *regs)
{
	signal_force(s, regs, SIGSEGV, &(struct signal_origin){.code = SI_KERNEL});
}

/* Takes back the frame at regs->rsp. As on Linux, mask and registers are taken over before the
 * x87/SSE state is looked at. */
static void return_frame(struct signals *s, struct trap_frame *regs)
{
	struct signal_ucontext uc;

	if (copy_from_user(&uc, regs->rsp, sizeof(uc))) {
		bad_frame(s, regs);
		return;
	}
	s->blocked = uc.sigmask & ~SIGNAL_UNBLOCKABLE;
	current()->signal_ready |= s->pending.set | s->shared->set;
	signal_frame_restore(regs, &uc.mcontext);
	if (restore_fpu(uc.mcontext.fpstate))
		signal_set_altstack(s, &uc.stack, regs->rsp);
	else
		bad_frame(s, regs);
}

void signal_return_slow(struct trap_frame *regs)
{
	kern_lock();
	return_frame(current_signals(), regs);
	kern_unlock();
	if (current()->signal_ready)
		signal_deliver(regs, false);
}

/* The return address was popped: the context is at regs->rsp. */
SYSCALL(rt_sigreturn)
{
	arch_signal_return(regs, current_signals());
}
