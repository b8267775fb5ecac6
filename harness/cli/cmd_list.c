/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faultline list: what there is. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault_class.h"
#include "base/places.h"
#include "base/text.h"
#include "base/vmstat.h"
#include "cli/cmd.h"
#include "engine/engines.h"
#include "model/profile.h"

static int list_engines(struct arena *a)
{
	(void)a;
	for (unsigned i = 0; i < NR_ENGINES; i++) {
		const struct engine *e = engines[i];
		const char *why = e->unavailable();
		const char *caveat = why ? NULL : e->caveat();

		printf("%-6s %s\n", engine_name(e->id), e->doc);
		if (why)
			printf("       not here: %s\n", why);
		if (caveat)
			printf("       note: %s\n", caveat);
	}
	return 0;
}

/* The value of one key of [section] in a file that may be broken: "" then. */
static const char *description(struct arena *a, const char *dir, const char *name,
			       const char *section)
{
	struct diag d = {0};
	struct conf c;
	bool good = conf_read(a, arena_printf(a, "%s/%s.ini", dir, name), &c, &d);
	const struct conf_entry *e = good ? conf_find(&c, section, "description") : NULL;
	const char *text = !good ? "(broken: run it to see why)" : e ? e->value : "";

	diag_free(&d);
	return text;
}

static int list_files(struct arena *a, const char *data, const char *section)
{
	char *dir = places_data(data);
	const char *const *names = profile_names(a, dir);

	if (!*names)
		fprintf(stderr, "faultline: no files *.ini in %s\n", dir);
	for (size_t i = 0; names[i]; i++)
		printf("%-18s %s\n", names[i], description(a, dir, names[i], section));
	free(dir);
	return names[0] ? 0 : 2;
}

static int list_profiles(struct arena *a)
{
	return list_files(a, "workloads/profiles", "profile");
}

static int list_matrices(struct arena *a)
{
	return list_files(a, "workloads/matrix", "matrix");
}

static int list_classes(struct arena *a)
{
	(void)a;
	for (unsigned i = 0; i < FL_NR_CLASSES; i++)
		printf("%-24s %s\n", fault_class_name((enum fl_class)i),
		       fault_class_doc((enum fl_class)i));
	return 0;
}

static int list_counters(struct arena *a)
{
	(void)a;
	for (unsigned i = 0; i < FL_NR_VMSTAT; i++)
		printf("%-24s %s\n", vmstat_name((enum fl_vmstat)i),
		       vmstat_is_gauge((enum fl_vmstat)i)
			       ? "level at the end of the run"
			       : "event: what the measured phases added");
	return 0;
}

static const struct {
	const char *name;
	int (*list)(struct arena *a);
} kinds[] = {
	{"engines", list_engines}, {"profiles", list_profiles}, {"matrices", list_matrices},
	{"classes", list_classes}, {"counters", list_counters},
};
enum { NR_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static int find_kind(const char *name)
{
	for (int i = 0; i < NR_KINDS; i++)
		if (!strcmp(kinds[i].name, name))
			return i;
	return -1;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	int *kind = state->input;
	const char *names[NR_KINDS + 1] = {NULL};

	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	if (*kind >= 0)
		argp_error(state, "one thing at a time: %s is too much", arg);
	*kind = find_kind(arg);
	for (int i = 0; i < NR_KINDS; i++)
		names[i] = kinds[i].name;
	const char *near = text_nearest(arg, names);

	if (*kind < 0)
		argp_error(state, "can't list %s: %s%s", arg, near ? "did you mean " : "see --help",
			   near ? near : "");
	return 0;
}

static const struct argp parser = {
	NULL,
	parse_option,
	"[engines|profiles|matrices|classes|counters]",
	"Lists what there is; all of it without an argument.",
	NULL,
	NULL,
	NULL,
};

int cmd_list(int argc, char **argv)
{
	struct arena a = {0};
	int kind = -1, status = 0;

	argp_parse(&parser, argc, argv, 0, NULL, &kind);
	for (int i = 0; i < NR_KINDS; i++) {
		if (kind >= 0 && i != kind)
			continue;
		if (kind < 0)
			printf("%s%s:\n", i ? "\n" : "", kinds[i].name);
		int one = kinds[i].list(&a);

		status = one > status ? one : status;
	}
	arena_free(&a);
	return status;
}
