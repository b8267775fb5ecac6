/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scheduler: each CPU has a run queue and serves it in turn. All of it is under kern_lock.
 *
 *  1. A running task is in no queue. One that may run stands in one CPU's run_queue.ready; one that
 *     waits stands in a wait queue, or by its deadline in run_queue.sleepers of the CPU that it ran
 *     on, or in both, and whatever comes first takes it out of both; one that ended stands in none.
 *  2. A task runs until it waits, ends or yields, or until its slice is over and the timer finds it
 *     in ring 3. Ring 0 is never pre-empted. A sleeper whose time has come doesn't wait for the
 *     slice of the one that runs.
 *  3. A CPU's timer is armed for the end of the slice only if somebody else could run, and for its
 *     next sleeper; so it stays off while there is one process, and no measurement meets it. It is
 *     never put off: one that fires too early looks again. That saves most of the writes to it.
 *  4. With nothing in its queue a CPU takes from the longest of the others, and with nothing there
 *     it switches to its idle task, which waits for an interrupt without kern_lock. Who gives an
 *     idle CPU something to run does so under the lock and then interrupts it; interrupts are off
 *     from the idle task's look at the queue to its `hlt`, so none is lost. If no CPU runs anything
 *     and nobody sleeps, nothing will ever happen again: the machine ends, saying so.
 *  5. A task that may run goes to the CPU that it ran on, if that is idle, else to the first idle
 *     one, else to the one with the shortest queue; only to CPUs that its affinity allows. What
 *     another CPU has to notice (something to run, a slice that now ends, a signal, a task that is
 *     not allowed there any more) it is told by an interrupt, at most one at a time (`kicked`), and
 *     finds out by itself what it is (sched_look).
 *  6. kern_lock is held across a switch: who finds a task in no queue of a running CPU finds its
 *     registers saved. A task may go on on another CPU than where it gave the processor up: behind
 *     a switch, this_rq() is asked again.
 *  7. A task can't free the stack it stands on: its parent does after wait4, or the next task that
 *     runs there (sched_free_later, sched_finish).
 *  8. While every CPU is idle and a sleeper's deadline is all there is to wait for, nobody needs
 *     turns (arch_turns_stop). Who finds in its idle task that there is something to run, for
 *     itself or for another, starts them again.
 *
 * Nothing here depends on anything but the order of events, so under `tcg` a run of many tasks on
 * many CPUs is the same each time.
 */
#include "kern/task/task.h"

#include "kern/kern_lock.h"
#include "kern/signal/kern_signal.h"
#include "kern/task/clock.h"
#include "mm/base/mm_errno.h"

#define SLICE_MS 10u
#define NEVER (~0ull)

struct run_queue {
	struct list_node ready, sleepers;
	uint32_t nr_ready;
	bool kicked;		/* told to look, and has not looked yet */
	uint64_t slice_end;	/* of the running task, in TSC ticks, like what follows */
	uint64_t armed;		/* the timer's deadline; NEVER: it is off */
	struct list_node ended; /* to be freed */
	struct task idle;
} __attribute__((aligned(64)));

static struct run_queue run_queues[MAX_CPUS];
static uint64_t slice;	   /* in TSC ticks */
static uint64_t idle_cpus; /* with nothing to run: their idle task runs, their queue is empty */

static bool turns_resting; /* 8. */

/* The last task that left its CPU idle, for the message of 4. */
static struct {
	char comm[TASK_COMM_LEN];
	int pid;
} last_busy;

static struct run_queue *this_rq(void)
{
	return &run_queues[current_cpu()];
}

static uint64_t all_cpus(void)
{
	return NEVER >> (64 - boot_info.nr_cpus);
}

static struct task *first_of(struct list_node *queue)
{
	return list_entry(queue->next, struct task, link);
}

static struct task *first_sleeper(struct run_queue *rq)
{
	return list_entry(rq->sleepers.next, struct task, timer_link);
}

static bool may_run_on(const struct task *task, unsigned cpu)
{
	return task->cpus_allowed >> cpu & 1;
}

/* 3. Needs: this CPU's. */
static void timer_update(struct run_queue *rq)
{
	uint64_t want = NEVER;

	if (!list_empty(&rq->ready))
		want = rq->slice_end;
	if (!list_empty(&rq->sleepers) && first_sleeper(rq)->deadline < want)
		want = first_sleeper(rq)->deadline;
	if (want >= rq->armed)
		return;
	rq->armed = want;
	arch_timer_arm(want);
}

