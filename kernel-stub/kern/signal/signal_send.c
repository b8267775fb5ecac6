/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals on their way: what is pending, for whom, and who sent it (Linux kernel/signal.c).
 *
 *  1. A signal sent to a thread waits in the thread's own set; one sent to a process waits in the
 *     process's, and whichever thread comes first takes it. Below SIGRTMIN a signal is pending
 *     once; a real-time signal is there as often as it was sent.
 *  2. One sent to a process wakes one thread that does not block it, the first thread before
 *     others. If there is none, it stays until one unblocks it or asks for it (rt_sigtimedwait).
 *  3. SIGKILL is not pending: it ends the process (process_kill), each thread of which finds the
 *     bit in its own set.
 *
 * That no signal is lost, though a thread changes `blocked` without a lock (the handler's frame in
 * trap.S, rt_sigreturn): who sends makes it pending first, sets signal_ready, and then has every
 * CPU enter the kernel that runs a thread which might take it, whether that seems to block it or
 * not; the interrupt arrives in ring 3, after whatever the thread was about to store, and the way
 * back looks at signal_ready. rt_sigreturn for its part looks at what is pending after it stored
 * the mask. A thread that does not run has stored everything. signal_ready goes only in
 * signal_deliver(), which looks at everything under kern_lock.
 */
#include "kern/signal/kern_signal.h"

#include "arch/x86_64/arch.h"
#include "kern/sys/kern_syscall.h"
#include "kern/task/task.h"
#include "mm/base/mm_errno.h"
#include "mm/phys/slab.h"

struct sent {
	struct list_node link;
	int signo;
	struct signal_origin from;
};

/* ---- what is pending ---- */

void sigpending_init(struct sigpending *p)
{
	p->set = 0;
	list_init(&p->queue);
}

static void drop(struct sent *s)
{
	list_del(&s->link);
	kfree(s);
}

void sigpending_flush(struct sigpending *p, uint64_t set)
{
	struct list_node *node = p->queue.next, *next;

	p->set &= ~set;
	for (; node != &p->queue; node = next) {
		struct sent *s = list_entry(node, struct sent, link);

		next = node->next;
		if (set & signal_bit(s->signo))
			drop(s);
	}
}

/* The first of that number; *more: there is another. */
static struct sent *find_sent(struct sigpending *p, int signo, bool *more)
{
	struct sent *found = NULL;

	*more = false;
	list_for_each (node, &p->queue) {
		struct sent *s = list_entry(node, struct sent, link);

		if (s->signo != signo)
			continue;
		*more = found;
		if (found)
			break;
		found = s;
	}
	return found;
}

/* Faults' signals go first, as on Linux, then by number. */
static int first_of(uint64_t set)
{
	enum { ILL = 4, TRAP = 5, BUS = 7, FPE = 8, SEGV = 11, SYS = 31 };
	uint64_t faults = signal_bit(ILL) | signal_bit(TRAP) | signal_bit(BUS) | signal_bit(FPE) |
			  signal_bit(SEGV) | signal_bit(SYS);

	return __builtin_ctzll(set & faults ? set & faults : set) + 1;
}

static int take_from(struct sigpending *p, uint64_t set, struct signal_origin *from)
{
	struct sent *s;
	bool more;
	int signo;

	if (!(p->set & set))
		return 0;
	signo = first_of(p->set & set);
	s = find_sent(p, signo, &more);
	*from = s ? s->from : (struct signal_origin){.code = SI_USER};
	if (!more)
		p->set &= ~signal_bit(signo);
	if (s)
		drop(s);
	return signo;
}

int signal_take(uint64_t set, struct signal_origin *from)
{
	struct signals *s = &current()->signals;
	int signo = take_from(&s->pending, set, from);

	return signo ? signo : take_from(s->shared, set, from);
}

bool signal_pending(const struct task *t)
{
	return (t->signals.pending.set | t->signals.shared->set) & ~t->signals.blocked;
}

