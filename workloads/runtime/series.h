/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The samples of one row, as one thread takes them. One that an interrupt fell into says what the
 * interrupt costs, and when it comes is chance: it is counted, and stays out of the histogram.
 *
 *   1. A sample waits in `pending` with the time when it began.
 *   2. wl_sift() asks the kernel when the thread was last interrupted, once for all that wait:
 *      the kernel notes the time and nothing else (FL_STUBCTL_INTERRUPT), so that what is measured
 *      pays nothing for it, and a sample not even a system call of its own.
 *   3. What began before an interrupt and ended after it is marked. The kernel remembers a few
 *      interrupts only; a sample that is older than the oldest of them is in doubt, and marked.
 *
 * An interrupt is the timer's or the scheduler's. One of another CPU that wants the TLB flushed is
 * the work of memory management itself, and part of the sample.
 *
 * Linux does not tell a thread when it was interrupted: there every sample counts, and how many
 * ought not to is not known.
 */
#ifndef WORKLOADS_SERIES_H
#define WORKLOADS_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faultline_abi.h"
#include "timing.h"

#define SERIES_PENDING 32u

/* In timing.ticks: an interrupt fell into it. */
#define TIMING_INTERRUPTED (1ull << 63)

struct series {
	uint64_t interrupted; /* samples left out */
	uint64_t nr_pending;
	struct timing pending[SERIES_PENDING]; /* in the order of their begins */
	struct fl_hist hist;
};

/* When the thread was interrupted: the last time first. */
struct interrupts {
	uint64_t tsc[FL_INTERRUPTS_KEPT];
	unsigned n;
	bool all; /* there were no others since the time that was asked for */
};

/* Those of the calling thread since `tsc`. Needs: the stub. */
struct interrupts interrupts_since(uint64_t tsc);

/* Marks those of n samples, in the order of their begins, that an interrupt fell into. */
void timing_mark(struct timing *t, size_t n, const struct interrupts *in);

/* Adds what is pending to the histogram or to `interrupted`; `in` NULL: all of it to the former. */
void series_add(struct series *s, uint64_t overhead, const struct interrupts *in);

#endif
