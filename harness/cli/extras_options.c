/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/extras_options.h"

enum { OPTION_FILE = 0x400, OPTION_APPEND };

static const struct argp_option options[] = {
	{"env", 'E', "NAME=VALUE", 0,
	 "a variable of the program's environment; may be repeated, and the last of a name counts",
	 0},
	{"file", OPTION_FILE, "HOST[=GUEST]", 0,
	 "a file for the guest, as /NAME or by the name GUEST; may be repeated", 0},
	{"append", OPTION_APPEND, "TEXT", 0, "more of the kernel's command line; may be repeated",
	 0},
	{0},
};

static void add_env(struct extras_options *o, const char *arg, struct argp_state *state)
{
	const char *sign = strchr(arg, '=');

	if (!sign || sign == arg)
		argp_error(state, "-E %s: a variable is NAME=VALUE", arg);
	for (size_t i = 0; i + 1 < o->nr_env; i++)
		if (!strncmp(o->extras.env[i], arg, (size_t)(sign + 1 - arg))) {
			o->extras.env[i] = arg;
			return;
		}
	/* NULL-terminated at each step: the pushed end is the next one's place */
	if (o->nr_env == 0)
		arena_push(o->arena, &o->extras.env, &o->nr_env, sizeof(arg));
	o->extras.env[o->nr_env - 1] = arg;
	arena_push(o->arena, &o->extras.env, &o->nr_env, sizeof(arg));
}

static const char *why_no_file(const char *host)
{
	struct stat st;

	if (stat(host, &st) || access(host, R_OK))
		return strerror(errno);
	return S_ISREG(st.st_mode) ? NULL : "not a regular file";
}

static void add_file(struct extras_options *o, const char *arg, struct argp_state *state)
{
	const char *sign = strrchr(arg, '=');
	struct guest_file f = {
		.host = sign ? arena_strndup(o->arena, arg, (size_t)(sign - arg)) : arg,
		.guest = sign ? sign + 1 : arena_printf(o->arena, "/%s", text_base_name(arg)),
	};
	const char *why = why_no_file(f.host);

	if (why)
		argp_error(state, "--file %s: %s: %s", arg, f.host, why);
	if (*f.guest != '/' || !f.guest[1] || f.guest[strlen(f.guest) - 1] == '/')
		argp_error(state, "--file %s: the guest's name begins with / and is a file's", arg);
	*(struct guest_file *)arena_push(o->arena, &o->extras.files, &o->extras.nr_files,
					 sizeof(f)) = f;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct extras_options *o = state->input;

	switch (key) {
	case 'E':
		add_env(o, arg, state);
		return 0;
	case OPTION_FILE:
		add_file(o, arg, state);
		return 0;
	case OPTION_APPEND:
		o->extras.append = o->extras.append
					   ? arena_printf(o->arena, "%s %s", o->extras.append, arg)
					   : arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp extras_argp = {.options = options, .parser = parse_option};

const char *extras_refused(const struct guest_extras *x, enum engine_id engine)
{
	if (engine == ENGINE_LINUX && (x->nr_files || x->append))
		return "--file and --append are a guest's, and engine linux boots none";
	return NULL;
}
