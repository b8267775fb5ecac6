/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "faultline_abi.h"
#include "results/results.h"

/* Where a cell is being read, for messages. */
struct reading {
	struct arena *arena;
	struct diag *diag;
	const char *file;
	unsigned line;
	bool bad;
};

static void bad(struct reading *r, const char *what, const char *want)
{
	diag_add(r->diag, r->file, r->line, "%s: must be %s", what, want);
	r->bad = true;
}

/* ---- pieces ---- */

static const char *get_string(struct reading *r, const json_t *o, const char *key, bool needed)
{
	const json_t *v = json_object_get(o, key);

	if (json_is_string(v))
		return arena_strdup(r->arena, json_string_value(v));
	if (needed || (v && !json_is_null(v)))
		bad(r, key, "a string");
	return NULL;
}

static int64_t get_count(struct reading *r, const json_t *o, const char *key, int64_t fallback)
{
	const json_t *v = json_object_get(o, key);

	if (!v && fallback >= 0)
		return fallback;
	if (json_is_integer(v) && json_integer_value(v) >= 0)
		return json_integer_value(v);
	bad(r, key, "a whole number, 0 or more");
	return 0;
}

/* -1: it is not there, or null. */
static int64_t get_known(struct reading *r, const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return !v || json_is_null(v) ? -1 : get_count(r, o, key, -1);
}

static const json_t *get_object(struct reading *r, const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	if (v && !json_is_null(v) && !json_is_object(v))
		bad(r, key, "an object or null");
	return json_is_object(v) ? v : NULL;
}

/* One [low, count]; adds it and tells whether it may stand there. */
static bool read_pair(const json_t *pair, struct hist *h, uint64_t *next)
{
	const json_t *low = json_array_get(pair, 0), *count = json_array_get(pair, 1);

	if (json_array_size(pair) != 2 || !json_is_integer(low) || !json_is_integer(count) ||
	    json_integer_value(low) < 0 || json_integer_value(count) <= 0)
		return false;
	uint64_t v = (uint64_t)json_integer_value(low), n = (uint64_t)json_integer_value(count);
	uint32_t bucket = fl_hist_bucket(v);

	if (bucket < *next || fl_hist_low(bucket) != v || h->count + n > INT64_MAX)
		return false;
	*next = bucket + 1ull;
	hist_add_bucket(h, bucket, n);
	return true;
}

static void read_hist(struct reading *r, const json_t *o, const char *name, struct hist *h)
{
	const json_t *pairs = json_object_get(o, "hist"), *pair;
	int64_t count = get_count(r, o, "count", -1), total = get_count(r, o, "sum", -1);
	uint64_t next = 0;
	size_t i;

	if (!json_is_array(pairs)) {
		bad(r, name, "an object with hist, a list");
		return;
	}
	json_array_foreach(pairs, i, pair)
	{
		if (!read_pair(pair, h, &next)) {
			bad(r, name, "given with hist as [[low, count], ...] in rising order");
			return;
		}
	}
	if (h->count != (uint64_t)count)
		bad(r, name, "given with a count that is the sum of its hist");
	h->sum = (uint64_t)total;
}

static void read_series(struct reading *r, const json_t *o, const char *key,
			struct result_series **v, size_t *n)
{
	const json_t *all = get_object(r, o, key);
	const char *name;
	json_t *one;

	json_object_foreach((json_t *)all, name, one)
	{
		struct result_series *s = arena_push(r->arena, v, n, sizeof(*s));

		s->name = arena_strdup(r->arena, name);
		s->phase = arena_strndup(r->arena, name, strcspn(name, "@"));
		if (!json_is_object(one)) {
			bad(r, s->name, "an object");
			continue;
		}
		s->x = (uint64_t)get_count(r, one, "x", 0);
		s->overhead = (uint64_t)get_count(r, one, "overhead", 0);
		s->interrupted = get_known(r, one, "interrupted");
		read_hist(r, one, s->name, &s->hist);
	}
}

static void read_numbers(struct reading *r, const json_t *o, const char *key, const char *prefix,
			 struct result_number **v, size_t *n)
{
	const json_t *all = get_object(r, o, key);
	const char *name;
	json_t *one;

	json_object_foreach((json_t *)all, name, one)
	{
		if (!json_is_integer(one)) {
			bad(r, name, "a whole number");
			continue;
		}
		*(struct result_number *)arena_push(r->arena, v, n, sizeof(**v)) =
			(struct result_number){
				.name = arena_printf(r->arena, "%s%s", prefix, name),
				.value = json_integer_value(one),
			};
	}
}

