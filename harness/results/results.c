/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/xalloc.h"
#include "results/cell_read.h"

/* ---- cells.jsonl ---- */

static void add_cell(struct results *r, const struct result_cell *c)
{
	*(struct result_cell *)arena_push(r->arena, &r->cells, &r->n, sizeof(*c)) = *c;
}

static void say_fault(const struct results *r, unsigned line, const struct pull *p,
		      const struct cell_fault *fault, struct diag *d)
{
	if (p->error)
		diag_add(d, r->file, line, "not JSON: %s", p->error);
	else
		diag_add(d, r->file, line, "%s: must be %s", fault->what, fault->want);
}

/* Whether this is the last line of the file, so that a killed run may have left it half-written. */
static bool is_last(FILE *f)
{
	int c = getc(f);

	if (c != EOF)
		ungetc(c, f);
	return c == EOF;
}

/* One line that was read from f. False if nothing behind it is to be read: it is no good, or cut
 * short. */
static bool read_line(struct results *r, struct cell_reader *cr, FILE *f, const char *text,
		      size_t len, unsigned line, struct diag *d)
{
	struct pull p = {.at = text, .end = text + len, .arena = r->arena};
	struct cell_fault fault;
	struct result_cell c;
	bool good = cell_read(cr, &p, &c, &fault), json = pull_done(&p);

	c.line = line;
	r->truncated = (!json || text[len - 1] != '\n') && is_last(f);
	if (good && json && !r->truncated) {
		add_cell(r, &c);
		r->truncate_at += (long)len;
		return true;
	}
	result_cell_free(&c);
	if (!r->truncated)
		say_fault(r, line, &p, &fault, d);
	return false;
}

static bool read_lines(struct results *r, FILE *f, struct diag *d)
{
	struct cell_reader cr = cell_reader_make(r->arena);
	unsigned before = d->count;
	char *text = NULL;
	size_t room = 0;
	ssize_t len;

	setvbuf(f, NULL, _IOFBF, 1 << 20);
	for (unsigned line = 1; (len = getline(&text, &room, f)) > 0; line++)
		if (!read_line(r, &cr, f, text, (size_t)len, line, d))
			break;
	free(text);
	cell_reader_free(&cr);
	return d->count == before;
}

/* ---- run.json ---- */

/* What of a run.json has been found. */
struct run_parts {
	bool schema, cells;
	struct cell_fault fault; /* of the first bad cell */
};

static void take_schema(struct pull *p, struct run_parts *parts)
{
	struct pull_text t;

	if (pull_kind(p) != PULL_TEXT)
		pull_skip(p);
	else if (pull_text(p, &t))
		parts->schema = pull_is(&t, RESULTS_SCHEMA);
}

static void take_manifest(struct results *r, struct pull *p)
{
	pull_kind(p);
	const char *from = p->at;

	pull_skip(p);
	if (!p->error && !r->manifest)
		r->manifest =
			json_loadb(from, (size_t)(p->at - from), JSON_REJECT_DUPLICATES, NULL);
}

static void take_cells(struct results *r, struct pull *p, struct run_parts *parts)
{
	struct cell_reader cr = cell_reader_make(r->arena);
	struct pull_list in;

	parts->cells = pull_kind(p) == PULL_LIST;
	if (!parts->cells)
		pull_skip(p);
	else
		for (in = pull_open(p); pull_item(p, &in);) {
			struct cell_fault fault;
			struct result_cell c;

			if (cell_read(&cr, p, &c, &fault)) {
				add_cell(r, &c);
				continue;
			}
			result_cell_free(&c);
			if (!parts->fault.what)
				parts->fault = fault;
		}
	cell_reader_free(&cr);
}

static struct run_parts take_run(struct results *r, struct pull *p)
{
	struct run_parts parts = {0};
	struct pull_text key;

	if (pull_kind(p) != PULL_OBJECT) {
		pull_skip(p);
		return parts;
	}
	for (struct pull_list in = pull_open(p); pull_key(p, &in, &key);)
		if (pull_is(&key, "schema"))
			take_schema(p, &parts);
		else if (pull_is(&key, "manifest"))
			take_manifest(r, p);
		else if (pull_is(&key, "cells"))
			take_cells(r, p, &parts);
		else
			pull_skip(p);
	return parts;
}

static unsigned line_of(const char *text, const char *at)
{
	unsigned line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

static void read_run(struct results *r, const char *text, size_t n, struct diag *d)
{
	struct pull p = {.at = text, .end = text + n, .arena = r->arena};
	struct run_parts parts = take_run(r, &p);

	if (!pull_done(&p))
		say_fault(r, line_of(text, p.error_at), &p, NULL, d);
	else if (!parts.schema || !parts.cells || !json_is_object(r->manifest))
		diag_add(d, r->file, 0,
			 "no run of ours: must be an object with schema \"" RESULTS_SCHEMA
			 "\", manifest and cells");
	else if (parts.fault.what)
		say_fault(r, 0, &p, &parts.fault, d);
}

static bool read_run_json(struct results *r, struct diag *d)
{
	FILE *f = fopen(r->file, "re");
	unsigned before = d->count;
	size_t room = 0, n = 0, got;
	char *text = NULL;

	if (!f) {
		diag_add(d, r->file, 0, "%s", strerror(errno));
		return false;
	}
	do {
		room = room ? 2 * room : 1 << 16;
		text = xrealloc(text, room);
		got = fread(text + n, 1, room - n, f);
		n += got;
	} while (n == room);
	fclose(f);
	read_run(r, text, n, d);
	free(text);
	return d->count == before;
}

/* ---- a run ---- */

static json_t *load_json(const char *file, struct diag *d)
{
	json_error_t e;
	json_t *json = json_load_file(file, JSON_REJECT_DUPLICATES, &e);

	if (!json)
		diag_add(d, file, e.line > 0 ? (unsigned)e.line : 0, "not JSON: %s", e.text);
	return json;
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
