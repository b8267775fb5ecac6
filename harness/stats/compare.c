/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See compare.h for the rules. Steps: check that it makes sense; match cells; compare each. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/vmstat.h"
#include "stats/compare.h"

struct comparing {
	struct arena *arena;
	struct comparison *out;
	struct compared_cell *cell;
	const char *prefix; /* of the series that are being compared; NULL: none */
};

const char *finding_kind_name(enum finding_kind k)
{
	static const char *const names[NR_FINDINGS] = {
		[FINDING_REGRESSION] = "regression",	     [FINDING_CHANGED] = "changed",
		[FINDING_NONDETERMINISM] = "nondeterminism", [FINDING_MISSING] = "missing",
		[FINDING_IMPROVEMENT] = "improvement",	     [FINDING_NOTE] = "note",
		[FINDING_NO_VERDICT] = "no verdict",
	};

	return names[k];
}

static bool is_bad(enum finding_kind k)
{
	return k <= FINDING_MISSING;
}

static struct finding *add(struct comparing *c, enum finding_kind kind, const char *series,
			   const char *what)
{
	struct finding *f = arena_push(c->arena, &c->cell->findings, &c->cell->n, sizeof(*f));

	if (c->prefix)
		series = arena_printf(c->arena, "%s%s", c->prefix, series);
	*f = (struct finding){.kind = kind, .series = series, .what = what};
	c->out->of_kind[kind]++;
	if (is_bad(kind))
		c->out->worse = true;
	return f;
}

/* ---- one series ---- */

static const struct quantile_name {
	const char *name;
	double q;
} quantiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}};

static const char *append(struct comparing *c, const char *text, const char *more)
{
	return arena_printf(c->arena, "%s%s%s", text, *text ? ", " : "", more);
}

/* Adds "p50 212 -> 213" to *text if the two differ; +1 if the new one is higher, -1 lower, 0 same.
 */
static int moved(struct comparing *c, const char **text, const char *name, uint64_t base,
		 uint64_t new)
{
	if (base == new)
		return 0;
	*text = append(c, *text,
		       arena_printf(c->arena, "%s %llu -> %llu", name, (unsigned long long)base,
				    (unsigned long long)new));
	return new > base ? 1 : -1;
}

static bool same_pairs(const struct hist *x, const struct hist *y)
{
	if (x->nr_pairs != y->nr_pairs)
		return false;
	for (size_t i = 0; i < x->nr_pairs; i++)
		if (x->pairs[i].bucket != y->pairs[i].bucket ||
		    x->pairs[i].count != y->pairs[i].count)
			return false;
	return true;
}

static const char *mean_delta(struct comparing *c, const struct hist *base, const struct hist *new)
{
	double b = hist_mean(base), n = hist_mean(new);

	return arena_printf(c->arena, "mean %.2f -> %.2f (%+.2f, %+.2f %%)", b, n, n - b,
			    b > 0 ? 100 * (n - b) / b : 0.0);
}

/* Means, exactly: +1 if the new one is higher, -1 lower, 0 same. */
static int mean_moved(const struct hist *base, const struct hist *new)
{
	unsigned __int128 b = (unsigned __int128)base->sum * new->count;
	unsigned __int128 n = (unsigned __int128)new->sum * base->count;

	return (n > b) - (n < b);
}

/* Lengths of the same samples, or of all but those that interrupts fell into. */
static void compare_lengths(struct comparing *c, const char *series, const struct hist *base,
			    const struct hist *new)
{
	const char *text = "";
	int mean = mean_moved(base, new);
	bool up = mean > 0, down = mean < 0;

	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		uint64_t b = 0, n = 0;

		if (!hist_quantile(base, quantiles[i].q, &b) ||
		    !hist_quantile(new, quantiles[i].q, &n))
			continue;
		int way = moved(c, &text, quantiles[i].name, b, n);

		up |= way > 0;
		down |= way < 0;
	}
	int way = moved(c, &text, "max", hist_max(base), hist_max(new));

	up |= way > 0;
	down |= way < 0;
	if (mean)
		text = append(c, text, mean_delta(c, base, new));
	if (!*text)
		text = "the distribution moved; sum and percentiles did not";
	struct finding *f = add(c,
				up     ? FINDING_REGRESSION
				: down ? FINDING_IMPROVEMENT
				       : FINDING_CHANGED,
				series, text);

	f->have_hist = true;
	f->base = base;
	f->new = new;
}

static uint64_t left_out(const struct result_series *s)
{
	return s->interrupted > 0 ? (uint64_t)s->interrupted : 0;
}

