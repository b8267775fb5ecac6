/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "team.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define STACK_BYTES (64u << 10)

/* A barrier that is used again and again: the last to arrive opens it by a new generation. */
struct team_private {
	unsigned arrived __attribute__((aligned(64)));
	unsigned generation __attribute__((aligned(64)));
	bool yields; /* who waits lets others run on its CPU */
	pthread_t threads[TEAM_MAX];
	size_t bytes, stacks_bytes, series_bytes, workers_bytes;
	char *stacks, *series;
};

static cpu_set_t first_mask; /* as it was before anything was pinned */
static unsigned first_cpus;

unsigned team_cpus(void)
{
	if (first_cpus)
		return first_cpus;
	CPU_ZERO(&first_mask);
	/* a kernel without the call has one CPU, numbered 0 */
	if (sched_getaffinity(0, sizeof first_mask, &first_mask) || !CPU_COUNT(&first_mask))
		CPU_SET(0, &first_mask);
	first_cpus = (unsigned)CPU_COUNT(&first_mask);
	return first_cpus;
}

/* The place-th CPU of the mask. */
static unsigned team_cpu(unsigned place)
{
	unsigned cpu = 0;

	for (;; cpu++)
		if (CPU_ISSET(cpu, &first_mask) && !place--)
			return cpu;
}

static void team_pin(struct team_worker *w)
{
	cpu_set_t one;

	if (team_cpus() == 1)
		return;
	CPU_ZERO(&one);
	CPU_SET(team_cpu(w->id % team_cpus()), &one);
	if (sched_setaffinity(0, sizeof one, &one))
		wl_fail(w->run, "sched_setaffinity of worker %u: %m", w->id);
}

/* Back to all CPUs: threads begin where their maker may run. */
static void team_unpin(struct wl_run *run)
{
	if (team_cpus() > 1 && sched_setaffinity(0, sizeof first_mask, &first_mask))
		wl_fail(run, "sched_setaffinity to all CPUs: %m");
}

static void team_relax(const struct team *t)
{
	if (__atomic_load_n(&t->private->yields, __ATOMIC_RELAXED))
		sched_yield();
	else
		asm volatile("pause");
}

static void team_let_yield(struct team *t, bool yields)
{
	__atomic_store_n(&t->private->yields, yields, __ATOMIC_RELAXED);
}

static void team_meet(struct team *t)
{
	struct team_private *p = t->private;
	unsigned generation = __atomic_load_n(&p->generation, __ATOMIC_ACQUIRE);

	if (__atomic_add_fetch(&p->arrived, 1, __ATOMIC_ACQ_REL) == t->n) {
		__atomic_store_n(&p->arrived, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&p->generation, generation + 1, __ATOMIC_RELEASE);
		return;
	}
	while (__atomic_load_n(&p->generation, __ATOMIC_ACQUIRE) == generation)
		team_relax(t);
}

void team_barrier(struct team_worker *worker)
{
	team_meet(worker->team);
}

