/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a plan, cell by cell, into a run's directory: what `run` and `matrix` share. */
#ifndef HARNESS_RUNNER_H
#define HARNESS_RUNNER_H

#include "engine/engine.h"
#include "model/plan.h"

struct runner_options {
	const struct engine *engine;
	const char *engine_choice; /* why auto took it; NULL if it was named */
	const char *stub;
	const char *dir; /* NULL: a new one under results/ */
	const char *matrix;
	bool resume; /* dir holds a run that was cut short */
	uint64_t seed;
	double timeout; /* seconds a cell */
	struct guest_extras extras;
	int argc; /* of the command, for the manifest */
	char *const *argv;
};

/* Prints the table to stdout, all else to stderr. Returns the exit status of the command: 0 all
 * cells ok or unsupported, 1 one was not, 2 it could not run, 130 it was interrupted (what was done
 * is kept). */
int runner_run(struct arena *a, const struct plan *plan, const struct runner_options *o);

#endif
