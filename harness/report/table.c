/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "report/table.h"

enum { NAME_WIDTH = 31, COLUMNS = 100 };

/* Words up to the last column, further lines indented by four. */
static void wrap(FILE *to, const char *text)
{
	size_t used = 0;

	while (*text) {
		size_t n = strcspn(text, " \n");

		if (used && used + 1 + n > COLUMNS)
			used = (size_t)fprintf(to, "\n   ") - 1;
		used += (size_t)fprintf(to, "%s%.*s", used ? " " : "", (int)n, text);
		text += n;
		text += strspn(text, " \n");
	}
	putc('\n', to);
}

static void quantile(FILE *to, const struct hist *h, double q)
{
	uint64_t v;

	if (hist_quantile(h, q, &v))
		fprintf(to, " %9llu", (unsigned long long)v);
	else
		fprintf(to, " %9s", "-");
}

static void row(FILE *to, const char *prefix, const char *name, const struct hist *h)
{
	int room = NAME_WIDTH - (int)strlen(prefix);

	fprintf(to, "  %s%-*.*s %9llu", prefix, room, room, name, (unsigned long long)h->count);
	quantile(to, h, 0.5);
	quantile(to, h, 0.9);
	quantile(to, h, 0.99);
	fprintf(to, " %11llu %11.1f\n", (unsigned long long)hist_max(h), hist_mean(h));
}

/* The repetitions of each cell, as a chain from the first one. */
struct chains {
	const struct results *r;
	const size_t *firsts;
	size_t *next;	/* the place of the next repetition; r->n: none */
	unsigned *reps; /* how many there are, in the first one's place */
};

static struct chains chain_up(struct arena *a, const struct results *r)
{
	struct chains c = {.r = r, .firsts = results_firsts(r, a)};
	size_t *last = arena_alloc(a, r->n * sizeof(*last));

	c.next = arena_alloc(a, r->n * sizeof(*c.next));
	c.reps = arena_alloc(a, r->n * sizeof(*c.reps));
	for (size_t i = 0; i < r->n; i++) {
		size_t first = c.firsts[i];

		if (first != i)
			c.next[last[first]] = i;
		last[first] = i;
		c.next[i] = r->n;
		c.reps[first]++;
	}
	return c;
}

static const struct result_series *find_series(const struct result_cell *c, bool user,
					       const char *name)
{
	return user ? result_series_find(c->user, c->nr_user, name)
		    : result_series_find(c->classes, c->nr_classes, name);
}

/* Series i of the cell and of all its repetitions, or of it alone where they are exact copies. */
static struct hist over_reps(const struct chains *chains, size_t cell, bool user, size_t i)
{
	const struct result_cell *c = &chains->r->cells[cell];
	const char *name = user ? c->user[i].name : c->classes[i].name;
	bool exact = engine_is_exact(c->engine);
	struct hist h = {0};

	if (exact)
		hist_merge(&h, user ? &c->user[i].hist : &c->classes[i].hist);
	for (size_t k = chains->firsts[cell]; !exact && k < chains->r->n; k = chains->next[k]) {
		const struct result_series *s = find_series(&chains->r->cells[k], user, name);

		if (s)
			hist_merge(&h, &s->hist);
	}
	return h;
}

static void rows(FILE *to, const struct chains *chains, size_t cell, bool user)
{
	const struct result_cell *c = &chains->r->cells[cell];
	size_t n = user ? c->nr_user : c->nr_classes;

	for (size_t i = 0; i < n; i++) {
		struct hist h = over_reps(chains, cell, user, i);

		if (h.count)
			row(to, user ? "ring 3: " : "", user ? c->user[i].name : c->classes[i].name,
			    &h);
		hist_free(&h);
	}
}

static void heading(FILE *to, const struct results *r)
{
	const char *unit = "their own unit", *caveat = results_manifest(r, "caveat", "");

	for (size_t i = r->n; i-- > 0;)
		if (r->cells[i].unit)
			unit = r->cells[i].unit;
	fprintf(to, "Engine %s, lengths in %s.\n", engine_name(r->cells[0].engine), unit);
	if (*caveat)
		wrap(to, arena_printf(r->arena, "Note: %s", caveat));
	fprintf(to, "\n%-*s %9s %9s %9s %9s %11s %11s\n", NAME_WIDTH + 2,
		"fault class, or ring-3 phase", "count", "p50", "p90", "p99", "max", "mean");
}

/* "anon-touch order=random (3 times)", and what went wrong if something did. */
static void cell_line(FILE *to, struct arena *a, const struct result_cell *c, unsigned reps)
{
	const char *times = "", *trouble = "";

	if (c->rep == 0 && reps > 1)
		times = arena_printf(a, " (%u times)", reps);
	if (!result_is_ok(c))
		trouble = arena_printf(a, ", repetition %lld: %s: %s", (long long)c->rep,
				       cell_status_name(c->status), c->reason ? c->reason : "");
	wrap(to, arena_printf(a, "%s%s%s%s%s", c->profile, *c->label ? " " : "", c->label, times,
			      trouble));
}

void table_print(FILE *to, const struct results *r)
{
	struct arena a = {0};
	struct chains chains = chain_up(&a, r);

	if (r->n)
		heading(to, r);
	for (size_t i = 0; i < r->n; i++) {
		const struct result_cell *c = &r->cells[i];

		if (c->rep != 0 && result_is_ok(c))
			continue;
		cell_line(to, &a, c, chains.reps[chains.firsts[i]]);
		if (c->rep == 0) {
			rows(to, &chains, i, false);
			rows(to, &chains, i, true);
		}
	}
	arena_free(&a);
}
