/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "engine/report.h"

#define MAX_PHASES 64u

/* What is left of the report. */
struct cursor {
	const char *at;
	size_t left;
};

static bool take(struct cursor *c, void *to, size_t n)
{
	if (c->left < n)
		return false;
	memcpy(to, c->at, n);
	c->at += n;
	c->left -= n;
	return true;
}

static bool good_name(const char *s, size_t size)
{
	size_t n = strnlen(s, size);

	return n && n < size && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

/* The sum was added up apart from the buckets, so the two vouch for one another. */
static bool sum_fits(uint64_t sum, unsigned __int128 low, unsigned __int128 high)
{
	return high > UINT64_MAX || (sum >= low && sum <= high);
}

static const char *parse_pairs(struct cursor *c, uint32_t n, struct hist *h, uint64_t sum)
{
	unsigned __int128 low = 0, high = 0;
	uint32_t next = 0;

	if (c->left / sizeof(struct fl_report_pair) < n)
		return "the user report ends in the middle of a histogram";
	for (uint32_t i = 0; i < n; i++) {
		struct fl_report_pair pair;

		take(c, &pair, sizeof(pair));
		if (pair.bucket >= FL_HIST_BUCKETS || pair.bucket < next || !pair.count)
			return "a histogram of the user report is not in rising order of buckets";
		next = pair.bucket + 1;
		hist_add_bucket(h, pair.bucket, pair.count);
		low += (unsigned __int128)fl_hist_low(pair.bucket) * pair.count;
		high += (unsigned __int128)fl_hist_high(pair.bucket) * pair.count;
	}
	if (!sum_fits(sum, low, high))
		return "a sum of the user report contradicts its histogram";
	h->sum = sum;
	return NULL;
}

static const char *parse_phase(struct cursor *c, struct user_phase *to)
{
	struct fl_report_phase p;

	if (!take(c, &p, sizeof(p)))
		return "the user report ends in the middle of a phase";
	if (!good_name(p.name, sizeof(p.name)))
		return "a phase of the user report has a bad name";
	memcpy(to->name, p.name, sizeof(to->name));
	to->x = p.x;
	to->overhead = p.overhead;
	to->told = p.interrupted != FL_NOT_TOLD;
	to->interrupted = to->told ? p.interrupted : 0;
	return parse_pairs(c, p.nr_pairs, &to->hist, p.sum);
}

static const char *check_header(const struct fl_report *r)
{
	if (r->magic != FL_REPORT_MAGIC)
		return "the user report has no magic number";
	if (r->version != FL_ABI_VERSION)
		return "the user report is of another version of faultline_abi.h";
	if (r->status > FL_REPORT_UNSUPPORTED)
		return "the user report has an unknown status";
	if (r->nr_phases > MAX_PHASES)
		return "the user report has too many phases";
	if (!memchr(r->reason, '\0', sizeof(r->reason)))
		return "the reason in the user report has no end";
	return NULL;
}

static void free_phases(struct user_phase *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hist_free(&p[i].hist);
	free(p);
}

const char *report_parse(const void *data, size_t len, struct outcome *out, char **reason)
{
	struct cursor c = {data, len};
	struct user_phase *phases;
	struct fl_report r;
	const char *why = NULL;

	if (!take(&c, &r, sizeof(r)))
		return "the user report is shorter than its header";
	why = check_header(&r);
	if (why)
		return why;
	phases = xcalloc(r.nr_phases, sizeof(*phases));
	for (uint32_t i = 0; i < r.nr_phases && !why; i++)
		why = parse_phase(&c, &phases[i]);
	if (!why && c.left)
		why = "there is more in the user report than its phases";
	if (why) {
		free_phases(phases, r.nr_phases);
		return why;
	}
	out->phases = phases;
	out->nr_phases = r.nr_phases;
	out->report_status = (enum fl_report_status)r.status;
	out->have_report = true;
	*reason = xstrdup(r.reason);
	return NULL;
}
