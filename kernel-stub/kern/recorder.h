/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recorder: what a page fault cost, from the first instructions after exception entry to the
 * last before return, into the telemetry window.
 *
 * The mode is fixed at boot, and each mode has a page-fault entry of its own (trap.S), so that no
 * fault tests for it. A set is chosen by moving recorder_cpu.hist.
 *
 * A fault that ends in a signal or an oops may never return, since its task may end: it is noted
 * first (recorder_note) and recorded by recorder_flush(), which runs on the way back to ring 3 or
 * where the task ends, whichever comes.
 */
#ifndef KERN_RECORDER_H
#define KERN_RECORDER_H

#include "port.h"

#include "fault.h"

struct recorder_event {
	uint64_t tsc, addr, rip;
	uint32_t error_code;
	uint8_t class, order;
	bool noted;
};

struct recorder_cpu {
	struct fl_hist *hist; /* of the set in force: [FL_NR_CLASSES] */
	struct fl_cpu_block *block;
	struct fl_event *ring; /* NULL unless recorder=raw */
	uint64_t ring_events;
	uint8_t set;
	uint8_t mode; /* enum fl_recorder_mode */
	struct recorder_event pending;
};

/* Adds one length to the histogram of its class. */
static inline void recorder_hist(struct recorder_cpu *r, unsigned class, uint64_t length)
{
	struct fl_hist *h = &r->hist[class];

	h->sum += length;
	h->buckets[fl_hist_bucket(length)]++;
}

/* Appends a raw event; a full ring counts the drop. */
void recorder_ring(struct recorder_cpu *r, const struct recorder_event *e, uint64_t length);

/* A fault that may not return. Needs: none noted on this CPU, or the one noted is flushed here. */
void recorder_note(struct recorder_cpu *r, const struct recorder_event *e);

/* Records what was noted, if anything was, with the time up to now. */
void recorder_flush(struct recorder_cpu *r);

/* One oops survived. (telemetry.c) */
void telemetry_oops(void);

#endif
