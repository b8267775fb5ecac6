/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fork, vfork and clone, as far as clone makes processes (Linux kernel/fork.c).
 *
 * A child is a task with copies of what the parent has: address space (mm_fork), descriptors, whose
 * open files are shared, signal actions and mask, registers. It starts in ring 3 behind the
 * parent's system call, with 0 as the result. Nothing of it is seen before all is there; on failure
 * all of it goes back.
 *
 * A child of vfork copies no address space: it borrows that of the parent, who waits, deaf to
 * signals, until the child calls execve or ends.
 */
#include "task.h"

#include "errno.h"
#include "files.h"
#include "kern_lock.h"
#include "mm.h"
#include "signal.h"
#include "syscall.h"

#define CLONE_SIGNAL_MASK 0xffull
#define CLONE_VM 0x100ull
#define CLONE_VFORK 0x4000ull
#define CLONE_PARENT_SETTID 0x100000ull
#define CLONE_CHILD_CLEARTID 0x200000ull
#define CLONE_CHILD_SETTID 0x1000000ull

/* Flags of a process's clone; CLONE_CHILD_CLEARTID is for those who share memory and wait. */
#define CLONE_KNOWN                                                                                \
	(CLONE_SIGNAL_MASK | CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | \
	 CLONE_CHILD_SETTID)

struct clone {
	uint64_t flags, stack, parent_tid, child_tid;
};

/* The child's first steps, on its own stack. As on Linux a bad child_tid is nobody's error. */
static void child_first(struct trap_frame *frame)
{
	struct task *t = current();
	int32_t pid = t->pid;

	sched_finish();
	if (t->child_tid)
		copy_to_user(t->child_tid, &pid, sizeof(pid));
	kern_unlock();
	if (t->signal_ready)
		signal_deliver(frame, false);
}

/* Frees what a child got so far. */
static void abandon(struct task *child)
{
	if (child->files)
		file_table_free(child->files);
	signals_free(child->signals);
	if (child->mm && !child->mm_borrowed)
		mm_destroy(child->mm);
	child->mm = NULL;
	task_free(child);
}

/* What the child has; false without memory. */
static bool copy_parent(struct task *child, const struct task *parent, uint64_t flags)
{
	memcpy(child->comm, parent->comm, sizeof(child->comm));
	child->exe = parent->exe;
	child->files = file_table_copy(parent->files);
	child->signals = signals_copy(parent->signals);
	child->mm_borrowed = flags & CLONE_VM;
	if (!child->files || !child->signals)
		return false;
	child->mm = child->mm_borrowed ? parent->mm : mm_fork(parent->mm);
	return child->mm;
}

/* A child that is ready to run, or NULL and *error. */
static struct task *make_child(const struct trap_frame *regs, const struct clone *c, int64_t *error)
{
	struct task *child = task_create(current(), error);
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
	arch_task_init_fork(&child->arch, child->stack, &frame, child_first);
	return child;
}

/* The last thing is what may kill the parent (no memory for the page of parent_tid), when the child
 * has borrowed nothing any more. As on Linux a bad parent_tid is nobody's error. */
static int64_t do_fork(const struct trap_frame *regs, const struct clone *c)
{
	int64_t error;
	struct task *child = make_child(regs, c, &error);
	int32_t pid;

	if (!child)
		return error;
	pid = child->pid;
	sched_enqueue(child);
	if (c->flags & CLONE_VFORK)
		wait_queue_sleep_deaf(&child->vfork_done);
	if (c->flags & CLONE_PARENT_SETTID)
		copy_to_user(c->parent_tid, &pid, sizeof(pid));
	return pid;
}

SYSCALL(fork)
{
	return do_fork(regs, &(struct clone){0});
}

SYSCALL(vfork)
{
	return do_fork(regs, &(struct clone){.flags = CLONE_VM | CLONE_VFORK});
}

/* What would make a thread, or share anything but memory that the parent does not use meanwhile, is
 * refused, and any signal at the end but SIGCHLD. */
SYSCALL(clone)
{
	struct clone c = {ARG0(regs), ARG1(regs), ARG2(regs), ARG3(regs)};

	if (c.flags & ~CLONE_KNOWN || (c.flags & CLONE_SIGNAL_MASK) != SIGCHLD)
		return -MM_EINVAL;
	if ((c.flags & CLONE_VM) && !(c.flags & CLONE_VFORK))
		return -MM_EINVAL;
	return do_fork(regs, &c);
}
