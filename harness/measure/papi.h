/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host counters by PAPI, in the thread that runs the work: PAPI_attach() does not work everywhere,
 * and what is counted round KVM_RUN belongs to that thread anyway.
 *
 * PAPI's presets are counted through the CPU's own events that they stand for, each with the
 * modifiers mg=1 and mh=1: PAPI asks the kernel to leave the guest out otherwise, and the guest is
 * what is measured.
 *
 * PAPI lists events that it then cannot count, so each event is tried, added and started, before
 * anything is said of it. What cannot be counted has a reason, never a number.
 */
#ifndef ENGINE_PAPI_H
#define ENGINE_PAPI_H

#include "measure/counter.h"

#define PAPI_NR_EVENTS 9u
#define PAPI_MAX_NATIVE 32u

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
	unsigned n;			 /* native events in the set */
	unsigned event[PAPI_MAX_NATIVE]; /* which of papi_events() each belongs to */
	long long values[PAPI_MAX_NATIVE];
	char refused[128]; /* why nothing is counted; "" if it is */
};

void papi_start(struct papi_run *run, bool inherit);
void papi_stop(struct papi_run *run);

/* The sums over the runs, or the reasons, as counters. With `why` not NULL all are absent for it.
 */
void papi_report(const struct papi_run *runs, unsigned nr_runs, const char *why,
		 struct counter_list *to);

#endif
