/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faultline exec: boot, run one static program, pass on its output and its exit status. */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cmd.h"
#include "engine.h"
#include "engine/outcome.h"
#include "paths.h"

#define EXIT_CANNOT 2
#define MAX_SETTINGS 32u

enum { OPTION_STUB = 256, OPTION_TIMEOUT, OPTION_SEED };

struct exec_options {
	const char *engine;
	uint64_t memory;
	unsigned cpus;
	uint64_t seed;
	double timeout;
	bool verbose;
	char *settings; /* "KEY=VALUE KEY=VALUE", or "" */
	char **program; /* and its arguments, NULL-terminated */
};

static const struct argp_option options[] = {
	{"engine", 'e', "ENGINE", 0, "kvm, tcg, linux or auto (the default)", 0},
	{"memory", 'm', "SIZE", 0, "the guest's memory, e.g. 256M (the default) or 16G", 0},
	{"cpus", 'c', "N", 0, "the guest's CPUs (1)", 0},
	{"set", 's', "KEY=VALUE", 0, "a setting of the kernel; may be repeated", 0},
	{"seed", OPTION_SEED, "N", 0, "of the guest's random numbers (1)", 0},
	{"timeout", OPTION_TIMEOUT, "SECONDS", 0, "kill the guest then (60)", 0},
	{"stub", OPTION_STUB, "FILE", 0, "the kernel to boot, instead of this build's", 0},
	{"verbose", 'v', NULL, 0, "show the kernel's console also when all went well", 0},
	{0},
};

static bool parse_size(const char *text, uint64_t *size)
{
	static const char units[] = "KMG";
	const char *unit;
	char *end;

	errno = 0;
	*size = strtoull(text, &end, 10);
	if (errno || end == text || *text == '-')
		return false;
	if (*end && (unit = strchr(units, *end))) {
		unsigned shift = 10 * (unsigned)(unit - units + 1);

		if (*size > UINT64_MAX >> shift)
			return false;
		*size <<= shift;
		end++;
	}
	return !*end && *size;
}

static bool parse_number(const char *text, uint64_t max, uint64_t *n)
{
	char *end;

	errno = 0;
	*n = strtoull(text, &end, 10);
	return !errno && end != text && !*end && *text != '-' && *n <= max;
}

static bool parse_seconds(const char *text, double *seconds)
{
	char *end;

	*seconds = strtod(text, &end);
	return end != text && !*end && *seconds > 0 && *seconds < 1e6;
}

static void add_setting(struct exec_options *o, const char *setting, struct argp_state *state)
{
	char *joined;

	if (!strchr(setting, '=') || *setting == '=' || strpbrk(setting, " \t\n"))
		argp_error(state, "-s %s: a setting is KEY=VALUE without blanks", setting);
	joined = xasprintf("%s%s%s", o->settings, *o->settings ? " " : "", setting);
	free(o->settings);
	o->settings = joined;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct exec_options *o = state->input;
	uint64_t n = 0;

	switch (key) {
	case 'e':
		o->engine = arg;
		break;
	case 'm':
		if (!parse_size(arg, &o->memory))
			argp_error(state, "-m %s: a size is a number with K, M or G behind it",
				   arg);
		break;
	case 'c':
		if (!parse_number(arg, 64, &n) || !n)
			argp_error(state, "-c %s: a number from 1 to 64", arg);
		o->cpus = (unsigned)n;
		break;
	case 's':
		add_setting(o, arg, state);
		break;
	case OPTION_SEED:
		if (!parse_number(arg, UINT64_MAX, &o->seed))
			argp_error(state, "--seed %s: not a number", arg);
		break;
	case OPTION_TIMEOUT:
		if (!parse_seconds(arg, &o->timeout))
			argp_error(state, "--timeout %s: not a number of seconds", arg);
		break;
	case OPTION_STUB:
		paths_set_stub(arg);
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

static const struct argp parser = {
	.options = options,
	.parser = parse_option,
	.args_doc = "-- PROGRAM [ARG]...",
	.doc = "Boots the kernel, runs one static Linux program in it and passes on its output and its "
	       "exit status.\vThe exit status is the program's; 128 and the signal if one killed it; "
	       "2 if it could not run.",
};

/* ---- running it ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

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
				       : xasprintf("/%s", base_name(o->program[0]));
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
	fprintf(stderr, "faultline exec: %s: %s\n", outcome_status_name(out->status),
		out->reason ? out->reason : "");
	if (out->state_dump)
		fprintf(stderr, "%s", out->state_dump);
	return EXIT_CANNOT;
}

static int run(const struct exec_options *o, const struct engine *engine)
{
	static const char *const env[] = {"HOME=/", "PATH=/", NULL};
	struct outcome out;
	char *name;
	const char **argv = guest_argv(o, engine->id, &name);
	struct machine_spec spec = {
		.stub = paths_stub(),
		.program = o->program[0],
		.argv = argv,
		.envp = engine->id == ENGINE_LINUX ? (const char *const *)environ : env,
		.memory = o->memory,
		.cpus = o->cpus,
		.seed = o->seed,
		.recorder = FL_RECORDER_HIST,
		.kernel_args = o->settings,
		.timeout = o->timeout,
		.stdio = STDIO_PASS,
	};
	int status;

	signal(SIGPIPE, SIG_IGN);
	engine->run(&spec, &out);
	status = conclude(o, &out);
	outcome_free(&out);
	free(argv);
	free(name);
	return status;
}

int cmd_exec(int argc, char **argv)
{
	struct exec_options o = {.engine = "auto",
				 .memory = 256ull << 20,
				 .cpus = 1,
				 .seed = 1,
				 .timeout = 60,
				 .settings = xstrdup("")};
	const struct engine *engine;
	const char *why;
	int status = EXIT_CANNOT;

	argp_err_exit_status = EXIT_CANNOT;
	argp_parse(&parser, argc, argv, ARGP_IN_ORDER, NULL, &o);
	engine = engine_find(o.engine, &why);
	if (!engine)
		fprintf(stderr, "faultline exec: no engine %s: kvm, tcg, linux or auto\n",
			o.engine);
	else if (engine->unavailable())
		fprintf(stderr, "faultline exec: engine %s: %s\n", engine->name,
			engine->unavailable());
	else
		status = run(&o, engine);
	free(o.settings);
	return status;
}
