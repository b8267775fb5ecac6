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

#include "port/port.h"

#include "arch/x86_64/fault_entry.h"

struct recorder_cpu {
	struct fl_hist *hist; /* of the set in force: [FL_NR_CLASSES] */
	struct fl_cpu_block *block;
	struct fl_event *ring; /* NULL unless recorder=raw */
	uint64_t ring_events;
	uint8_t set;
	uint8_t mode;			   /* enum fl_recorder_mode */
	const struct fault_entry *pending; /* noted and not recorded yet */
};

/* Adds one length to the histogram of its class. trap.S has the same in assembly. */
static inline void recorder_hist(struct recorder_cpu *r, unsigned class, uint64_t length)
{
	struct fl_hist *h = &r->hist[class];

	h->sum += length;
	h->buckets[fl_hist_bucket(length)]++;
}

/* The same where the mode is raw: an event, too; a full ring counts the drop. Nothing where it is
 * off. (telemetry.c) */
void recorder_record_other(struct recorder_cpu *r, const struct fault_entry *entry);

/* Records a fault that ends now, with its entry->verdict. */
static inline void recorder_record(struct recorder_cpu *r, const struct fault_entry *entry)
{
	if (unlikely(r->mode != FL_RECORDER_HIST)) {
		recorder_record_other(r, entry);
		return;
	}
	recorder_hist(r, entry->verdict.class, port_tsc() - entry->tsc);
}

/* Records what was noted, if anything was, with the time up to now. */
static inline void recorder_flush(struct recorder_cpu *r)
{
	const struct fault_entry *entry = r->pending;

	if (!entry)
		return;
	r->pending = NULL;
	recorder_record(r, entry);
}

/* A fault that may not return. *entry stays where it is until it does. */
static inline void recorder_note(struct recorder_cpu *r, const struct fault_entry *entry)
{
	recorder_flush(r);
	r->pending = entry;
}

/* One oops survived. (telemetry.c) */
void telemetry_oops(void);

#endif
