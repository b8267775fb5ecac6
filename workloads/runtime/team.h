/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A team: threads that do the same work at once, each pinned to a CPU, each with random numbers and
 * samples of its own.
 *
 *    team_open()   makes the threads; they wait. Their stacks and samples are in memory
 *    wl_begin()
 *    team_go()     all work, and the caller with them as worker 0; returns when all are done
 *    wl_end()
 *    team_close()  the threads end; their samples are added to the rows
 *
 * Between open and close nothing of the team's own faults or calls the kernel: whoever waits, spins
 * (with a pause: on engine tcg that hands the CPU to the next one). Only a team of more threads
 * than CPUs has to yield.
 *
 * Worker i runs on CPU i of the affinity mask that the program was started with, in rising order;
 * where there are more workers than CPUs, from the first on again.
 */
#ifndef WORKLOADS_TEAM_H
#define WORKLOADS_TEAM_H

#include "workload.h"

#define TEAM_MAX 512u
#define TEAM_MAX_ROWS 4u

struct team_worker {
	struct wl_run *run;
	struct team *team;
	void *arg; /* what team_open() was given */
	unsigned id;
	struct random random;		   /* seeded by the run's seed and the id */
	uint64_t begin, end;		   /* by the time-stamp counter: its part of team_go() */
	struct wl_row rows[TEAM_MAX_ROWS]; /* its own samples, in the order of team_open() */
};

struct team {
	struct wl_run *run;
	void (*work)(struct team_worker *);
	unsigned n;
	struct team_worker *workers;
	struct wl_row *rows[TEAM_MAX_ROWS];
	unsigned nr_rows;
	struct team_private *private;
};

/* How many CPUs the program may run on. */
unsigned team_cpus(void);

/* A team of n (1 to TEAM_MAX) with these rows (NULL-terminated, at most TEAM_MAX_ROWS). Fails the
 * run if there are no threads to be had. */
void team_open(struct wl_run *run, struct team *team, unsigned n,
	       void (*work)(struct team_worker *), void *arg, struct wl_row *const *rows);

/* Once between open and close. */
void team_go(struct team *team);

/* Waits, within work(), until all workers have come here. */
void team_barrier(struct team_worker *worker);

/* Adds the samples of all workers to the rows. */
void team_close(struct team *team);

/* From the first worker's begin to the last one's end. Needs: team_go() has returned. */
struct timing team_elapsed(const struct team *team);

#endif
