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

static bool same_cell(const struct result_cell *x, const struct result_cell *y)
{
	return !strcmp(x->profile, y->profile) && !strcmp(x->params, y->params) &&
	       x->engine == y->engine;
}

/* Series i of cell c and of all its repetitions. */
static struct hist over_reps(const struct results *r, const struct result_cell *c, bool user,
			     size_t i)
{
	const char *name = user ? c->user[i].name : c->classes[i].name;
	struct hist h = {0};

	for (size_t k = 0; k < r->n; k++) {
		const struct result_cell *o = &r->cells[k];
		const struct result_series *s =
			user ? result_series_find(o->user, o->nr_user, name)
			     : result_series_find(o->classes, o->nr_classes, name);

		if (s && same_cell(c, o) && (o == c || !engine_is_exact(c->engine)))
			hist_merge(&h, &s->hist);
	}
	return h;
}

static void rows(FILE *to, const struct results *r, const struct result_cell *c, bool user)
{
	size_t n = user ? c->nr_user : c->nr_classes;

	for (size_t i = 0; i < n; i++) {
		struct hist h = over_reps(r, c, user, i);

		if (h.count)
			row(to, user ? "ring 3: " : "", user ? c->user[i].name : c->classes[i].name,
			    &h);
		hist_free(&h);
	}
}

static unsigned repetitions(const struct results *r, const struct result_cell *c)
{
	unsigned n = 0;

	for (size_t k = 0; k < r->n; k++)
		n += same_cell(c, &r->cells[k]);
	return n;
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
static void cell_line(FILE *to, const struct results *r, const struct result_cell *c)
{
	unsigned reps = repetitions(r, c);
	const char *times = "", *trouble = "";

	if (c->rep == 0 && reps > 1)
		times = arena_printf(r->arena, " (%u times)", reps);
	if (!result_is_ok(c))
		trouble = arena_printf(r->arena, ", repetition %lld: %s: %s", (long long)c->rep,
				       cell_status_name(c->status), c->reason ? c->reason : "");
	wrap(to, arena_printf(r->arena, "%s%s%s%s%s", c->profile, *c->label ? " " : "", c->label,
			      times, trouble));
}

void table_print(FILE *to, const struct results *r)
{
	if (!r->n)
		return;
	heading(to, r);
	for (size_t i = 0; i < r->n; i++) {
		const struct result_cell *c = &r->cells[i];

		if (c->rep != 0 && result_is_ok(c))
			continue;
		cell_line(to, r, c);
		if (c->rep == 0) {
			rows(to, r, c, false);
			rows(to, r, c, true);
		}
	}
}
