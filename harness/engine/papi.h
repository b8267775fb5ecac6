/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host counters by PAPI, in the thread that runs the work: PAPI_attach() does not work everywhere,
 * and what is counted round KVM_RUN belongs to that thread anyway.
 *
 * PAPI lists events that it then cannot count, so each event is tried, added and started, before
 * anything is said of it. What cannot be counted has a reason, never a number.
 */
#ifndef ENGINE_PAPI_H
#define ENGINE_PAPI_H

#include "engine.h"

#define PAPI_NR_EVENTS 9u

struct papi_event {
	const char *name;
	bool works;
	char reason[128]; /* why it does not */
};

/* The events, each tried out once in this process, in a fixed order. */
const struct papi_event *papi_events(void);

/* A set of counters running in the calling thread; with `inherit`, in children it forks, too. */
struct papi_run {
	bool running;
	int set;
	unsigned index[PAPI_NR_EVENTS]; /* of the events in the set */
	unsigned n;
	long long values[PAPI_NR_EVENTS];
};

void papi_start(struct papi_run *run, bool inherit);
void papi_stop(struct papi_run *run);

/* The sums over runs, or the reasons, as counters. With `why` not NULL all are absent for it. */
void papi_report(const struct papi_run *runs, unsigned nr_runs, const char *why,
		 struct counter_list *to);

#endif
