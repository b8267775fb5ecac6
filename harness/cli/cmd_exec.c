/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faultline exec: boot, run one static program, pass on its output and its exit status. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/places.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "cli/cmd.h"
#include "cli/cmd_common.h"
#include "cli/extras_options.h"
#include "model/setting.h"

#define EXIT_CANNOT 2

enum { OPTION_STUB = 256, OPTION_TIMEOUT, OPTION_SEED };

struct exec_options {
	const char *engine;
	struct arena arena;
	struct extras_options extras;
	struct settings settings; /* the machine's and the kernel's */
	uint64_t seed;
	double timeout;
	bool verbose;
	char **program; /* and its arguments, NULL-terminated */
};

static const struct argp_option options[] = {
	{"engine", 'e', "ENGINE", 0, "kvm, tcg, linux, or auto (the default)", 0},
	{"memory", 'm', "SIZE", 0, "the guest's memory, as -s memory=SIZE (128M)", 0},
	{"cpus", 'c', "N", 0, "the guest's CPUs, as -s cpus=N (1)", 0},
	{"set", 's', "KEY=VALUE", 0, "a setting of the machine or the kernel; may be repeated", 0},
	{"seed", OPTION_SEED, "N", 0, "of the guest's random numbers (1)", 0},
	{"timeout", OPTION_TIMEOUT, "SECONDS", 0, "kill the guest then (60)", 0},
	{"stub", OPTION_STUB, "FILE", 0, "boot this kernel-stub instead of the one built along", 0},
	{"verbose", 'v', NULL, 0, "show the kernel's console also when all went well", 0},
	{0},
};

static void set(struct exec_options *o, const char *key, const char *value,
		struct argp_state *state)
{
	struct setting *s = settings_find(&o->settings, key);
	const char *why, *canonical;

	if (!s)
		argp_error(state, "no setting %s: %s", key,
			   settings_hint(&o->arena, &o->settings, key));
	canonical = setting_parse(&o->arena, s, value, &why);
	if (!canonical)
		argp_error(state, "%s", why);
	s->value = canonical;
}

