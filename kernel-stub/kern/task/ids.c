/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers of threads, processes, process groups and sessions (Linux kernel/sys.c). Groups matter to
 * kill and wait4; there is no terminal, and so no more to them. */
#include "arch/x86_64/arch.h"
#include "kern/sys/kern_syscall.h"
#include "kern/task/task.h"
#include "mm/base/mm_errno.h"

SYSCALL(getpid)
{
	return current()->process->pid;
}

SYSCALL(gettid)
{
	return current()->tid;
}

SYSCALL(getppid)
{
	const struct process *parent = current()->process->parent;

	return parent ? parent->pid : 0;
}

SYSCALL(set_tid_address)
{
	current()->clear_child_tid = ARG0(regs);
	return current()->tid;
}

/* ---- groups and sessions ---- */

/* 0: the caller's own. */
static struct process *process_named(uint64_t pid)
{
	struct task *t = (int32_t)pid ? task_find((int32_t)pid) : current();

	return t ? t->process : NULL;
}

SYSCALL(getpgrp)
{
	return current()->process->group;
}

SYSCALL(getpgid)
{
	const struct process *p = process_named(ARG0(regs));

	return p ? p->group : -MM_ESRCH;
}

SYSCALL(getsid)
{
	const struct process *p = process_named(ARG0(regs));

	return p ? p->session : -MM_ESRCH;
}

static bool group_in_session(int group, int session)
{
	for (struct process *p = process_next(0); p; p = process_next(p->pid))
		if (p->group == group && p->session == session)
			return true;
	return false;
}

/* Of oneself, or of a child that has not called execve. */
static int64_t may_set_group(const struct process *self, const struct process *p)
{
	if (p->parent == self) {
		if (p->session != self->session)
			return -MM_EPERM;
		if (p->execed)
			return -MM_EACCES;
	} else if (p != self) {
		return -MM_ESRCH;
	}
	return p->session == p->pid ? -MM_EPERM : 0;
}

SYSCALL(setpgid)
{
	struct process *self = current()->process;
	int32_t pid = (int32_t)ARG0(regs) ?: self->pid;
	int32_t group = (int32_t)ARG1(regs) ?: pid;
	struct task *t = task_find(pid);
	int64_t error;

	if (group < 0)
		return -MM_EINVAL;
	if (!t)
		return -MM_ESRCH;
	if (t->process->pid != pid)
		return -MM_EINVAL;
	error = may_set_group(self, t->process);
	if (error)
		return error;
	if (group != pid && !group_in_session(group, self->session))
		return -MM_EPERM;
	process_set_group(t->process, group, t->process->session);
	return 0;
}

SYSCALL(setsid)
{
	struct process *self = current()->process;

	if (process_group_exists(self->pid))
		return -MM_EPERM;
	process_set_group(self, self->pid, self->pid);
	return self->pid;
}
