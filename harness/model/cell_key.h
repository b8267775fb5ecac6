/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one name of a cell: plan, --resume and compare tell cells by it, and nothing else.
 *
 *     PROFILE KEY=VALUE KEY=VALUE … #REP
 *
 * The KEY=VALUE are `params` as results have them, in the order of their bytes. Engine, commit and
 * seed are a run's, not a cell's. docs/results-format.md promises this form.
 */
#ifndef HARNESS_CELL_KEY_H
#define HARNESS_CELL_KEY_H

#include "model/setting.h"

struct cell_key {
	const char *text;
	size_t len;
	size_t len_settings; /* of the part that all repetitions of a cell share */
};

/* From the arena, as all that follows. `params`: as cell_key_params() gives them. */
struct cell_key cell_key_make(struct arena *a, const char *profile, const char *params,
			      unsigned long long rep);
/* The key of another repetition of the same cell. */
struct cell_key cell_key_of_rep(struct arena *a, const struct cell_key *k, unsigned long long rep);

/* The KEY=VALUE of a cell that is planned. */
const char *cell_key_params(struct arena *a, const struct settings *s);
/* The same of n texts "KEY=VALUE" in any order; sorts them. */
const char *cell_key_join(struct arena *a, const char **pairs, size_t n);

/* Whether results say what the setting `one` of s stands at. They do not where it means nothing, or
 * where it is as it was before there was the setting (`unsaid`). */
bool cell_key_has(const struct settings *s, const struct setting *one);

#endif
