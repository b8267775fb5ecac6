/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of a process and wait4 (Linux kernel/exit.c).
 *
 *  1. What the process has goes back at once: descriptors, address space, signal actions. Its
 *     children become the first process's. What is left is a zombie: a number, a status, a stack.
 *  2. The parent gets SIGCHLD, and its wait4 looks again. If it ignores SIGCHLD (SIG_IGN,
 *     SA_NOCLDWAIT), nobody will ask: the zombie goes, too.
 *  3. The end of the first process is the machine's.
 */
#include "task.h"

#include "cpu.h"
#include "errno.h"
#include "files.h"
#include "kern_lock.h"
#include "mm.h"
#include "signal.h"
#include "syscall.h"

/* ---- the end ---- */

static _Noreturn void kthread_end(struct task *dead)
{
	struct task *waiter = dead->waiter;

	set_current(waiter);
	arch_switch_task(&dead->arch, &waiter->arch, waiter->mm);
	port_panic("a task that ended was switched to");
}

static _Noreturn void machine_end(int status, int signal)
{
	if (signal)
		telemetry_state(FL_STATE_KILLED, signal, NULL);
	else
		telemetry_state(FL_STATE_EXITED, status & 0xff, NULL);
	arch_exit(FL_EXIT_DONE);
}

void task_drop_mm(struct task *t, struct mm *mm)
{
	if (!t->mm_borrowed) {
		arch_mm_unload(mm);
		mm_destroy(mm);
	}
	t->mm_borrowed = false;
	wait_queue_wake(&t->vfork_done);
}

static void give_back(struct task *t)
{
	struct mm *mm = t->mm;

	file_table_free(t->files);
	t->files = NULL;
	t->mm = NULL;
	port_load_mm(NULL);
	task_drop_mm(t, mm);
	signals_free(t->signals);
	t->signals = NULL;
	t->signal_ready = false;
}

/* 2. True if the parent won't ask. */
static bool notify_parent(const struct task *t)
{
	uint32_t status = t->exit_status;
	bool killed = status & 0x7f;
	bool unasked = signal_child_ended(t->parent, t->pid, killed ? CLD_KILLED : CLD_EXITED,
					  (int)(killed ? status & 0x7f : status >> 8));

	wait_queue_wake(&t->parent->child_ended);
	return unasked;
}

/* The children go to the first process, the zombies among them with their news. */
static void leave_children(struct task *t)
{
	struct task *first = task_find(PID_FIRST);

	while (!list_empty(&t->children)) {
		struct task *child = list_entry(t->children.next, struct task, sibling);

		list_del(&child->sibling);
		list_add_tail(&child->sibling, &first->children);
		child->parent = first;
		if (child->state == TASK_ENDED && notify_parent(child))
			task_free(child);
	}
}

void task_exit(int status, int signal)
{
	struct task *t = current();

	if (!t)
		port_panic("exit without a task");
	if (t->waiter) {
		t->oopsed = signal != 0;
		kthread_end(t);
	}
	if (!kern_lock_held())
		kern_lock();
	recorder_flush(&this_cpu()->recorder);
	if (t->pid == PID_FIRST)
		machine_end(status, signal);
	give_back(t);
	leave_children(t);
	t->exit_status = signal ? (uint32_t)signal : (uint32_t)(status & 0xff) << 8;
	t->state = TASK_ENDED;
	if (notify_parent(t))
		sched_free_later(t);
	sched_switch();
	port_panic("a process that ended was switched to");
}

SYSCALL(exit)
{
	task_exit((int)ARG0(regs), 0);
}

SYSCALL(exit_group)
{
	task_exit((int)ARG0(regs), 0);
}

/* ---- wait4 ---- */

enum {
	WNOHANG = 1,
	WUNTRACED = 2,
	WCONTINUED = 8,
	WAIT_NOTHREAD = 0x20000000,
	WAIT_ALL = 0x40000000,
};
#define WAIT_CLONE 0x80000000u
#define WAIT_KNOWN (WNOHANG | WUNTRACED | WCONTINUED | WAIT_NOTHREAD | WAIT_ALL | WAIT_CLONE)

/* struct rusage: nothing in it is kept. */
struct rusage {
	uint64_t zero[18];
};

/* Whether wait4 for `pid` means this child: by its number, or any. There is one process group,
 * which the first process leads. */
static bool is_meant(const struct task *child, int32_t pid)
{
	return pid == -1 || pid == 0 || pid == child->pid;
}

/* A zombie among the children that are meant. *any: whether any child is. */
static struct task *find_zombie(struct task *self, int32_t pid, bool *any)
{
	*any = false;
	list_for_each (node, &self->children) {
		struct task *child = list_entry(node, struct task, sibling);

		if (!is_meant(child, pid))
			continue;
		*any = true;
		if (child->state == TASK_ENDED)
			return child;
	}
	return NULL;
}

/* As on Linux the zombie is gone even if the status can't be stored. */
static int64_t reap(struct task *child, uint64_t user_status, uint64_t user_rusage)
{
	static const struct rusage rusage;
	uint32_t status = child->exit_status;
	int64_t pid = child->pid;

	task_free(child);
	if (user_status && copy_to_user(user_status, &status, sizeof(status)))
		return -MM_EFAULT;
	if (user_rusage && copy_to_user(user_rusage, &rusage, sizeof(rusage)))
		return -MM_EFAULT;
	return pid;
}

SYSCALL(wait4)
{
	int32_t pid = (int32_t)ARG0(regs);
	uint32_t options = (uint32_t)ARG2(regs);
	struct task *self = current(), *child;
	int64_t error;
	bool any;

	if (options & ~WAIT_KNOWN)
		return -MM_EINVAL;
	if (pid == INT32_MIN)
		return -MM_ESRCH;
	/* __WCLONE asks for children that send another signal than SIGCHLD: there are none. */
	if ((options & WAIT_CLONE) && !(options & WAIT_ALL))
		return -MM_ECHILD;
	while (!(child = find_zombie(self, pid, &any))) {
		if (!any)
			return -MM_ECHILD;
		if (options & WNOHANG)
			return 0;
		error = wait_queue_sleep(&self->child_ended);
		if (error)
			return error;
	}
	return reap(child, ARG1(regs), ARG3(regs));
}
