/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals, for processes of one thread (Linux kernel/signal.c, arch/x86/kernel/signal*.c):
 *
 *  1. A fault of ring 3 (signal_fault) is delivered at once. If it is blocked or ignored, the task
 *     ends, since the instruction could only fault again.
 *  2. kill and its kin make a signal pending and end a sleep; it is delivered when the process
 *     returns to ring 3, from a system call or from the timer, unless blocked. Each number is
 *     pending once, real-time ones too (a difference from Linux).
 *  3. Delivery to a handler: the frame of signal_frame.h goes on the user's stack or the alternate
 *     one, the mask grows by the action's and by the signal itself. A frame that can't be written
 *     is a SIGSEGV; if that was for SIGSEGV already, the task ends.
 *  4. rt_sigreturn takes everything back from the frame, which is ring 3's to change.
 *
 * The frame never exists in the kernel: arch_signal_write() moves the registers to ring 3's memory,
 * arch_signal_return() moves them back. A SIGSEGV of a page fault in a program without an alternate
 * stack is delivered without a complete trap frame: trap.S asks signal_direct() for it.
 */
#include "signal.h"

#include "arch.h"
#include "errno.h"
#include "fault.h"
#include "kern_lock.h"
#include "mm.h"
#include "mmap_lock.h"
#include "signal_frame.h"
#include "slab.h"
#include "syscall.h"
#include "task.h"
#include "vma_index.h"

#define SA_NOCLDWAIT 2u
#define SA_SIGINFO 4u
#define SA_RESTORER 0x04000000u
#define SA_ONSTACK 0x08000000u
#define SA_RESTART 0x10000000u
#define SA_NODEFER 0x40000000u
#define SA_RESETHAND 0x80000000u
#define SA_KNOWN                                                                                   \
	0xdc000807u /* what Linux keeps: also NOCLDSTOP, NOCLDWAIT, EXPOSE_TAGBITS, RESTART */

#define SIG_DFL 0ull
#define SIG_IGN 1ull

#define SYSCALL_INSN_SIZE 2u /* 0f 05 */

#define SS_ONSTACK 1
#define SS_DISABLE 2
#define SS_AUTODISARM 0x80000000u
#define MINSIGSTKSZ 2048u

struct action { /* struct sigaction as rt_sigaction has it */
	uint64_t handler, flags, restorer, mask;
};

/* What siginfo says of a pending signal. */
struct origin {
	int32_t code, status;
	uint64_t payload;
};

struct signals {
	uint64_t blocked, pending;
	struct signal_stack altstack; /* flags: SS_AUTODISARM or 0; size 0: none */
	struct signal_trap trap;
	uint64_t segv_grows; /* what a handler of SIGSEGV adds to `blocked` */
	bool segv_direct;    /* signal_direct(): of what changes rarely, nothing is in the way */
	struct action actions[NR_SIGNALS];
	struct origin origins[NR_SIGNALS];
	int32_t status; /* si_status of the signal that is being delivered */
};

