/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arguments are key=value, as in a profile's [params]. Every workload has `seed` besides its own.
 */
#include "workload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_SEED 1

static const struct wl_param seed_param = {
	.name = "seed",
	.kind = WL_UINT,
	.fallback = "0",
	.max = UINT64_MAX,
	.doc = "of every random choice; 0: FAULTLINE_SEED from the environment, or 1",
};

/* Decimal digits alone: no sign, no space, no overflow. */
static bool args_number(const char *s, uint64_t *value)
{
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	*value = strtoull(s, &end, 10);
	return *end == '\0' && errno == 0;
}

/* The place of `word` in "a|b|c", or -1. */
static int args_choice(const char *choices, const char *word)
{
	size_t len = strlen(word);

	for (int i = 0;; i++) {
		size_t here = strcspn(choices, "|");

		if (here == len && memcmp(choices, word, len) == 0)
			return i;
		if (choices[here] == '\0')
			return -1;
		choices += here + 1;
	}
}

static int args_value(const struct wl_param *p, const char *text, uint64_t *value, char *err,
		      size_t size)
{
	if (p->kind == WL_ENUM) {
		int place = args_choice(p->choices, text);

		if (place < 0) {
			snprintf(err, size, "%s=%s: must be one of %s", p->name, text, p->choices);
			return -1;
		}
		*value = (uint64_t)place;
		return 0;
	}
	if (!args_number(text, value) || *value < p->min || *value > p->max) {
		snprintf(err, size, "%s=%s: must be a number from %" PRIu64 " to %" PRIu64, p->name,
			 text, p->min, p->max);
		return -1;
	}
	return 0;
}

static int args_one(struct wl_run *run, const char *arg, char *err, size_t size)
{
	const char *eq = strchr(arg, '=');
	size_t len = eq ? (size_t)(eq - arg) : strlen(arg);

	if (!eq || len == 0) {
		snprintf(err, size, "%s: arguments are key=value", arg);
		return -1;
	}
	if (len == strlen(seed_param.name) && memcmp(arg, seed_param.name, len) == 0)
		return args_value(&seed_param, eq + 1, &run->seed, err, size);
	for (unsigned i = 0; run->w->params[i].name; i++) {
		const struct wl_param *p = &run->w->params[i];

		if (strlen(p->name) == len && memcmp(arg, p->name, len) == 0)
			return args_value(p, eq + 1, &run->values[i], err, size);
	}
	snprintf(err, size, "%.*s: no such parameter; --help lists them", (int)len, arg);
	return -1;
}

static int args_seed(struct wl_run *run, char *err, size_t size)
{
	const char *env = getenv("FAULTLINE_SEED");

	if (run->seed)
		return 0;
	run->seed = DEFAULT_SEED;
	if (env && !args_number(env, &run->seed)) {
		snprintf(err, size, "FAULTLINE_SEED=%s: must be a number", env);
		return -1;
	}
	return 0;
}

int args_parse(struct wl_run *run, int argc, char **argv, char *err, size_t size)
{
	for (unsigned i = 0; run->w->params[i].name; i++) {
		const struct wl_param *p = &run->w->params[i];

		if (args_value(p, p->fallback, &run->values[i], err, size))
			return -1;
	}
	for (int i = 1; i < argc; i++)
		if (args_one(run, argv[i], err, size))
			return -1;
	return args_seed(run, err, size);
}

/* "1..4096" or "a|b|c". */
static const char *args_range(const struct wl_param *p, char *buf, size_t size)
{
	if (p->kind == WL_ENUM)
		return p->choices;
	snprintf(buf, size, "%" PRIu64 "..%" PRIu64, p->min, p->max);
	return buf;
}

static void args_each(const struct workload *w, void (*show)(const struct wl_param *))
{
	for (unsigned i = 0; w->params[i].name; i++)
		show(&w->params[i]);
	show(&seed_param);
}

static void args_help_param(const struct wl_param *p)
{
	char buf[64];

	printf("  %-10s %s (%s; default %s)\n", p->name, p->doc, args_range(p, buf, sizeof buf),
	       p->fallback);
}

void args_help(const struct workload *w)
{
	printf("usage: %s [KEY=VALUE]... | --describe | --help\n\n%s\n\nParameters:\n", w->name,
	       w->doc);
	args_each(w, args_help_param);
	printf("\nMeasured phases:\n");
	for (unsigned i = 0; w->phases[i].name; i++)
		printf("  %-16s %s\n", w->phases[i].name, w->phases[i].doc);
	if (w->needs_stub)
		printf("\nRuns on the stub only: %s.\n", w->needs_stub);
}

static void args_describe_param(const struct wl_param *p)
{
	char buf[64];

	printf("param\t%s\t%s\t%s\t%s\t%s\n", p->name, p->kind == WL_ENUM ? "enum" : "uint",
	       p->fallback, args_range(p, buf, sizeof buf), p->doc);
}

void args_describe(const struct workload *w)
{
	printf("workload\t%s\t%s\n", w->name, w->doc);
	args_each(w, args_describe_param);
	for (unsigned i = 0; w->phases[i].name; i++)
		printf("phase\t%s\t%s\n", w->phases[i].name, w->phases[i].doc);
}
