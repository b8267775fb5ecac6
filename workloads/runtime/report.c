/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was measured in ring 3, on its way to the harness: through the stub, or through the
 * descriptor that FAULTLINE_REPORT_FD names. Run by hand, it becomes a table.
 */
#include "workload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "stubctl.h"

static uint32_t report_pairs(const struct fl_hist *h)
{
	uint32_t n = 0;

	for (uint32_t b = 0; b < FL_HIST_BUCKETS; b++)
		n += h->buckets[b] != 0;
	return n;
}

static size_t report_size(const struct wl_run *run)
{
	size_t size = sizeof(struct fl_report);

	for (unsigned i = 0; i < run->nr_rows; i++)
		size += sizeof(struct fl_report_phase) +
			report_pairs(&run->rows[i].series->hist) * sizeof(struct fl_report_pair);
	return size;
}

static uint32_t interrupted(const struct series *s)
{
	return s->interrupted < FL_NOT_TOLD ? (uint32_t)s->interrupted : FL_NOT_TOLD - 1;
}

/* One row at p; returns the end of it. */
static char *report_put_row(char *p, const struct wl_row *row)
{
	const struct fl_hist *h = &row->series->hist;
	struct fl_report_phase head = {
		.x = row->x,
		.overhead = row->overhead,
		.sum = h->sum,
		.nr_pairs = report_pairs(h),
		.interrupted = row->asks ? interrupted(row->series) : FL_NOT_TOLD,
	};

	snprintf(head.name, sizeof head.name, "%s", row->phase->name);
	memcpy(p, &head, sizeof head);
	p += sizeof head;
	for (uint32_t b = 0; b < FL_HIST_BUCKETS; b++) {
		struct fl_report_pair pair = {b, h->buckets[b]};

		if (!pair.count)
			continue;
		memcpy(p, &pair, sizeof pair);
		p += sizeof pair;
	}
	return p;
}

void *report_encode(const struct wl_run *run, enum fl_report_status status, const char *reason,
		    size_t *len)
{
	struct fl_report head = {
		.magic = FL_REPORT_MAGIC,
		.version = FL_ABI_VERSION,
		.status = status,
		.nr_phases = run->nr_rows,
	};
	size_t size = report_size(run);
	char *buf, *p;

	if (size > FL_USER_REPORT_MAX)
		return NULL;
	buf = p = malloc(size);
	if (!buf)
		return NULL;
	snprintf(head.reason, sizeof head.reason, "%s", reason ? reason : "");
	memcpy(p, &head, sizeof head);
	p += sizeof head;
	for (unsigned i = 0; i < run->nr_rows; i++)
		p = report_put_row(p, &run->rows[i]);
	*len = (size_t)(p - buf);
	return buf;
}

static int report_write(int fd, const char *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Upper bound of the bucket that holds the q-quantile, as the harness gives it. */
static uint64_t report_quantile(const struct fl_hist *h, uint64_t count, double q)
{
	uint64_t rank = (uint64_t)(q * (double)count + 0.999999), seen = 0;
	uint32_t last = 0;

	for (uint32_t b = 0; b < FL_HIST_BUCKETS; b++) {
		if (!h->buckets[b])
			continue;
		last = b;
		seen += h->buckets[b];
		if (seen >= rank)
			break;
	}
	return fl_hist_high(last);
}

static void report_print_row(const struct wl_row *row)
{
	const struct fl_hist *h = &row->series->hist;
	uint64_t count = 0;

	for (uint32_t b = 0; b < FL_HIST_BUCKETS; b++)
		count += h->buckets[b];
	if (!count)
		return;
	printf("%-16s %8" PRIu64 " %8" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %12.1f\n",
	       row->phase->name, row->x, count, report_quantile(h, count, 0.5),
	       report_quantile(h, count, 0.99), report_quantile(h, count, 1.0),
	       (double)h->sum / (double)count);
}

static void report_print(const struct wl_run *run)
{
	if (run->w->prints)
		return;
	printf("%-16s %8s %8s %10s %10s %10s %12s\n", "phase", "x", "count", "p50", "p99", "max",
	       "mean");
	for (unsigned i = 0; i < run->nr_rows; i++)
		report_print_row(&run->rows[i]);
	printf("in ticks of the time-stamp counter, %" PRIu64 " of the pair taken off\n",
	       run->overhead[TIMING_ACCESS]);
}

static int report_by_fd(const char *text, const char *buf, size_t len)
{
	char *end;
	long fd = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || fd < 0)
		return -1;
	return report_write((int)fd, buf, len);
}

int report_deliver(const struct wl_run *run, enum fl_report_status status, const char *reason)
{
	const char *fd = getenv("FAULTLINE_REPORT_FD");
	size_t len = 0;
	char *buf;
	int rc;

	if (!run->on_stub && !fd) {
		if (status == FL_REPORT_OK)
			report_print(run);
		return 0;
	}
	buf = report_encode(run, status, reason, &len);
	if (!buf)
		return -1;
	rc = run->on_stub ? (int)stubctl(FL_STUBCTL_USER_REPORT, (uint64_t)buf, len)
			  : report_by_fd(fd, buf, len);
	free(buf);
	return rc ? -1 : 0;
}
