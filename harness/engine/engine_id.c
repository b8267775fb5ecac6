/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "engine/engine_id.h"

static const char *const names[NR_ENGINES] = {
#define ENGINE_DEF(id, name, symbol) [ENGINE_##id] = name,
#include "engine/engine.def"
#undef ENGINE_DEF
};

const char *engine_name(enum engine_id id)
{
	return names[id];
}

bool engine_id_find(const char *name, enum engine_id *id)
{
	for (unsigned i = 0; i < NR_ENGINES; i++)
		if (!strcmp(names[i], name)) {
			*id = (enum engine_id)i;
			return true;
		}
	return false;
}

bool engine_is_exact(enum engine_id id)
{
	return id == ENGINE_TCG;
}
