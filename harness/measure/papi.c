/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <papi.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "measure/counter.h"
#include "measure/papi.h"

static struct papi_event events[PAPI_NR_EVENTS] = {
	{.name = "PAPI_TLB_DM"},	  {.name = "PAPI_TLB_IM"},
	{.name = "PAPI_TOT_CYC"},	  {.name = "PAPI_TOT_INS"},
	{.name = "perf::PAGE-FAULTS"},	  {.name = "perf::MINOR-FAULTS"},
	{.name = "perf::MAJOR-FAULTS"},	  {.name = "perf::CONTEXT-SWITCHES"},
	{.name = "perf::CPU-MIGRATIONS"},
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static unsigned long thread_id(void)
{
	return (unsigned long)pthread_self();
}

static void refuse_all(const char *why)
{
	for (unsigned i = 0; i < PAPI_NR_EVENTS; i++)
		snprintf(events[i].reason, sizeof(events[i].reason), "%s", why);
}

/* Hardware events fail for the one reason that a reader can act on. */
static void refuse(struct papi_event *e, int rc)
{
	bool pmu = !access("/sys/bus/event_source/devices/cpu", F_OK);

	if (!strncmp(e->name, "PAPI_", 5) && !pmu)
		snprintf(e->reason, sizeof(e->reason),
			 "no hardware counters: the host kernel exposes none (%s)",
			 PAPI_strerror(rc));
	else
		snprintf(e->reason, sizeof(e->reason), "%s", PAPI_strerror(rc));
}

/* The native events that event `name` stands for, as PAPI can add them: their number, or an error.
 */
static int natives(const char *name, char list[][PAPI_HUGE_STR_LEN], unsigned max)
{
	PAPI_event_info_t info;
	unsigned n = 0;
	int code, rc;

	if (strncmp(name, "PAPI_", 5)) {
		snprintf(list[0], PAPI_HUGE_STR_LEN, "%s", name);
		return 1;
	}
	rc = PAPI_event_name_to_code(name, &code);
	if (rc == PAPI_OK)
		rc = PAPI_get_event_info(code, &info);
	if (rc != PAPI_OK || !info.count)
		return rc != PAPI_OK ? rc : PAPI_ENOEVNT;
	if (strcmp(info.derived, "NOT_DERIVED") && strcmp(info.derived, "DERIVED_ADD"))
		return PAPI_ENOEVNT;
	for (; n < info.count && n < max; n++)
		snprintf(list[n], PAPI_HUGE_STR_LEN, "%s:mg=1:mh=1", info.name[n]);
	return n == info.count ? (int)n : PAPI_ENOEVNT;
}

/* Adds all that an event needs, or nothing. The number of native events added, or an error. */
static int add_event(int set, const char *name)
{
	char list[PAPI_MAX_INFO_TERMS][PAPI_HUGE_STR_LEN];
	int n = natives(name, list, PAPI_MAX_INFO_TERMS);

	for (int i = 0; i < n; i++) {
		int rc = PAPI_add_named_event(set, list[i]);

		if (rc == PAPI_OK)
			continue;
		while (i--)
			PAPI_remove_named_event(set, list[i]);
		return rc;
	}
	return n;
}

/* Whether the event counts together with those that the set has already. It stays if so. */
static int try_event(int set, const char *name)
{
	char list[PAPI_MAX_INFO_TERMS][PAPI_HUGE_STR_LEN];
	int n = add_event(set, name), rc;

	if (n < 0)
		return n;
	rc = PAPI_start(set);
	if (rc == PAPI_OK)
		return PAPI_stop(set, NULL);
	natives(name, list, PAPI_MAX_INFO_TERMS);
	while (n--)
		PAPI_remove_named_event(set, list[n]);
	return rc;
}

static void probe_events(void)
{
	int set = PAPI_NULL;

	if (PAPI_create_eventset(&set) != PAPI_OK) {
		refuse_all("PAPI cannot make an event set");
		return;
	}
	for (unsigned i = 0; i < PAPI_NR_EVENTS; i++) {
		int rc = try_event(set, events[i].name);

		events[i].works = rc == PAPI_OK;
		if (rc != PAPI_OK)
			refuse(&events[i], rc);
	}
	PAPI_cleanup_eventset(set);
	PAPI_destroy_eventset(&set);
}

static void init(void)
{
	if (PAPI_library_init(PAPI_VER_CURRENT) != PAPI_VER_CURRENT ||
	    PAPI_thread_init(thread_id) != PAPI_OK) {
		refuse_all("PAPI does not initialise");
		return;
	}
	/* without this the kernel's side of a page fault reads 0 */
	PAPI_set_domain(PAPI_DOM_ALL);
	probe_events();
}

const struct papi_event *papi_events(void)
{
	pthread_once(&once, init);
	return events;
}

static int set_inherit(int set)
{
	PAPI_option_t option = {0};

	PAPI_assign_eventset_component(set, 0);
	option.inherit.eventset = set;
	option.inherit.inherit = PAPI_INHERIT_ALL;
	return PAPI_set_opt(PAPI_INHERIT, &option);
}

static void add_events(struct papi_run *run)
{
	for (unsigned i = 0; i < PAPI_NR_EVENTS; i++) {
		int n = events[i].works ? add_event(run->set, events[i].name) : 0;

		while (n-- > 0 && run->n < PAPI_MAX_NATIVE)
			run->event[run->n++] = i;
	}
}

void papi_start(struct papi_run *run, bool inherit)
{
	int rc;

	*run = (struct papi_run){.set = PAPI_NULL};
	papi_events();
	PAPI_register_thread();
	rc = PAPI_create_eventset(&run->set);
	if (rc == PAPI_OK && inherit)
		rc = set_inherit(run->set);
	if (rc != PAPI_OK && inherit)
		snprintf(run->refused, sizeof(run->refused),
			 "PAPI cannot follow a child process here: PAPI_INHERIT fails (%s)",
			 PAPI_strerror(rc));
	if (rc != PAPI_OK)
		return;
	add_events(run);
	run->running = run->n && PAPI_start(run->set) == PAPI_OK;
}

void papi_stop(struct papi_run *run)
{
	bool good = run->running && PAPI_stop(run->set, run->values) == PAPI_OK;

	if (!good)
		run->n = 0;
	run->running = false;
	if (run->set != PAPI_NULL) {
		PAPI_cleanup_eventset(run->set);
		PAPI_destroy_eventset(&run->set);
	}
	PAPI_unregister_thread();
}

/* The sum of one event over the runs; false if one of them did not count it. */
static bool total(const struct papi_run *runs, unsigned nr_runs, unsigned event, int64_t *sum)
{
	*sum = 0;
	for (unsigned r = 0; r < nr_runs; r++) {
		bool found = false;

		for (unsigned i = 0; i < runs[r].n; i++) {
			if (runs[r].event[i] != event)
				continue;
			*sum += runs[r].values[i];
			found = true;
		}
		if (!found)
			return false;
	}
	return nr_runs > 0;
}

void papi_report(const struct papi_run *runs, unsigned nr_runs, const char *why,
		 struct counter_list *to)
{
	const struct papi_event *e = why ? events : papi_events();

	for (unsigned i = 0; i < PAPI_NR_EVENTS; i++) {
		int64_t sum;

		if (why)
			counter_list_add(to, e[i].name, NULL, why);
		else if (!e[i].works)
			counter_list_add(to, e[i].name, NULL, e[i].reason);
		else if (total(runs, nr_runs, i, &sum))
			counter_list_add(to, e[i].name, &sum, NULL);
		else
			counter_list_add(to, e[i].name, NULL,
					 nr_runs && *runs[0].refused ? runs[0].refused
								     : "did not start in this run");
	}
}
