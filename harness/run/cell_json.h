/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One cell as results hold it: docs/results-format.md describes the JSON. */
#ifndef HARNESS_CELL_JSON_H
#define HARNESS_CELL_JSON_H

#include <jansson.h>

#include "engine/engine.h"
#include "model/plan.h"

/* The cell as one element of `cells`, a new reference. */
json_t *cell_json(struct arena *a, const struct cell *c, enum engine_id engine, uint64_t seed,
		  const struct outcome *out);

#endif