static void set_pair(struct exec_options *o, const char *pair, struct argp_state *state)
{
	const char *sign = strchr(pair, '=');

	if (!sign)
		argp_error(state, "-s %s: a setting is KEY=VALUE", pair);
	set(o, arena_strndup(&o->arena, pair, (size_t)(sign - pair)), sign + 1, state);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct exec_options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		o->extras.arena = &o->arena;
		state->child_inputs[0] = &o->extras;
		break;
	case 'e':
		o->engine = arg;
		break;
	case 'm':
		set(o, "memory", arg, state);
		break;
	case 'c':
		set(o, "cpus", arg, state);
		break;
	case 's':
		set_pair(o, arg, state);
		break;
	case OPTION_SEED:
		o->seed = common_seed(arg, state);
		break;
	case OPTION_TIMEOUT:
		o->timeout = common_seconds(arg, state);
		break;
	case OPTION_STUB:
		places_set_stub(arg);
		break;
	case 'v':
		o->verbose = true;
		break;
	case ARGP_KEY_ARGS:
		o->program = state->argv + state->next;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which program? It comes after --");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child children[] = {{&extras_argp, 0, NULL, 0}, {0}};
static const struct argp parser = {
	.options = options,
	.children = children,
	.parser = parse_option,
	.args_doc = "-- PROGRAM [ARG]...",
	.doc = "Boots the kernel, runs one static Linux program in it and passes on its output and its "
	       "exit status.\vThe exit status is the program's; 128 and the signal if one killed it; "
	       "2 if it could not run, did not end in time, or panicked the kernel.",
};

/* ---- running it ---- */

/* argv as the program will see it: by a path of the guest's, or on linux as it was given. */
static const char **guest_argv(const struct exec_options *o, enum engine_id engine, char **name)
{
	size_t n = 0;
	const char **argv;

	while (o->program[n])
		n++;
	argv = xcalloc(n + 1, sizeof(*argv));
	memcpy(argv, o->program, n * sizeof(*argv));
	*name = engine == ENGINE_LINUX ? xstrdup(o->program[0])
				       : xasprintf("/%s", text_base_name(o->program[0]));
	argv[0] = *name;
	return argv;
}

static void show_console(const struct outcome *out)
{
	size_t n = out->console ? strlen(out->console) : 0;

	if (!n)
		return;
	fputs(out->console, stderr);
	if (out->console[n - 1] != '\n')
		fputc('\n', stderr);
}

static bool went_wrong(const struct outcome *out)
{
	return out->status == CELL_CRASHED || out->status == CELL_TIMEOUT || out->oops_count ||
	       out->unsupported_syscalls || out->state == FL_STATE_PANIC;
}

/* A report that is not ok is the program's own business here: its exit status counts. */
static bool ended_in_order(const struct outcome *out)
{
	bool own_word = out->status == CELL_FAILED || out->have_report;

	return (out->status == CELL_OK || own_word) &&
	       (out->state == FL_STATE_EXITED || out->state == FL_STATE_KILLED);
}

static int conclude(const struct exec_options *o, const struct outcome *out)
{
	if (o->verbose || went_wrong(out))
		show_console(out);
	if (ended_in_order(out))
		return out->state == FL_STATE_EXITED ? out->exit_value : 128 + out->exit_value;
	/* to an engine a panic is an orderly end, and its reason says what it is */
	fprintf(stderr, "faultline exec: %s%s%s\n",
		out->status == CELL_OK ? "" : cell_status_name(out->status),
		out->status == CELL_OK ? "" : ": ", out->reason ? out->reason : "");
	if (out->state_dump)
		fprintf(stderr, "%s", out->state_dump);
	return EXIT_CANNOT;
}

static enum fl_recorder_mode recorder(const struct exec_options *o)
{
	/* nobody would read the events of a raw recorder */
	return settings_recorder(&o->settings) == FL_RECORDER_OFF ? FL_RECORDER_OFF
								  : FL_RECORDER_HIST;
}

static bool is_in(const char *const *env, const char *variable)
{
	size_t name = strcspn(variable, "=") + 1;

	for (; env && *env; env++)
		if (!strncmp(*env, variable, name))
			return true;
	return false;
}

/* What -E says, and of what the program would have without it, the rest. */
static const char *const *program_env(struct exec_options *o, enum engine_id engine)
{
	static const char *const guest[] = {"HOME=/", "PATH=/", NULL};
	const char *const *base = engine == ENGINE_LINUX ? (const char *const *)environ : guest;
	const char *const *given = o->extras.extras.env;
	const char **env = NULL;
	size_t n = 0;

	for (size_t i = 0; base[i]; i++)
		if (!is_in(given, base[i]))
			*(const char **)arena_push(&o->arena, &env, &n, sizeof(*env)) = base[i];
	for (size_t i = 0; given && given[i]; i++)
		*(const char **)arena_push(&o->arena, &env, &n, sizeof(*env)) = given[i];
	arena_push(&o->arena, &env, &n, sizeof(*env));
	return env;
}

static int run(struct exec_options *o, const struct engine *engine)
{
	struct outcome out;
	char *name;
	const char **argv = guest_argv(o, engine->id, &name);
	struct machine_spec spec = {
		.stub = places_stub_with(&o->arena, places_stub(),
					 settings_find(&o->settings, "vma_index")->value),
		.program = o->program[0],
		.argv = argv,
		.envp = program_env(o, engine->id),
		.files = o->extras.extras.files,
		.nr_files = o->extras.extras.nr_files,
		.append = o->extras.extras.append,
		.memory = setting_number(settings_find(&o->settings, "memory")),
		.cpus = (unsigned)setting_number(settings_find(&o->settings, "cpus")),
		.interleave = setting_number(settings_find(&o->settings, "interleave")),
		.seed = o->seed,
		.recorder = recorder(o),
		.kernel_args = settings_kernel_args(&o->arena, &o->settings),
		.timeout = o->timeout,
		.stdio = STDIO_PASS,
	};
	int status;

	engine->run(&spec, &out);
	status = conclude(o, &out);
	if (out.pass_error) {
		fprintf(stderr, "faultline exec: the program's output is cut short: %s\n",
			strerror(out.pass_error));
		status = status ? status : EXIT_CANNOT;
	}
	outcome_free(&out);
	free(argv);
	free(name);
	return status;
}

int cmd_exec(int argc, char **argv)
{
	struct exec_options o = {.engine = ENGINE_AUTO, .seed = 1, .timeout = 60};
	const struct engine *engine;
	const char *why;
	int status = EXIT_CANNOT;

	settings_add_fixed(&o.arena, &o.settings);
	argp_err_exit_status = EXIT_CANNOT;
	argp_parse(&parser, argc, argv, ARGP_IN_ORDER, NULL, &o);
	engine = common_find_engine(o.engine, &why);
	if (!engine)
		; /* said already */
	else if ((why = extras_refused(&o.extras.extras, engine->id)))
		fprintf(stderr, "faultline exec: %s\n", why);
	else
		status = run(&o, engine);
	arena_free(&o.arena);
	return status;
}