/* How many samples x has in buckets where y has fewer. */
static uint64_t more_in(const struct hist *x, const struct hist *y)
{
	uint64_t more = 0;
	size_t k = 0;

	for (size_t i = 0; i < x->nr_pairs; i++) {
		uint64_t there = 0;

		while (k < y->nr_pairs && y->pairs[k].bucket < x->pairs[i].bucket)
			k++;
		if (k < y->nr_pairs && y->pairs[k].bucket == x->pairs[i].bucket)
			there = y->pairs[k].count;
		if (x->pairs[i].count > there)
			more += x->pairs[i].count - there;
	}
	return more;
}

/* Whether the two differ by no more than what was left out of them: an interrupt fell into a sample
 * here and into none, or another, there. */
static bool same_but_left_out(const struct result_series *base, const struct result_series *new)
{
	return (left_out(base) || left_out(new)) && !same_pairs(&base->hist, &new->hist) &&
	       more_in(&base->hist, &new->hist) <= left_out(new) &&
	       more_in(&new->hist, &base->hist) <= left_out(base);
}

static void compare_hist(struct comparing *c, const char *name, const struct result_series *base,
			 const struct result_series *new)
{
	const struct hist *b = &base->hist, *n = &new->hist;

	if (b->count + left_out(base) != n->count + left_out(new))
		add(c, FINDING_CHANGED, name,
		    arena_printf(c->arena, "count %llu -> %llu",
				 (unsigned long long)(b->count + left_out(base)),
				 (unsigned long long)(n->count + left_out(new))));
	else if (same_but_left_out(base, new))
		add(c, FINDING_NOTE, name,
		    arena_printf(c->arena, "interrupted %llu -> %llu; the others did not move",
				 (unsigned long long)left_out(base),
				 (unsigned long long)left_out(new)));
	else if (b->sum != n->sum || !same_pairs(b, n))
		compare_lengths(c, name, b, n);
}

/* Walks over the names of both sides, each once; a series that is absent is an empty one. */
static void compare_series(struct comparing *c, const char *prefix, const struct result_series *b,
			   size_t nb, const struct result_series *n, size_t nn,
			   void (*compare)(struct comparing *, const char *,
					   const struct result_series *,
					   const struct result_series *))
{
	static const struct result_series empty;

	c->prefix = prefix;
	for (size_t i = 0; i < nb; i++) {
		const struct result_series *other = result_series_find(n, nn, b[i].name);

		compare(c, b[i].name, &b[i], other ? other : &empty);
	}
	for (size_t i = 0; i < nn; i++)
		if (!result_series_find(b, nb, n[i].name))
			compare(c, n[i].name, &empty, &n[i]);
	c->prefix = NULL;
}

/* ---- numbers ---- */

static bool is_gauge(const char *name)
{
	static const char prefix[] = "vmstat.";
	enum fl_vmstat v;

	return !strncmp(name, prefix, sizeof(prefix) - 1) &&
	       vmstat_find(name + sizeof(prefix) - 1, &v) && vmstat_is_gauge(v);
}

/* `place`: where it most likely stands, as it does on the other side. */
static const struct result_number *find_number(const struct result_number *v, size_t n,
					       const char *name, size_t place)
{
	if (place < n && !strcmp(v[place].name, name))
		return &v[place];
	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i].name, name))
			return &v[i];
	return NULL;
}

static void compare_number(struct comparing *c, const char *name, int64_t base, int64_t new,
			   bool gauge)
{
	if (base == new)
		return;
	add(c,
	    gauge	 ? FINDING_NOTE
	    : new > base ? FINDING_REGRESSION
			 : FINDING_IMPROVEMENT,
	    name,
	    arena_printf(c->arena, "%lld -> %lld (%+lld)", (long long)base, (long long)new,
			 (long long)(new - base)));
}

/* A counter that only one side knows came or went with a version: nothing to compare. */
static void compare_counters(struct comparing *c, const struct result_cell *base,
			     const struct result_cell *new)
{
	for (size_t i = 0; i < base->nr_counters; i++) {
		const struct result_number *b = &base->counters[i];
		const struct result_number *n =
			find_number(new->counters, new->nr_counters, b->name, i);

		if (n)
			compare_number(c, b->name, b->value, n->value, is_gauge(b->name));
	}
}

