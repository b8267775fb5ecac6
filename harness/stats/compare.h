/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What changed between two runs.
 *
 * tcg counts instructions and repeats bit for bit, so everything is compared exactly and every
 * difference is real:
 *
 *   regression   a status got worse; instructions went up (sum, or any of p50 p90 p99 p99.9 max);
 *                more work of a kind (vmstat events) was done; boot took longer
 *   changed      the cell did other work than before (a class or a phase has another count): its
 *                lengths are not comparable; or a distribution moved while sum and percentiles
 *                stood still
 *   missing      a cell is on one side only
 *   improvement  instructions or events went down, nothing of the same series up
 *   note         a level at the end of the run (vmstat gauges) moved
 *
 * A regression, a change or a missing cell makes the whole "worse" (exit 1); improvements and notes
 * do not. Two repetitions within one run that differ are a bug of ours: "nondeterminism", exit 1.
 *
 * Times of kvm and linux need statistics that are not there yet: class counts are compared exactly,
 * the medians are put side by side, and there is no verdict on them.
 */
#ifndef HARNESS_COMPARE_H
#define HARNESS_COMPARE_H

#include "results/results.h"

enum finding_kind {
	FINDING_REGRESSION,
	FINDING_CHANGED,
	FINDING_NONDETERMINISM,
	FINDING_MISSING, /* a cell is on one side only */
	FINDING_IMPROVEMENT,
	FINDING_NOTE,
	FINDING_NO_VERDICT,
	NR_FINDINGS
};

/* One thing that is different about one cell. */
struct finding {
	enum finding_kind kind;
	const char *series; /* a class, "ring 3: PHASE", "boot.to_user", "vmstat.x", "status" */
	const char *what;   /* "count 64 -> 63", "p50 212 -> 213, mean +1.0" */
	bool have_hist;	    /* base and new below are there */
	const struct hist *base, *new;
};

/* All that was found about one cell of the matrix. */
struct compared_cell {
	const char *profile, *label; /* what to call it */
	int64_t rep;
	struct finding *findings;
	size_t n;
	bool both; /* it is on both sides */
};

struct comparison {
	const struct results *base, *new;
	enum engine_id engine; /* of both */
	const char *unit;
	struct compared_cell *cells;
	size_t n;
	size_t of_kind[NR_FINDINGS];
	size_t nr_both;
	bool worse; /* exit 1 */
};

const char *finding_kind_name(enum finding_kind k);

/* Compares. False, and the reason in d, if the two can't be compared (several engines, other seeds,
 * no cells). All memory is from the arena or of the results. */
bool compare_runs(struct arena *a, const struct results *base, const struct results *new,
		  struct comparison *c, struct diag *d);

#endif