/* ---- which CPU ---- */

static void kick(unsigned cpu)
{
	if (run_queues[cpu].kicked)
		return;
	run_queues[cpu].kicked = true;
	arch_kick(cpu);
}

static unsigned shortest_queue(uint64_t cpus, unsigned last)
{
	unsigned best = cpus >> last & 1 ? last : (unsigned)__builtin_ctzll(cpus);

	for (; cpus; cpus &= cpus - 1) {
		unsigned cpu = (unsigned)__builtin_ctzll(cpus);

		if (run_queues[cpu].nr_ready < run_queues[best].nr_ready)
			best = cpu;
	}
	return best;
}

/* 5. */
static unsigned place(const struct task *task)
{
	uint64_t allowed = task->cpus_allowed & all_cpus(), idle = allowed & idle_cpus;

	if (idle >> task->cpu & 1)
		return task->cpu;
	if (idle)
		return (unsigned)__builtin_ctzll(idle);
	return shortest_queue(allowed, task->cpu);
}

void sched_enqueue(struct task *task)
{
	unsigned cpu = boot_info.nr_cpus > 1 ? place(task) : 0;
	struct run_queue *rq = &run_queues[cpu];
	bool idle = idle_cpus >> cpu & 1;

	if (list_empty(&rq->ready))
		rq->slice_end = port_tsc() + slice;
	task->state = TASK_READY;
	task->cpu = cpu;
	list_add_tail(&task->link, &rq->ready);
	rq->nr_ready++;
	idle_cpus &= ~(1ull << cpu);
	if (rq == this_rq())
		timer_update(rq);
	else if (idle || rq->slice_end < rq->armed)
		kick(cpu);
}

static struct task *dequeue(struct run_queue *rq, struct task *task)
{
	list_del_init(&task->link);
	rq->nr_ready--;
	return task;
}

/* From that queue, what may run on this CPU; NULL: nothing. */
static struct task *take_from(struct run_queue *rq, unsigned cpu)
{
	list_for_each (node, &rq->ready) {
		struct task *task = list_entry(node, struct task, link);

		if (may_run_on(task, cpu))
			return dequeue(rq, task);
	}
	return NULL;
}

/* The longest queue but those in the mask; NULL: they are empty. */
static struct run_queue *longest_queue(uint64_t but)
{
	struct run_queue *longest = NULL;

	for (unsigned i = 0; i < boot_info.nr_cpus; i++) {
		struct run_queue *rq = &run_queues[i];

		if (!(but >> i & 1) && rq->nr_ready > (longest ? longest->nr_ready : 0))
			longest = rq;
	}
	return longest;
}

/* 4. NULL: no queue has anything for this CPU. */
static struct task *steal(unsigned cpu)
{
	uint64_t tried = 0;
	struct run_queue *rq;
	struct task *task;

	while ((rq = longest_queue(tried))) {
		task = take_from(rq, cpu);
		if (task)
			return task;
		tried |= 1ull << (rq - run_queues);
	}
	return NULL;
}

static struct task *next_task(struct run_queue *rq)
{
	struct task *task = NULL;

	if (likely(!list_empty(&rq->ready)))
		return dequeue(rq, first_of(&rq->ready));
	if (boot_info.nr_cpus > 1)
		task = steal(current_cpu());
	return task ? task : &rq->idle;
}

/* ---- the timer and other CPUs' interrupts ---- */

static void wake(struct task *task)
{
	list_del_init(&task->link);
	list_del_init(&task->timer_link);
	sched_enqueue(task);
}

/* Whether one of them is now in this CPU's own queue. */
static bool wake_sleepers(struct run_queue *rq)
{
	uint64_t now = port_tsc();
	bool any = false;

	while (!list_empty(&rq->sleepers) && first_sleeper(rq)->deadline <= now) {
		struct task *task = first_sleeper(rq);

		wake(task);
		any |= &run_queues[task->cpu] == rq;
	}
	return any;
}

