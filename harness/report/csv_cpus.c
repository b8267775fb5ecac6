/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpus.csv: what becomes of a profile as it gets more CPUs. One row per profile, phase of ring 3,
 * the cell's other settings, and number of CPUs; repetitions are added up.
 *
 * Throughput is of the phase that a cell has most of (the faults of a loop of mmap, faults and
 * munmap), over the time from the first thread's begin to the last one's end, which workloads with
 * threads report as the phase `elapsed`. Where one clock counts the instructions of all CPUs, that
 * is how much work an operation makes, not how fast N CPUs are: a CPU that waits gives its turn
 * away there, so no factor makes the one of the other.
 */
#include <stdlib.h>
#include <string.h>

#include "report/csv.h"
#include "report/csv_file.h"
#include "report/label_words.h"

struct point {
	const char *profile;
	const char *words;  /* of the label: what tells the cell from others, the CPUs apart */
	const char *series; /* the phase */
	size_t place;	    /* of the curve: the order in which they came */
	unsigned cpus;
	double elapsed; /* 0: this is not the phase that throughput is of */
	struct hist hist;
};

/* How many CPUs the last good cell of a profile had, and whether another had another number. */
struct profile_cpus {
	unsigned cpus;
	bool varies;
};

struct points {
	struct point *v;
	size_t n;
	struct map by_name; /* points, and curves by their first point */
	struct arena *arena;
	struct label_words words;
	struct profile_cpus *profiles;
	size_t nr_profiles;
	struct map by_profile;
};

static bool is_cpus(const char *word, const void *arg)
{
	(void)arg;
	return !strncmp(word, "cpus=", 5);
}

static size_t place_of(struct points *all, const char *name, size_t new)
{
	return *map_put(&all->by_name, name, strlen(name), new);
}

/* The point like `p`, a new one if need be. A curve's place is where its first point is. */
static struct point *find_point(struct points *all, const struct point *p)
{
	const char *curve = arena_printf(all->arena, "%s\n%s\n%s", p->profile, p->words, p->series);
	const char *name = arena_printf(all->arena, "%u\n%s", p->cpus, curve);
	size_t at = place_of(all, name, all->n);

	if (at < all->n)
		return &all->v[at];
	struct point *new = arena_push(all->arena, &all->v, &all->n, sizeof(*new));

	*new = *p;
	new->place = place_of(all, curve, at);
	return new;
}

/* What the cell has most of; NULL if it took no time. */
static const struct result_series *operation(const struct result_cell *c, double *elapsed)
{
	const struct result_series *most = NULL;

	*elapsed = 0;
	for (size_t i = 0; i < c->nr_user; i++) {
		const struct result_series *s = &c->user[i];

		if (result_is_elapsed(s))
			*elapsed = (double)s->hist.sum;
		else if (!most || s->hist.count > most->hist.count)
			most = s;
	}
	return *elapsed > 0 ? most : NULL;
}

static void add_cell(struct points *all, const struct result_cell *c)
{
	double elapsed;
	const struct result_series *counted = operation(c, &elapsed);
	/* without what all have, and without its cpus=N */
	const char *words = label_words_telling(&all->words, c, is_cpus, NULL);

	for (size_t i = 0; i < c->nr_user; i++) {
		const struct result_series *s = &c->user[i];
		struct point p = {
			.profile = c->profile,
			.words = words,
			.series = s->name,
			.cpus = c->cpus,
		};

		if (result_is_elapsed(s) || !s->hist.count)
			continue;
		struct point *to = find_point(all, &p);

		hist_merge(&to->hist, &s->hist);
		to->elapsed += s == counted ? elapsed : 0;
	}
}

static struct profile_cpus *profile_of(struct points *all, const struct result_cell *c)
{
	size_t n = all->nr_profiles, at;

	at = *map_put(&all->by_profile, c->profile, strlen(c->profile), n);
	return at < n ? &all->profiles[at]
		      : arena_push(all->arena, &all->profiles, &all->nr_profiles,
				   sizeof(*all->profiles));
}

/* Which profiles ran, well, with more than one number of CPUs. */
static void find_varying(struct points *all, const struct results *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct result_cell *c = &r->cells[i];

		if (!result_is_ok(c) || !c->cpus)
			continue;
		struct profile_cpus *p = profile_of(all, c);

		p->varies |= p->cpus && p->cpus != c->cpus;
		p->cpus = c->cpus;
	}
}

static struct points collect(const struct results *r)
{
	struct arena *a = r->arena;
	struct points all = {
		.arena = a,
		.by_name = {.arena = a},
		.by_profile = {.arena = a},
		.words = label_words_count(r),
	};

	find_varying(&all, r);
	for (size_t i = 0; i < r->n; i++)
		if (result_is_ok(&r->cells[i]) && profile_of(&all, &r->cells[i])->varies)
			add_cell(&all, &r->cells[i]);
	return all;
}

static int by_curve_and_cpus(const void *a, const void *b)
{
	const struct point *x = a, *y = b;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	return (x->cpus > y->cpus) - (x->cpus < y->cpus);
}

static void write_point(FILE *f, struct arena *a, const struct point *p)
{
	const char *blank = *p->words ? " " : "";
	const char *const names[] = {
		p->profile,
		p->elapsed > 0 ? arena_printf(a, "%s%s%s", p->profile, blank, p->words) : "",
		arena_printf(a, "%s%s%s", p->series, blank, p->words),
	};

	csv_fields(f, names, 3);
	fprintf(f, ",%u", p->cpus);
	csv_number(f, true, p->hist.count);
	if (p->elapsed > 0)
		fprintf(f, ",%.6g", 1e6 * (double)p->hist.count / p->elapsed);
	else
		putc(',', f);
	csv_quantile(f, &p->hist, 0.5);
	csv_quantile(f, &p->hist, 0.99);
	putc('\n', f);
}

/* Each becomes part of a figure's file name, and who wrote the results may not be a friend. */
static bool is_file_name(const char *s)
{
	return *s && *s != '.' &&
	       !s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")];
}

/* In the order of their curves. */
static const char *const *profiles_of(struct arena *a, const struct points *all)
{
	const char **v = NULL;
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		if (is_file_name(all->v[i].profile) && (!n || strcmp(v[n - 1], all->v[i].profile)))
			*(const char **)arena_push(a, &v, &n, sizeof(*v)) = all->v[i].profile;
	*(const char **)arena_push(a, &v, &n, sizeof(*v)) = NULL;
	return v;
}

bool csv_write_cpus(const char *path, const struct results *r, struct cpus_figures *figures,
		    struct diag *d)
{
	FILE *f = csv_start(path, "profile,throughput,latency,cpus,count,per_million,p50,p99", d);

	if (!f)
		return false;
	struct points all = collect(r);

	if (all.n)
		qsort(all.v, all.n, sizeof(*all.v), by_curve_and_cpus);
	*figures = (struct cpus_figures){.profiles = profiles_of(r->arena, &all)};
	for (size_t i = 0; i < all.n; i++) {
		figures->throughput |= all.v[i].elapsed > 0;
		write_point(f, r->arena, &all.v[i]);
		hist_free(&all.v[i].hist);
	}
	return csv_finish(f, path, d);
}
