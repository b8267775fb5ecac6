/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "faultline_abi.h"
#include "results/cell_read.h"

struct known_name {
	const char *text, *phase; /* with the prefix; up to an @ */
	size_t seen;		  /* in which list of names last */
};

/* The cell that is being read. */
struct reading {
	struct cell_reader *cr;
	struct pull *p;
	struct result_cell *c;
	struct cell_fault fault; /* the first one; NULLs: none yet */
};

struct cell_reader cell_reader_make(struct arena *a)
{
	return (struct cell_reader){
		.arena = a,
		.series = {.prefix = "", .map = {.arena = a}},
		.outside = {.prefix = "", .map = {.arena = a}},
		.vmstat = {.prefix = "vmstat.", .map = {.arena = a}},
		.tlb = {.prefix = "tlb.", .map = {.arena = a}},
		.words = {.prefix = "", .map = {.arena = a}},
	};
}

void cell_reader_free(struct cell_reader *cr)
{
	free(cr->pairs);
	free(cr->all_series);
	free(cr->numbers);
	free(cr->params);
	free(cr->param_texts);
}

static void bad(struct reading *r, const char *what, const char *want)
{
	if (!r->fault.what)
		r->fault = (struct cell_fault){what, want};
}

static const char *copy(struct reading *r, const struct pull_text *t)
{
	return arena_strndup(r->cr->arena, t->s, t->n);
}

/* Room for n elements; the old ones stay. */
static void *make_room(void *v, size_t *room, size_t n, size_t size)
{
	if (n <= *room)
		return v;
	*room = 2 * n;
	return xrealloc(v, *room * size);
}

/* What was gathered in such room, for as long as the results. */
static void *keep(struct reading *r, const void *v, size_t n, size_t size)
{
	void *copy = arena_alloc(r->cr->arena, n * size);

	return n ? memcpy(copy, v, n * size) : copy;
}

/* ---- names ---- */

static struct known_name *know(struct reading *r, struct known_names *names,
			       const struct pull_text *t)
{
	struct arena *a = r->cr->arena;
	size_t at;

	if (map_find(&names->map, t->s, t->n, &at))
		return &names->v[at];
	const char *key = copy(r, t);
	struct known_name *k = arena_push(a, &names->v, &names->n, sizeof(*k));

	map_put(&names->map, key, t->n, names->n - 1);
	k->text = *names->prefix ? arena_printf(a, "%s%s", names->prefix, key) : key;
	k->phase = arena_strndup(a, key, strcspn(key, "@"));
	return k;
}

/* The next name of a list of names, each of which may stand there once. */
static struct known_name *know_once(struct reading *r, struct known_names *names,
				    const struct pull_text *t)
{
	struct known_name *k = know(r, names, t);

	if (k->seen == r->cr->maps)
		bad(r, k->text, "there once");
	k->seen = r->cr->maps;
	return k;
}

/* ---- pieces ---- */

static bool comes(struct reading *r, enum pull_kind kind, const char *what, const char *want)
{
	if (pull_kind(r->p) == kind)
		return true;
	pull_skip(r->p);
	if (want)
		bad(r, what, want);
	return false;
}

/* Takes a null, if one comes. */
static bool takes_null(struct reading *r)
{
	bool null = pull_kind(r->p) == PULL_NULL;

	if (null)
		pull_skip(r->p);
	return null;
}

/* An object, or null, which is none. */
static bool object_comes(struct reading *r, const char *what)
{
	return !takes_null(r) && comes(r, PULL_OBJECT, what, "an object or null");
}

static bool take_count(struct reading *r, const char *what, int64_t *to)
{
	static const char want[] = "a whole number, 0 or more";

	if (!comes(r, PULL_NUMBER, what, want))
		return false;
	bool whole = pull_integer(r->p, to);

	if (whole && *to >= 0)
		return true;
	bad(r, what, want);
	*to = 0;
	return false;
}

/* ---- a histogram ---- */

/* Takes the next value; false if it is no whole number. */
static bool take_whole(struct reading *r, int64_t *to)
{
	if (pull_kind(r->p) == PULL_NUMBER)
		return pull_integer(r->p, to);
	pull_skip(r->p);
	return false;
}

/* One [low, count] behind a bucket below `next`. */
static bool take_pair(struct reading *r, struct hist_pair *pair, uint64_t *next)
{
	int64_t v[2] = {0};
	size_t n = 0;

	if (pull_kind(r->p) != PULL_LIST) {
		pull_skip(r->p);
		return false;
	}
	for (struct pull_list in = pull_open(r->p); pull_item(r->p, &in); n++)
		if (n >= 2)
			pull_skip(r->p);
		else if (!take_whole(r, &v[n]))
			v[n] = -1;
	if (n != 2 || v[0] < 0 || v[1] <= 0)
		return false;
	pair->bucket = (uint32_t)fl_hist_bucket((uint64_t)v[0]);
	pair->count = (uint64_t)v[1];
	if (pair->bucket < *next || fl_hist_low(pair->bucket) != (uint64_t)v[0])
		return false;
	*next = pair->bucket + 1ull;
	return true;
}

