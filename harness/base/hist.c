/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hist.h"
#include "base/xalloc.h"
#include "faultline_abi.h"

/* The first pair whose bucket is at least b. */
static size_t pair_index(const struct hist *h, uint32_t b)
{
	size_t low = 0, high = h->nr_pairs;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (h->pairs[mid].bucket < b)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Room grows by powers of two, so that nr_pairs alone tells when it is used up. */
static void make_room(struct hist *h)
{
	if (h->nr_pairs & (h->nr_pairs - 1))
		return;
	size_t room = h->nr_pairs ? 2 * h->nr_pairs : 1;

	h->pairs = xrealloc(h->pairs, room * sizeof(*h->pairs));
}

void hist_add_bucket(struct hist *h, uint32_t b, uint64_t n)
{
	assert(b < FL_HIST_BUCKETS);
	if (!n)
		return;
	size_t i = pair_index(h, b);

	h->count += n;
	if (i < h->nr_pairs && h->pairs[i].bucket == b) {
		h->pairs[i].count += n;
		return;
	}
	make_room(h);
	memmove(h->pairs + i + 1, h->pairs + i, (h->nr_pairs - i) * sizeof(*h->pairs));
	h->pairs[i] = (struct hist_pair){.bucket = b, .count = n};
	h->nr_pairs++;
}

void hist_set(struct hist *h, const struct hist_pair *pairs, size_t n, uint64_t count, uint64_t sum)
{
	size_t room = 1;

	while (room < n)
		room *= 2;
	*h = (struct hist){.count = count, .sum = sum, .nr_pairs = n};
	if (!n)
		return;
	h->pairs = xrealloc(NULL, room * sizeof(*h->pairs));
	memcpy(h->pairs, pairs, n * sizeof(*pairs));
}

void hist_merge(struct hist *to, const struct hist *from)
{
	for (size_t i = 0; i < from->nr_pairs; i++)
		hist_add_bucket(to, from->pairs[i].bucket, from->pairs[i].count);
	to->sum += from->sum;
}

void hist_free(struct hist *h)
{
	free(h->pairs);
	*h = (struct hist){0};
}

uint64_t hist_min(const struct hist *h)
{
	return h->nr_pairs ? fl_hist_low(h->pairs[0].bucket) : 0;
}

uint64_t hist_max(const struct hist *h)
{
	return h->nr_pairs ? fl_hist_high(h->pairs[h->nr_pairs - 1].bucket) : 0;
}

double hist_mean(const struct hist *h)
{
	return h->count ? (double)h->sum / (double)h->count : 0.0;
}

bool hist_quantile(const struct hist *h, double q, uint64_t *value)
{
	assert(q > 0.0 && q < 1.0);
	uint64_t rank = (uint64_t)(q * (double)h->count);

	/* Nearest rank: the smallest whole number that is at least q * count. */
	if ((double)rank < q * (double)h->count)
		rank++;
	if (!h->count || rank > h->count || h->count - rank < 10)
		return false;
	for (size_t i = 0; i < h->nr_pairs; i++) {
		if (h->pairs[i].count >= rank) {
			*value = fl_hist_high(h->pairs[i].bucket);
			return true;
		}
		rank -= h->pairs[i].count;
	}
	return false;
}
