/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faultline_abi.h"
#include "report/csv.h"
#include "report/csv_file.h"
#include "report/label_words.h"

/* count,sum,min,p50,p90,p99,p999,max,mean */
static void summary(FILE *f, const struct hist *h)
{
	csv_number(f, true, h->count);
	csv_number(f, true, h->sum);
	csv_number(f, h->count, hist_min(h));
	csv_quantile(f, h, 0.5);
	csv_quantile(f, h, 0.9);
	csv_quantile(f, h, 0.99);
	csv_quantile(f, h, 0.999);
	csv_number(f, h->count, hist_max(h));
	fprintf(f, ",%.6g", hist_mean(h));
}

/* ---- cells.csv ---- */

static void cell_head(FILE *f, const struct result_cell *c)
{
	const char *const v[] = {c->profile, c->label,
				 c->params,  engine_name(c->engine),
				 c->unit,    cell_status_name(c->status)};

	csv_fields(f, v, sizeof(v) / sizeof(v[0]));
	fprintf(f, ",%lld,%lld", (long long)c->rep, (long long)c->seed);
}

/* interrupted: -1, not known. */
static void cell_tail(FILE *f, const struct result_cell *c, int64_t interrupted)
{
	csv_number(f, c->cpus, c->cpus);
	csv_number(f, interrupted >= 0, (uint64_t)interrupted);
	putc('\n', f);
}

static void cell_rows(FILE *f, const struct result_cell *c, const char *side,
		      const struct result_series *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *const names[] = {side, v[i].name};

		cell_head(f, c);
		putc(',', f);
		csv_fields(f, names, 2);
		fprintf(f, ",%llu", (unsigned long long)v[i].x);
		summary(f, &v[i].hist);
		cell_tail(f, c, v[i].interrupted);
	}
}

bool csv_write_cells(const char *path, const struct results *r, struct diag *d)
{
	FILE *f = csv_start(
		path,
		"profile,label,params,engine,unit,status,rep,seed,side,series,x,count,sum,"
		"min,p50,p90,p99,p999,max,mean,cpus,interrupted",
		d);

	if (!f)
		return false;
	for (size_t i = 0; i < r->n; i++) {
		const struct result_cell *c = &r->cells[i];

		cell_rows(f, c, "kernel", c->classes, c->nr_classes);
		cell_rows(f, c, "user", c->user, c->nr_user);
		if (!c->nr_classes && !c->nr_user) {
			cell_head(f, c);
			fputs(",,,,,,,,,,,,", f);
			cell_tail(f, c, -1);
		}
	}
	return csv_finish(f, path, d);
}

/* ---- curves ---- */

struct curve {
	const char *name;
	struct hist hist;
};

static void merge(struct arena *a, struct curve **v, size_t *n, const char *name,
		  const struct hist *h)
{
	for (size_t i = 0; i < *n; i++)
		if (!strcmp((*v)[i].name, name)) {
			hist_merge(&(*v)[i].hist, h);
			return;
		}
	struct curve *c = arena_push(a, v, n, sizeof(*c));

	c->name = name;
	hist_merge(&c->hist, h);
}

static void merge_cell(struct arena *a, struct curve **v, size_t *n, const struct result_cell *c,
		       bool user)
{
	size_t nr = user ? c->nr_user : c->nr_classes;

	for (size_t i = 0; result_is_ok(c) && i < nr; i++) {
		const struct result_series *s = user ? &c->user[i] : &c->classes[i];

		if (user && result_is_elapsed(s))
			continue;
		merge(a, v, n, user ? arena_printf(a, "%s:%s", c->profile, s->phase) : s->name,
		      &s->hist);
	}
}

/* Each class over all cells that are ok; phases of ring 3 if no cell has classes. */
static struct curve *curves(const struct results *r, size_t *n)
{
	struct curve *v = NULL;

	*n = 0;
	for (size_t i = 0; i < r->n; i++)
		merge_cell(r->arena, &v, n, &r->cells[i], false);
	bool classes = *n != 0;

	for (size_t i = 0; !classes && i < r->n; i++)
		merge_cell(r->arena, &v, n, &r->cells[i], true);
	return v;
}

static void free_curves(struct curve *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hist_free(&v[i].hist);
}

static void percentile_row(FILE *f, const struct curve *c, double share, uint64_t value)
{
	csv_field(f, c->name);
	fprintf(f, ",%llu,%.9g,%.9g,%llu\n", (unsigned long long)c->hist.count, 100.0 * share,
		1.0 / (1.0 - share), (unsigned long long)value);
}

