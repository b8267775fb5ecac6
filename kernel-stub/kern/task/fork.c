/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fork, vfork, clone and clone3: new processes and new threads (Linux kernel/fork.c).
 *
 *  1. A child has either its own copy of what the parent has, or the same: address space
 *     (CLONE_VM), descriptors (CLONE_FILES), signal actions (CLONE_SIGHAND). With CLONE_THREAD it
 *     is a thread of the same process, and must share address space and actions.
 *  2. It starts in ring 3 behind the parent's system call, with 0 as the result, on the stack and
 *     with the thread pointer that it was given. Nothing of it is seen before all is there; on
 *     failure all of it goes back.
 *  3. With CLONE_VFORK the parent waits, and hears only what kills it, until the child calls execve
 *     or ends.
 */
#include "kern/task/task.h"

#include "kern/fs/file_table.h"
#include "kern/fs/user_iter.h"
#include "kern/kern_lock.h"
#include "kern/sys/kern_call_flags.h"
#include "kern/sys/kern_syscall.h"
#include "mm/base/mm_errno.h"
#include "mm/mm.h"

struct clone {
	uint64_t flags, stack, parent_tid, child_tid, tls;
	int exit_signal;
};

/* ---- what a child is made of ---- */

/* The child's first steps, on its own stack. As on Linux a bad child_tid is nobody's error. */
static void child_first(struct trap_frame *frame)
{
	struct task *t = current();
	int32_t tid = t->tid;

	sched_finish();
	if (t->child_tid)
		copy_to_user(t->child_tid, &tid, sizeof(tid));
	kern_unlock();
	if (t->signal_ready)
		signal_deliver(frame, false);
}

/* Frees what a child got so far. */
static void abandon(struct task *child)
{
	child->process->nr_live--;
	if (child->files)
		file_table_put(child->files);
	child->files = NULL;
	signal_actions_put(child->signals.actions);
	if (child->mm)
		task_put_mm(child->mm);
	child->mm = NULL;
	task_free(child);
}

static struct file_table *child_files(struct file_table *parents, uint64_t flags)
{
	if (!(flags & CLONE_FILES))
		return file_table_copy(parents);
	file_table_get(parents);
	return parents;
}

static struct mm *child_mm(struct mm *parents, uint64_t flags)
{
	if (!(flags & CLONE_VM))
		return mm_fork(parents);
	mm_get(parents);
	return parents;
}

static struct signal_actions *child_actions(struct signal_actions *parents, uint64_t flags)
{
	struct signal_actions *copy;

	if (flags & CLONE_SIGHAND) {
		parents->users++;
		return parents;
	}
	copy = signal_actions_copy(parents);
	if (copy && flags & CLONE_CLEAR_SIGHAND)
		signal_actions_clear(copy);
	return copy;
}

/* Mask and alternate stack; the latter not for who runs beside the parent in the same memory. */
static void copy_signals(struct task *child, const struct task *parent, uint64_t flags)
{
	child->signals.blocked = parent->signals.blocked;
	child->signals.trap = parent->signals.trap;
	if ((flags & (CLONE_VM | CLONE_VFORK)) != CLONE_VM)
		child->signals.altstack = parent->signals.altstack;
}

/* 1. False without memory. */
static bool copy_parent(struct task *child, const struct task *parent, uint64_t flags)
{
	memcpy(child->comm, parent->comm, sizeof(child->comm));
	copy_signals(child, parent, flags);
	child->files = child_files(parent->files, flags);
	child->signals.actions = child_actions(parent->signals.actions, flags);
	if (!child->files || !child->signals.actions)
		return false;
	child->mm = child_mm(parent->mm, flags);
	return child->mm;
}

/* A new process's own, or nothing for a thread. */
static struct task *create(const struct clone *c, int64_t *error)
{
	struct process *self = current()->process;
	struct task *child;

	if (c->flags & CLONE_THREAD)
		return task_create(self, NULL, error);
	child = task_create(NULL, c->flags & CLONE_PARENT ? self->parent : self, error);
	if (!child)
		return NULL;
	process_set_group(child->process, self->group, self->session);
	child->process->exe = self->exe;
	child->process->limits = self->limits;
	child->process->exit_signal = c->flags & CLONE_PARENT ? self->exit_signal : c->exit_signal;
	return child;
}

/* 2. A child that is ready to run, or NULL and *error. */
static struct task *make_child(const struct trap_frame *regs, const struct clone *c, int64_t *error)
{
	struct task *child = create(c, error);
	struct trap_frame frame = *regs;

