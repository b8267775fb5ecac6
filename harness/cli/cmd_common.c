/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/places.h"
#include "base/text.h"
#include "cli/cmd_common.h"
#include "engine/engines.h"

enum { OPTION_SEED = 0x100, OPTION_TIMEOUT, OPTION_STUB };

const struct common_options common_defaults = {.engine = ENGINE_AUTO, .seed = 1, .timeout = 120};

static const struct argp_option options[] = {
	{.name = "engine",
	 .key = 'e',
	 .arg = "ENGINE",
	 .doc = "kvm, tcg, linux, or auto (the default)"},
	{.name = "output",
	 .key = 'o',
	 .arg = "DIR",
	 .doc = "the run's directory (default: results/<time>-<commit>-<engine>)"},
	{.name = "seed",
	 .key = OPTION_SEED,
	 .arg = "N",
	 .doc = "of every random choice (default 1)"},
	{.name = "timeout",
	 .key = OPTION_TIMEOUT,
	 .arg = "SECONDS",
	 .doc = "end a cell that takes longer (default 120)"},
	{.name = "stub",
	 .key = OPTION_STUB,
	 .arg = "FILE",
	 .doc = "boot this kernel-stub instead of the one built along"},
	{0},
};

double common_seconds(const char *arg, struct argp_state *state)
{
	char *end;
	double v = strtod(arg, &end);

	if (*end || end == arg || !(v > 0 && v <= 86400))
		argp_error(state, "--timeout %s: use seconds, above 0 and up to 86400", arg);
	return v;
}

uint64_t common_seed(const char *arg, struct argp_state *state)
{
	uint64_t seed = 0;

	if (!text_number(arg, &seed) || seed < 1 || seed > INT64_MAX)
		argp_error(state, "--seed %s: use a whole number, 1 or more", arg);
	return seed;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct common_options *c = state->input;

	if (key == ARGP_KEY_INIT) {
		state->child_inputs[0] = &c->extras;
		return 0;
	}
	if (key == 'o' && !*arg)
		argp_error(state, "-o needs the name of a directory");
	if (key == 'o')
		c->dir = arg;
	else if (key == 'e')
		c->engine = arg;
	else if (key == OPTION_SEED)
		c->seed = common_seed(arg, state);
	else if (key == OPTION_TIMEOUT)
		c->timeout = common_seconds(arg, state);
	else if (key == OPTION_STUB)
		places_set_stub(arg);
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct argp_child children[] = {{&extras_argp, 0, NULL, 0}, {0}};
const struct argp common_argp = {.options = options, .parser = parse_option, .children = children};

const struct engine *common_find_engine(const char *name, const char **why)
{
	const char *names[NR_ENGINES + 2] = {ENGINE_AUTO};
	const struct engine *e = engine_find(name, why);
	char q[48];

	if (e)
		return e;
	for (unsigned i = 0; i < NR_ENGINES; i++)
		names[i + 1] = engine_name((enum engine_id)i);
	const char *near = text_nearest(name, names);

	fprintf(stderr, "faultline: no engine %s: %s%s\n", text_quote(q, name),
		near ? "did you mean " : "`faultline list engines` names them", near ? near : "");
	return NULL;
}

/* The engine, if it can run here; *choice: why auto took it, NULL if it was named. */
static const struct engine *usable_engine(const char *name, const char **choice)
{
	const char *why;
	const struct engine *e = common_find_engine(name, &why);

	if (!e)
		return NULL;
	*choice = strcmp(name, ENGINE_AUTO) ? NULL : why;
	why = e->unavailable();
	if (why) {
		fprintf(stderr, "faultline: engine %s can't run here: %s\n", engine_name(e->id),
			why);
		return NULL;
	}
	if (*choice)
		fprintf(stderr, "faultline: engine %s: %s\n", engine_name(e->id), *choice);
	return e;
}

bool common_prepare(const struct common_options *c, int argc, char **argv, struct runner_options *o)
{
	const char *why;

	*o = (struct runner_options){
		.stub = places_stub(),
		.dir = c->dir,
		.seed = c->seed,
		.timeout = c->timeout,
		.extras = c->extras.extras,
		.argc = argc,
		.argv = argv,
	};
	o->engine = usable_engine(c->engine, &o->engine_choice);
	if (!o->engine)
		return false;
	why = extras_refused(&o->extras, o->engine->id);
	if (why) {
		fprintf(stderr, "faultline: %s\n", why);
		return false;
	}
	if (o->engine->id != ENGINE_LINUX && access(o->stub, R_OK)) {
		fprintf(stderr,
			"faultline: no kernel-stub at %s: `make` builds it, --stub names another\n",
			o->stub);
		return false;
	}
	return true;
}
