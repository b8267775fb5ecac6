/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cells that a command will run, in their order: all known and checked before the first starts.
 */
#ifndef HARNESS_PLAN_H
#define HARNESS_PLAN_H

#include "base/map.h"
#include "model/cell_key.h"
#include "model/profile.h"

struct cell {
	const struct profile *profile;
	struct settings settings;
	unsigned rep;
	struct cell_key key; /* no other cell of the plan has it */
	const char *label;   /* what tells it from its siblings: "order=random pages=64"; or "" */
};

struct plan {
	const char *description;
	struct cell *cells;
	size_t n;
	struct map by_key; /* the places of the cells */
};

/* More cells than this are a slip, not a plan. */
enum { PLAN_MAX = 100000 };

/* Each profile, with the assignments ("KEY=VALUE", NULL-terminated) applied, reps times. */
bool plan_profiles(struct arena *a, const char *profile_dir, const char *const *names,
		   const char *const *assignments, unsigned reps, struct plan *plan,
		   struct diag *d);

/* Adds a cell, all but its key filled in. NULL, or the cell that the plan has by that key already:
 * then none is added. */
const struct cell *plan_add(struct arena *a, struct plan *plan, struct cell c);

/* Makes reps repetitions of the plan, the whole before the next; false if that were too many. */
bool plan_repeat(struct arena *a, struct plan *plan, unsigned reps);

/* "a=1 b=2": all settings of s, or only those that differ from `from`. */
const char *plan_settings_text(struct arena *a, const struct settings *s,
			       const struct settings *from);

#endif