	if (!child)
		return NULL;
	if (!copy_parent(child, current(), c->flags)) {
		abandon(child);
		*error = -MM_ENOMEM;
		return NULL;
	}
	if (c->stack)
		frame.rsp = c->stack;
	if (c->flags & CLONE_CHILD_SETTID)
		child->child_tid = c->child_tid;
	if (c->flags & CLONE_CHILD_CLEARTID)
		child->clear_child_tid = c->child_tid;
	arch_task_init_fork(&child->arch, child->stack, &frame, child_first);
	if (c->flags & CLONE_SETTLS)
		arch_task_set_fs_base(&child->arch, c->tls);
	return child;
}

/* ---- the calls ---- */

/* What doesn't go together, as on Linux; the first process has no parent to give its children. */
static int64_t check(const struct clone *c)
{
	uint64_t flags = c->flags;

	if ((flags & CLONE_THREAD && !(flags & CLONE_SIGHAND)) ||
	    (flags & CLONE_SIGHAND && !(flags & CLONE_VM)) ||
	    (flags & CLONE_PARENT && current()->process->pid == PID_FIRST))
		return -MM_EINVAL;
	if (flags & CLONE_SETTLS && c->tls >= TASK_SIZE)
		return -MM_EPERM;
	return 0;
}

/* The parent's word is written before the child runs: then a thread sees it too. As on Linux a bad
 * parent_tid is nobody's error. A process that is ending, or a thread that makes way for execve,
 * makes no more. */
static int64_t do_clone(const struct trap_frame *regs, const struct clone *c)
{
	int64_t error = check(c);
	struct task *child;
	int32_t tid;

	if (!error && signal_deadly(current()))
		error = -ERESTART;
	if (error)
		return error;
	child = make_child(regs, c, &error);
	if (!child)
		return error;
	tid = child->tid;
	if (c->flags & CLONE_PARENT_SETTID)
		copy_to_user(c->parent_tid, &tid, sizeof(tid));
	sched_enqueue(child);
	if (c->flags & CLONE_VFORK)
		wait_queue_sleep_killable(&child->vfork_done);
	return tid;
}

SYSCALL(fork)
{
	return do_clone(regs, &(struct clone){.exit_signal = SIGCHLD});
}

SYSCALL(vfork)
{
	return do_clone(regs,
			&(struct clone){.flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD});
}

SYSCALL(clone)
{
	struct clone c = {.flags = (uint32_t)ARG0(regs) & ~(CLONE_SIGNAL_MASK | CLONE_DETACHED),
			  .stack = ARG1(regs),
			  .parent_tid = ARG2(regs),
			  .child_tid = ARG3(regs),
			  .tls = ARG4(regs),
			  .exit_signal = (int)(ARG0(regs) & CLONE_SIGNAL_MASK)};

	int64_t error = call_flags_check(&clone_flags, c.flags);

	return error ? error : do_clone(regs, &c);
}

struct clone_args { /* include/uapi/linux/sched.h, its third version */
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
		set_tid_size, cgroup;
};
#define CLONE_ARGS_FIRST 64u /* bytes of the first version */

/* Bytes beyond what is known must be 0. */
static int64_t read_args(struct clone_args *args, uint64_t user, uint64_t size)
{
	uint64_t known = size < sizeof(*args) ? size : sizeof(*args);
	uint8_t byte;

	*args = (struct clone_args){0};
	if (size > PAGE_SIZE)
		return -MM_E2BIG;
	if (size < CLONE_ARGS_FIRST)
		return -MM_EINVAL;
	for (uint64_t i = known; i < size; i++) {
		if (copy_from_user(&byte, user + i, 1))
			return -MM_EFAULT;
		if (byte)
			return -MM_E2BIG;
	}
	return copy_from_user(args, user, known) ? -MM_EFAULT : 0;
}

static bool args_valid(const struct clone_args *a)
{
	if (a->set_tid || a->set_tid_size || a->exit_signal > NR_SIGNALS ||
	    call_flags_check(&clone3_flags, a->flags))
		return false;
	if ((a->flags & (CLONE_SIGHAND | CLONE_CLEAR_SIGHAND)) ==
	    (CLONE_SIGHAND | CLONE_CLEAR_SIGHAND))
		return false;
	if (a->flags & (CLONE_THREAD | CLONE_PARENT) && a->exit_signal)
		return false;
	if (!a->stack != !a->stack_size)
		return false;
	return !a->stack || user_range_ok(a->stack, a->stack_size);
}

SYSCALL(clone3)
{
	struct clone_args a;
	int64_t error = read_args(&a, ARG0(regs), ARG1(regs));

	if (error)
		return error;
	if (!args_valid(&a))
		return -MM_EINVAL;
	return do_clone(regs, &(struct clone){.flags = a.flags,
					      .stack = a.stack + a.stack_size,
					      .parent_tid = a.parent_tid,
					      .child_tid = a.child_tid,
					      .tls = a.tls,
					      .exit_signal = (int)a.exit_signal});
}
