/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options that run and matrix share, as an argp child whose input is a struct common_options;
 * and what exec takes of them. */
#ifndef HARNESS_CMD_COMMON_H
#define HARNESS_CMD_COMMON_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/extras_options.h"
#include "engine/engine.h"
#include "run/runner.h"

struct common_options {
	struct extras_options extras; /* with the command's arena */
	const char *engine;	      /* "auto" by default */
	const char *dir;
	uint64_t seed;
	double timeout;
};

extern const struct argp common_argp;
extern const struct common_options common_defaults;

/* The engine of that name, as engine_find(); NULL, with a message on stderr, if there is none. */
const struct engine *common_find_engine(const char *name, const char **why);

/* The arguments of --timeout and --seed; anything else ends the program with a message. */
double common_seconds(const char *arg, struct argp_state *state);
uint64_t common_seed(const char *arg, struct argp_state *state);

/* Finds the engine and the stub and fills the runner's options. False, with a message on stderr, if
 * this machine can't run them. */
bool common_prepare(const struct common_options *c, int argc, char **argv,
		    struct runner_options *o);

#endif
