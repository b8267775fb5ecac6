/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What kern/signal/ shares: flags of alternate stacks, and the running thread's
 * signals. */
#ifndef KERN_SIGNAL_ACTION_H
#define KERN_SIGNAL_ACTION_H

#include "kern/signal/kern_signal.h"
#include "kern/sys/kern_call_flags.h"
#include "kern/task/task.h"

#define SS_ONSTACK 1
#define SS_DISABLE 2
#define SS_AUTODISARM 0x80000000u
#define MINSIGSTKSZ 2048u

static inline struct signals *current_signals(void)
{
	return &current()->signals;
}

/* What the handler of a signal adds to `blocked`. */
static inline uint64_t signal_action_grows(const struct signal_action *sa, int signo)
{
	return sa->mask | (sa->flags & SA_NODEFER ? 0 : signal_bit(signo));
}

static inline bool signal_on_altstack(const struct signal_stack *ss, uint64_t sp)
{
	return !((uint32_t)ss->flags & SS_AUTODISARM) && sp > ss->sp && sp - ss->sp <= ss->size;
}

/* To be called whenever an action changed. (signal_action.c) */
void signal_actions_changed(struct signal_actions *a);

/* 0 or Linux's error. sp is ring 3's stack pointer. (signal_action.c) */
int64_t signal_set_altstack(struct signals *s, const struct signal_stack *ss, uint64_t sp);

/* Delivers a signal that cannot be refused: if it is blocked or ignored, the process ends. Needs:
 * kern_lock. (signal.c) */
void signal_force(struct signals *s, struct trap_frame *regs, int signo,
		  const struct signal_origin *from);

#endif
