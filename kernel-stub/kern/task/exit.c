/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of threads and processes (Linux kernel/exit.c).
 *
 *  1. A thread that ends lets go of its robust futexes, clears the word that says it lives, and
 *     gives back what it refers to: descriptors, address space, signal actions; whoever is the last
 *     to refer to something frees it. Then it is gone; but a process's first thread, its leader,
 *     stays for as long as the process does: its number is the process's.
 *  2. With its last thread a process ends. Its children become the first process's. What is left is
 *     a zombie: a number, a status, a stack. The parent gets SIGCHLD, and its wait4 looks again
 *     (wait.c).
 *  3. exit_group, and a signal whose default it is, end all threads: each finds SIGKILL pending.
 *  4. The end of the first process is the machine's.
 */
#include "kern/task/task.h"

#include "arch/x86_64/cpu.h"
#include "kern/fs/file_table.h"
#include "kern/futex/futex.h"
#include "kern/kern_lock.h"
#include "kern/sys/kern_syscall.h"
#include "mm/base/mm_errno.h"
#include "mm/mm.h"

static _Noreturn void kthread_end(struct task *dead)
{
	struct task *waiter = dead->waiter;

	set_current(waiter);
	arch_switch_task(&dead->arch, &waiter->arch, waiter->mm);
	port_panic("a task that ended was switched to");
}

/* 4. */
static _Noreturn void machine_end(uint32_t status)
{
	if (status & 0x7f)
		telemetry_state(FL_STATE_KILLED, (int)(status & 0x7f), NULL);
	else
		telemetry_state(FL_STATE_EXITED, (int)(status >> 8), NULL);
	arch_exit(FL_EXIT_DONE);
}

void task_put_mm(struct mm *mm)
{
	if (!mm_put(mm))
		return;
	arch_mm_unload(mm);
	mm_destroy(mm);
}

void task_drop_mm(struct task *t, struct mm *mm)
{
	const struct process *parent = t->process->parent;

	if (parent && process_mm(parent) == mm) /* vfork: the child's limits may be other ones */
		rlimits_apply(&parent->limits, mm);
	task_put_mm(mm);
	wait_queue_wake(&t->vfork_done);
}

/* ---- 1. ---- */

static void give_back(struct task *t)
{
	struct mm *mm = t->mm;

	file_table_put(t->files);
	t->files = NULL;
	t->mm = NULL;
	port_load_mm(NULL);
	task_drop_mm(t, mm);
	sigpending_flush(&t->signals.pending, ~0ull);
	t->signal_ready = false;
}

static void put_actions(struct task *t)
{
	signal_actions_put(t->signals.actions);
	t->signals.actions = NULL;
}

/* ---- 2. ---- */

/* The children go to the first process, the zombies among them with their news. */
static void leave_children(struct process *p)
{
	struct process *first = process_find(PID_FIRST);

	while (!list_empty(&p->children)) {
		struct process *child = list_entry(p->children.next, struct process, sibling);

		list_del(&child->sibling);
		list_add_tail(&child->sibling, &first->children);
		child->parent = first;
		child->exit_signal = SIGCHLD;
		if (child->ended && process_notify_parent(child))
			task_free(child->leader);
	}
}

/* The last thread of p ended, which is `t`. */
static void process_end(struct process *p, struct task *t)
{
	if (!p->exiting)
		p->exit_status = t->exit_status;
	put_actions(p->leader);
	sigpending_flush(&p->pending, ~0ull);
	p->ended = true;
	leave_children(p);
	if (process_notify_parent(p))
		sched_free_later(p->leader); /* behind t, if that is another */
}

/* A thread that is not its process's leader leaves it. */
static void leave_process(struct task *t)
{
	put_actions(t);
	sched_free_later(t);
}

_Noreturn void thread_exit(uint32_t status)
{
	struct task *t = current();
	struct process *p = t->process;

	recorder_flush(&this_cpu()->recorder);
	if (p->pid == PID_FIRST && (p->exiting || p->nr_live == 1))
		machine_end(p->exiting ? p->exit_status : status);
	if (!t->exiting) { /* else it is the page fault of what follows that ends here */
		t->exiting = true;
		t->exit_status = status;
		futex_thread_exit(t);
	}
	give_back(t);
	t->state = TASK_ENDED;
	p->nr_live--;
	signal_retarget_all(t);
	if (p->leader != t)
		leave_process(t);
	if (!p->nr_live)
		process_end(p, t);
	else
		wait_queue_wake(&p->exec_wait);
	sched_switch();
	port_panic("a thread that ended was switched to");
}

/* ---- 3. ---- */

static void end_thread(struct task *t)
{
	if (t->exiting)
		return;
	t->signals.pending.set |= signal_bit(SIGKILL);
	t->signal_ready = true;
	sched_signal(t, true, true);
}

static void end_threads(struct process *p, const struct task *but)
{
	list_for_each (node, &p->threads) {
		struct task *t = list_entry(node, struct task, thread_link);

		if (t != but)
			end_thread(t);
	}
}

void process_kill(struct process *p, uint32_t status)
{
	if (p->exiting)
		return;
	p->exiting = true;
	p->exit_status = status;
	end_threads(p, NULL);
}

int64_t process_end_others(void)
{
	struct task *self = current();
	struct process *p = self->process;

	if (p->nr_live > 1 || p->leader != self) {
		if (p->exiting || p->execing)
			return -MM_EAGAIN;
		p->execing = self;
		end_threads(p, self);
		while (p->nr_live > 1)
			wait_queue_sleep_deaf(&p->exec_wait);
		p->execing = NULL;
	}
	if (p->leader != self)
		task_become_leader(self);
	return 0;
}

#define STATUS_CORE 0x80u /* WCOREDUMP */
#define CORE_MIN                                                                                   \
	PAGE_SIZE /* a smaller limit lets no core file be written (Linux fs/coredump.c)            \
		   */

/* As wait4 has it. There is nowhere to write a core file to; the status says what Linux's would. */
static uint32_t killed_status(const struct process *p, int signal)
{
	bool core = signal_dumps_core(signal) && p->limits.of[RLIMIT_CORE].cur >= CORE_MIN;

	return (uint32_t)signal | (core ? STATUS_CORE : 0);
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
	/* A thread that execve ends doesn't end the process any more. */
	if (!t->process->execing || t->process->execing == t)
		process_kill(t->process, signal ? killed_status(t->process, signal)
						: (uint32_t)(status & 0xff) << 8);
	thread_exit(t->process->exit_status);
}

SYSCALL(exit)
{
	thread_exit((uint32_t)(ARG0(regs) & 0xff) << 8);
}

SYSCALL(exit_group)
{
	task_exit((int)ARG0(regs), 0);
}
