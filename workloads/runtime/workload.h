/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A workload is a description and a body. The runtime reads the arguments (key=value), says what
 * there is (--help, --describe), measures the clock, brings the program's own memory in, runs the
 * body once to warm up and once for real, and reports.
 *
 * A program defines `const struct workload workload` and nothing else of a main.
 *
 * The body
 *   1. asks for its parameters (wl_uint, wl_enum) and its rows (wl_row),
 *   2. prepares what it will touch,
 *   3. opens the measured part (wl_begin), takes samples (timing.h, wl_sample), closes it (wl_end),
 *   4. checks the data that the faults should have left, and calls wl_fail if they are not there.
 *
 * Between wl_begin and wl_end a body causes no faults but those that it is there for: the kernel
 * counts every one. It makes no call of libc's that may allocate.
 *
 * Exit status: 0 the work was done or cannot be done here (the report says which), 1 a check
 * failed, 2 wrong arguments.
 */
#ifndef WORKLOADS_WORKLOAD_H
#define WORKLOADS_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faultline_abi.h"
#include "prefault.h"
#include "random.h"
#include "series.h"
#include "timing.h"

enum wl_kind { WL_UINT, WL_ENUM };

struct wl_param {
	const char *name;
	enum wl_kind kind;
	const char *fallback;
	uint64_t min, max;   /* WL_UINT */
	const char *choices; /* WL_ENUM: "a|b|c" */
	const char *doc;
};

/* A workload's parameters: WL_PARAMS(WL_NUMBER(…), WL_CHOICE(…)). */
#define WL_PARAMS(...) ((const struct wl_param[]){__VA_ARGS__, {.name = NULL}})
#define WL_NUMBER(name_, fallback_, min_, max_, doc_)                                              \
	{                                                                                          \
		.name = name_, .kind = WL_UINT, .fallback = fallback_, .min = min_, .max = max_,   \
		.doc = doc_                                                                        \
	}
#define WL_CHOICE(name_, fallback_, choices_, doc_)                                                \
	{                                                                                          \
		.name = name_, .kind = WL_ENUM, .fallback = fallback_, .choices = choices_,        \
		.doc = doc_                                                                        \
	}

struct wl_phase {
	const char *name; /* [a-z0-9_]+, under 32 characters */
	const char *doc;
};
#define WL_PHASES(...) ((const struct wl_phase[]){__VA_ARGS__, {.name = NULL}})

struct wl_run;

struct workload {
	const char *name, *doc;
	const struct wl_param *params; /* ends with a NULL name */
	const struct wl_phase *phases; /* ends with a NULL name */
	const char *needs_stub;	       /* why it cannot run without stubctl; NULL if it can */
	bool prints;		       /* the body writes its results to stdout itself */
	void (*body)(struct wl_run *run);
};

extern const struct workload workload;

/* One row of results: a phase at one value of its independent variable. */
struct wl_row {
	const struct wl_phase *phase;
	uint64_t x;
	uint64_t overhead; /* taken off every sample */
	bool asks;	   /* the kernel tells of interrupts */
	struct series *series;
};

#define WL_MAX_PARAMS 16
#define WL_MAX_ROWS 64

struct wl_run {
	const struct workload *w;
	uint64_t values[WL_MAX_PARAMS]; /* by place in w->params; an enum's choice by place */
	uint64_t seed;
	bool on_stub;
	bool warming;
	uint64_t overhead[TIMING_NR_PAIRS];
	struct random random; /* reseeded before each run of the body */
	struct wl_row rows[WL_MAX_ROWS];
	unsigned nr_rows;
};

/* ---- for bodies ---- */

/* The value of a parameter that the description has; an enum's as its place among the choices. */
uint64_t wl_uint(const struct wl_run *run, const char *name);
unsigned wl_enum(const struct wl_run *run, const char *name);

/* How many rounds to make of n: all, or a few in the warm-up. */
uint64_t wl_rounds(const struct wl_run *run, uint64_t n);

/* The row of a phase that the description has; the same one for the same phase and x. `pair` says
 * how its samples are taken. Its memory is in. */
struct wl_row *wl_row(struct wl_run *run, const char *phase, uint64_t x, enum timing_pair pair);

/* Sifts the samples that one row still has. Needs: this thread took them. */
void wl_sift_row(struct wl_row *row);

/* Adds a sample as the timing functions return it; one that an interrupt fell into does not count.
 * Which those are is sifted every few samples, by wl_begin and wl_end, and by wl_sift: the
 * sooner the better, since the kernel remembers few interrupts. */
static inline void wl_sample(struct wl_row *row, struct timing t)
{
	struct series *s = row->series;

	s->pending[s->nr_pending++] = t;
	if (s->nr_pending == SERIES_PENDING)
		wl_sift_row(row);
}

/* Behind samples that were not taken between wl_begin and wl_end. */
void wl_sift(struct wl_run *run);

/* Adds a stretch of time in which many things happened: interrupts belong to it. Needs: no samples
 * in this row. */
void wl_span(struct wl_row *row, struct timing t);

/* What the kernel records between the two belongs to the measured phase. Nothing in the warm-up. */
void wl_begin(struct wl_run *run);
void wl_end(struct wl_run *run);

/* Private anonymous memory without huge pages, not touched; fails the run if there is none. */
void *wl_map(struct wl_run *run, size_t len, int prot);
void wl_unmap(struct wl_run *run, void *p, size_t len);

/* Hands over what was measured so far as a good report: before something that ends the program. */
void wl_report_early(struct wl_run *run);

/* Ends the program: something that must hold does not. */
_Noreturn void wl_fail(struct wl_run *run, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Ends the program: this cannot be measured here. */
_Noreturn void wl_unsupported(struct wl_run *run, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- the runtime's own parts ---- */

/* Runs a workload: what main does. */
int wl_main(const struct workload *w, int argc, char **argv);

/* args.c: reads `key=value` into run->values and run->seed. 0, or -1 with the complaint in err. */
int args_parse(struct wl_run *run, int argc, char **argv, char *err, size_t size);
void args_help(const struct workload *w);
void args_describe(const struct workload *w);

/* report.c: the bytes of a report (see faultline_abi.h) in memory of their own; *len their number.
 * NULL if they would not fit. */
void *report_encode(const struct wl_run *run, enum fl_report_status status, const char *reason,
		    size_t *len);
/* To the stub, or to FAULTLINE_REPORT_FD, or as a table to stdout. 0, or -1: nobody took it. */
int report_deliver(const struct wl_run *run, enum fl_report_status status, const char *reason);

#endif
