/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "series.h"

#include "stubctl.h"

struct interrupts interrupts_since(uint64_t tsc)
{
	struct interrupts in = {.n = 0};

	while (in.n < FL_INTERRUPTS_KEPT) {
		uint64_t at = (uint64_t)stubctl(FL_STUBCTL_INTERRUPT, in.n, 0);

		if (at <= tsc) { /* 0: there was none */
			in.all = true;
			break;
		}
		in.tsc[in.n++] = at;
	}
	return in;
}

static bool fell_into(const struct timing *t, const struct interrupts *in)
{
	for (unsigned i = 0; i < in->n; i++)
		if (in->tsc[i] >= t->begin && in->tsc[i] - t->begin <= t->ticks)
			return true;
	return !in->all && t->begin < in->tsc[in->n - 1];
}

void timing_mark(struct timing *t, size_t n, const struct interrupts *in)
{
	for (size_t i = 0; i < n; i++)
		if (fell_into(&t[i], in))
			t[i].ticks |= TIMING_INTERRUPTED;
}

static void add(struct series *s, uint64_t overhead, uint64_t ticks)
{
	ticks = ticks > overhead ? ticks - overhead : 0;
	s->hist.buckets[fl_hist_bucket(ticks)]++;
	s->hist.sum += ticks;
}

void series_add(struct series *s, uint64_t overhead, const struct interrupts *in)
{
	if (in)
		timing_mark(s->pending, s->nr_pending, in);
	for (uint64_t i = 0; i < s->nr_pending; i++)
		if (s->pending[i].ticks & TIMING_INTERRUPTED)
			s->interrupted++;
		else
			add(s, overhead, s->pending[i].ticks);
	s->nr_pending = 0;
}
