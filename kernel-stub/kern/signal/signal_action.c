/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a process does about a signal, which a thread blocks, and the stack that a handler runs on.
 */
#include "kern/signal/signal_action.h"

#include "arch/x86_64/arch.h"
#include "kern/sys/kern_syscall.h"
#include "mm/base/mm_errno.h"
#include "mm/phys/slab.h"

/* ---- actions ---- */

struct signal_actions *signal_actions_create(void)
{
	struct signal_actions *a = kzalloc(sizeof(*a));

	if (a)
		a->users = 1;
	return a;
}

struct signal_actions *signal_actions_copy(const struct signal_actions *from)
{
	struct signal_actions *a = kmalloc(sizeof(*a));

	if (!a)
		return NULL;
	*a = *from;
	a->users = 1;
	return a;
}

void signal_actions_put(struct signal_actions *a)
{
	if (a && !--a->users)
		kfree(a);
}

struct signal_actions *signal_actions_own(struct signal_actions *a)
{
	struct signal_actions *copy;

	if (a->users == 1)
		return a;
	copy = signal_actions_copy(a);
	if (copy)
		a->users--;
	return copy;
}

static bool is_direct(const struct signal_action *sa)
{
	return sa->handler != SIG_DFL && sa->handler != SIG_IGN && sa->flags & SA_RESTORER &&
	       !(sa->flags & SA_RESETHAND);
}

/* segv_* keep what the last good one was: another thread may be on its way through signal_direct().
 */
void signal_actions_changed(struct signal_actions *a)
{
	const struct signal_action *sa = &a->action[SIGSEGV - 1];

	a->segv_direct = is_direct(sa);
	if (!a->segv_direct)
		return;
	a->segv_handler = sa->handler;
	a->segv_restorer = sa->restorer;
	a->segv_grows = signal_action_grows(sa, SIGSEGV);
}

void signal_actions_clear(struct signal_actions *a)
{
	ASSERT(a->users == 1);
	for (unsigned i = 0; i < NR_SIGNALS; i++) {
		uint64_t handler = a->action[i].handler == SIG_IGN ? SIG_IGN : SIG_DFL;

		a->action[i] = (struct signal_action){.handler = handler};
	}
	signal_actions_changed(a);
}

void signals_exec(struct signals *s)
{
	signal_actions_clear(s->actions);
	s->altstack = (struct signal_stack){0};
	s->trap = (struct signal_trap){0};
}

/* ---- system calls ---- */

/* What is pending of a signal that is ignored from now on goes. */
static void forget(const struct process *p, uint64_t set)
{
	sigpending_flush(current_signals()->shared, set);
	list_for_each (node, &p->threads)
		sigpending_flush(&list_entry(node, struct task, thread_link)->signals.pending, set);
}

static void set_action(struct signal_actions *a, int signo, const struct signal_action *new)
{
	struct signal_action *sa = &a->action[signo - 1];

	*sa = *new;
	sa->flags &= call_flags_known(&sigaction_flags);
	sa->mask &= ~SIGNAL_UNBLOCKABLE;
	if (sa->handler == SIG_IGN || (sa->handler == SIG_DFL && signal_ignored_by_default(signo)))
		forget(current()->process, signal_bit(signo));
	signal_actions_changed(a);
}

SYSCALL(rt_sigaction)
{
	struct signal_actions *a = current_signals()->actions;
	uint64_t signo = (uint32_t)ARG0(regs);
	struct signal_action new, old;

	if (ARG3(regs) != sizeof(uint64_t))
		return -MM_EINVAL;
	if (ARG1(regs) && copy_from_user(&new, ARG1(regs), sizeof(new)))
		return -MM_EFAULT;
	if (!signo || signo > NR_SIGNALS || (ARG1(regs) && (signo == SIGKILL || signo == SIGSTOP)))
		return -MM_EINVAL;
	old = a->action[signo - 1];
	if (ARG1(regs))
		set_action(a, (int)signo, &new);
	if (ARG2(regs) && copy_to_user(ARG2(regs), &old, sizeof(old)))
		return -MM_EFAULT;
	return 0;
}

enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };

SYSCALL(rt_sigprocmask)
{
	struct signals *s = current_signals();
	uint64_t set, old = s->blocked;

	if (ARG3(regs) != sizeof(set))
		return -MM_EINVAL;
	if (ARG1(regs)) {
		if (copy_from_user(&set, ARG1(regs), sizeof(set)))
			return -MM_EFAULT;
		set &= ~SIGNAL_UNBLOCKABLE;
		switch ((uint32_t)ARG0(regs)) {
		case SIG_BLOCK:
			s->blocked |= set;
			break;
		case SIG_UNBLOCK:
			s->blocked &= ~set;
			break;
		case SIG_SETMASK:
			s->blocked = set;
			break;
		default:
			return -MM_EINVAL;
		}
		current()->signal_ready |= s->pending.set | s->shared->set;
	}
	if (ARG2(regs) && copy_to_user(ARG2(regs), &old, sizeof(old)))
		return -MM_EFAULT;
	return 0;
}

int64_t signal_set_altstack(struct signals *s, const struct signal_stack *ss, uint64_t sp)
{
	uint32_t flags = (uint32_t)ss->flags, mode = flags & ~SS_AUTODISARM;

	if (signal_on_altstack(&s->altstack, sp))
		return -MM_EPERM;
	if (mode && mode != SS_ONSTACK && mode != SS_DISABLE)
		return -MM_EINVAL;
	if (mode == SS_DISABLE) {
		s->altstack = (struct signal_stack){.flags = (int32_t)flags};
		return 0;
	}
	if (ss->size < MINSIGSTKSZ)
		return -MM_ENOMEM;
	s->altstack =
		(struct signal_stack){.sp = ss->sp, .flags = (int32_t)flags, .size = ss->size};
	return 0;
}

SYSCALL(sigaltstack)
{
	struct signals *s = current_signals();
	struct signal_stack new, old = s->altstack;
	int64_t error;

	old.flags = (int32_t)((uint32_t)old.flags & SS_AUTODISARM);
	if (!old.size)
		old.flags |= SS_DISABLE;
	else if (signal_on_altstack(&s->altstack, regs->rsp))
		old.flags |= SS_ONSTACK;
	if (ARG0(regs)) {
		if (copy_from_user(&new, ARG0(regs), sizeof(new)))
			return -MM_EFAULT;
		error = signal_set_altstack(s, &new, regs->rsp);
		if (error)
			return error;
	}
	if (ARG1(regs) && copy_to_user(ARG1(regs), &old, sizeof(old)))
		return -MM_EFAULT;
	return 0;
}
