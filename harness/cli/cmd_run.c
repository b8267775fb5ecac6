/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faultline run: profiles, once each or repeated. */
#include <argp.h>
#include <stdlib.h>

#include "base/places.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/cmd_common.h"

enum { REPS_MAX = 1000 };

struct run_options {
	struct common_options common;
	struct arena *arena;
	const char **assignments, **profiles;
	size_t nr_assignments, nr_profiles;
	unsigned reps;
};

static const struct argp_option options[] = {
	{"reps", 'n', "N", 0, "run each profile N times (default 1)", 0},
	{"set", 's', "KEY=VALUE", 0, "override a setting of the profiles; may be repeated", 0},
	{0},
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct run_options *o = state->input;
	uint64_t v = 0;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->common;
		return 0;
	case 'n':
		if (!text_number(arg, &v) || v < 1 || v > REPS_MAX)
			argp_error(state, "-n %s: use a whole number from 1 to %d", arg, REPS_MAX);
		o->reps = (unsigned)v;
		return 0;
	case 's':
		*(const char **)arena_push(o->arena, &o->assignments, &o->nr_assignments,
					   sizeof(arg)) = arg;
		return 0;
	case ARGP_KEY_ARG:
		*(const char **)arena_push(o->arena, &o->profiles, &o->nr_profiles, sizeof(arg)) =
			arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state,
			   "name a profile: `faultline list profiles` tells which there are");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {{&common_argp, 0, NULL, 0}, {0}};
static const struct argp parser = {
	options,
	parse_option,
	"PROFILE...",
	"Boots the kernel-stub once for each profile, prints a table of fault latency by class and "
	"keeps everything in the run's directory.\v"
	"A PROFILE is a name of `faultline list profiles`, or a file. Exit status: 0 all as expected, "
	"1 an expectation missed, a crash or a timeout, 2 wrong use, or no cell can run here, 130 interrupted.",
	children,
	NULL,
	NULL,
};

int cmd_run(int argc, char **argv)
{
	struct arena a = {0};
	struct run_options o = {.common = common_defaults, .arena = &a, .reps = 1};
	struct runner_options ro;
	struct diag d = {0};
	struct plan plan;
	int status = 2;

	o.common.extras.arena = &a;
	argp_parse(&parser, argc, argv, 0, NULL, &o);
	*(const char **)arena_push(&a, &o.assignments, &o.nr_assignments, sizeof(char *)) = NULL;
	*(const char **)arena_push(&a, &o.profiles, &o.nr_profiles, sizeof(char *)) = NULL;
	char *dir = places_data("workloads/profiles");

	if (plan_profiles(&a, dir, o.profiles, o.assignments, o.reps, &plan, &d) &&
	    common_prepare(&o.common, argc, argv, &ro))
		status = runner_run(&a, &plan, &ro);
	free(dir);
	diag_print(&d, stderr);
	arena_free(&a);
	return status;
}