/* A bucket holds for all percentiles from the share below it to the share up to it; the curve ends
 * where only ten samples lie beyond, but shows the median of however few. */
static void percentile_curve(FILE *f, const struct curve *c)
{
	const struct hist *h = &c->hist;
	double count = (double)h->count, end = 1.0 - 10.0 / count;
	uint64_t seen = 0;

	if (end < 0.5)
		end = 0.5;
	for (size_t i = 0; i < h->nr_pairs; i++) {
		double from = (double)seen / count, to;
		uint64_t value = fl_hist_high(h->pairs[i].bucket);

		seen += h->pairs[i].count;
		to = (double)seen / count;
		if (from >= end)
			return;
		percentile_row(f, c, from, value);
		percentile_row(f, c, to < end ? to : end, value);
	}
}

static void cdf_row(FILE *f, const struct curve *c, uint64_t value, uint64_t seen)
{
	csv_field(f, c->name);
	fprintf(f, ",%llu,%llu,%.9g\n", (unsigned long long)c->hist.count,
		(unsigned long long)value, (double)seen / (double)c->hist.count);
}

static void cdf_curve(FILE *f, const struct curve *c)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < c->hist.nr_pairs; i++) {
		uint64_t value = fl_hist_high(c->hist.pairs[i].bucket);

		cdf_row(f, c, value, seen);
		seen += c->hist.pairs[i].count;
		cdf_row(f, c, value, seen);
	}
}

static bool write_curves(const char *path, const char *header, const struct results *r,
			 void (*write_one)(FILE *, const struct curve *), struct diag *d)
{
	FILE *f = csv_start(path, header, d);
	size_t n;

	if (!f)
		return false;
	struct curve *v = curves(r, &n);

	for (size_t i = 0; i < n; i++)
		write_one(f, &v[i]);
	free_curves(v, n);
	return csv_finish(f, path, d);
}

bool csv_write_percentiles(const char *path, const struct results *r, struct diag *d)
{
	return write_curves(path, "curve,count,percentile,inverse,value", r, percentile_curve, d);
}

bool csv_write_cdf(const char *path, const struct results *r, struct diag *d)
{
	return write_curves(path, "curve,count,value,share", r, cdf_curve, d);
}

/* ---- cost against x ---- */

struct cost_row {
	const char *curve;
	size_t place; /* of the curve: the order in which they are drawn */
	uint64_t x;
	const struct hist *hist;
};

/* The rows, and the places of their curves by name. */
struct cost_rows {
	struct cost_row *v;
	size_t n;
	struct map places;
	struct label_words words;
};

/* "vmas=10" goes where x is 10. */
static bool is_x(const char *word, const void *arg)
{
	const char *equals = strchr(word, '=');
	char text[24];

	snprintf(text, sizeof(text), "=%llu", (unsigned long long)*(const uint64_t *)arg);
	return equals && !strcmp(equals, text);
}

/* The phase, and of the cell's label what tells it from others and is not x itself. */
static const char *cost_curve(const struct cost_rows *rows, const struct result_cell *c,
			      const struct result_series *s)
{
	const char *words = label_words_telling(&rows->words, c, is_x, &s->x);

	return arena_printf(rows->words.arena, "%s%s%s", s->phase, *words ? " " : "", words);
}

static int by_curve_and_x(const void *a, const void *b)
{
	const struct cost_row *x = a, *y = b;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	return (x->x > y->x) - (x->x < y->x);
}

static void add_cost_row(struct cost_rows *rows, const struct result_cell *c,
			 const struct result_series *s)
{
	struct cost_row *row = arena_push(rows->words.arena, &rows->v, &rows->n, sizeof(*row));

	row->curve = cost_curve(rows, c, s);
	row->x = s->x;
	row->hist = &s->hist;
	row->place = *map_put(&rows->places, row->curve, strlen(row->curve), rows->places.n);
}

static void write_cost_row(FILE *f, const struct cost_row *row)
{
	csv_field(f, row->curve);
	fprintf(f, ",%llu", (unsigned long long)row->x);
	summary(f, row->hist);
	putc('\n', f);
}

