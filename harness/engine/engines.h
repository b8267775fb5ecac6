/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All the engines there are: for who chooses one. */
#ifndef HARNESS_ENGINES_H
#define HARNESS_ENGINES_H

#include "engine/engine.h"

extern const struct engine *const engines[NR_ENGINES]; /* by enum engine_id */

/* By name, ENGINE_AUTO included (kvm where the CPU runs ring 0 itself, else tcg; *why says why).
 * NULL: no such name. */
const struct engine *engine_find(const char *name, const char **why);

#endif