/* In ring 3, or as the idle task waits (frame NULL). */
static void on_timer(struct trap_frame *frame)
{
	struct run_queue *rq;
	bool woken;

	kern_lock();
	rq = this_rq();
	rq->armed = 0; /* nothing earlier is wanted until it is clear who runs */
	woken = wake_sleepers(rq);
	rq->armed = NEVER;
	if (frame && !list_empty(&rq->ready) && (woken || port_tsc() >= rq->slice_end))
		sched_yield();
	else if (frame)
		timer_update(rq);
	kern_unlock();
	if (frame && current()->signal_ready)
		signal_deliver(frame, false);
}

void sched_settle(void)
{
	struct run_queue *rq;

	kern_lock();
	rq = this_rq();
	rq->slice_end = port_tsc() + slice;
	rq->armed = NEVER;
	arch_timer_stop();
	timer_update(rq);
	kern_unlock();
}

void sched_look(struct trap_frame *frame)
{
	kern_lock();
	this_rq()->kicked = false;
	if (may_run_on(current(), current_cpu()))
		timer_update(this_rq());
	else
		sched_yield();
	kern_unlock();
	if (current()->signal_ready)
		signal_deliver(frame, false);
}

void sched_kick(struct task *task)
{
	if (task->on_cpu && task->cpu != current_cpu())
		kick(task->cpu);
}

/* ---- the switch ---- */

static bool any_sleeper(void)
{
	for (unsigned i = 0; i < boot_info.nr_cpus; i++)
		if (!list_empty(&run_queues[i].sleepers))
			return true;
	return false;
}

/* 8. */
static void turns_rest(void)
{
	if (!turns_resting)
		arch_turns_stop();
	turns_resting = true;
}

static void turns_go_on(void)
{
	if (likely(!turns_resting) || idle_cpus == all_cpus())
		return;
	turns_resting = false;
	arch_turns_start();
}

/* 4. */
static void nothing_to_run(struct task *prev)
{
	idle_cpus |= 1ull << current_cpu();
	if (prev->tid) {
		memcpy(last_busy.comm, prev->comm, sizeof(last_busy.comm));
		last_busy.pid = prev->tid;
	}
	if (idle_cpus != all_cpus())
		return;
	if (any_sleeper()) {
		turns_rest();
		return;
	}
	printk("%s[%d]: every process waits and nobody is left to wake one: killed\n",
	       last_busy.comm, last_busy.pid);
	telemetry_state(FL_STATE_KILLED, SIGKILL, NULL);
	arch_exit(FL_EXIT_DONE);
}

static _Noreturn void idle_loop(void);

/* The first steps of CPU 0's; the others begin in sched_start_cpu(). */
static void idle_start(void *unused)
{
	(void)unused;
	sched_finish();
	idle_loop();
}

/* Before a switch to it. */
static void idle_enter(struct task *idle)
{
	if (unlikely(!idle->arch.sp))
		arch_task_init_kernel(&idle->arch, idle->stack, idle_start, NULL);
	arch_mm_lazy();
}

void sched_switch(void)
{
	struct run_queue *rq = this_rq();
	struct task *prev = current(), *next = next_task(rq);

	ASSERT(kern_lock_held());
	if (next == &rq->idle)
		nothing_to_run(prev);
	else
		idle_cpus &= ~(1ull << current_cpu());
	rq->slice_end = port_tsc() + slice;
	timer_update(rq);
	if (next == prev)
		return;
	prev->on_cpu = false;
	next->on_cpu = true;
	next->cpu = current_cpu();
	set_current(next);
	if (next == &rq->idle)
		idle_enter(next);
	arch_switch_task(&prev->arch, &next->arch, next->mm);
	sched_finish();
}

void sched_yield(void)
{
	struct run_queue *rq = this_rq();
	struct task *task = current();

	if (unlikely(!may_run_on(task, current_cpu()))) {
		sched_enqueue(task);
	} else {
		if (list_empty(&rq->ready))
			return;
		list_add_tail(&task->link, &rq->ready);
		rq->nr_ready++;
	}
	sched_switch();
}

void sched_finish(void)
{
	struct list_node *ended = &this_rq()->ended;

	while (unlikely(!list_empty(ended))) {
		struct task *task = first_of(ended);

		list_del_init(&task->link);
		task_free(task);
	}
}

void sched_free_later(struct task *task)
{
	list_add_tail(&task->link, &this_rq()->ended);
}

/* ---- idle ---- */

/* Needs: kern_lock. */
static void idle_loop(void)
{
	for (;;) {
		this_rq()->kicked = false;
		sched_switch();
		kern_unlock();
		arch_idle();
		kern_lock();
		turns_go_on();
	}
}

