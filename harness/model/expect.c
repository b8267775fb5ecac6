/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault_class.h"
#include "base/text.h"
#include "base/vmstat.h"
#include "model/expect.h"
#include "model/expr.h"

/* Classes, then counters. */
static const char *count_name(unsigned what)
{
	return what < FL_NR_CLASSES ? fault_class_name((enum fl_class)what)
				    : vmstat_name((enum fl_vmstat)(what - FL_NR_CLASSES));
}

static const struct {
	const char *name;
	int number;
} signals[] = {
	{"SEGV", SIGSEGV}, {"BUS", SIGBUS},   {"ILL", SIGILL},	 {"FPE", SIGFPE},
	{"TRAP", SIGTRAP}, {"ABRT", SIGABRT}, {"KILL", SIGKILL}, {"TERM", SIGTERM},
};

static bool count_find(const char *name, unsigned *what)
{
	for (*what = 0; *what < EXPECT_NR_COUNTS; ++*what)
		if (!strcmp(count_name(*what), name))
			return true;
	return false;
}

/* The name that is most like this one, or NULL. */
static const char *count_near(const char *name)
{
	const char *names[EXPECT_NR_COUNTS + 1] = {NULL};

	for (unsigned what = 0; what < EXPECT_NR_COUNTS; what++)
		names[what] = count_name(what);
	return text_nearest(name, names);
}

/* ---- reading ---- */

static bool signal_find(const char *name, int *number)
{
	uint64_t v;

	if (!strncmp(name, "SIG", 3))
		name += 3;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (!strcmp(signals[i].name, name)) {
			*number = signals[i].number;
			return true;
		}
	if (!text_number(name, &v) || v < 1 || v > 64)
		return false;
	*number = (int)v;
	return true;
}

/* exit = status N | signal NAME | panic */
static bool parse_exit(const char *value, struct expect_section *s)
{
	char kind[8], what[16], rest;
	int n = sscanf(value, "%7s %15s %c", kind, what, &rest);
	uint64_t v;

	s->has_exit = true;
	if (n == 1 && !strcmp(kind, "panic")) {
		s->exit_state = FL_STATE_PANIC;
		return true;
	}
	if (n == 2 && !strcmp(kind, "status") && text_number(what, &v) && v < 256) {
		s->exit_state = FL_STATE_EXITED;
		s->exit_value = (int)v;
		return true;
	}
	s->exit_state = FL_STATE_KILLED;
	return n == 2 && !strcmp(kind, "signal") && signal_find(what, &s->exit_value);
}

static void read_count(struct arena *a, const struct conf *c, const struct conf_entry *e,
		       const struct settings *settings, struct expect_section *s, struct diag *d)
{
	struct expect_count x = {.expr = e->value, .line = e->line};
	const char *why;
	uint64_t v;

	if (!count_find(e->key, &x.what)) {
		const char *near = count_near(e->key);

		diag_add(d, c->file, e->line, "no fault class or counter %s: %s%s", e->key,
			 near ? "did you mean " : "`faultline list` names them", near ? near : "");
		return;
	}
	if (!strncmp(x.expr, ">=", 2)) {
		x.at_least = true;
		x.expr += 2;
	}
	if (!expr_value(a, x.expr, settings, &v, &why))
		diag_add(d, c->file, e->line,
			 "%s = %s: %s; use a number, a setting, or both joined by + - * /, with >= "
			 "in front for a minimum",
			 e->key, e->value, why);
	*(struct expect_count *)arena_push(a, &s->counts, &s->nr_counts, sizeof(x)) = x;
}

static void read_entry(struct arena *a, const struct conf *c, const struct conf_entry *e,
		       const struct settings *settings, struct expect_section *s, struct diag *d)
{
	if (!strcmp(e->key, "exit")) {
		if (!parse_exit(e->value, s))
			diag_add(d, c->file, e->line,
				 "exit = %s: use status N, signal NAME or panic", e->value);
	} else if (!strcmp(e->key, "others")) {
		s->has_others = true;
		s->any_others = !strcmp(e->value, "any");
		if (!s->any_others && strcmp(e->value, "none"))
			diag_add(d, c->file, e->line, "others = %s: use any or none", e->value);
	} else {
		read_count(a, c, e, settings, s, d);
	}
}