#define FIELD_IS(field, offset)                                                                    \
	_Static_assert(offsetof(struct signals, field) == (offset), "struct signals." #field)
FIELD_IS(blocked, SIGNALS_BLOCKED);
FIELD_IS(pending, SIGNALS_PENDING);
FIELD_IS(altstack, SIGNALS_ALTSTACK);
FIELD_IS(trap.trapno, SIGNALS_TRAPNO);
FIELD_IS(trap.err, SIGNALS_ERR);
FIELD_IS(trap.cr2, SIGNALS_CR2);
FIELD_IS(segv_grows, SIGNALS_SEGV_GROWS);
FIELD_IS(actions[SIGSEGV - 1].handler, SIGNALS_SEGV_HANDLER);
FIELD_IS(actions[SIGSEGV - 1].restorer, SIGNALS_SEGV_RESTORER);

static uint64_t bit(int signo)
{
	return 1ull << (signo - 1);
}

#define UNBLOCKABLE (1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1))

struct signals *signals_create(void)
{
	return kzalloc(sizeof(struct signals));
}

struct signals *signals_copy(const struct signals *from)
{
	struct signals *s = kmalloc(sizeof(*s));

	if (!s)
		return NULL;
	*s = *from;
	s->pending = 0;
	return s;
}

void signals_free(struct signals *s)
{
	kfree(s);
}

static struct signals *current_signals(void)
{
	return current()->signals;
}

/* To be called whenever `pending` or `blocked` changed. */
static void update_ready_of(struct task *task)
{
	task->signal_ready = task->signals->pending & ~task->signals->blocked;
}

static void update_ready(const struct signals *s)
{
	current()->signal_ready = s->pending & ~s->blocked;
}

/* What the handler of a signal adds to `blocked`. */
static uint64_t grows(const struct action *sa, int signo)
{
	return sa->mask | (sa->flags & SA_NODEFER ? 0 : bit(signo));
}

/* To be called whenever the alternate stack or an action changed. */
static void update_direct(struct signals *s)
{
	const struct action *sa = &s->actions[SIGSEGV - 1];

	s->segv_grows = grows(sa, SIGSEGV);
	s->segv_direct = sa->handler != SIG_DFL && sa->handler != SIG_IGN &&
			 sa->flags & SA_RESTORER && !(sa->flags & SA_RESETHAND) &&
			 !s->altstack.size && !((uint32_t)s->altstack.flags & SS_AUTODISARM);
}

void signals_exec(struct signals *s)
{
	for (unsigned i = 0; i < NR_SIGNALS; i++) {
		uint64_t handler = s->actions[i].handler == SIG_IGN ? SIG_IGN : SIG_DFL;

		s->actions[i] = (struct action){.handler = handler};
	}
	s->altstack = (struct signal_stack){0};
	s->trap = (struct signal_trap){0};
	update_direct(s);
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

static bool ignored_by_default(int signo)
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

/* si_status, which only SIGCHLD has: apart, so that no other frame pays for it. */
static bool put_status(const struct signals *s, uint64_t frame)
{
	uint64_t at = frame + offsetof(struct signal_frame, info.rest);

	return likely(!s->status) || !copy_to_user(at, &s->status, sizeof(s->status));
}

/* Writes the frame and points *regs at the handler; false if the stack won't take it. */
static bool push_frame(struct signals *s, struct trap_frame *regs, const struct action *sa,
		       int signo, int code, uint64_t payload)
{
	struct signal_place place;

	if (!(sa->flags & SA_RESTORER) || !place_frame(s, regs->rsp, sa->flags, &place) ||
	    !signal_place_ok(place) ||
	    !arch_signal_write(regs, place.frame, s, sa->restorer, (uint32_t)signo, code,
			       payload) ||
	    !put_status(s, place.frame))
		return false;
	signal_frame_enter(regs, place.frame, sa->handler, signo);
	regs->error_code = ~0ull; /* the frame was replaced: syscall.S loads all of it */
	return true;
}

/* The handler runs: its mask, and what its flags ask. */
static void entered(struct signals *s, struct action *sa, int signo)
{
	s->blocked |= grows(sa, signo);
	if ((uint32_t)s->altstack.flags & SS_AUTODISARM)
		s->altstack = (struct signal_stack){.flags = SS_DISABLE};
	if (sa->flags & SA_RESETHAND)
		sa->handler = SIG_DFL;
	update_direct(s);
}

/* 3. Needs: not blocked. */
static void deliver(struct signals *s, struct trap_frame *regs, int signo, int code,
		    uint64_t payload)
{
	struct action *sa = &s->actions[signo - 1];

	if (sa->handler == SIG_IGN || (sa->handler == SIG_DFL && ignored_by_default(signo)))
		return;
	if (sa->handler == SIG_DFL)
		kill_by(regs, signo);
	if (push_frame(s, regs, sa, signo, code, payload)) {
		entered(s, sa, signo);
		return;
	}
	/* The stack took no frame: SIGSEGV on the same registers, once. */
	if (signo == SIGSEGV || s->blocked & bit(SIGSEGV) ||
	    s->actions[SIGSEGV - 1].handler == SIG_IGN)
		kill_by(regs, SIGSEGV);
	deliver(s, regs, SIGSEGV, SI_KERNEL, 0);
}

/* 1.: cannot be refused. */
static void force(struct signals *s, struct trap_frame *regs, int signo, int code, uint64_t payload)
{
	if (s->blocked & bit(signo) || s->actions[signo - 1].handler == SIG_IGN)
		kill_by(regs, signo);
	deliver(s, regs, signo, code, payload);
}

struct signal_direct signal_direct(const struct trap_frame *regs, uint64_t addr)
{
	struct signals *s = current_signals();
	uint32_t error_code = (uint32_t)regs->error_code;
	struct signal_place place = signal_frame_place(regs->rsp - RED_ZONE);

	if (unlikely(!s->segv_direct || s->blocked & bit(SIGSEGV) || error_code & FAULT_FETCH ||
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
	force(s, regs, signo, si_code, addr);
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

/* Whether a handler will run, and one without SA_RESTART. */
static bool interrupts_calls(const struct action *sa)
{
	return sa->handler != SIG_IGN && sa->handler != SIG_DFL && !(sa->flags & SA_RESTART);
}

void signal_deliver(struct trap_frame *regs, bool in_call)
{
	struct signals *s = current_signals();
	bool restarts = in_call && regs->rax == -(uint64_t)ERESTART;
	uint64_t ready;

	kern_lock();
	while ((ready = s->pending & ~s->blocked)) {
		int signo = __builtin_ctzll(ready) + 1;
		const struct origin *from = &s->origins[signo - 1];

		s->pending &= ~bit(signo);
		if (signo == SIGKILL)
			kill_by(regs, signo);
		if (restarts)
			restart(regs, !interrupts_calls(&s->actions[signo - 1]));
		restarts = false;
		s->status = from->status;
		deliver(s, regs, signo, from->code, from->payload);
		s->status = 0;
	}
	update_ready(s);
	kern_unlock();
}

/* ---- sending ---- */

void signal_send(struct task *to, int signo, int code, uint64_t payload, int status)
{
	struct signals *s = to->signals;
	uint64_t handler;

	if (to->state == TASK_ENDED)
		return;
	handler = s->actions[signo - 1].handler;
	if (!(s->blocked & bit(signo)) &&
	    (handler == SIG_IGN || (handler == SIG_DFL && ignored_by_default(signo))))
		return;
	if (!(s->pending & bit(signo)))
		s->origins[signo - 1] = (struct origin){code, status, payload};
	s->pending |= bit(signo);
	update_ready_of(to);
	if (to->signal_ready)
		sched_signal(to);
}

bool signal_child_ended(struct task *parent, int pid, int code, int status)
{
	const struct action *sa = &parent->signals->actions[SIGCHLD - 1];

	if (sa->handler == SIG_IGN)
		return true;
	signal_send(parent, SIGCHLD, code, (uint64_t)pid, status);
	return sa->flags & SA_NOCLDWAIT;
}

/* To the process of that number; signal 0 only asks. */
static int64_t send_to(int32_t pid, uint64_t signo, int code)
{
	struct task *to = task_find(pid);

	if ((uint32_t)signo > NR_SIGNALS)
		return -MM_EINVAL;
	if (!to)
		return -MM_ESRCH;
	if ((uint32_t)signo)
		signal_send(to, (int)signo, code, (uint64_t)task_pid(), 0);
	return 0;
}

/* To every process, which are one group; or to all but oneself and the first one. */
static int64_t send_to_all(bool spare, uint64_t signo)
{
	int64_t result = -MM_ESRCH;

	if ((uint32_t)signo > NR_SIGNALS)
		return -MM_EINVAL;
	for (struct task *t = task_next(0); t; t = task_next(t->pid)) {
		if (spare && (t == current() || t->pid == PID_FIRST))
			continue;
		result = send_to(t->pid, signo, SI_USER);
	}
	return result;
}

SYSCALL(kill)
{
	int32_t pid = (int32_t)ARG0(regs);

	if (pid == 0 || pid == -1)
		return send_to_all(pid, ARG1(regs));
	return send_to(pid, ARG1(regs), SI_USER);
}

SYSCALL(tkill)
{
	if ((int32_t)ARG0(regs) <= 0)
		return -MM_EINVAL;
	return send_to((int32_t)ARG0(regs), ARG1(regs), SI_TKILL);
}

SYSCALL(tgkill)
{
	int32_t process = (int32_t)ARG0(regs), thread = (int32_t)ARG1(regs);

	if (process <= 0 || thread <= 0)
		return -MM_EINVAL;
	return send_to(process == thread ? thread : 0, ARG2(regs), SI_TKILL);
}

/* Sleeps until a signal has a handler to run, or ends the process. */
SYSCALL(pause)
{
	struct wait_queue nobody;

	wait_queue_init(&nobody);
	while (!wait_queue_sleep(&nobody))
		;
	return -MM_EINTR;
}

/* ---- actions, mask, alternate stack ---- */

SYSCALL(rt_sigaction)
{
	struct signals *s = current_signals();
	uint64_t signo = (uint32_t)ARG0(regs);
	struct action new, old;

	if (ARG3(regs) != sizeof(uint64_t))
		return -MM_EINVAL;
	if (ARG1(regs) && copy_from_user(&new, ARG1(regs), sizeof(new)))
		return -MM_EFAULT;
	if (!signo || signo > NR_SIGNALS || (ARG1(regs) && (signo == SIGKILL || signo == SIGSTOP)))
		return -MM_EINVAL;
	old = s->actions[signo - 1];
	if (ARG1(regs)) {
		new.flags &= SA_KNOWN;
		new.mask &= ~UNBLOCKABLE;
		s->actions[signo - 1] = new;
		if (new.handler == SIG_IGN ||
		    (new.handler == SIG_DFL &&ignored_by_default((int)signo)))
			s->pending &= ~bit((int)signo);
		update_ready(s);
		update_direct(s);
	}
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
		set &= ~UNBLOCKABLE;
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
		update_ready(s);
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
		update_direct(s);
		return 0;
	}
	if (ss->size < MINSIGSTKSZ)
		return -MM_ENOMEM;
	s->altstack =
		(struct signal_stack){.sp = ss->sp, .flags = (int32_t)flags, .size = ss->size};
	update_direct(s);
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
	force(s, regs, SIGSEGV, SI_KERNEL, 0);
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
	s->blocked = uc.sigmask & ~UNBLOCKABLE;
	update_ready(s);
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
