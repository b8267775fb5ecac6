/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the telemetry window of a guest that has stopped.
 *
 * The guest is what is under test, so nothing that it wrote is trusted: no offset or count of its
 * is used before it agrees with the harness's own computation, and what cannot be (a histogram's
 * sum outside of what its buckets allow, an event of an unknown class) makes the cell crashed
 * rather than a number in a result.
 */
#ifndef ENGINE_WINDOW_H
#define ENGINE_WINDOW_H

#include "engine/outcome.h"

/* What was asked for on the command line. */
struct window_spec {
	uint64_t addr, size; /* guest-physical; size >= fl_window_layout(…).end */
	uint32_t nr_cpus;
	uint64_t ring_events;
	enum fl_recorder_mode recorder;
};

/* Where to put the window, and how large it is, for a machine. */
struct window_spec window_plan(uint32_t nr_cpus, enum fl_recorder_mode recorder,
			       uint64_t ring_events, uint64_t lowest_addr);

enum window_result {
	WINDOW_NONE,	 /* the stub never set it up (no magic number) */
	WINDOW_NONSENSE, /* *why says what is wrong; the outcome is untouched */
	WINDOW_GOOD,	 /* the outcome is filled in: classes, vmstat, state, report, events */
};

/* `mem` is the window's `spec->size` bytes. `orderly`: the guest said itself that it was done, so
 * the state must be a final one. *reason: as report_parse, or a panic's; malloc'ed or NULL. */
enum window_result window_read(const void *mem, const struct window_spec *spec, bool orderly,
			       struct outcome *out, const char **why, char **reason);

#endif
