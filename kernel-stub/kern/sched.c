/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scheduler: one run queue, served in turn.
 *
 *  1. The running task is in no queue. One that may run stands in run_queue.ready; one that waits
 *     stands in a wait queue, or by its deadline in run_queue.sleepers, or in both, and whatever
 *     comes first takes it out of both; one that ended stands in none.
 *  2. A task runs until it waits, ends or yields, or until its slice is over and the timer finds it
 *     in ring 3. Ring 0 is never pre-empted. A sleeper whose time has come doesn't wait for the
 *     slice of the one that runs.
 *  3. The timer is armed for the end of the slice only if somebody else could run, and for the next
 *     sleeper; so it stays off while there is one process, and no measurement meets it. It is never
 *     put off: one that fires too early looks again. That saves most of the writes to it.
 *  4. With nothing to run, the task that gave the processor up waits for the timer on its own
 *     stack, without kern_lock. If nobody sleeps, nothing will ever happen again: the machine ends,
 * saying so.
 *  5. A task can't free the stack it stands on: its parent does after wait4, or the next task that
 *     runs (sched_free_later, sched_finish).
 *
 * With several CPUs, struct run_queue becomes each CPU's own.
 */
#include "task.h"

#include "clock.h"
#include "errno.h"
#include "kern_lock.h"
#include "signal.h"

#define SLICE_MS 10u
#define NEVER (~0ull)

struct run_queue {
	struct list_node ready, sleepers;
	uint64_t slice;	    /* in TSC ticks, like what follows */
	uint64_t slice_end; /* of the running task */
	uint64_t armed;	    /* the timer's deadline; NEVER: it is off */
	struct task *ended; /* to be freed */
};

static struct run_queue run_queue;

static struct task *first_of(struct list_node *queue)
{
	return list_entry(queue->next, struct task, link);
}

static struct task *first_sleeper(struct run_queue *rq)
{
	return list_entry(rq->sleepers.next, struct task, timer_link);
}

/* 3. */
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

void sched_enqueue(struct task *task)
{
	struct run_queue *rq = &run_queue;

	if (list_empty(&rq->ready))
		rq->slice_end = port_tsc() + rq->slice;
	task->state = TASK_READY;
	list_add_tail(&task->link, &rq->ready);
	timer_update(rq);
}

static void wake(struct task *task)
{
	list_del_init(&task->link);
	list_del_init(&task->timer_link);
	sched_enqueue(task);
}

/* Whether there was any. */
static bool wake_sleepers(struct run_queue *rq)
{
	uint64_t now = port_tsc();
	bool any = false;

	while (!list_empty(&rq->sleepers) && first_sleeper(rq)->deadline <= now) {
		wake(first_sleeper(rq));
		any = true;
	}
	return any;
}

static void on_timer(struct trap_frame *frame)
{
	struct run_queue *rq = &run_queue;
	bool woken;

	kern_lock();
	rq->armed = 0; /* nothing earlier is wanted until it is clear who runs */
	woken = wake_sleepers(rq);
	rq->armed = NEVER;
	if (frame && (woken || (!list_empty(&rq->ready) && port_tsc() >= rq->slice_end)))
		sched_yield();
	else if (frame)
		timer_update(rq);
	kern_unlock();
	if (frame && current()->signal_ready)
		signal_deliver(frame, false);
}

void sched_init(void)
{
	list_init(&run_queue.ready);
	list_init(&run_queue.sleepers);
	run_queue.slice = clock_tsc_khz() * SLICE_MS;
	run_queue.armed = NEVER;
	arch_timer_init(on_timer);
}

/* 4. */
static void idle(struct run_queue *rq)
{
	if (list_empty(&rq->sleepers)) {
		printk("%s[%d]: every process waits and nobody is left to wake one: killed\n",
		       task_comm(), task_pid());
		telemetry_state(FL_STATE_KILLED, SIGKILL, NULL);
		arch_exit(FL_EXIT_DONE);
	}
	timer_update(rq);
	kern_unlock();
	arch_idle();
	kern_lock();
}

void sched_switch(void)
{
	struct run_queue *rq = &run_queue;
	struct task *prev = current(), *next;

	while (list_empty(&rq->ready))
		idle(rq);
	next = first_of(&rq->ready);
	list_del_init(&next->link);
	rq->slice_end = port_tsc() + rq->slice;
	timer_update(rq);
	if (next == prev)
		return;
	set_current(next);
	arch_switch_task(&prev->arch, &next->arch, next->mm);
	sched_finish();
}

void sched_yield(void)
{
	if (list_empty(&run_queue.ready))
		return;
	list_add_tail(&current()->link, &run_queue.ready);
	sched_switch();
}

void sched_finish(void)
{
	struct task *ended = run_queue.ended;

	if (!ended)
		return;
	run_queue.ended = NULL;
	task_free(ended);
}

void sched_free_later(struct task *task)
{
	ASSERT(!run_queue.ended);
	run_queue.ended = task;
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
	if (current()->signal_ready)
		return -ERESTART;
	sleep_in(q, TASK_WAITING);
	return 0;
}

int64_t wait_queue_sleep_until(struct wait_queue *q, uint64_t tsc)
{
	struct task *t = current();

	if (port_tsc() >= tsc)
		return -MM_ETIMEDOUT;
	if (t->signal_ready)
		return -ERESTART;
	t->deadline = tsc;
	add_sleeper(&run_queue, t);
	timer_update(&run_queue);
	sleep_in(q, TASK_WAITING);
	return 0;
}

void wait_queue_sleep_deaf(struct wait_queue *q)
{
	sleep_in(q, TASK_WAITING_DEAF);
}

void wait_queue_wake(struct wait_queue *q)
{
	while (!list_empty(&q->waiters))
		wake(first_of(&q->waiters));
}

void sched_signal(struct task *task)
{
	if (task->state == TASK_WAITING)
		wake(task);
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
