/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options that say what a guest gets beside its program: of run, matrix and exec, as an argp
 * child whose input is a struct extras_options. */
#ifndef HARNESS_EXTRAS_OPTIONS_H
#define HARNESS_EXTRAS_OPTIONS_H

#include <argp.h>

#include "base/arena.h"
#include "engine/engine.h"

struct extras_options {
	struct arena *arena;
	struct guest_extras extras; /* what was given so far */
	size_t nr_env;
};

extern const struct argp extras_argp;

/* Why that engine can't give a program these extras (static); NULL if it can. */
const char *extras_refused(const struct guest_extras *x, enum engine_id engine);

#endif