/* The pairs into cr->pairs; their total, or -1. */
static int64_t take_pairs(struct reading *r, size_t *n)
{
	struct cell_reader *cr = r->cr;
	uint64_t next = 0;
	int64_t total = 0;
	bool good = true;

	*n = 0;
	for (struct pull_list in = pull_open(r->p); pull_item(r->p, &in);) {
		if (!good) {
			pull_skip(r->p);
			continue;
		}
		cr->pairs = make_room(cr->pairs, &cr->room_pairs, *n + 1, sizeof(*cr->pairs));
		good = take_pair(r, &cr->pairs[*n], &next) &&
		       !__builtin_add_overflow(total, (int64_t)cr->pairs[*n].count, &total);
		*n += good;
	}
	return good ? total : -1;
}

/* ---- series: classes and phases ---- */

/* What is known of a series before all of it is read. */
struct series_parts {
	struct result_series *s;
	int64_t count, sum, total; /* negative: not there; of `total`: no good */
	size_t nr_pairs;
	bool has_hist;
};

static void take_series_part(struct reading *r, const struct pull_text *key,
			     struct series_parts *parts)
{
	int64_t v = 0;

	if (pull_is(key, "hist")) {
		parts->has_hist = comes(r, PULL_LIST, NULL, NULL);
		if (parts->has_hist)
			parts->total = take_pairs(r, &parts->nr_pairs);
	} else if (pull_is(key, "count")) {
		take_count(r, "count", &parts->count);
	} else if (pull_is(key, "sum")) {
		take_count(r, "sum", &parts->sum);
	} else if (pull_is(key, "x")) {
		parts->s->x = take_count(r, "x", &v) ? (uint64_t)v : 0;
	} else if (pull_is(key, "overhead")) {
		parts->s->overhead = take_count(r, "overhead", &v) ? (uint64_t)v : 0;
	} else if (pull_is(key, "interrupted")) {
		if (!takes_null(r) && take_count(r, "interrupted", &v))
			parts->s->interrupted = v;
	} else {
		pull_skip(r->p);
	}
}

static void check_series(struct reading *r, const struct series_parts *parts)
{
	const char *name = parts->s->name;

	if (!parts->has_hist)
		bad(r, name, "an object with hist, a list");
	else if (parts->total < 0)
		bad(r, name, "given with hist as [[low, count], ...] in rising order");
	else if (parts->count < 0)
		bad(r, "count", "a whole number, 0 or more");
	else if (parts->sum < 0)
		bad(r, "sum", "a whole number, 0 or more");
	else if (parts->total != parts->count)
		bad(r, name, "given with a count that is the sum of its hist");
}

static void take_one_series(struct reading *r, struct result_series *s)
{
	struct series_parts parts = {.s = s, .count = -1, .sum = -1};
	struct pull_text key;

	if (!comes(r, PULL_OBJECT, s->name, "an object"))
		return;
	for (struct pull_list in = pull_open(r->p); pull_key(r->p, &in, &key);)
		take_series_part(r, &key, &parts);
	check_series(r, &parts);
	if (!r->fault.what && !r->p->error)
		hist_set(&s->hist, r->cr->pairs, parts.nr_pairs, (uint64_t)parts.count,
			 (uint64_t)parts.sum);
}

/* Into *v, *n of them; both stay as they are if there is no object. */
static void take_series(struct reading *r, const char *what, struct result_series **v, size_t *n)
{
	struct cell_reader *cr = r->cr;
	struct pull_text key;
	size_t used = 0;

	if (!object_comes(r, what))
		return;
	cr->maps++;
	for (struct pull_list in = pull_open(r->p); pull_key(r->p, &in, &key); used++) {
		const struct known_name *name = know_once(r, &cr->series, &key);

		cr->all_series = make_room(cr->all_series, &cr->room_series, used + 1, sizeof(**v));
		cr->all_series[used] = (struct result_series){
			.name = name->text, .phase = name->phase, .interrupted = -1};
		take_one_series(r, &cr->all_series[used]);
	}
	*v = keep(r, cr->all_series, used, sizeof(**v));
	*n = used;
}

/* ---- numbers by name ---- */

