/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scheduler and wait queues (sched.c). Interrupts are off in all of ring 0, and a task gives
 * the processor up only in the calls that say so; it may then go on on another one. Everything here
 * needs kern_lock, and has it again when it returns. */
#ifndef KERN_SCHED_H
#define KERN_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "mm/base/list.h"

struct task;

/* What a call returns that a signal ended and that may be begun anew (Linux's ERESTARTSYS). Ring 3
 * never sees it: signal_deliver() makes EINTR of it, or another go. */
#define ERESTART 512

/* The same where a handler always makes EINTR of it (Linux's ERESTARTNOHAND). */
#define ERESTART_NOHAND 514

struct wait_queue {
	struct list_node waiters;
};

static inline void wait_queue_init(struct wait_queue *q)
{
	list_init(&q->waiters);
}

/* Once, before the first task runs. */
void sched_init(void);

/* The first task runs, from here on; what waits with nothing to run on CPU 0 will do so on that
 * stack. */
void sched_start_first(struct task *task, void *idle_stack);

/* Puts a task that may run at the end of a CPU's run queue. */
void sched_enqueue(struct task *task);

/* The processor to the next task in the run queue. The running one must be in a queue, or ended;
 * this returns when it is its turn again. With nothing to run, waits for the timer; if that can
 * wake nobody, ends the machine. */
void sched_switch(void);

/* Lets the others in the run queue go first. Switches. */
void sched_yield(void);

/* The caller's slice begins anew and this CPU's timer with it, so that when an interrupt comes
 * hangs on nothing that was before. Needs: no lock. */
void sched_settle(void);

/* What remains of a switch, in the task switched to: the first thing that a new one does. */
void sched_finish(void);

/* Leaves a task that ended and that nobody asks about to the next one that runs here, to be freed,
 * after those that were left before. */
void sched_free_later(struct task *task);

/* Sleeps in q until woken: 0, and the caller looks again at what it waits for. If a signal is ready
 * it doesn't sleep: -ERESTART. Switches. */
int64_t wait_queue_sleep(struct wait_queue *q);

/* The same, but not beyond port_tsc() == tsc: then -MM_ETIMEDOUT, which goes before a signal.
 * UINT64_MAX: for ever. */
int64_t wait_queue_sleep_until(struct wait_queue *q, uint64_t tsc);

/* wait_queue_sleep(), whatever signals come. */
void wait_queue_sleep_deaf(struct wait_queue *q);

/* wait_queue_sleep(), but only what ends the thread counts as a signal. */
int64_t wait_queue_sleep_killable(struct wait_queue *q);

/* Makes everybody in q look again. */
void wait_queue_wake(struct wait_queue *q);

/* task->signal_ready was set. wakes: it is for a signal that the task does not block, so that its
 * sleep ends, if that may be; deadly: it is to end. If it runs on
 * another CPU, that enters the kernel. */
void sched_signal(struct task *task, bool wakes, bool deadly);

/* Makes the task enter the kernel soon, if it runs on another CPU in ring 3. */
void sched_kick(struct task *task);

/* The CPUs that the task may run on: a mask. Setting it may switch, and is refused (false) if it
 * leaves none. */
uint64_t sched_affinity(const struct task *task);
bool sched_set_affinity(struct task *task, uint64_t cpus);

/* Sleeps until port_tsc() reaches `tsc`: 0, or -ERESTART. Switches. */
int64_t sched_sleep_until(uint64_t tsc);

#endif