/* Faults outside the measured phases: start-up and warm-up. */
static void compare_outside(struct comparing *c, const struct result_cell *base,
			    const struct result_cell *new)
{
	for (unsigned side = 0; side < 2; side++) {
		const struct result_cell *x = side ? new : base, *y = side ? base : new;

		for (size_t i = 0; i < x->nr_outside; i++) {
			const struct result_number *a = &x->outside[i];
			const struct result_number *b =
				find_number(y->outside, y->nr_outside, a->name, i);
			int64_t other = b ? b->value : 0;

			if (a->value == other || (side && b))
				continue;
			add(c, FINDING_NOTE, arena_printf(c->arena, "outside: %s", a->name),
			    arena_printf(c->arena, "count %lld -> %lld",
					 (long long)(side ? other : a->value),
					 (long long)(side ? a->value : other)));
		}
	}
}

/* ---- one cell ---- */

/* False if the two statuses leave nothing to measure. */
static bool compare_status(struct comparing *c, const struct result_cell *base,
			   const struct result_cell *new)
{
	if (base->status != new->status)
		add(c, new->status > base->status ? FINDING_REGRESSION : FINDING_IMPROVEMENT,
		    "status",
		    arena_printf(c->arena, "%s -> %s%s%s", cell_status_name(base->status),
				 cell_status_name(new->status), new->reason ? ": " : "",
				 new->reason ? new->reason : ""));
	else if (!result_is_ok(base) && base->status != CELL_UNSUPPORTED)
		add(c, FINDING_REGRESSION, "status",
		    arena_printf(c->arena, "%s on both sides: %s", cell_status_name(new->status),
				 new->reason ? new->reason : ""));
	return result_is_ok(base) && result_is_ok(new);
}

typedef void series_fn(struct comparing *c, const char *name, const struct result_series *base,
		       const struct result_series *new);

static void compare_classes(struct comparing *c, const struct result_cell *base,
			    const struct result_cell *new, series_fn *compare)
{
	compare_series(c, NULL, base->classes, base->nr_classes, new->classes, new->nr_classes,
		       compare);
}

static void compare_user(struct comparing *c, const struct result_cell *base,
			 const struct result_cell *new, series_fn *compare)
{
	compare_series(c, "ring 3: ", base->user, base->nr_user, new->user, new->nr_user, compare);
}

static void compare_exact(struct comparing *c, const struct result_cell *base,
			  const struct result_cell *new)
{
	if (!compare_status(c, base, new))
		return;
	compare_classes(c, base, new, compare_hist);
	compare_user(c, base, new, compare_hist);
	compare_number(c, "boot.to_user", base->boot_to_user, new->boot_to_user, false);
	compare_counters(c, base, new);
	compare_outside(c, base, new);
}

/* ---- times, without a verdict ---- */

static void compare_count(struct comparing *c, const char *name, const struct result_series *base,
			  const struct result_series *new)
{
	if (base->hist.count != new->hist.count)
		compare_hist(c, name, base, new);
}

static void show_medians(struct comparing *c, const char *name, const struct result_series *base,
			 const struct result_series *new)
{
	uint64_t b = 0, n = 0;

	if (!hist_quantile(&base->hist, 0.5, &b) || !hist_quantile(&new->hist, 0.5, &n))
		return;
	struct finding *f = add(c, FINDING_NO_VERDICT, name,
				arena_printf(c->arena, "p50 %llu | %llu", (unsigned long long)b,
					     (unsigned long long)n));

	f->have_hist = true;
	f->base = &base->hist;
	f->new = &new->hist;
}

static void compare_times(struct comparing *c, const struct result_cell *base,
			  const struct result_cell *new)
{
	if (!compare_status(c, base, new))
		return;
	compare_classes(c, base, new, compare_count);
	compare_classes(c, base, new, show_medians);
	compare_user(c, base, new, show_medians);
}

/* ---- matching ---- */

/* A side of the comparison, with its cells by key. */
struct side {
	const struct results *r;
	struct map by_key;
};

static struct side side_of(struct arena *a, const struct results *r)
{
	return (struct side){.r = r, .by_key = results_by_key(r, a)};
}

static const struct result_cell *find_cell(const struct side *s, const struct result_cell *like)
{
	size_t at;

	return map_find(&s->by_key, like->key.text, like->key.len, &at) ? &s->r->cells[at] : NULL;
}

static void begin_cell(struct comparing *c, const struct result_cell *cell)
{
	c->cell = arena_push(c->arena, &c->out->cells, &c->out->n, sizeof(*c->cell));
	c->cell->profile = cell->profile;
	c->cell->label = *cell->label ? cell->label : cell->params;
	c->cell->rep = cell->rep;
}