/* Appends to cr->numbers, of which *n are in use. */
static void take_numbers(struct reading *r, const char *what, struct known_names *names, size_t *n)
{
	struct cell_reader *cr = r->cr;
	struct pull_text key;

	if (!object_comes(r, what))
		return;
	for (struct pull_list in = pull_open(r->p); pull_key(r->p, &in, &key);) {
		struct result_number number = {.name = know_once(r, names, &key)->text};

		if (!comes(r, PULL_NUMBER, number.name, "a whole number"))
			continue;
		if (!pull_integer(r->p, &number.value))
			bad(r, number.name, "a whole number");
		cr->numbers = make_room(cr->numbers, &cr->room_numbers, *n + 1, sizeof(number));
		cr->numbers[(*n)++] = number;
	}
}

/* ---- params ---- */

/* Appends a pair to cr->params, of which `used` bytes are in use; how many then are. A blank in it
 * could make two cells of one name. */
static size_t put_param(struct reading *r, size_t used, const struct pull_text *key,
			const struct pull_text *value)
{
	struct cell_reader *cr = r->cr;

	cr->params = make_room(cr->params, &cr->room_params, used + key->n + value->n + 2, 1);
	char *to = cr->params + used;

	to = mempcpy(to, key->s, key->n);
	*to++ = '=';
	to = mempcpy(to, value->s, value->n);
	*to = '\0';
	if (memchr(key->s, '=', key->n) || strchr(cr->params + used, ' '))
		bad(r, "params", "without blanks, and its keys without =");
	return used + key->n + value->n + 2;
}

/* The text of the next value, if it is one that a setting can have. */
static bool take_value(struct reading *r, struct pull_text *value, int64_t *number)
{
	enum pull_kind kind = pull_kind(r->p);

	*number = 0;
	value->s = r->p->at;
	if (kind == PULL_TEXT)
		return pull_text(r->p, value);
	if (kind == PULL_NUMBER && pull_integer(r->p, number)) {
		value->n = (size_t)(r->p->at - value->s);
		return true;
	}
	if (kind != PULL_NUMBER)
		pull_skip(r->p);
	return false;
}

static const char *join_params(struct reading *r, size_t n)
{
	struct cell_reader *cr = r->cr;
	const char *at = cr->params;

	cr->param_texts =
		make_room(cr->param_texts, &cr->room_param_texts, n, sizeof(*cr->param_texts));
	for (size_t i = 0; i < n; i++, at += strlen(at) + 1)
		cr->param_texts[i] = at;
	return cell_key_join(cr->arena, cr->param_texts, n);
}

static void take_params(struct reading *r)
{
	struct pull_text key, value;
	size_t n = 0, used = 0;
	int64_t number;

	if (!object_comes(r, "params"))
		return;
	r->cr->maps++;
	for (struct pull_list in = pull_open(r->p); pull_key(r->p, &in, &key); n++) {
		const char *name = know_once(r, &r->cr->words, &key)->text;

		if (!take_value(r, &value, &number)) {
			bad(r, name, "a string or a whole number");
			value.n = 0;
		}
		used = put_param(r, used, &key, &value);
		if (!strcmp(name, "cpus"))
			r->c->cpus = number > 0 && number <= UINT_MAX ? (unsigned)number : 0;
	}
	r->c->params = join_params(r, n);
}

/* ---- a cell ---- */

static bool take_text(struct reading *r, const char *what, struct pull_text *t)
{
	return comes(r, PULL_TEXT, what, "a string") && pull_text(r->p, t);
}