bool signal_deadly(const struct task *t)
{
	return t->signals.pending.set & signal_bit(SIGKILL);
}

/* ---- whom it concerns ---- */

static void look(struct task *t, int signo)
{
	t->signal_ready = true;
	sched_signal(t, !(t->signals.blocked & signal_bit(signo)), signo == SIGKILL);
}

static bool wants(const struct task *t, int signo)
{
	return !t->exiting && !(t->signals.blocked & signal_bit(signo)) &&
	       (t == current() || !t->signal_ready);
}

/* 2. */
static struct task *choose(const struct process *p, int signo)
{
	if (wants(p->leader, signo))
		return p->leader;
	list_for_each (node, &p->threads) {
		struct task *t = list_entry(node, struct task, thread_link);

		if (wants(t, signo))
			return t;
	}
	return NULL;
}

static void notify(const struct process *p, int signo)
{
	struct task *t = choose(p, signo);

	if (t) {
		look(t, signo);
		return;
	}
	list_for_each (node, &p->threads) {
		t = list_entry(node, struct task, thread_link);
		if (!t->exiting)
			look(t, signo);
	}
}

static void notify_all(const struct process *p, uint64_t set)
{
	for (; set; set &= set - 1)
		notify(p, __builtin_ctzll(set) + 1);
}

void signal_retarget(void)
{
	struct task *self = current();
	const struct process *p = self->process;

	if (p->nr_live > 1)
		notify_all(p, p->pending.set & self->signals.blocked);
}

void signal_retarget_all(const struct task *ending)
{
	const struct process *p = ending->process;

	if (p->nr_live)
		notify_all(p, p->pending.set & ~ending->signals.blocked);
}

/* ---- sending ---- */

/* Whether nobody will ever see it. Who blocks it may yet change the action. */
static bool is_ignored(const struct task *t, int signo)
{
	uint64_t handler = t->signals.actions->action[signo - 1].handler;

	if (t->signals.blocked & signal_bit(signo))
		return false;
	return handler == SIG_IGN || (handler == SIG_DFL && signal_ignored_by_default(signo));
}

/* 1. As on Linux, kill() works without memory, and a signal with a value doesn't. */
static int64_t enqueue(struct sigpending *p, int signo, const struct signal_origin *from)
{
	struct sent *s;

	if (signo < SIGRTMIN && p->set & signal_bit(signo))
		return 0;
	s = kmalloc(sizeof(*s));
	if (!s && signo >= SIGRTMIN && from->code != SI_USER)
		return -MM_EAGAIN;
	if (s) {
		s->signo = signo;
		s->from = *from;
		list_add_tail(&s->link, &p->queue);
	}
	p->set |= signal_bit(signo);
	return 0;
}

int64_t signal_send_thread(struct task *to, int signo, const struct signal_origin *from)
{
	int64_t error;

	if (to->exiting || is_ignored(to, signo))
		return 0;
	if (signo == SIGKILL) {
		process_kill(to->process, SIGKILL);
		return 0;
	}
	error = enqueue(&to->signals.pending, signo, from);
	if (!error)
		look(to, signo);
	return error;
}

int64_t signal_send(struct process *to, int signo, const struct signal_origin *from)
{
	int64_t error;

	if (to->ended || is_ignored(to->leader, signo))
		return 0;
	if (signo == SIGKILL) {
		process_kill(to, SIGKILL);
		return 0;
	}
	error = enqueue(&to->pending, signo, from);
	if (!error)
		notify(to, signo);
	return error;
}

/* ---- system calls ---- */

static struct signal_origin from_self(int code)
{
	return (struct signal_origin){.code = code, .payload = (uint64_t)task_pid()};
}