static void idle_init(struct run_queue *rq, unsigned cpu)
{
	struct task *t = &rq->idle;

	ksnprintf(t->comm, sizeof(t->comm), "idle/%u", cpu);
	t->cpu = cpu;
	t->cpus_allowed = 1ull << cpu;
	list_init(&t->link);
	list_init(&t->timer_link);
}

void sched_start_cpu(void *stack)
{
	struct task *t = &this_rq()->idle;

	t->stack = stack;
	t->arch.stack_top = (uint64_t)stack + KERNEL_STACK_SIZE;
	t->on_cpu = true;
	set_current(t);
	kern_lock();
	idle_loop();
}

void sched_init(void)
{
	for (unsigned i = 0; i < boot_info.nr_cpus; i++) {
		struct run_queue *rq = &run_queues[i];

		list_init(&rq->ready);
		list_init(&rq->sleepers);
		list_init(&rq->ended);
		rq->armed = NEVER;
		idle_init(rq, i);
	}
	slice = clock_tsc_khz() * SLICE_MS;
	arch_timer_init(on_timer);
}

void sched_start_first(struct task *task, void *idle_stack)
{
	struct task *idle = &run_queues[0].idle;

	idle->stack = idle_stack;
	task->on_cpu = true;
	set_current(task);
}

/* ---- waiting ---- */

/* Into the sleepers, behind those with the same deadline. */
static void add_sleeper(struct run_queue *rq, struct task *task)
{
	struct list_node *at = rq->sleepers.prev;

	while (at != &rq->sleepers &&
	       list_entry(at, struct task, timer_link)->deadline > task->deadline)
		at = at->prev;
	list_add(&task->timer_link, at);
}

static void sleep_in(struct wait_queue *q, enum task_state state)
{
	current()->state = state;
	list_add_tail(&current()->link, &q->waiters);
	sched_switch();
}

int64_t wait_queue_sleep(struct wait_queue *q)
{
	if (signal_pending(current()))
		return -ERESTART;
	sleep_in(q, TASK_WAITING);
	return 0;
}

int64_t wait_queue_sleep_until(struct wait_queue *q, uint64_t tsc)
{
	struct task *t = current();

	if (tsc == UINT64_MAX)
		return wait_queue_sleep(q);
	if (port_tsc() >= tsc)
		return -MM_ETIMEDOUT;
	if (signal_pending(t))
		return -ERESTART;
	t->deadline = tsc;
	add_sleeper(this_rq(), t);
	timer_update(this_rq());
	sleep_in(q, TASK_WAITING);
	return 0;
}

void wait_queue_sleep_deaf(struct wait_queue *q)
{
	sleep_in(q, TASK_WAITING_DEAF);
}

int64_t wait_queue_sleep_killable(struct wait_queue *q)
{
	if (signal_deadly(current()))
		return -ERESTART;
	sleep_in(q, TASK_WAITING_KILLABLE);
	return 0;
}

void wait_queue_wake(struct wait_queue *q)
{
	while (!list_empty(&q->waiters))
		wake(first_of(&q->waiters));
}

void sched_signal(struct task *task, bool wakes, bool deadly)
{
	if ((task->state == TASK_WAITING && wakes) ||
	    (task->state == TASK_WAITING_KILLABLE && deadly))
		wake(task);
	else
		sched_kick(task);
}

int64_t sched_sleep_until(uint64_t tsc)
{
	struct wait_queue nobody;
	int64_t result;

	wait_queue_init(&nobody);
	do
		result = wait_queue_sleep_until(&nobody, tsc);
	while (!result);
	return result == -MM_ETIMEDOUT ? 0 : result;
}

/* ---- affinity ---- */

uint64_t sched_affinity(const struct task *task)
{
	return task->cpus_allowed & all_cpus();
}

bool sched_set_affinity(struct task *task, uint64_t cpus)
{
	if (!(cpus & all_cpus()))
		return false;
	task->cpus_allowed = cpus;
	if (may_run_on(task, task->cpu))
		return true;
	if (task == current()) {
		sched_yield();
	} else if (task->on_cpu) {
		kick(task->cpu);
	} else if (task->state == TASK_READY) {
		dequeue(&run_queues[task->cpu], task);
		sched_enqueue(task);
	}
	return true;
}
