/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run's directory as its readers see it: plot, compare, --resume and the table at the end of a
 * run.
 *
 * It is read as it stands: cells.jsonl if there is one, whose last line may be cut short (the run
 * was killed), else run.json. Everything in it is checked; nothing is taken on trust but the text.
 */
#ifndef HARNESS_RESULTS_H
#define HARNESS_RESULTS_H

#include <jansson.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/hist.h"
#include "base/map.h"
#include "engine/cell_status.h"
#include "engine/engine_id.h"
#include "model/cell_key.h"

#define RESULTS_SCHEMA "faultline-results/1"

/* A histogram by name: a fault class, or a phase that ring 3 saw. */
struct result_series {
	const char *name;  /* class, or phase[@x] */
	const char *phase; /* the same without @x */
	uint64_t x;
	uint64_t overhead;
	struct hist hist;
	int64_t interrupted; /* samples that are not in hist, for that; -1: not known */
};

struct result_number {
	const char *name;
	int64_t value;
};

struct result_cell {
	const char *profile, *label;
	enum engine_id engine;
	enum cell_status status;
	const char *reason; /* NULL if ok */
	const char *unit;   /* NULL if there is none */
	const char *params; /* "key=value key=value ...", sorted */
	struct cell_key key;
	int64_t rep, seed;
	unsigned cpus;	  /* of params; 0 if they do not say */
	bool have_kernel; /* boot, classes, outside, counters are there */
	int64_t boot_to_user;
	struct result_series *classes, *user;
	size_t nr_classes, nr_user;
	struct result_number *outside, *counters; /* counters: vmstat and tlb */
	size_t nr_outside, nr_counters;
	unsigned line;
};

struct results {
	const char *dir, *file; /* as named; what was read */
	struct result_cell *cells;
	size_t n;
	json_t *manifest;    /* NULL if there is none */
	bool truncated;	     /* the last line was dropped... */
	long truncate_at;    /* ...and this many bytes are good */
	struct arena *arena; /* of the caller */
};

/* Reads a run's directory, or a file run.json. False, and the reason in d, if it is not one. */
bool results_read(struct arena *a, const char *dir, struct results *r, struct diag *d);

void results_free(struct results *r);
void result_cell_free(struct result_cell *c);

/* The places in r->cells by key; the first one's where two cells have the same. */
struct map results_by_key(const struct results *r, struct arena *a);
/* For each cell, the place of its first repetition. */
size_t *results_firsts(const struct results *r, struct arena *a);

static inline bool result_is_ok(const struct result_cell *c)
{
	return c->status == CELL_OK;
}

/* A string of the manifest, or the fallback. */
const char *results_manifest(const struct results *r, const char *key, const char *fallback);

/* The series or number of that name, or NULL. */
const struct result_series *result_series_find(const struct result_series *v, size_t n,
					       const char *name);

/* Whether a series of ring 3 is the time that all threads took together, one sample, rather than
 * what an operation takes. */
bool result_is_elapsed(const struct result_series *s);

#endif
