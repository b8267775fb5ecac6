/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wait4 and waitid: what a parent learns of its children's end (Linux kernel/exit.c). Nobody stops,
 * so there is nothing else to learn. If the parent ignores SIGCHLD (SIG_IGN, SA_NOCLDWAIT), it
 * won't ask: the zombie goes at once. */
#include "kern/task/task.h"

#include "kern/sys/kern_call_flags.h"
#include "kern/sys/kern_syscall.h"
#include "mm/base/mm_errno.h"

enum id_type { P_ALL, P_PID, P_PGID, P_PIDFD };

/* struct rusage: nothing in it is kept. */
struct rusage {
	uint64_t zero[18];
};

/* Which children are asked for, and how. */
struct wait {
	enum id_type type;
	int32_t id;
	uint32_t options;
};

static int32_t end_code(uint32_t status)
{
	if (!(status & 0x7f))
		return CLD_EXITED;
	return status & 0x80 ? CLD_DUMPED : CLD_KILLED;
}

static struct signal_origin end_of(const struct process *p)
{
	uint32_t status = p->exit_status, killed = status & 0x7f;

	return (struct signal_origin){.code = end_code(status),
				      .payload = (uint64_t)p->pid,
				      .value = killed ? killed : status >> 8};
}

bool process_notify_parent(struct process *p)
{
	const struct signal_action *sa = &p->parent->leader->signals.actions->action[SIGCHLD - 1];
	bool child = p->exit_signal == SIGCHLD;
	struct signal_origin from = end_of(p);

	if (p->exit_signal > 0 && p->exit_signal <= NR_SIGNALS &&
	    !(child && sa->handler == SIG_IGN))
		signal_send(p->parent, p->exit_signal, &from);
	wait_queue_wake(&p->parent->child_ended);
	return child && (sa->handler == SIG_IGN || sa->flags & SA_NOCLDWAIT);
}

/* As on Linux, __WCLONE means the children that send another signal than SIGCHLD, and only those.
 */
static bool is_meant(const struct process *child, const struct wait *w)
{
	bool clone = child->exit_signal != SIGCHLD;

	if (!(w->options & WAIT_ALL) && clone != !!(w->options & WAIT_CLONE))
		return false;
	switch (w->type) {
	case P_PID:
		return child->pid == w->id;
	case P_PGID:
		return child->group == w->id;
	case P_ALL:
	case P_PIDFD:
		break;
	}
	return true;
}

/* A zombie among the children that are meant, if ends are asked for at all. *any: whether there is
 * any child from which what is asked for may yet come. */
static struct process *find_zombie(const struct process *self, const struct wait *w, bool *any)
{
	*any = false;
	list_for_each (node, &self->children) {
		struct process *child = list_entry(node, struct process, sibling);

		if (!is_meant(child, w))
			continue;
		if (child->ended && !(w->options & WEXITED))
			continue;
		*any = true;
		if (child->ended)
			return child;
	}
	return NULL;
}

/* 0: *child is a zombie, or NULL for WNOHANG. */
static int64_t wait_for(const struct wait *w, struct process **child)
{
	struct process *self = current()->process;
	int64_t error;
	bool any;

	while (!(*child = find_zombie(self, w, &any))) {
		if (!any)
			return -MM_ECHILD;
		if (w->options & WNOHANG)
			return 0;
		error = wait_queue_sleep(&self->child_ended);
		if (error)
			return error;
	}
	return 0;
}

static int64_t put_rusage(uint64_t user)
{
	static const struct rusage rusage;

	return user && copy_to_user(user, &rusage, sizeof(rusage)) ? -MM_EFAULT : 0;
}

/* As on Linux the zombie is gone even if the status can't be stored. */
static int64_t reap(struct process *child, uint64_t user_status, uint64_t user_rusage)
{
	uint32_t status = child->exit_status;
	int64_t pid = child->pid, error;

	task_free(child->leader);
	if (user_status && copy_to_user(user_status, &status, sizeof(status)))
		return -MM_EFAULT;
	error = put_rusage(user_rusage);
	return error ? error : pid;
}

SYSCALL(wait4)
{
	int32_t pid = (int32_t)ARG0(regs);
	struct wait w = {P_PID, pid, (uint32_t)ARG2(regs)};
	struct process *child;
	int64_t error;

	error = call_flags_check(&wait4_options, w.options);
	if (error)
		return error;
	w.options |= WEXITED;
	if (pid == INT32_MIN)
		return -MM_ESRCH;
	if (pid == -1)
		w.type = P_ALL;
	else if (pid <= 0)
		w = (struct wait){P_PGID, pid ? -pid : current()->process->group, w.options};
	error = wait_for(&w, &child);
	if (error || !child)
		return error;
	return reap(child, ARG1(regs), ARG3(regs));
}

/* What waitid says of a child, or of none. */
static int64_t put_info(uint64_t user, const struct process *child)
{
	struct signal_info info = {0};

	if (!user)
		return 0;
	if (child) {
		struct signal_origin end = end_of(child);

		info.signo = SIGCHLD;
		info.code = end.code;
		info.payload = end.payload;
		info.rest[0] = end.value;
	}
	/* As much of it as Linux writes. */
	return copy_to_user(user, &info, offsetof(struct signal_info, rest) + sizeof(int32_t))
		       ? -MM_EFAULT
		       : 0;
}

/* Whose end is asked for. No descriptor stands for a process (P_PIDFD). */
static int64_t check_id(struct wait *w)
{
	switch (w->type) {
	case P_ALL:
		return 0;
	case P_PID:
		return w->id > 0 ? 0 : -MM_EINVAL;
	case P_PGID:
		if (!w->id)
			w->id = current()->process->group;
		return w->id > 0 ? 0 : -MM_EINVAL;
	case P_PIDFD:
		return w->id < 0 ? -MM_EINVAL : -MM_EBADF;
	}
	return -MM_EINVAL;
}

static int64_t check_waitid(struct wait *w)
{
	int64_t error = call_flags_check(&waitid_options, w->options);

	if (!error && !(w->options & (WEXITED | WSTOPPED | WCONTINUED)))
		error = -MM_EINVAL;
	return error ? error : check_id(w);
}

SYSCALL(waitid)
{
	struct wait w = {(enum id_type)ARG0(regs), (int32_t)ARG1(regs), (uint32_t)ARG3(regs)};
	struct process *child;
	int64_t error = check_waitid(&w);

	if (!error)
		error = wait_for(&w, &child);
	if (error)
		return error;
	error = put_info(ARG2(regs), child);
	if (child && !(w.options & WNOWAIT))
		task_free(child->leader);
	return error ? error : put_rusage(ARG4(regs));
}