static const char *read_params(struct reading *r, const json_t *o)
{
	const json_t *params = get_object(r, o, "params");
	const char **v = arena_alloc(r->arena, (json_object_size(params) + 1) * sizeof(*v));
	const char *key;
	size_t n = 0;
	json_t *one;

	json_object_foreach((json_t *)params, key, one)
	{
		if (json_is_integer(one))
			v[n++] = arena_printf(r->arena, "%s=%lld", key,
					      (long long)json_integer_value(one));
		else if (json_is_string(one))
			v[n++] = arena_printf(r->arena, "%s=%s", key, json_string_value(one));
		else
			bad(r, key, "a string or a whole number");
	}
	return cell_key_join(r->arena, v, n);
}

static unsigned read_cpus(const json_t *o)
{
	json_int_t n = json_integer_value(json_object_get(json_object_get(o, "params"), "cpus"));

	return n > 0 && n <= UINT_MAX ? (unsigned)n : 0;
}

static const char *status_word(unsigned i)
{
	return i < NR_CELL_STATUSES ? cell_status_name((enum cell_status)i) : NULL;
}

static const char *engine_word(unsigned i)
{
	return i < NR_ENGINES ? engine_name((enum engine_id)i) : NULL;
}

/* Which of the words word(0), word(1), … (NULL: no more) stands there; 0 if none of them does. */
static unsigned read_word(struct reading *r, const json_t *o, const char *key,
			  const char *(*word)(unsigned))
{
	const char *got = get_string(r, o, key, true), *all = "one of";

	for (unsigned i = 0; got && word(i); i++) {
		if (!strcmp(word(i), got))
			return i;
		all = arena_printf(r->arena, "%s %s", all, word(i));
	}
	if (got)
		bad(r, key, all);
	return 0;
}

bool results_read_cell(struct arena *a, json_t *json, const char *file, unsigned line,
		       struct result_cell *c, struct diag *d)
{
	struct reading r = {.arena = a, .diag = d, .file = file, .line = line};

	*c = (struct result_cell){.line = line};
	if (!json_is_object(json)) {
		bad(&r, "a cell", "an object");
		return false;
	}
	c->profile = get_string(&r, json, "profile", true);
	c->engine = (enum engine_id)read_word(&r, json, "engine", engine_word);
	c->label = get_string(&r, json, "label", false);
	c->status = (enum cell_status)read_word(&r, json, "status", status_word);
	c->reason = get_string(&r, json, "reason", false);
	c->unit = get_string(&r, json, "unit", false);
	c->rep = get_count(&r, json, "rep", -1);
	c->seed = get_count(&r, json, "seed", -1);
	c->params = read_params(&r, json);
	if (c->profile)
		c->key = cell_key_make(a, c->profile, c->params, (unsigned long long)c->rep);
	c->cpus = read_cpus(json);
	const json_t *boot = get_object(&r, json, "boot");
	const json_t *counters = get_object(&r, json, "counters");

	c->have_kernel = boot != NULL;
	c->boot_to_user = boot ? get_count(&r, boot, "to_user", -1) : 0;
	read_series(&r, json, "classes", &c->classes, &c->nr_classes);
	read_series(&r, json, "user", &c->user, &c->nr_user);
	read_numbers(&r, json, "outside", "", &c->outside, &c->nr_outside);
	read_numbers(&r, counters, "vmstat", "vmstat.", &c->counters, &c->nr_counters);
	read_numbers(&r, counters, "tlb", "tlb.", &c->counters, &c->nr_counters);
	if (!c->label)
		c->label = "";
	return !r.bad;
}

void result_cell_free(struct result_cell *c)
{
	for (size_t i = 0; i < c->nr_classes; i++)
		hist_free(&c->classes[i].hist);
	for (size_t i = 0; i < c->nr_user; i++)
		hist_free(&c->user[i].hist);
	*c = (struct result_cell){0};
}

/* ---- files ---- */

static bool add_cell(struct results *r, json_t *json, unsigned line, struct diag *d)
{
	struct result_cell *c = arena_push(r->arena, &r->cells, &r->n, sizeof(*c));

	return results_read_cell(r->arena, json, r->file, line, c, d);
}

/* Whether this is the last line of the file, so that a killed run may have left it half-written. */
static bool is_last(FILE *f)
{
	int c = getc(f);

	if (c != EOF)
		ungetc(c, f);
	return c == EOF;
}

