/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faultline compare: what got worse between two runs. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/cmd.h"
#include "report/compare_print.h"

struct compare_options {
	enum compare_format format;
	const char *dirs[2];
};

static const struct argp_option options[] = {
	{"format", 'f', "FORMAT", 0, "text (the default), markdown, json or junit", 0},
	{0},
};

static enum compare_format parse_format(const char *arg, struct argp_state *state)
{
	static const char *const names[] = {"text", "markdown", "json", "junit", NULL};

	for (int i = 0; names[i]; i++)
		if (!strcmp(names[i], arg))
			return (enum compare_format)i;
	const char *near = text_nearest(arg, names);

	argp_error(state, "--format %s: %s%s", arg,
		   near ? "did you mean " : "use text, markdown, json or junit", near ? near : "");
	return COMPARE_TEXT;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct compare_options *o = state->input;

	switch (key) {
	case 'f':
		o->format = parse_format(arg, state);
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num >= 2)
			argp_error(state, "two runs are compared: %s is too much", arg);
		o->dirs[state->arg_num] = arg;
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num < 2)
			argp_error(state, "name the base run and the new run");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp parser = {
	options,
	parse_option,
	"BASE NEW",
	"Tells what is different between two runs of the same matrix, given by their directories.\v"
	"Runs of the tcg engine are compared exactly: every instruction counts. Exit status: 0 equal or "
	"better (or no verdict), 1 worse or different, 2 wrong use or unreadable results.",
	NULL,
	NULL,
	NULL,
};

static void warn_truncated(const struct results *r)
{
	if (r->truncated)
		fprintf(stderr, "faultline: %s: the last line is cut short: left out\n", r->file);
}

int cmd_compare(int argc, char **argv)
{
	struct compare_options o = {.format = COMPARE_TEXT};
	struct results base = {0}, new = {0};
	struct comparison c;
	struct arena a = {0};
	struct diag d = {0};
	int status = 2;

	argp_parse(&parser, argc, argv, 0, NULL, &o);
	if (results_read(&a, o.dirs[0], &base, &d) && results_read(&a, o.dirs[1], &new, &d)) {
		warn_truncated(&base);
		warn_truncated(&new);
		if (compare_runs(&a, &base, &new, &c, &d)) {
			compare_print(stdout, o.format, &c);
			status = c.worse;
		}
	}
	results_free(&base);
	results_free(&new);
	diag_print(&d, stderr);
	arena_free(&a);
	return status;
}
