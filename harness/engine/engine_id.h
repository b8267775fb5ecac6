/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which engine, for those who need no engine itself: who reads results, say. */
#ifndef HARNESS_ENGINE_ID_H
#define HARNESS_ENGINE_ID_H

#include <stdbool.h>

enum engine_id {
#define ENGINE_DEF(id, name, symbol) ENGINE_##id,
#include "engine/engine.def"
#undef ENGINE_DEF
	NR_ENGINES
};

/* What a user says who leaves the choice to us. */
#define ENGINE_AUTO "auto"

const char *engine_name(enum engine_id id);
/* False if there is none of that name. ENGINE_AUTO is none. */
bool engine_id_find(const char *name, enum engine_id *id);

/* Whether its numbers repeat bit for bit, so that every difference is one of what was run. */
bool engine_is_exact(enum engine_id id);

#endif
