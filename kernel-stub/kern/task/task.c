/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks: threads, which have a number, a process and a life in ring 3, and kernel tasks; each on a
 * kernel stack of its own. fork.c makes threads and processes, exit.c ends them, sched.c says who
 * runs.
 *
 * A kernel task runs one function while the task that started it waits; the processor goes straight
 * from the one to the other and back, past the run queue, and the kernel task keeps the address
 * space that is loaded. What it is good for: an oops ends it alone, and its waiter learns of it.
 */
#include "kern/task/task.h"

#include "arch/x86_64/arch.h"
#include "kern/exec/exec.h"
#include "kern/fs/files.h"
#include "kern/fs/initramfs.h"
#include "kern/futex/futex.h"
#include "kern/kern_lock.h"
#include "kern/report/oom.h"
#include "kern/signal/kern_signal.h"
#include "kern/task/kstack.h"
#include "mm/base/mm_errno.h"
#include "mm/mm.h"
#include "mm/phys/slab.h"

extern char boot_stack[];

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
	return current() && current()->process ? current()->process->pid : 0;
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

/* ---- interrupts ---- */

_Static_assert(!(FL_INTERRUPTS_KEPT & (FL_INTERRUPTS_KEPT - 1)), "nr_interrupts wraps");

void task_interrupted(void)
{
	struct task *t = current();

	t->interrupts[t->nr_interrupts++ % FL_INTERRUPTS_KEPT] = port_tsc();
}

uint64_t task_interrupt(uint64_t n)
{
	const struct task *t = current();

	return n < FL_INTERRUPTS_KEPT
		       ? t->interrupts[(t->nr_interrupts - 1 - n) % FL_INTERRUPTS_KEPT]
		       : 0;
}

/* ---- numbers ---- */

static struct task *tasks[PID_MAX];	/* by number */
static uint16_t group_members[PID_MAX]; /* processes whose group or session has that number: it
					   is not given again */

struct task *task_find(int tid)
{
	return tid >= PID_FIRST && tid < PID_MAX ? tasks[tid] : NULL;
}

struct process *process_find(int pid)
{
	struct task *t = task_find(pid);

	return t && t->process->pid == pid ? t->process : NULL;
}

struct process *process_next(int pid)
{
	while (++pid < PID_MAX) {
		struct process *p = process_find(pid);

		if (p)
			return p;
	}
	return NULL;
}

struct mm *process_mm(const struct process *p)
{
	list_for_each (node, &p->threads) {
		struct mm *mm = list_entry(node, struct task, thread_link)->mm;

		if (mm)
			return mm;
	}
	return NULL;
}

bool process_group_exists(int group)
{
	for (struct process *p = process_next(0); p; p = process_next(p->pid))
		if (p->group == group)
			return true;
	return false;
}

void process_set_group(struct process *p, int group, int session)
{
	group_members[group]++;
	group_members[session]++;
	if (p->group) {
		group_members[p->group]--;
		group_members[p->session]--;
	}
	p->group = group;
	p->session = session;
}

/* The number after the last one given, or the next that is free, as Linux; 0: none is. */
static int tid_alloc(void)
{
	static int last = PID_FIRST - 1;

	for (int i = PID_FIRST; i < PID_MAX; i++) {
		if (++last == PID_MAX)
			last = PID_FIRST;
		if (!tasks[last] && !group_members[last])
			return last;
	}
	return 0;
}

/* ---- threads and processes ---- */

/* Without a process yet; NULL and *error. */
static struct task *alloc(int64_t *error)
{
	struct task *t = kzalloc(sizeof(*t));

	*error = -MM_ENOMEM;
	if (!t)
		return NULL;
	t->stack = kstack_alloc();
	t->tid = t->stack ? tid_alloc() : 0;
	if (!t->tid) {
		if (t->stack)
			*error = -MM_EAGAIN;
		kstack_free(t->stack);
		kfree(t);
		return NULL;
	}
	list_init(&t->link);
	list_init(&t->timer_link);
	t->cpu = current_cpu();
	t->cpus_allowed = current() ? current()->cpus_allowed : ~0ull;
	wait_queue_init(&t->vfork_done);
	sigpending_init(&t->signals.pending);
	return t;
}

static struct process *process_create(struct task *leader, struct process *parent)
{
	struct process *p = kzalloc(sizeof(*p));

	if (!p)
		return NULL;
	p->pid = leader->tid;
	p->leader = leader;
	list_init(&p->threads);
	p->parent = parent;
	list_init(&p->children);
	list_init(&p->sibling);
	if (parent)
		list_add_tail(&p->sibling, &parent->children);
	oom_new_process(p->pid, parent ? parent->pid : 0);
	process_set_group(p, parent ? parent->group : p->pid, parent ? parent->session : p->pid);
	wait_queue_init(&p->child_ended);
	wait_queue_init(&p->exec_wait);
	sigpending_init(&p->pending);
	return p;
}

struct task *task_create(struct process *process, struct process *parent, int64_t *error)
{
	struct task *t = alloc(error);

	if (!t)
		return NULL;
	if (!process)
		process = process_create(t, parent);
	if (!process) {
		kstack_free(t->stack);
		kfree(t);
		return NULL;
	}
	t->process = process;
	t->signals.shared = &process->pending;
	list_add_tail(&t->thread_link, &process->threads);
	process->nr_live++;
	tasks[t->tid] = t;
	return t;
}

static void process_free(struct process *p)
{
	ASSERT(list_empty(&p->children) && list_empty(&p->threads));
	sigpending_flush(&p->pending, ~0ull);
	list_del(&p->sibling);
	group_members[p->group]--;
	group_members[p->session]--;
	kfree(p);
}

void task_free(struct task *t)
{
	struct process *p = t->process;

	ASSERT(t != current() && !t->mm && !t->files);
	tasks[t->tid] = NULL;
	list_del(&t->thread_link);
	sigpending_flush(&t->signals.pending, ~0ull);
	if (p->leader == t)
		process_free(p);
	kstack_free(t->stack);
	kfree(t);
}

void task_become_leader(struct task *t)
{
	struct process *p = t->process;
	struct task *old = p->leader;

	ASSERT(old->state == TASK_ENDED && p->nr_live == 1);
	p->leader = t;
	signal_actions_put(old->signals.actions);
	task_free(old);
	tasks[t->tid] = NULL;
	t->tid = p->pid;
	tasks[t->tid] = t;
}

/* ---- the first ---- */

/* What every process has, if there is memory for it. */
static bool equip_first(struct task *t)
{
	rlimits_init(&t->process->limits);
	t->mm = mm_create();
	t->files = stdio_create_table();
	t->signals.actions = signal_actions_create();
	return t->mm && t->files && t->signals.actions;
}

void task_run_first(void)
{
	struct trap_frame regs;
	struct task *t;
	int64_t error;

	initramfs_init();
	kern_lock();
	futex_init();
	t = task_create(NULL, NULL, &error);
	if (!t || !equip_first(t))
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
	list_init(&k->task.link);
	list_init(&k->task.timer_link);
	task_set_comm(&k->task, comm);
	arch_task_init_kernel(&k->task.arch, k->task.stack, kthread_entry, k);
	set_current(&k->task);
	arch_switch_task(&self->arch, &k->task.arch, NULL);
	error = k->task.oopsed ? -MM_EIO : 0;
	kthread_free(k);
	return error;
}
