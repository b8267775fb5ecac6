/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The course of a workload:
 *   1. arguments;
 *   2. is this the stub? A workload that needs it reports `unsupported` elsewhere;
 *   3. the clock: what the pair of readings costs by itself;
 *   4. the program's own pages, so that no fault of theirs falls into a measured part;
 *   5. the body, warming: few rounds, the kernel's phase not opened, samples thrown away. It runs
 *      every path that the real run will and leaves allocators and caches warm;
 *   6. the stub's allocators set aside what they have in pieces (FL_STUBCTL_SETTLE), so that the
 *      size of the program and of what came before doesn't show in what follows;
 *   7. the same random numbers again, and the body for real;
 *   8. the report.
 */
#define _GNU_SOURCE
#include "workload.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "stubctl.h"

#define WARM_ROUNDS 16

static _Noreturn void wl_bug(const struct wl_run *run, const char *what, const char *name)
{
	fprintf(stderr, "%s: internal error: %s '%s'\n", run->w->name, what, name);
	abort();
}

static uint64_t wl_value(const struct wl_run *run, const char *name, enum wl_kind kind)
{
	for (unsigned i = 0; run->w->params[i].name; i++)
		if (strcmp(run->w->params[i].name, name) == 0 && run->w->params[i].kind == kind)
			return run->values[i];
	wl_bug(run, "no parameter", name);
}

uint64_t wl_uint(const struct wl_run *run, const char *name)
{
	return wl_value(run, name, WL_UINT);
}

unsigned wl_enum(const struct wl_run *run, const char *name)
{
	return (unsigned)wl_value(run, name, WL_ENUM);
}

uint64_t wl_rounds(const struct wl_run *run, uint64_t n)
{
	return run->warming && n > WARM_ROUNDS ? WARM_ROUNDS : n;
}

static const struct wl_phase *wl_phase(const struct wl_run *run, const char *name)
{
	for (const struct wl_phase *p = run->w->phases; p->name; p++)
		if (strcmp(p->name, name) == 0)
			return p;
	wl_bug(run, "no phase", name);
}

struct wl_row *wl_row(struct wl_run *run, const char *phase, uint64_t x, enum timing_pair pair)
{
	const struct wl_phase *p = wl_phase(run, phase);
	struct wl_row *row;

	for (unsigned i = 0; i < run->nr_rows; i++)
		if (run->rows[i].phase == p && run->rows[i].x == x)
			return &run->rows[i];
	if (run->nr_rows == WL_MAX_ROWS)
		wl_bug(run, "no room for a row of", phase);
	row = &run->rows[run->nr_rows++];
	row->phase = p;
	row->x = x;
	row->overhead = run->overhead[pair];
	row->asks = run->on_stub;
	row->series = wl_map(run, sizeof *row->series, PROT_READ | PROT_WRITE);
	prefault_range(row->series, sizeof *row->series);
	return row;
}

void wl_sift_row(struct wl_row *row)
{
	struct series *s = row->series;
	struct interrupts in;

	if (!s->nr_pending)
		return;
	if (row->asks)
		in = interrupts_since(s->pending[0].begin);
	series_add(s, row->overhead, row->asks ? &in : NULL);
}

void wl_span(struct wl_row *row, struct timing t)
{
	row->series->pending[row->series->nr_pending++] = t;
	series_add(row->series, row->overhead, NULL);
}

void wl_sift(struct wl_run *run)
{
	for (unsigned i = 0; i < run->nr_rows; i++)
		wl_sift_row(&run->rows[i]);
}

void wl_begin(struct wl_run *run)
{
	wl_sift(run);
	if (run->on_stub && !run->warming)
		stubctl(FL_STUBCTL_PHASE_BEGIN, 0, 0);
}

void wl_end(struct wl_run *run)
{
	if (run->on_stub && !run->warming)
		stubctl(FL_STUBCTL_PHASE_END, 0, 0);
	wl_sift(run);
}

void *wl_map(struct wl_run *run, size_t len, int prot)
{
	void *p = mmap(NULL, len, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		wl_fail(run, "mmap of %zu bytes: %m", len);
	(void)madvise(p, len, MADV_NOHUGEPAGE); /* a kernel without huge pages refuses: as well */
	return p;
}

void wl_unmap(struct wl_run *run, void *p, size_t len)
{
	if (munmap(p, len))
		wl_fail(run, "munmap of %zu bytes: %m", len);
}

void wl_report_early(struct wl_run *run)
{
	wl_sift(run);
	if (report_deliver(run, FL_REPORT_OK, NULL))
		wl_fail(run, "the report was not taken");
}

static _Noreturn void wl_finish(struct wl_run *run, enum fl_report_status status,
				const char *reason)
{
	wl_end(run);
	if (status != FL_REPORT_OK)
		fprintf(stderr, "%s: %s\n", run->w->name, reason);
	if (report_deliver(run, status, reason)) {
		fprintf(stderr, "%s: the report was not taken\n", run->w->name);
		exit(1);
	}
	exit(status == FL_REPORT_FAILED);
}

void wl_fail(struct wl_run *run, const char *fmt, ...)
{
	char reason[FL_REASON_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof reason, fmt, ap);
	va_end(ap);
	wl_finish(run, FL_REPORT_FAILED, reason);
}

void wl_unsupported(struct wl_run *run, const char *fmt, ...)
{
	char reason[FL_REASON_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof reason, fmt, ap);
	va_end(ap);
	wl_finish(run, FL_REPORT_UNSUPPORTED, reason);
}

static void wl_run_body(struct wl_run *run, bool warming)
{
	run->warming = warming;
	run->random.state = run->seed;
	run->w->body(run);
}

static void wl_forget_samples(struct wl_run *run)
{
	for (unsigned i = 0; i < run->nr_rows; i++)
		memset(run->rows[i].series, 0, sizeof *run->rows[i].series);
}

int wl_main(const struct workload *w, int argc, char **argv)
{
	static struct wl_run run;
	char err[256];

	run.w = w;
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		args_help(w);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--describe") == 0) {
		args_describe(w);
		return 0;
	}
	if (args_parse(&run, argc, argv, err, sizeof err)) {
		fprintf(stderr, "%s: %s\n", w->name, err);
		return 2;
	}
	run.on_stub = stubctl_present();
	if (w->needs_stub && !run.on_stub)
		wl_unsupported(&run, "needs the stub: %s", w->needs_stub);
	for (unsigned i = 0; i < TIMING_NR_PAIRS; i++)
		run.overhead[i] = timing_overhead(i);
	prefault_program();
	wl_run_body(&run, true);
	wl_forget_samples(&run);
	if (run.on_stub)
		stubctl(FL_STUBCTL_SETTLE, 0, 0);
	wl_run_body(&run, false);
	wl_finish(&run, FL_REPORT_OK, NULL);
}
