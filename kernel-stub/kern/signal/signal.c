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
 *  4. rt_sigreturn takes everything back from the frame (signal_return.c).
 *
 * The frame never exists in the kernel: arch_signal_write() moves the registers to ring 3's memory,
 * arch_signal_return() moves them back. A SIGSEGV of a page fault in a program without an alternate
 * stack is delivered without a complete trap frame: trap.S asks signal_direct() for it, without a
 * lock. If another thread changes the action of SIGSEGV in that moment, handler, restorer and mask
 * may be of two actions; none of them is ever SIG_DFL's or SIG_IGN's (signal_actions_changed).
 */
#include "kern/signal/kern_signal.h"

#include "arch/x86_64/arch.h"
#include "arch/x86_64/idt.h"
#include "kern/kern_lock.h"
#include "kern/signal/signal_action.h"
#include "kern/signal/signal_frame.h"
#include "mm/base/mm_errno.h"
#include "mm/fault/fault.h"
#include "mm/vma/mmap_lock.h"
#include "mm/vma/vma_index.h"

#define SYSCALL_INSN_SIZE 2u /* 0f 05 */

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

bool signal_dumps_core(int signo)
{
	enum { QUIT = 3, ILL = 4, TRAP = 5, BUS = 7, FPE = 8, XCPU = 24, XFSZ = 25, SYS = 31 };
	uint64_t set = signal_bit(QUIT) | signal_bit(ILL) | signal_bit(TRAP) | signal_bit(SIGABRT) |
		       signal_bit(BUS) | signal_bit(FPE) | signal_bit(SIGSEGV) | signal_bit(XCPU) |
		       signal_bit(XFSZ) | signal_bit(SYS);

	return set & signal_bit(signo);
}

/* Whether a frame at `frame` runs off the alternate stack. */
static bool off_altstack(const struct signals *s, uint64_t frame)
{
	return !((uint32_t)s->altstack.flags & SS_AUTODISARM) &&
	       !signal_on_altstack(&s->altstack, frame);
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
	on_alt = signal_on_altstack(&s->altstack, rsp);
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
	s->blocked |= signal_action_grows(sa, signo);
	s->restore_mask = false;
	if ((uint32_t)s->altstack.flags & SS_AUTODISARM)
		s->altstack = (struct signal_stack){.flags = SS_DISABLE};
	if (sa->flags & SA_RESETHAND) {
		sa->handler = SIG_DFL;
		signal_actions_changed(s->actions);
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
void signal_force(struct signals *s, struct trap_frame *regs, int signo,
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
	s->trap.trapno = VECTOR_PF;
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

void signal_fault(struct trap_frame *regs, unsigned vector, int signo, int si_code, uint64_t addr)
{
	struct signals *s = current_signals();
	uint32_t error_code = (uint32_t)regs->error_code;

	kern_lock();
	s->trap.trapno = vector;
	s->trap.err = error_code;
	if (vector == VECTOR_PF) {
		s->trap.cr2 = addr;
		s->trap.err = shown_error_code(error_code, si_code, addr);
	}
	signal_force(s, regs, signo, &(struct signal_origin){.code = si_code, .payload = addr});
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
