/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The histogram of faultline_abi.h on the host's side: 64-bit counts, sparse pairs, percentiles. */
#ifndef HARNESS_HIST_H
#define HARNESS_HIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hist_pair {
	uint32_t bucket;
	uint64_t count;
};

/* Pairs in rising bucket order, none with count 0. All zero is an empty histogram. */
struct hist {
	uint64_t count, sum;
	struct hist_pair *pairs; /* malloc'ed */
	size_t nr_pairs;
};

/* Adds n at bucket b (b < FL_HIST_BUCKETS). Aborts without memory. */
void hist_add_bucket(struct hist *h, uint32_t b, uint64_t n);
/* Makes an empty histogram hold n pairs (in rising bucket order, no count 0), copied; `count` is
 * theirs together. */
void hist_set(struct hist *h, const struct hist_pair *pairs, size_t n, uint64_t count,
	      uint64_t sum);
void hist_merge(struct hist *to, const struct hist *from);
void hist_free(struct hist *h);

/* Bounds of the lowest and highest bucket in use; 0 if empty. */
uint64_t hist_min(const struct hist *h);
uint64_t hist_max(const struct hist *h);
double hist_mean(const struct hist *h);

/* The upper bound of the bucket that holds the q-quantile (nearest rank), 0 < q < 1. False, and
 * *value untouched, if fewer than ten samples lie beyond it. */
bool hist_quantile(const struct hist *h, double q, uint64_t *value);

#endif