static bool read_lines(struct results *r, FILE *f, struct diag *d)
{
	char *text = NULL;
	size_t room = 0;
	ssize_t len;
	bool good = true;

	for (unsigned line = 1; good && (len = getline(&text, &room, f)) > 0; line++) {
		json_error_t e;
		bool whole = text[len - 1] == '\n';
		json_t *json = json_loadb(text, (size_t)len, JSON_REJECT_DUPLICATES, &e);

		if ((!json || !whole) && is_last(f)) {
			r->truncated = true;
			json_decref(json);
			break;
		}
		if (!json) {
			diag_add(d, r->file, line, "not JSON: %s", e.text);
			good = false;
			break;
		}
		good = add_cell(r, json, line, d);
		json_decref(json);
		r->truncate_at += len;
	}
	free(text);
	return good;
}

static json_t *load_json(const char *file, struct diag *d)
{
	json_error_t e;
	json_t *json = json_load_file(file, JSON_REJECT_DUPLICATES, &e);

	if (!json)
		diag_add(d, file, e.line > 0 ? (unsigned)e.line : 0, "not JSON: %s", e.text);
	return json;
}

static bool read_run_json(struct results *r, struct diag *d)
{
	json_t *run = load_json(r->file, d), *cells = json_object_get(run, "cells"), *one;
	const char *schema = json_string_value(json_object_get(run, "schema"));
	json_t *manifest = json_object_get(run, "manifest");
	bool good = run != NULL;
	size_t i;

	if (good && (!schema || strcmp(schema, RESULTS_SCHEMA) || !json_is_array(cells) ||
		     !json_is_object(manifest))) {
		diag_add(d, r->file, 0,
			 "no run of ours: must be an object with schema \"" RESULTS_SCHEMA
			 "\", manifest and cells");
		good = false;
	}
	if (good && !r->manifest)
		r->manifest = json_incref(manifest);
	json_array_foreach(cells, i, one)
	{
		if (!good)
			break;
		good = add_cell(r, one, 0, d);
	}
	json_decref(run);
	return good;
}

static bool read_manifest(struct results *r, struct diag *d)
{
	const char *file = arena_printf(r->arena, "%s/manifest.json", r->dir);
	struct stat st;

	if (stat(file, &st))
		return true;
	r->manifest = load_json(file, d);
	if (r->manifest && !json_is_object(r->manifest))
		diag_add(d, file, 0, "must be an object");
	return json_is_object(r->manifest);
}

bool results_read(struct arena *a, const char *dir, struct results *r, struct diag *d)
{
	struct stat st;

	*r = (struct results){.dir = dir, .arena = a};
	if (stat(dir, &st)) {
		diag_add(d, dir, 0, "%s", strerror(errno));
		return false;
	}
	if (!S_ISDIR(st.st_mode)) {
		r->file = dir;
		return read_run_json(r, d);
	}
	r->file = arena_printf(a, "%s/cells.jsonl", dir);
	FILE *f = fopen(r->file, "re");

	if (f) {
		bool good = read_lines(r, f, d) && read_manifest(r, d);

		fclose(f);
		return good;
	}
	r->file = arena_printf(a, "%s/run.json", dir);
	if (stat(r->file, &st)) {
		diag_add(d, dir, 0, "no run's directory: holds neither cells.jsonl nor run.json");
		return false;
	}
	return read_run_json(r, d);
}

void results_free(struct results *r)
{
	for (size_t i = 0; i < r->n; i++)
		result_cell_free(&r->cells[i]);
	json_decref(r->manifest);
	*r = (struct results){0};
}

struct map results_by_key(const struct results *r, struct arena *a)
{
	struct map m = {.arena = a};

	for (size_t i = 0; i < r->n; i++)
		map_put(&m, r->cells[i].key.text, r->cells[i].key.len, i);
	return m;
}

size_t *results_firsts(const struct results *r, struct arena *a)
{
	size_t *firsts = arena_alloc(a, r->n * sizeof(*firsts));
	struct map m = {.arena = a};

	for (size_t i = 0; i < r->n; i++)
		firsts[i] = *map_put(&m, r->cells[i].key.text, r->cells[i].key.len_settings, i);
	return firsts;
}

const char *results_manifest(const struct results *r, const char *key, const char *fallback)
{
	const char *s = json_string_value(json_object_get(r->manifest, key));

	return s ? s : fallback;
}

const struct result_series *result_series_find(const struct result_series *v, size_t n,
					       const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i].name, name))
			return &v[i];
	return NULL;
}

bool result_is_elapsed(const struct result_series *s)
{
	return !strcmp(s->phase, "elapsed");
}