/* A text that other cells have, too. */
static const char *take_word(struct reading *r, const char *what)
{
	struct pull_text t;

	return take_text(r, what, &t) ? know(r, &r->cr->words, &t)->text : NULL;
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
static unsigned take_one_of(struct reading *r, const char *what, const char *(*word)(unsigned))
{
	const char *all = "one of";
	struct pull_text t;

	if (!take_text(r, what, &t))
		return 0;
	for (unsigned i = 0; word(i); i++)
		if (pull_is(&t, word(i)))
			return i;
	for (unsigned i = 0; word(i); i++)
		all = arena_printf(r->cr->arena, "%s %s", all, word(i));
	bad(r, what, all);
	return 0;
}

static void take_profile(struct reading *r)
{
	r->c->profile = take_word(r, "profile");
}

static void take_engine(struct reading *r)
{
	r->c->engine = (enum engine_id)take_one_of(r, "engine", engine_word);
}

static void take_label(struct reading *r)
{
	struct pull_text t;

	if (!takes_null(r) && take_text(r, "label", &t))
		r->c->label = copy(r, &t);
}

static void take_status(struct reading *r)
{
	r->c->status = (enum cell_status)take_one_of(r, "status", status_word);
}

static void take_reason(struct reading *r)
{
	struct pull_text t;

	if (!takes_null(r) && take_text(r, "reason", &t))
		r->c->reason = copy(r, &t);
}

static void take_unit(struct reading *r)
{
	if (!takes_null(r))
		r->c->unit = take_word(r, "unit");
}

static void take_rep(struct reading *r)
{
	take_count(r, "rep", &r->c->rep);
}

static void take_seed(struct reading *r)
{
	take_count(r, "seed", &r->c->seed);
}

static void take_boot(struct reading *r)
{
	bool to_user = false;
	struct pull_text key;

	if (!object_comes(r, "boot"))
		return;
	r->c->have_kernel = true;
	for (struct pull_list in = pull_open(r->p); pull_key(r->p, &in, &key);)
		if (pull_is(&key, "to_user"))
			to_user = take_count(r, "to_user", &r->c->boot_to_user);
		else
			pull_skip(r->p);
	if (!to_user)
		bad(r, "to_user", "a whole number, 0 or more");
}

static void take_classes(struct reading *r)
{
	take_series(r, "classes", &r->c->classes, &r->c->nr_classes);
}

static void take_user(struct reading *r)
{
	take_series(r, "user", &r->c->user, &r->c->nr_user);
}

static void take_outside(struct reading *r)
{
	size_t n = 0;

	r->cr->maps++;
	take_numbers(r, "outside", &r->cr->outside, &n);
	r->c->outside = keep(r, r->cr->numbers, n, sizeof(*r->c->outside));
	r->c->nr_outside = n;
}

static void take_counters(struct reading *r)
{
	struct pull_text key;
	size_t n = 0;

	if (!object_comes(r, "counters"))
		return;
	r->cr->maps++;
	for (struct pull_list in = pull_open(r->p); pull_key(r->p, &in, &key);)
		if (pull_is(&key, "vmstat"))
			take_numbers(r, "vmstat", &r->cr->vmstat, &n);
		else if (pull_is(&key, "tlb"))
			take_numbers(r, "tlb", &r->cr->tlb, &n);
		else
			pull_skip(r->p);
	r->c->counters = keep(r, r->cr->numbers, n, sizeof(*r->c->counters));
	r->c->nr_counters = n;
}

static const struct field {
	const char *key;
	void (*take)(struct reading *r);
	const char *needed; /* what it must be; NULL: it need not be there */
} fields[] = {
	{"profile", take_profile, "a string"},
	{"engine", take_engine, "a string"},
	{"label", take_label, NULL},
	{"params", take_params, NULL},
	{"rep", take_rep, "a whole number, 0 or more"},
	{"seed", take_seed, "a whole number, 0 or more"},
	{"status", take_status, "a string"},
	{"reason", take_reason, NULL},
	{"unit", take_unit, NULL},
	{"classes", take_classes, NULL},
	{"outside", take_outside, NULL},
	{"boot", take_boot, NULL},
	{"user", take_user, NULL},
	{"counters", take_counters, NULL},
};
enum { NR_FIELDS = sizeof(fields) / sizeof(fields[0]) };

static void take_field(struct reading *r, const struct pull_text *key, bool *has)
{
	for (unsigned i = 0; i < NR_FIELDS; i++) {
		if (!pull_is(key, fields[i].key))
			continue;
		if (!has[i]) {
			has[i] = true;
			fields[i].take(r);
			return;
		}
		bad(r, fields[i].key, "there once");
		break;
	}
	pull_skip(r->p);
}

static void take_cell(struct reading *r)
{
	bool has[NR_FIELDS] = {false};
	struct pull_text key;

	if (!comes(r, PULL_OBJECT, "a cell", "an object"))
		return;
	for (struct pull_list in = pull_open(r->p); pull_key(r->p, &in, &key);)
		take_field(r, &key, has);
	for (unsigned i = 0; i < NR_FIELDS; i++)
		if (fields[i].needed && !has[i])
			bad(r, fields[i].key, fields[i].needed);
}

bool cell_read(struct cell_reader *cr, struct pull *p, struct result_cell *c,
	       struct cell_fault *fault)
{
	struct reading r = {.cr = cr, .p = p, .c = c};

	*c = (struct result_cell){.label = "", .params = ""};
	take_cell(&r);
	*fault = r.fault;
	if (r.fault.what || p->error)
		return false;
	c->key = cell_key_make(cr->arena, c->profile, c->params, (unsigned long long)c->rep);
	return true;
}

void result_cell_free(struct result_cell *c)
{
	for (size_t i = 0; i < c->nr_classes; i++)
		hist_free(&c->classes[i].hist);
	for (size_t i = 0; i < c->nr_user; i++)
		hist_free(&c->user[i].hist);
	*c = (struct result_cell){0};
}
