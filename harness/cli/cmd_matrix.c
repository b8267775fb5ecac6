/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faultline matrix: the cells of a matrix, all of them or those that an earlier run left. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/places.h"
#include "cli/cmd.h"
#include "cli/cmd_common.h"
#include "model/matrix.h"

enum { OPTION_DRY_RUN = 0x200, OPTION_RESUME };

struct matrix_options {
	struct common_options common;
	const char *matrix;
	bool dry_run, resume;
};

static const struct argp_option options[] = {
	{"dry-run", OPTION_DRY_RUN, NULL, 0, "check everything, list the cells, run none", 0},
	{"resume", OPTION_RESUME, NULL, 0, "go on with the run in DIR (-o) that was cut short", 0},
	{0},
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct matrix_options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->common;
		return 0;
	case OPTION_DRY_RUN:
		o->dry_run = true;
		return 0;
	case OPTION_RESUME:
		o->resume = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->matrix)
			argp_error(state, "one matrix at a time: %s is too much", arg);
		o->matrix = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "name a matrix: `faultline list matrices` tells which there are");
		return 0;
	case ARGP_KEY_SUCCESS:
		if (o->resume && !o->common.dir)
			argp_error(state, "--resume needs -o DIR, the run to go on with");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {{&common_argp, 0, NULL, 0}, {0}};
static const struct argp parser = {
	options,
	parse_option,
	"MATRIX",
	"Runs every cell of a benchmark matrix, one after the other.\v"
	"A MATRIX is a name of `faultline list matrices`, or a file. Exit status: 0 all as expected, "
	"1 an expectation missed, a crash or a timeout, 2 wrong use, or no cell can run here, 130 interrupted.",
	children,
	NULL,
	NULL,
};

static int list_cells(struct arena *a, const struct plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct cell *c = &plan->cells[i];

		printf("%zu\t%s\trep=%u\t%s\n", i, c->profile->name, c->rep,
		       plan_settings_text(a, &c->settings, NULL));
	}
	return 0;
}

int cmd_matrix(int argc, char **argv)
{
	struct matrix_options o = {.common = common_defaults};
	struct runner_options ro;
	struct arena a = {0};
	struct diag d = {0};
	struct plan plan;
	int status = 2;

	o.common.extras.arena = &a;
	argp_parse(&parser, argc, argv, 0, NULL, &o);
	char *profiles = places_data("workloads/profiles"), *dir = places_data("workloads/matrix");

	if (!matrix_load(&a, profiles, dir, o.matrix, &plan, &d))
		;
	else if (o.dry_run)
		status = list_cells(&a, &plan);
	else if (common_prepare(&o.common, argc, argv, &ro)) {
		ro.matrix = o.matrix;
		ro.resume = o.resume;
		status = runner_run(&a, &plan, &ro);
	}
	free(profiles);
	free(dir);
	diag_print(&d, stderr);
	arena_free(&a);
	return status;
}