static void check_repetition(struct comparing *c, const struct result_cell *first,
			     const struct result_cell *cell, const char *side)
{
	struct comparison inner = {0};
	struct comparing ci = {.arena = c->arena, .out = &inner};

	begin_cell(&ci, cell);
	compare_exact(&ci, first, cell);
	if (!ci.cell->n)
		return;
	begin_cell(c, cell);
	for (size_t k = 0; k < ci.cell->n; k++)
		add(c, FINDING_NONDETERMINISM, ci.cell->findings[k].series,
		    arena_printf(c->arena, "%s: repetition %lld and %lld differ: %s", side,
				 (long long)first->rep, (long long)cell->rep,
				 ci.cell->findings[k].what));
}

/* A repetition of an exact engine must equal the first one of its own run. */
static void check_repetitions(struct comparing *c, const struct results *r, const char *side)
{
	const size_t *firsts = results_firsts(r, c->arena);

	for (size_t i = 0; i < r->n; i++) {
		const struct result_cell *first = &r->cells[firsts[i]], *cell = &r->cells[i];

		if (first != cell && result_is_ok(first) && result_is_ok(cell))
			check_repetition(c, first, cell, side);
	}
}

static void compare_cell(struct comparing *c, const struct result_cell *base,
			 const struct result_cell *new, bool exact)
{
	begin_cell(c, base);
	c->cell->both = new != NULL;
	if (!new) {
		add(c, FINDING_MISSING, "cell", "not in the new run");
		return;
	}
	c->out->nr_both++;
	if (exact)
		compare_exact(c, base, new);
	else
		compare_times(c, base, new);
}

/* ---- does it make sense? ---- */

static bool check_side(const struct results *r, struct comparison *c, struct diag *d)
{
	if (!r->n) {
		diag_add(d, r->dir, 0, "holds no cell: nothing to compare");
		return false;
	}
	for (size_t i = 0; i < r->n; i++) {
		if (!c->unit)
			c->unit = r->cells[i].unit;
		if (c->engine != r->cells[i].engine) {
			diag_add(d, r->dir, 0,
				 "engines %s and %s can't be compared: run both sides with one",
				 engine_name(c->engine), engine_name(r->cells[i].engine));
			return false;
		}
	}
	return true;
}

static bool check_seeds(const struct results *base, const struct side *new, struct diag *d)
{
	for (size_t i = 0; i < base->n; i++) {
		const struct result_cell *other = find_cell(new, &base->cells[i]);

		if (other && other->seed != base->cells[i].seed) {
			diag_add(d, new->r->dir, 0,
				 "seed %lld, but %lld in %s: run both sides with one seed",
				 (long long)other->seed, (long long)base->cells[i].seed, base->dir);
			return false;
		}
	}
	return true;
}

/* Where two versions of QEMU give CPUs their turns in two ways (docs/engines.md), nothing that
 * several do is alike. What a run without "turns" in its manifest did is not known, and taken on
 * trust. */
static bool check_turns(const struct results *base, const struct side *new, struct diag *d)
{
	const char *turns = results_manifest(base, "turns", NULL);
	const char *others = results_manifest(new->r, "turns", NULL);

	if (!turns || !others || !strcmp(turns, others))
		return true;
	for (size_t i = 0; i < base->n; i++)
		if (base->cells[i].cpus > 1 && find_cell(new, &base->cells[i])) {
			diag_add(d, new->r->dir, 0,
				 "%s gives several CPUs their turns in another way than %s of %s: "
				 "run both sides with one QEMU, or with one CPU",
				 results_manifest(new->r, "qemu", "its QEMU"),
				 results_manifest(base, "qemu", "the QEMU"), base->dir);
			return false;
		}
	return true;
}

static void compare_cells(struct comparing *c, const struct side *base, const struct side *new)
{
	bool exact = engine_is_exact(c->out->engine);

	for (size_t i = 0; i < base->r->n; i++)
		compare_cell(c, &base->r->cells[i], find_cell(new, &base->r->cells[i]), exact);
	for (size_t i = 0; i < new->r->n; i++)
		if (!find_cell(base, &new->r->cells[i])) {
			begin_cell(c, &new->r->cells[i]);
			add(c, FINDING_MISSING, "cell", "not in the base run");
		}
	if (exact) {
		check_repetitions(c, base->r, "base");
		check_repetitions(c, new->r, "new");
	}
}

bool compare_runs(struct arena *a, const struct results *base, const struct results *new,
		  struct comparison *out, struct diag *d)
{
	struct comparing c = {.arena = a, .out = out};

	*out = (struct comparison){.base = base, .new = new};
	if (base->n)
		out->engine = base->cells[0].engine;
	if (!check_side(base, out, d) || !check_side(new, out, d))
		return false;
	struct side b = side_of(a, base), n = side_of(a, new);

	if (!check_seeds(base, &n, d) || !check_turns(base, &n, d))
		return false;
	compare_cells(&c, &b, &n);
	return true;
}
