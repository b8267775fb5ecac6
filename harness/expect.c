/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "expr.h"
#include "text.h"

static const char *const class_names[FL_NR_CLASSES + 1] = {
#define FAULT_CLASS(id, name, doc) [FL_CLASS_##id] = name,
#include "fault_class.def"
#undef FAULT_CLASS
};

static const struct {
	const char *name;
	int number;
} signals[] = {
	{"SEGV", SIGSEGV}, {"BUS", SIGBUS},   {"ILL", SIGILL},	 {"FPE", SIGFPE},
	{"TRAP", SIGTRAP}, {"ABRT", SIGABRT}, {"KILL", SIGKILL}, {"TERM", SIGTERM},
};

const char *fault_class_name(enum fl_class c)
{
	return class_names[c];
}

bool fault_class_find(const char *name, enum fl_class *c)
{
	for (unsigned i = 0; i < FL_NR_CLASSES; i++)
		if (!strcmp(class_names[i], name)) {
			*c = (enum fl_class)i;
			return true;
		}
	return false;
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

static void read_class(struct arena *a, const struct conf *c, const struct conf_entry *e,
		       const struct settings *settings, struct expect_section *s, struct diag *d)
{
	struct expect_class x = {.expr = e->value, .line = e->line};
	const char *why;
	uint64_t v;

	if (!fault_class_find(e->key, &x.class)) {
		const char *near = text_nearest(e->key, class_names);

		diag_add(d, c->file, e->line, "no fault class %s: %s%s", e->key,
			 near ? "did you mean " : "`faultline list classes` names them",
			 near ? near : "");
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
	*(struct expect_class *)arena_push(a, &s->classes, &s->nr_classes, sizeof(x)) = x;
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
		read_class(a, c, e, settings, s, d);
	}
}

static bool is_engine(const char *name)
{
	for (const struct engine *const *e = engines; *e; e++)
		if (!strcmp((*e)->name, name))
			return true;
	return false;
}

void expect_read(struct arena *a, const struct conf *c, const struct conf_section *section,
		 const struct settings *settings, struct expectations *to, struct diag *d)
{
	const char *engine = section->name + strlen("expect");
	struct expect_section *s = arena_push(a, &to->v, &to->n, sizeof(*s));

	engine += strspn(engine, " \t");
	s->engine = *engine ? engine : NULL;
	if (*engine && !is_engine(engine))
		diag_add(d, c->file, section->line,
			 "no engine %s: `faultline list engines` names them", engine);
	for (size_t i = 0; i < c->nr_entries; i++)
		if (!strcmp(c->entries[i].section, section->name))
			read_entry(a, c, &c->entries[i], settings, s, d);
}

/* ---- judging ---- */

/* What holds for one engine: its own section's words over the general one's. */
struct terms {
	const struct expect_class *of[FL_NR_CLASSES];
	bool any_others;
	enum fl_state exit_state;
	int exit_value;
};

static void apply(const struct expect_section *s, struct terms *t)
{
	for (size_t i = 0; i < s->nr_classes; i++)
		t->of[s->classes[i].class] = &s->classes[i];
	if (s->has_others)
		t->any_others = s->any_others;
	if (s->has_exit) {
		t->exit_state = s->exit_state;
		t->exit_value = s->exit_value;
	}
}

static struct terms terms_for(const struct expectations *e, const char *engine)
{
	struct terms t = {.exit_state = FL_STATE_EXITED};

	for (size_t i = 0; i < e->n; i++)
		if (!e->v[i].engine)
			apply(&e->v[i], &t);
	for (size_t i = 0; i < e->n; i++)
		if (e->v[i].engine && !strcmp(e->v[i].engine, engine))
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

bool expect_exit_met(const struct expectations *e, const char *engine, const struct outcome *out)
{
	struct terms t = terms_for(e, engine);

	return exit_met(&t, out);
}

/* NULL, or what is wrong with one class. */
static const char *judge_class(struct arena *a, const struct terms *t, unsigned c,
			       const struct settings *s, uint64_t got)
{
	const struct expect_class *x = t->of[c];
	const char *why;
	uint64_t want = 0;

	if (!x && t->any_others)
		return NULL;
	if (x && !expr_value(a, x->expr, s, &want, &why))
		return arena_printf(a, "%s: %s: %s", class_names[c], x->expr, why);
	if (x && x->at_least ? got >= want : got == want)
		return NULL;
	return arena_printf(a, "%s: expected %s%llu, got %llu", class_names[c],
			    x && x->at_least ? "at least " : "", (unsigned long long)want,
			    (unsigned long long)got);
}

const char *expect_judge(struct arena *a, const struct expectations *e, const struct settings *s,
			 const char *engine, const struct outcome *out)
{
	const struct setting *recorder = settings_find(s, "recorder");
	bool recorded = out->have_window && !(recorder && !strcmp(recorder->value, "off"));
	struct terms t = terms_for(e, engine);
	const char *all = "";

	if (!exit_met(&t, out))
		all = arena_printf(a, "exit: expected %s, got %s",
				   describe_exit(a, t.exit_state, t.exit_value),
				   describe_exit(a, out->state, out->exit_value));
	for (unsigned c = 0; recorded && c < FL_NR_CLASSES; c++) {
		const char *one = judge_class(a, &t, c, s, out->classes[c].count);

		if (one)
			all = arena_printf(a, "%s%s%s", all, *all ? "; " : "", one);
	}
	return *all ? all : NULL;
}
