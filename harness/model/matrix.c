/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/text.h"
#include "model/matrix.h"

enum { REPS_MAX = 1000 };

/* One setting of one profile and the values that it takes, all canonical. */
struct axis {
	struct setting *setting; /* of the cell that is being built */
	const char **values;
	size_t n;
};

struct axes {
	struct axis *v;
	size_t n;
};

/* What is needed all the way down. */
struct build {
	struct arena *arena;
	const struct conf *conf;
	struct plan *plan;
	struct diag *diag;
};

static void add_value(struct build *b, const struct conf_entry *e, struct axis *x, const char *word,
		      const char *profile)
{
	const char *why, *value = setting_parse(b->arena, x->setting, word, &why);

	if (!value) {
		diag_add(b->diag, b->conf->file, e->line, "for profile %s: %s", profile, why);
		return;
	}
	for (size_t i = 0; i < x->n; i++)
		if (!strcmp(x->values[i], value)) {
			diag_add(b->diag, b->conf->file, e->line,
				 "%s = %s stands twice: it would make the same cell again", e->key,
				 value);
			return;
		}
	*(const char **)arena_push(b->arena, &x->values, &x->n, sizeof(*x->values)) = value;
}

static void read_axis(struct build *b, const struct conf_entry *e, struct settings *s,
		      const char *profile, struct axes *axes)
{
	struct axis x = {.setting = settings_find(s, e->key)};
	char *words = arena_strdup(b->arena, e->value), *save;

	if (!x.setting) {
		diag_add(b->diag, b->conf->file, e->line, "profile %s has no setting %s: %s",
			 profile, e->key, settings_hint(b->arena, s, e->key));
		return;
	}
	for (char *w = strtok_r(words, " \t,", &save); w; w = strtok_r(NULL, " \t,", &save))
		add_value(b, e, &x, w, profile);
	if (x.n)
		*(struct axis *)arena_push(b->arena, &axes->v, &axes->n, sizeof(x)) = x;
	else if (!*e->value)
		diag_add(b->diag, b->conf->file, e->line, "%s has no value: use %s = V1 V2 ...",
			 e->key, e->key);
}

/* The profile's own axes, and those of [*] that it does not give itself. */
static struct axes read_axes(struct build *b, const char *section, struct settings *s)
{
	struct axes axes = {0};

	for (size_t i = 0; i < b->conf->nr_entries; i++) {
		const struct conf_entry *e = &b->conf->entries[i];

		if (!strcmp(e->section, section) ||
		    (!strcmp(e->section, "*") && !conf_find(b->conf, section, e->key)))
			read_axis(b, e, s, section, &axes);
	}
	return axes;
}

static const char *label(struct build *b, const struct axes *axes)
{
	const char *text = "";

	for (size_t i = 0; i < axes->n; i++)
		text = arena_printf(b->arena, "%s%s%s=%s", text, *text ? " " : "",
				    axes->v[i].setting->name, axes->v[i].setting->value);
	return text;
}

/* Adds a cell for each combination that is one of its own (see cell_key_has()); the last axis turns
 * fastest. s is what the axes point into. */
static void cross(struct build *b, const struct profile *p, struct settings *s,
		  const struct axes *axes, unsigned line)
{
	size_t total = 1;

	for (size_t i = 0; i < axes->n; i++)
		if (__builtin_mul_overflow(total, axes->v[i].n, &total))
			total = PLAN_MAX + 1;
	if (total > PLAN_MAX || b->plan->n + total > PLAN_MAX) {
		diag_add(b->diag, b->conf->file, line, "more than %d cells", PLAN_MAX);
		return;
	}
	for (size_t i = 0; i < total; i++) {
		size_t rest = i;

		for (size_t x = axes->n; x-- > 0; rest /= axes->v[x].n)
			axes->v[x].setting->value = axes->v[x].values[rest % axes->v[x].n];
		const struct cell *same = plan_add(b->arena, b->plan,
						   (struct cell){
							   .profile = p,
							   .settings = settings_copy(b->arena, s),
							   .label = label(b, axes),
						   });

		if (same && same->profile != p) {
			diag_add(
				b->diag, b->conf->file, line,
				"results could not tell this profile from %s: they know both as %s",
				same->profile->file, p->name);
			return;
		}
	}
}

static void add_profile(struct build *b, const char *profile_dir,
			const struct conf_section *section)
{
	struct profile *p = arena_alloc(b->arena, sizeof(*p));
	struct diag inner = {0};
	unsigned before = b->diag->count;

	if (!profile_load(b->arena, profile_dir, section->name, p, &inner)) {
		char *save, *first = strtok_r(inner.text, "\n", &save);

		diag_add(b->diag, b->conf->file, section->line, "[%s]: %s", section->name, first);
		for (char *l = strtok_r(NULL, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
			diag_add(b->diag, NULL, 0, "%s", l);
		diag_free(&inner);
		return;
	}
	struct settings s = settings_copy(b->arena, &p->settings);
	struct axes axes = read_axes(b, section->name, &s);

	if (b->diag->count == before)
		cross(b, p, &s, &axes, section->line);
}

static unsigned read_head(struct build *b)
{
	unsigned reps = 1;

	for (size_t i = 0; i < b->conf->nr_entries; i++) {
		const struct conf_entry *e = &b->conf->entries[i];
		uint64_t v = 0;

		if (!*e->section)
			diag_add(b->diag, b->conf->file, e->line, "%s stands before any [section]",
				 e->key);
		if (strcmp(e->section, "matrix"))
			continue;
		if (!strcmp(e->key, "description"))
			b->plan->description = e->value;
		else if (strcmp(e->key, "reps"))
			diag_add(b->diag, b->conf->file, e->line,
				 "no key %s in [matrix]: use description or reps", e->key);
		else if (!text_number(e->value, &v) || v < 1 || v > REPS_MAX)
			diag_add(b->diag, b->conf->file, e->line,
				 "reps = %s: use a whole number from 1 to %d", e->value, REPS_MAX);
		else
			reps = (unsigned)v;
	}
	return reps;
}

bool matrix_load(struct arena *a, const char *profile_dir, const char *matrix_dir, const char *name,
		 struct plan *plan, struct diag *d)
{
	const char *file = profile_find_file(a, "matrix", matrix_dir, name, d);
	unsigned before = d->count;
	struct conf c;

	*plan = (struct plan){.description = ""};
	if (!file || !conf_read(a, file, &c, d))
		return false;
	struct build b = {.arena = a, .conf = &c, .plan = plan, .diag = d};
	unsigned reps = read_head(&b);

	for (size_t i = 0; i < c.nr_sections; i++)
		if (strcmp(c.sections[i].name, "matrix") && strcmp(c.sections[i].name, "*"))
			add_profile(&b, profile_dir, &c.sections[i]);
	if (d->count == before && !plan->n)
		diag_add(d, c.file, 0, "lists no profile: add a section [PROFILE]");
	if (!plan_repeat(a, plan, reps))
		diag_add(d, c.file, 0, "more than %d cells", PLAN_MAX);
	return d->count == before;
}
