/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals delivered (Linux kernel/signal.c, arch/x86/kernel/signal*.c); signal_send.c sends them:
 *
 *  1. A fault of ring 3 (signal_fault) is delivered at once, to the thread. If it is blocked or
 *     ignored, the process ends, since the instruction could only fault again.
 *  2. What kill and its kin made pending is delivered when a thread returns to ring 3, from a
 *     system call or from an interrupt, unless it blocks it.
 *  3. Delivery to a handler: the frame of signal_frame.h goes on the user's stack or the alternate
 *     one, the mask grows by the action's and by the signal itself. A frame that can't be written
 *     is a SIGSEGV; if that was for SIGSEGV already, the process ends.
 *  4. rt_sigreturn takes everything back from the frame, which is ring 3's to change.
 *
 * The frame never exists in the kernel: arch_signal_write() moves the registers to ring 3's memory,
 * arch_signal_return() moves them back. A SIGSEGV of a page fault in a program without an alternate
 * stack is delivered without a complete trap frame: trap.S asks signal_direct() for it, without a
 * lock. If another thread changes the action of SIGSEGV in that moment, handler, restorer and mask
 * may be of two actions; none of them is ever SIG_DFL's or SIG_IGN's (update_direct).
 */
#include "kern/signal/kern_signal.h"

#include "arch/x86_64/arch.h"
#include "kern/kern_lock.h"
#include "kern/signal/signal_frame.h"
#include "kern/sys/kern_syscall.h"
#include "kern/task/task.h"
#include "mm/base/mm_errno.h"
#include "mm/fault/fault.h"
#include "mm/mm.h"
#include "mm/phys/slab.h"
#include "mm/vma/mmap_lock.h"
#include "mm/vma/vma_index.h"

#define SA_SIGINFO 4u
#define SA_RESTORER 0x04000000u
#define SA_ONSTACK 0x08000000u
#define SA_RESTART 0x10000000u
#define SA_NODEFER 0x40000000u
#define SA_RESETHAND 0x80000000u
#define SA_KNOWN                                                                                   \
	0xdc000807u /* what Linux keeps: also NOCLDSTOP, NOCLDWAIT, EXPOSE_TAGBITS, RESTART */

#define SYSCALL_INSN_SIZE 2u /* 0f 05 */

#define SS_ONSTACK 1
#define SS_DISABLE 2
#define SS_AUTODISARM 0x80000000u
#define MINSIGSTKSZ 2048u