void expect_read(struct arena *a, const struct conf *c, const struct conf_section *section,
		 const struct settings *settings, struct expectations *to, struct diag *d)
{
	const char *engine = section->name + strlen("expect");
	struct expect_section *s = arena_push(a, &to->v, &to->n, sizeof(*s));

	engine += strspn(engine, " \t");
	s->one_engine = *engine != '\0';
	if (s->one_engine && !engine_id_find(engine, &s->engine))
		diag_add(d, c->file, section->line,
			 "no engine %s: `faultline list engines` names them", engine);
	for (size_t i = 0; i < c->nr_entries; i++)
		if (!strcmp(c->entries[i].section, section->name))
			read_entry(a, c, &c->entries[i], settings, s, d);
}

/* ---- judging ---- */

/* What holds for one engine: its own section's words over the general one's. */
struct terms {
	const struct expect_count *of[EXPECT_NR_COUNTS];
	bool any_others;
	enum fl_state exit_state;
	int exit_value;
};

static void apply(const struct expect_section *s, struct terms *t)
{
	for (size_t i = 0; i < s->nr_counts; i++)
		t->of[s->counts[i].what] = &s->counts[i];
	if (s->has_others)
		t->any_others = s->any_others;
	if (s->has_exit) {
		t->exit_state = s->exit_state;
		t->exit_value = s->exit_value;
	}
}

static struct terms terms_for(const struct expectations *e, enum engine_id engine)
{
	struct terms t = {.exit_state = FL_STATE_EXITED};

	for (size_t i = 0; i < e->n; i++)
		if (!e->v[i].one_engine)
			apply(&e->v[i], &t);
	for (size_t i = 0; i < e->n; i++)
		if (e->v[i].one_engine && e->v[i].engine == engine)
			apply(&e->v[i], &t);
	return t;
}

static const char *describe_exit(struct arena *a, enum fl_state state, int value)
{
	switch (state) {
	case FL_STATE_EXITED:
		return arena_printf(a, "status %d", value);
	case FL_STATE_KILLED:
		return arena_printf(a, "signal %d", value);
	case FL_STATE_PANIC:
		return "panic";
	default:
		return "no end at all";
	}
}

static bool exit_met(const struct terms *t, const struct outcome *out)
{
	return out->state == t->exit_state &&
	       (t->exit_state == FL_STATE_PANIC || out->exit_value == t->exit_value);
}

bool expect_exit_met(const struct expectations *e, enum engine_id engine, const struct outcome *out)
{
	struct terms t = terms_for(e, engine);

	return exit_met(&t, out);
}

/* NULL, or what is wrong with one count. */
static const char *judge_count(struct arena *a, const struct expect_count *x, unsigned what,
			       const struct settings *s, uint64_t got)
{
	const char *why;
	uint64_t want = 0;

	if (x && !expr_value(a, x->expr, s, &want, &why))
		return arena_printf(a, "%s: %s: %s", count_name(what), x->expr, why);
	if (x && x->at_least ? got >= want : got == want)
		return NULL;
	return arena_printf(a, "%s: expected %s%llu, got %llu", count_name(what),
			    x && x->at_least ? "at least " : "", (unsigned long long)want,
			    (unsigned long long)got);
}

/* What the outcome has of it. False if it does not matter. */
static bool count_of(const struct terms *t, unsigned what, bool recorded, const struct outcome *out,
		     uint64_t *got)
{
	if (what < FL_NR_CLASSES) {
		*got = out->classes[what].count;
		return recorded && (t->of[what] || !t->any_others);
	}
	*got = (uint64_t)out->vmstat[what - FL_NR_CLASSES];
	return t->of[what];
}

const char *expect_judge(struct arena *a, const struct expectations *e, const struct settings *s,
			 enum engine_id engine, const struct outcome *out)
{
	bool recorded = settings_recorder(s) != FL_RECORDER_OFF;
	struct terms t = terms_for(e, engine);
	const char *all = "";

	if (!exit_met(&t, out))
		all = arena_printf(a, "exit: expected %s, got %s",
				   describe_exit(a, t.exit_state, t.exit_value),
				   describe_exit(a, out->state, out->exit_value));
	for (unsigned what = 0; out->have_window && what < EXPECT_NR_COUNTS; what++) {
		uint64_t got;
		const char *one = count_of(&t, what, recorded, out, &got)
					  ? judge_count(a, t.of[what], what, s, got)
					  : NULL;

		if (one)
			all = arena_printf(a, "%s%s%s", all, *all ? "; " : "", one);
	}
	return *all ? all : NULL;
}
