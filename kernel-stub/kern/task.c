/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks: processes, which have a number, an address space and a life in ring 3, and kernel tasks;
 * each on a kernel stack of its own. fork.c makes processes, exit.c ends them, sched.c says who
 * runs.
 *
 * A kernel task runs one function while the task that started it waits; the processor goes straight
 * from the one to the other and back, past the run queue, and the kernel task keeps the address
 * space that is loaded. What it is good for: an oops ends it alone, and its waiter learns of it.
 */
#include "task.h"

#include "arch.h"
#include "errno.h"
#include "exec.h"
#include "files.h"
#include "initramfs.h"
#include "kern_lock.h"
#include "kstack.h"
#include "mm.h"
#include "oom.h"
#include "signal.h"
#include "slab.h"

extern char boot_stack[];

static struct task *processes[PID_MAX]; /* by number */

struct mm *task_mm(void)
{
	return current() ? current()->mm : NULL;
}

const char *task_comm(void)
{
	return current() ? current()->comm : "boot";
}

int task_pid(void)
{
	return current() ? current()->pid : 0;
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

/* ---- processes ---- */

struct task *task_find(int pid)
{
	return pid >= PID_FIRST && pid < PID_MAX ? processes[pid] : NULL;
}

struct task *task_next(int pid)
{
	while (++pid < PID_MAX)
		if (processes[pid])
			return processes[pid];
	return NULL;
}

/* The number after the last one given, or the next that is free, as Linux; 0: none is. */
static int pid_alloc(void)
{
	static int last = PID_FIRST - 1;

	for (int i = PID_FIRST; i < PID_MAX; i++) {
		if (++last == PID_MAX)
			last = PID_FIRST;
		if (!processes[last])
			return last;
	}
	return 0;
}

struct task *task_create(struct task *parent, int64_t *error)
{
	struct task *t = kzalloc(sizeof(*t));

	*error = -MM_ENOMEM;
	if (!t)
		return NULL;
	t->stack = kstack_alloc();
	t->pid = t->stack ? pid_alloc() : 0;
	if (!t->pid) {
		if (t->stack)
			*error = -MM_EAGAIN;
		kstack_free(t->stack);
		kfree(t);
		return NULL;
	}
	processes[t->pid] = t;
	oom_new_process(t->pid, parent ? parent->pid : 0);
	t->parent = parent;
	list_init(&t->children);
	list_init(&t->sibling);
	if (parent)
		list_add_tail(&t->sibling, &parent->children);
	list_init(&t->link);
	list_init(&t->timer_link);
	t->cpu = current_cpu();
	t->cpus_allowed = parent ? parent->cpus_allowed : ~0ull;
	wait_queue_init(&t->child_ended);
	wait_queue_init(&t->vfork_done);
	return t;
}

void task_free(struct task *t)
{
	ASSERT(t != current() && list_empty(&t->children) && !t->mm);
	processes[t->pid] = NULL;
	list_del(&t->sibling);
	kstack_free(t->stack);
	kfree(t);
}

void task_run_first(void)
{
	struct trap_frame regs;
	struct task *t;
	int64_t error;

	initramfs_init();
	kern_lock();
	t = task_create(NULL, &error);
	if (t) {
		t->mm = mm_create();
		t->files = file_table_create();
		t->signals = signals_create();
	}
	if (!t || !t->mm || !t->files || !t->signals)
		port_panic("no memory for the first task");
	t->arch.user = true;
	t->arch.stack_top = (uint64_t)t->stack + KERNEL_STACK_SIZE;
	sched_start_first(t, boot_stack);
	port_load_mm(t->mm);
	exec_first(t, &regs);
	kern_unlock();
	arch_set_kernel_stack(t->arch.stack_top);
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

static void kthread_free(struct kthread *k)
{
	if (k)
		kstack_free(k->task.stack);
	kfree(k);
}

int kthread_run_sync(const char *comm, void (*fn)(void *), void *arg)
{
	struct kthread *k = kzalloc(sizeof(*k));
	struct task *self = current();
	int error;

	if (k)
		k->task.stack = kstack_alloc();
	if (!k || !k->task.stack) {
		kthread_free(k);
		return -MM_ENOMEM;
	}
	k->fn = fn;
	k->arg = arg;
	k->task.waiter = self;
	task_set_comm(&k->task, comm);
	arch_task_init_kernel(&k->task.arch, k->task.stack, kthread_entry, k);
	set_current(&k->task);
	arch_switch_task(&self->arch, &k->task.arch, NULL);
	error = k->task.oopsed ? -MM_EIO : 0;
	kthread_free(k);
	return error;
}
