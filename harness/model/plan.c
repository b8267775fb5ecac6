/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "model/plan.h"

const char *plan_settings_text(struct arena *a, const struct settings *s,
			       const struct settings *from)
{
	const char *text = "";

	for (size_t i = 0; i < s->n; i++)
		if (!from || strcmp(s->v[i].value, from->v[i].value))
			text = arena_printf(a, "%s%s%s=%s", text, *text ? " " : "", s->v[i].name,
					    s->v[i].value);
	return text;
}

static const struct cell *add(struct arena *a, struct plan *plan, const struct cell *c)
{
	plan->by_key.arena = a;
	size_t at = *map_put(&plan->by_key, c->key.text, c->key.len, plan->n);

	if (at != plan->n)
		return &plan->cells[at];
	*(struct cell *)arena_push(a, &plan->cells, &plan->n, sizeof(*c)) = *c;
	return NULL;
}

const struct cell *plan_add(struct arena *a, struct plan *plan, struct cell c)
{
	c.key = cell_key_make(a, c.profile->name, cell_key_params(a, &c.settings), c.rep);
	return add(a, plan, &c);
}

static bool assign(struct arena *a, struct settings *s, const char *const *assignments,
		   const char *profile, struct diag *d)
{
	bool good = true;
	const char *why;

	for (; *assignments; assignments++)
		if (!profile_set(a, s, *assignments, &why)) {
			diag_add(d, NULL, 0, "-s, for profile %s: %s", profile, why);
			good = false;
		}
	return good;
}

static bool add_profile(struct arena *a, const char *profile_dir, const char *name,
			const char *const *assignments, struct plan *plan, struct diag *d)
{
	struct profile *p = arena_alloc(a, sizeof(*p));
	struct cell cell = {.profile = p};

	if (!profile_load(a, profile_dir, name, p, d))
		return false;
	cell.settings = settings_copy(a, &p->settings);
	if (!assign(a, &cell.settings, assignments, p->name, d))
		return false;
	cell.label = plan_settings_text(a, &cell.settings, &p->settings);
	if (!plan_add(a, plan, cell))
		return true;
	diag_add(d, NULL, 0, "profile %s is named twice: use -n for repetitions", p->name);
	return false;
}

bool plan_repeat(struct arena *a, struct plan *plan, unsigned reps)
{
	size_t once = plan->n;

	if (once * reps > PLAN_MAX)
		return false;
	for (unsigned rep = 1; rep < reps; rep++)
		for (size_t i = 0; i < once; i++) {
			struct cell c = plan->cells[i];

			c.rep = rep;
			c.key = cell_key_of_rep(a, &c.key, rep);
			add(a, plan, &c);
		}
	return true;
}

bool plan_profiles(struct arena *a, const char *profile_dir, const char *const *names,
		   const char *const *assignments, unsigned reps, struct plan *plan, struct diag *d)
{
	bool good = true;

	*plan = (struct plan){.description = ""};
	for (; *names; names++)
		good &= add_profile(a, profile_dir, *names, assignments, plan, d);
	if (good && !plan_repeat(a, plan, reps)) {
		diag_add(d, NULL, 0, "more than %d cells", PLAN_MAX);
		good = false;
	}
	return good;
}
