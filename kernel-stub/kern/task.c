/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks: one in ring 3 (pid 1) and kernel tasks, each on a kernel stack of its own.
 *
 * A kernel task runs one function while the task that started it waits; the processor goes straight
 * from the one to the other and back (arch_switch_stack), so there is no queue to choose from. What
 * a kernel task is good for: an oops ends it alone, and its waiter learns of it.
 */
#include "task.h"

#include "arch.h"
#include "buddy.h"
#include "errno.h"
#include "exec.h"
#include "files.h"
#include "initramfs.h"
#include "mm.h"
#include "signal.h"
#include "slab.h"

#define STACK_ORDER 2
_Static_assert(PAGE_SIZE << STACK_ORDER == KERNEL_STACK_SIZE, "STACK_ORDER");

static struct task first_task = {.pid = 1};

struct task *task_running;

struct task *task_current(void)
{
	return task_running;
}

struct mm *task_mm(void)
{
	return task_running ? task_running->mm : NULL;
}

const char *task_comm(void)
{
	return task_running ? task_running->comm : "boot";
}

int task_pid(void)
{
	return task_running ? task_running->pid : 0;
}

void task_set_comm(struct task *task, const char *path)
{
	const char *name = path;
	int i = 0;

	for (; *path; path++)
		if (*path == '/')
			name = path + 1;
	for (; name[i] && i < TASK_COMM_LEN - 1; i++)
		task->comm[i] = name[i];
	task->comm[i] = 0;
}

/* A kernel stack, or NULL. */
static void *stack_alloc(void)
{
	struct page *page = page_alloc_order(STACK_ORDER, MT_UNMOVABLE);

	return page ? page_to_virt(page) : NULL;
}

static uint64_t stack_top(const struct task *t)
{
	return (uint64_t)t->stack + KERNEL_STACK_SIZE;
}

void task_run_first(void)
{
	struct task *t = &first_task;
	struct trap_frame regs;

	initramfs_init();
	t->stack = stack_alloc();
	t->mm = mm_create();
	t->files = file_table_create();
	t->signals = signals_create();
	if (!t->stack || !t->mm || !t->files || !t->signals)
		port_panic("no memory for the first task");
	task_running = t;
	port_load_mm(t->mm);
	exec_first(t, &regs);
	arch_set_kernel_stack(stack_top(t));
	telemetry_user_started();
	arch_enter_user(&regs);
}

/* ---- kernel tasks ---- */

struct kthread {
	struct task task;
	void (*fn)(void *);
	void *arg;
};

static void kthread_entry(void *arg)
{
	struct kthread *k = arg;

	k->fn(k->arg);
	task_exit(0, 0);
}

static _Noreturn void kthread_end(struct task *dead)
{
	task_running = dead->waiter;
	arch_switch_stack(&dead->sp, dead->waiter->sp);
	port_panic("a task that ended was switched to");
}

static void kthread_free(struct kthread *k)
{
	if (k && k->task.stack)
		page_free_order(virt_to_page(k->task.stack), STACK_ORDER);
	kfree(k);
}

int kthread_run_sync(const char *comm, void (*fn)(void *), void *arg)
{
	struct kthread *k = kzalloc(sizeof(*k));
	struct task *self = task_running;
	int error;

	if (k)
		k->task.stack = stack_alloc();
	if (!k || !k->task.stack) {
		kthread_free(k);
		return -MM_ENOMEM;
	}
	k->fn = fn;
	k->arg = arg;
	k->task.waiter = self;
	task_set_comm(&k->task, comm);
	k->task.sp = arch_new_stack(k->task.stack, kthread_entry, k);
	task_running = &k->task;
	arch_set_kernel_stack(stack_top(&k->task)); /* so that a report knows which stack this is */
	arch_switch_stack(&self->sp, k->task.sp);
	arch_set_kernel_stack(stack_top(self));
	error = k->task.oopsed ? -MM_EIO : 0;
	kthread_free(k);
	return error;
}

void task_exit(int status, int signal)
{
	struct task *t = task_running;

	if (!t)
		port_panic("exit without a task");
	if (t->waiter) {
		t->oopsed = signal != 0;
		kthread_end(t);
	}
	if (signal)
		telemetry_state(FL_STATE_KILLED, signal, NULL);
	else
		telemetry_state(FL_STATE_EXITED, status & 0xff, NULL);
	arch_exit(FL_EXIT_DONE);
}