/* Signal 0 only asks. */
static int64_t send_to_process(struct process *to, uint32_t signo)
{
	struct signal_origin from = from_self(SI_USER);

	if (!to)
		return -MM_ESRCH;
	if (signo > NR_SIGNALS)
		return -MM_EINVAL;
	return signo ? signal_send(to, (int)signo, &from) : 0;
}

static int64_t send_to_thread(struct task *to, uint32_t signo, const struct signal_origin *from)
{
	if (!to)
		return -MM_ESRCH;
	if (signo > NR_SIGNALS)
		return -MM_EINVAL;
	return signo ? signal_send_thread(to, (int)signo, from) : 0;
}

/* To a group; 0: to every process but the sender's own and the first. */
static int64_t send_to_group(int group, uint32_t signo)
{
	const struct process *self = current()->process;
	int64_t result = -MM_ESRCH;

	for (struct process *p = process_next(0); p; p = process_next(p->pid)) {
		if (group ? p->group != group : p == self || p->pid == PID_FIRST)
			continue;
		result = send_to_process(p, signo);
	}
	return result;
}

SYSCALL(kill)
{
	int32_t pid = (int32_t)ARG0(regs);
	uint32_t signo = (uint32_t)ARG1(regs);

	if (pid > 0) {
		struct task *t = task_find(pid); /* a thread's number does as well */

		return send_to_process(t ? t->process : NULL, signo);
	}
	if (pid == INT32_MIN)
		return -MM_ESRCH;
	if (pid == -1)
		return send_to_group(0, signo);
	return send_to_group(pid ? -pid : current()->process->group, signo);
}

SYSCALL(tkill)
{
	struct signal_origin from = from_self(SI_TKILL);

	if ((int32_t)ARG0(regs) <= 0)
		return -MM_EINVAL;
	return send_to_thread(task_find((int32_t)ARG0(regs)), (uint32_t)ARG1(regs), &from);
}

static struct task *find_thread(int32_t pid, int32_t tid)
{
	struct task *t = task_find(tid);

	return t && t->process->pid == pid ? t : NULL;
}

SYSCALL(tgkill)
{
	int32_t pid = (int32_t)ARG0(regs), tid = (int32_t)ARG1(regs);
	struct signal_origin from = from_self(SI_TKILL);

	if (pid <= 0 || tid <= 0)
		return -MM_EINVAL;
	return send_to_thread(find_thread(pid, tid), (uint32_t)ARG2(regs), &from);
}

/* The part of ring 3's siginfo that signals have which programs queue. Only to oneself may it look
 * like kill's or the kernel's. */
static int64_t read_origin(uint64_t user, int32_t pid, struct signal_origin *from)
{
	struct signal_info info;

	if (copy_from_user(&info, user, sizeof(info)))
		return -MM_EFAULT;
	if ((info.code >= 0 || info.code == SI_TKILL) && pid != task_pid())
		return -MM_EPERM;
	*from = (struct signal_origin){info.code, info.payload, info.rest[0]};
	return 0;
}

SYSCALL(rt_sigqueueinfo)
{
	struct task *t = task_find((int32_t)ARG0(regs));
	uint32_t signo = (uint32_t)ARG1(regs);
	struct signal_origin from;
	int64_t error = read_origin(ARG2(regs), (int32_t)ARG0(regs), &from);

	if (error)
		return error;
	if (!t)
		return -MM_ESRCH;
	if (signo > NR_SIGNALS)
		return -MM_EINVAL;
	return signo ? signal_send(t->process, (int)signo, &from) : 0;
}

SYSCALL(rt_tgsigqueueinfo)
{
	int32_t pid = (int32_t)ARG0(regs), tid = (int32_t)ARG1(regs);
	struct signal_origin from;
	int64_t error = read_origin(ARG3(regs), pid, &from);

	if (error)
		return error;
	if (pid <= 0 || tid <= 0)
		return -MM_EINVAL;
	return send_to_thread(find_thread(pid, tid), (uint32_t)ARG2(regs), &from);
}