static uint64_t team_tsc(void)
{
	uint32_t low, high;

	asm volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* Begin and end are barriers, so that the work of all overlaps, and so that no thread goes on to
 * other things while the kernel still counts. */
static void team_work(struct team_worker *w)
{
	team_meet(w->team);
	w->begin = team_tsc();
	w->team->work(w);
	w->end = team_tsc();
	for (unsigned i = 0; i < w->team->nr_rows; i++)
		wl_sift_row(&w->rows[i]);
	team_meet(w->team);
}

static void *team_thread(void *worker)
{
	struct team_worker *w = worker;

	team_pin(w);
	team_meet(w->team); /* with team_open() */
	team_work(w);
	team_meet(w->team); /* with team_close() */
	return NULL;
}

/* ---- memory ---- */

static void *team_memory(struct wl_run *run, size_t bytes)
{
	void *p = wl_map(run, bytes, PROT_READ | PROT_WRITE);

	prefault_range(p, bytes);
	return p;
}

static void team_allocate(struct team *t)
{
	size_t bytes = (sizeof *t->private + WL_PAGE - 1) & ~(size_t)(WL_PAGE - 1);
	struct team_private *p = team_memory(t->run, bytes);

	t->private = p;
	p->bytes = bytes;
	p->workers_bytes = t->n * sizeof *t->workers;
	p->stacks_bytes = (size_t)t->n * STACK_BYTES;
	p->series_bytes = (t->n * t->nr_rows + 1) * sizeof(struct series);
	t->workers = team_memory(t->run, p->workers_bytes);
	p->stacks = team_memory(t->run, p->stacks_bytes);
	p->series = team_memory(t->run, p->series_bytes);
}

static void team_fill_worker(struct team *t, unsigned id, void *arg)
{
	struct team_worker *w = &t->workers[id];
	struct series *series = (struct series *)t->private->series + id * t->nr_rows;

	*w = (struct team_worker){.run = t->run, .team = t, .arg = arg, .id = id};
	w->random.state = t->run->seed ^ (id + 1) * 0x9e3779b97f4a7c15ull;
	for (unsigned i = 0; i < t->nr_rows; i++) {
		w->rows[i] = *t->rows[i];
		w->rows[i].series = &series[i];
	}
}

/* ---- from open to close ---- */

/* On a stack of ours, which is in memory, and whose end libc leaves alone. */
static void team_start_thread(struct team *t, unsigned id)
{
	pthread_attr_t attr;
	int err = pthread_attr_init(&attr);

	if (!err)
		err = pthread_attr_setstack(&attr, t->private->stacks + (size_t)id * STACK_BYTES,
					    STACK_BYTES);
	if (!err)
		err = pthread_create(&t->private->threads[id], &attr, team_thread, &t->workers[id]);
	if (err)
		wl_fail(t->run, "thread %u of %u: %s", id, t->n, strerror(err));
	pthread_attr_destroy(&attr);
}

void team_open(struct wl_run *run, struct team *team, unsigned n,
	       void (*work)(struct team_worker *), void *arg, struct wl_row *const *rows)
{
	*team = (struct team){.run = run, .work = work, .n = n};
	while (rows[team->nr_rows]) {
		team->rows[team->nr_rows] = rows[team->nr_rows];
		team->nr_rows++;
	}
	team_allocate(team);
	/* until all are on their CPUs, one may have to run where another waits */
	team_let_yield(team, n > 1);
	for (unsigned id = 0; id < n; id++)
		team_fill_worker(team, id, arg);
	team_unpin(run);
	for (unsigned id = 1; id < n; id++)
		team_start_thread(team, id);
	team_pin(&team->workers[0]);
	team_meet(team);
	team_let_yield(team, n > team_cpus());
}

void team_go(struct team *team)
{
	team_work(&team->workers[0]);
}

static void team_merge(struct team *t, unsigned row)
{
	struct series *to = t->rows[row]->series;

	for (unsigned id = 0; id < t->n; id++) {
		const struct series *from = t->workers[id].rows[row].series;

		to->interrupted += from->interrupted;
		to->hist.sum += from->hist.sum;
		for (unsigned b = 0; b < FL_HIST_BUCKETS; b++)
			to->hist.buckets[b] += from->hist.buckets[b];
	}
}

void team_close(struct team *team)
{
	struct team_private *p = team->private;

	team_meet(team);
	for (unsigned id = 1; id < team->n; id++)
		pthread_join(p->threads[id], NULL);
	for (unsigned row = 0; row < team->nr_rows; row++)
		team_merge(team, row);
	wl_unmap(team->run, p->series, p->series_bytes);
	wl_unmap(team->run, p->stacks, p->stacks_bytes);
	wl_unmap(team->run, team->workers, p->workers_bytes);
	wl_unmap(team->run, p, p->bytes);
}

struct timing team_elapsed(const struct team *team)
{
	uint64_t first = team->workers[0].begin, last = team->workers[0].end;

	for (unsigned id = 1; id < team->n; id++) {
		const struct team_worker *w = &team->workers[id];

		first = w->begin < first ? w->begin : first;
		last = w->end > last ? w->end : last;
	}
	return (struct timing){first, last - first};
}