#define FIELD_IS(field, offset)                                                                    \
	_Static_assert(offsetof(struct signals, field) == (offset), "struct signals." #field)
FIELD_IS(blocked, SIGNALS_BLOCKED);
FIELD_IS(pending.set, SIGNALS_PENDING);
FIELD_IS(altstack, SIGNALS_ALTSTACK);
FIELD_IS(trap.trapno, SIGNALS_TRAPNO);
FIELD_IS(trap.err, SIGNALS_ERR);
FIELD_IS(trap.cr2, SIGNALS_CR2);
FIELD_IS(shared, SIGNALS_SHARED);
FIELD_IS(actions, SIGNALS_ACTIONS);
_Static_assert(offsetof(struct sigpending, set) == 0, "signal_user.S");
_Static_assert(offsetof(struct signal_actions, segv_handler) == ACTIONS_SEGV_HANDLER,
	       "segv_handler");
_Static_assert(offsetof(struct signal_actions, segv_restorer) == ACTIONS_SEGV_RESTORER,
	       "segv_restorer");
_Static_assert(offsetof(struct signal_actions, segv_grows) == ACTIONS_SEGV_GROWS, "segv_grows");

static struct signals *current_signals(void)
{
	return &current()->signals;
}

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

/* What the handler of a signal adds to `blocked`. */
static uint64_t grows(const struct signal_action *sa, int signo)
{
	return sa->mask | (sa->flags & SA_NODEFER ? 0 : signal_bit(signo));
}

static bool is_direct(const struct signal_action *sa)
{
	return sa->handler != SIG_DFL && sa->handler != SIG_IGN && sa->flags & SA_RESTORER &&
	       !(sa->flags & SA_RESETHAND);
}

/* To be called whenever an action changed. segv_* keep what the last good one was: another thread
 * may be on its way through signal_direct(). */
static void update_direct(struct signal_actions *a)
{
	const struct signal_action *sa = &a->action[SIGSEGV - 1];

	a->segv_direct = is_direct(sa);
	if (!a->segv_direct)
		return;
	a->segv_handler = sa->handler;
	a->segv_restorer = sa->restorer;
	a->segv_grows = grows(sa, SIGSEGV);
}

void signal_actions_clear(struct signal_actions *a)
{
	ASSERT(a->users == 1);
	for (unsigned i = 0; i < NR_SIGNALS; i++) {
		uint64_t handler = a->action[i].handler == SIG_IGN ? SIG_IGN : SIG_DFL;

		a->action[i] = (struct signal_action){.handler = handler};
	}
	update_direct(a);
}

void signals_exec(struct signals *s)
{
	signal_actions_clear(s->actions);
	s->altstack = (struct signal_stack){0};
	s->trap = (struct signal_trap){0};
}

/* ---- delivery ---- */

static _Noreturn __attribute__((noinline, cold)) void kill_by(const struct trap_frame *regs,
							      int signo)
{
	const struct signal_trap *t = &current_signals()->trap;

	printk("%s[%d]: killed by signal %d: ip %lx sp %lx, last fault: trap %lu error %lx at %lx\n",
	       task_comm(), task_pid(), signo, regs->rip, regs->rsp, t->trapno, t->err, t->cr2);
	task_exit(0, signo);
}

/* The thread has to end: because its process does, or makes way for execve. */
static _Noreturn __attribute__((cold)) void end_by_kill(const struct trap_frame *regs)
{
	const struct process *p = current()->process;

	if (p->exiting && p->exit_status == SIGKILL && p->leader == current())
		printk("%s[%d]: killed by signal %d: ip %lx sp %lx\n", task_comm(), task_pid(),
		       SIGKILL, regs->rip, regs->rsp);
	thread_exit(p->exiting ? p->exit_status : 0);
}

bool signal_ignored_by_default(int signo)
{
	return signo == SIGCHLD || signo == SIGURG || signo == SIGWINCH ||
	       (signo >= SIGCONT && signo <= SIGTTOU); /* there is no job control */
}

static bool on_altstack(const struct signal_stack *ss, uint64_t sp)
{
	return !((uint32_t)ss->flags & SS_AUTODISARM) && sp > ss->sp && sp - ss->sp <= ss->size;
}

/* Whether a frame at `frame` runs off the alternate stack. */
static bool off_altstack(const struct signals *s, uint64_t frame)
{
	return !((uint32_t)s->altstack.flags & SS_AUTODISARM) && !on_altstack(&s->altstack, frame);
}

/* Where the frame goes; false: there is no room. */
static inline bool place_frame(const struct signals *s, uint64_t rsp, uint64_t sa_flags,
			       struct signal_place *place)
{
	bool on_alt;

	if (likely(!s->altstack.size)) {
		*place = signal_frame_place(rsp - RED_ZONE);
		return true;
	}
	on_alt = on_altstack(&s->altstack, rsp);
	if (sa_flags & SA_ONSTACK && !on_alt) {
		*place = signal_frame_place(s->altstack.sp + s->altstack.size);
		return !off_altstack(s, place->frame);
	}
	*place = signal_frame_place(rsp - RED_ZONE);
	return !on_alt || !off_altstack(s, place->frame);
}

/* What only SIGCHLD and queued signals have: apart, so that no other frame pays for it. */
static bool put_value(uint64_t frame, uint64_t value)
{
	uint64_t at = frame + offsetof(struct signal_frame, info.rest);

	return likely(!value) || !copy_to_user(at, &value, sizeof(value));
}

/* The mask that rt_sigreturn is to bring back: rt_sigsuspend's caller had another. */
static bool write_frame(struct signals *s, const struct trap_frame *regs, uint64_t frame,
			const struct signal_action *sa, int signo, const struct signal_origin *from)
{
	uint64_t blocked = s->blocked;
	bool written;

	if (s->restore_mask)
		s->blocked = s->suspended;
	written = arch_signal_write(regs, frame, s, sa->restorer, (uint32_t)signo, from->code,
				    from->payload) &&
		  put_value(frame, from->value);
	s->blocked = blocked;
	return written;
}

/* Writes the frame and points *regs at the handler; false if the stack won't take it. */
static bool push_frame(struct signals *s, struct trap_frame *regs, const struct signal_action *sa,
		       int signo, const struct signal_origin *from)
{
	struct signal_place place;

	if (!(sa->flags & SA_RESTORER) || !place_frame(s, regs->rsp, sa->flags, &place) ||
	    !signal_place_ok(place) || !write_frame(s, regs, place.frame, sa, signo, from))
		return false;
	signal_frame_enter(regs, place.frame, sa->handler, signo);
	regs->error_code = ~0ull; /* the frame was replaced: syscall.S loads all of it */
	return true;
}

/* The handler runs: its mask, and what its flags ask. */
static void entered(struct signals *s, struct signal_action *sa, int signo)
{
	s->blocked |= grows(sa, signo);
	s->restore_mask = false;
	if ((uint32_t)s->altstack.flags & SS_AUTODISARM)
		s->altstack = (struct signal_stack){.flags = SS_DISABLE};
	if (sa->flags & SA_RESETHAND) {
		sa->handler = SIG_DFL;
		update_direct(s->actions);
	}
}

static bool has_handler(const struct signals *s, int signo)
{
	uint64_t handler = s->actions->action[signo - 1].handler;

	return handler != SIG_IGN && handler != SIG_DFL;
}

/* 3. Needs: not blocked; kern_lock. */
static void deliver(struct signals *s, struct trap_frame *regs, int signo,
		    const struct signal_origin *from)
{
	struct signal_action *sa = &s->actions->action[signo - 1];
	struct signal_origin kernel = {.code = SI_KERNEL};

	if (sa->handler == SIG_IGN || (sa->handler == SIG_DFL && signal_ignored_by_default(signo)))
		return;
	if (sa->handler == SIG_DFL)
		kill_by(regs, signo);
	if (push_frame(s, regs, sa, signo, from)) {
		entered(s, sa, signo);
		return;
	}
	/* The stack took no frame: SIGSEGV on the same registers, once. */
	if (signo == SIGSEGV || s->blocked & signal_bit(SIGSEGV) ||
	    s->actions->action[SIGSEGV - 1].handler == SIG_IGN)
		kill_by(regs, SIGSEGV);
	deliver(s, regs, SIGSEGV, &kernel);
}

/* 1.: cannot be refused. */
static void force(struct signals *s, struct trap_frame *regs, int signo,
		  const struct signal_origin *from)
{
	if (s->blocked & signal_bit(signo) || s->actions->action[signo - 1].handler == SIG_IGN)
		kill_by(regs, signo);
	deliver(s, regs, signo, from);
}

struct signal_direct signal_direct(const struct trap_frame *regs, uint64_t addr)
{
	struct signals *s = current_signals();
	uint32_t error_code = (uint32_t)regs->error_code;
	struct signal_place place = signal_frame_place(regs->rsp - RED_ZONE);

	if (unlikely(!s->actions->segv_direct || s->altstack.size ||
		     (uint32_t)s->altstack.flags & SS_AUTODISARM ||
		     s->blocked & signal_bit(SIGSEGV) || error_code & FAULT_FETCH ||
		     addr >= TASK_SIZE || regs->cs != GDT_USER_CODE || !signal_place_ok(place)))
		return (struct signal_direct){0, s};
	s->trap.trapno = 14;
	s->trap.err = error_code;
	s->trap.cr2 = addr;
	return (struct signal_direct){place.frame, s};
}

/* Linux reports a fetch from no-execute memory only once the page is there (arch/x86/mm/fault.c,
 * access_error); mm/ knows better at once, but ring 3 is shown the same bits. Nor does ring 3 learn
 * whether something is present in the kernel's half. */
static inline uint32_t shown_error_code(uint32_t error_code, int si_code, uint64_t addr)
{
	struct mm *mm = current()->mm;
	struct vma *vma;

	if (addr >= TASK_SIZE)
		return error_code | FAULT_PRESENT;
	if (si_code != SEGV_ACCERR_ || !(error_code & FAULT_FETCH))
		return error_code;
	mmap_read_lock(mm);
	vma = vma_lookup(mm, addr);
	if (vma && vma->flags & VM_ACCESS_FLAGS)
		error_code |= FAULT_PRESENT;
	mmap_read_unlock(mm);
	return error_code;
}

void signal_fault(struct trap_frame *regs, int signo, int si_code, uint64_t addr,
		  uint32_t error_code)
{
	struct signals *s = current_signals();

	kern_lock();
	s->trap.trapno = signal_trapno(signo, si_code);
	s->trap.err = error_code;
	if (s->trap.trapno == 14) {
		s->trap.cr2 = addr;
		s->trap.err = shown_error_code(error_code, si_code, addr);
	}
	force(s, regs, signo, &(struct signal_origin){.code = si_code, .payload = addr});
	kern_unlock();
}

/* The call is made again with the registers that it began with, when a handler returns that wants
 * that, or at once where no handler runs. Otherwise ring 3 sees EINTR. */
static void restart(struct trap_frame *regs, bool again)
{
	if (again) {
		regs->rax = regs->error_code;
		regs->rip -= SYSCALL_INSN_SIZE;
	} else {
		regs->rax = -(uint64_t)MM_EINTR;
	}
}

/* The call that *regs is the end of asked to be made again: whether it is, after that handler. */
static bool restarts_after(const struct signals *s, int64_t result, int signo)
{
	return result == -ERESTART && s->actions->action[signo - 1].flags & SA_RESTART;
}

static bool wants_restart(int64_t result)
{
	return result == -ERESTART || result == -ERESTART_NOHAND;
}

/* What ends the thread goes before everything. */
static int take(struct signals *s, const struct trap_frame *regs, struct signal_origin *from)
{
	if (signal_deadly(current()))
		end_by_kill(regs);
	return signal_take(~s->blocked, from);
}

void signal_deliver(struct trap_frame *regs, bool in_call)
{
	struct signals *s = current_signals();
	int64_t result = in_call ? (int64_t)regs->rax : 0;
	struct signal_origin from;
	int signo;

	kern_lock();
	while ((signo = take(s, regs, &from))) {
		if (wants_restart(result) && has_handler(s, signo)) {
			restart(regs, restarts_after(s, result, signo));
			result = 0;
		}
		deliver(s, regs, signo, &from);
	}
	if (wants_restart(result))
		restart(regs, true);
	if (s->restore_mask) {
		s->blocked = s->suspended;
		s->restore_mask = false;
	}
	current()->signal_ready = signal_pending(current());
	signal_retarget();
	kern_unlock();
}

/* ---- actions, mask, alternate stack ---- */

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
	sa->flags &= SA_KNOWN;
	sa->mask &= ~SIGNAL_UNBLOCKABLE;
	if (sa->handler == SIG_IGN || (sa->handler == SIG_DFL && signal_ignored_by_default(signo)))
		forget(current()->process, signal_bit(signo));
	update_direct(a);
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

/* 0 or Linux's error. sp is ring 3's stack pointer. */
static int64_t set_altstack(struct signals *s, const struct signal_stack *ss, uint64_t sp)
{
	uint32_t flags = (uint32_t)ss->flags, mode = flags & ~SS_AUTODISARM;

	if (on_altstack(&s->altstack, sp))
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
	else if (on_altstack(&s->altstack, regs->rsp))
		old.flags |= SS_ONSTACK;
	if (ARG0(regs)) {
		if (copy_from_user(&new, ARG0(regs), sizeof(new)))
			return -MM_EFAULT;
		error = set_altstack(s, &new, regs->rsp);
		if (error)
			return error;
	}
	if (ARG1(regs) && copy_to_user(ARG1(regs), &old, sizeof(old)))
		return -MM_EFAULT;
	return 0;
}

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
	force(s, regs, SIGSEGV, &(struct signal_origin){.code = SI_KERNEL});
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
		set_altstack(s, &uc.stack, regs->rsp);
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

/* 4. The return address was popped: the context is at regs->rsp. */
SYSCALL(rt_sigreturn)
{
	arch_signal_return(regs, current_signals());
}