bool csv_write_vma_cost(const char *path, const struct results *r, size_t *n, struct diag *d)
{
	FILE *f = csv_start(path, "curve,x,count,sum,min,p50,p90,p99,p999,max,mean", d);
	struct cost_rows rows = {.places = {.arena = r->arena}};

	*n = 0;
	if (!f)
		return false;
	rows.words = label_words_count(r);
	for (size_t i = 0; i < r->n; i++) {
		const struct result_cell *c = &r->cells[i];

		for (size_t s = 0; result_is_ok(c) && c->rep == 0 && s < c->nr_user; s++)
			if (c->user[s].x && c->user[s].hist.count)
				add_cost_row(&rows, c, &c->user[s]);
	}
	if (rows.n)
		qsort(rows.v, rows.n, sizeof(*rows.v), by_curve_and_x);
	for (size_t i = 0; i < rows.n; i++)
		write_cost_row(f, &rows.v[i]);
	*n = rows.n;
	return csv_finish(f, path, d);
}

/* ---- cost by VMA index ---- */

/* The VMA index that the cell's label names, or NULL. */
static const char *index_of(struct arena *a, const struct result_cell *c)
{
	static const char key[] = "vma_index=";
	const char *at = strstr(c->label, key);

	if (!at || (at != c->label && at[-1] != ' '))
		return NULL;
	at += sizeof(key) - 1;
	return arena_strndup(a, at, strcspn(at, " "));
}

bool csv_write_vma_index(const char *path, const struct results *r, size_t *rows, struct diag *d)
{
	FILE *f = csv_start(path, "phase,vma_index,x,count,sum,min,p50,p90,p99,p999,max,mean", d);

	*rows = 0;
	if (!f)
		return false;
	for (size_t i = 0; i < r->n; i++) {
		const struct result_cell *c = &r->cells[i];
		const char *index = result_is_ok(c) && c->rep == 0 ? index_of(r->arena, c) : NULL;

		for (size_t s = 0; index && s < c->nr_user; s++) {
			const char *const names[] = {c->user[s].phase, index};

			if (!c->user[s].x || !c->user[s].hist.count)
				continue;
			csv_fields(f, names, 2);
			fprintf(f, ",%llu", (unsigned long long)c->user[s].x);
			summary(f, &c->user[s].hist);
			putc('\n', f);
			++*rows;
		}
	}
	return csv_finish(f, path, d);
}

/* ---- about.csv ---- */

/* gnuplot ends a quoted field at a comma: semicolons will do in a title. */
static void about(FILE *f, const char *key, const char *value)
{
	fprintf(f, "%s,", key);
	for (; *value; value++)
		putc(*value == ',' ? ';' : *value == '"' || *value == '\n' ? ' ' : *value, f);
	putc('\n', f);
}

/* What a reader must know of lengths with several CPUs, in two lines. */
static void about_tick(FILE *f, const char *unit)
{
	bool shared = unit && !strcmp(unit, "instructions");

	about(f, "tick",
	      shared ? "a tick is an instruction of any CPU: they take turns. A length includes the "
		       "others' turns where its own ends within it"
		     : "a tick is a cycle of the time-stamp counter: all CPUs run at once");
	about(f, "rate",
	      shared ? "level: several CPUs make no more work than one. Waiting is next to free: "
		       "who waits gives its turn away (docs/engines.md)"
		     : "grey: in proportion to the CPUs");
}

bool csv_write_about(const char *path, const struct results *r, struct diag *d)
{
	FILE *f = csv_start(path, "key,value", d);
	const char *unit = NULL, *engine = "?";
	size_t ok = 0;

	if (!f)
		return false;
	for (size_t i = 0; i < r->n; i++) {
		ok += result_is_ok(&r->cells[i]);
		engine = engine_name(r->cells[i].engine);
		if (!unit)
			unit = r->cells[i].unit;
	}
	bool dirty = json_is_true(json_object_get(r->manifest, "dirty"));

	about(f, "engine", engine);
	about(f, "unit", unit ? unit : "unit unknown");
	about(f, "commit",
	      arena_printf(r->arena, "%.12s%s", results_manifest(r, "commit", "unknown"),
			   dirty ? " and changes" : ""));
	about(f, "caveat", results_manifest(r, "caveat", ""));
	about(f, "cpu", results_manifest(r, "cpu_model", ""));
	about(f, "time", results_manifest(r, "time", ""));
	about(f, "cells", arena_printf(r->arena, "%zu", ok));
	about_tick(f, unit);
	return csv_finish(f, path, d);
}
