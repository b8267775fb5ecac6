/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/places.h"
#include "base/text.h"
#include "model/workload.h"
#include "proc/capture.h"

enum { MAX_FIELDS = 6, DESCRIBE_MAX = 64 << 10 };

/* Cuts line at its TABs; returns how many fields there are. */
static unsigned split(char *line, char *field[MAX_FIELDS])
{
	unsigned n = 0;

	while (n < MAX_FIELDS) {
		field[n++] = line;
		line = strchr(line, '\t');
		if (!line)
			break;
		*line++ = '\0';
	}
	return n;
}

static const char *const *parse_choices(struct arena *a, const char *text)
{
	const char **v = NULL;
	size_t n = 0;

	for (;;) {
		size_t len = strcspn(text, "|");

		*(const char **)arena_push(a, &v, &n, sizeof(*v)) = arena_strndup(a, text, len);
		if (!text[len])
			break;
		text += len + 1;
	}
	*(const char **)arena_push(a, &v, &n, sizeof(*v)) = NULL;
	return v;
}

static bool parse_range(char *text, struct setting *s)
{
	char *dots = strstr(text, "..");

	if (!dots)
		return false;
	*dots = '\0';
	if (!text_number(text, &s->min) || !text_number(dots + 2, &s->max) || s->min > s->max)
		return false;
	if (s->max > INT64_MAX)
		s->max = INT64_MAX;
	return s->min <= s->max;
}

/* param NAME KIND DEFAULT RANGE doc */
static const char *parse_param(struct arena *a, char **field, struct workload *w)
{
	struct setting s = {.name = field[1], .doc = field[5], .group = SETTING_PARAM};
	const char *why = NULL;

	if (!strcmp(field[2], "enum"))
		s.kind = SETTING_ENUM;
	else if (strcmp(field[2], "uint"))
		return "a param is uint or enum";
	if (s.kind == SETTING_ENUM)
		s.choices = parse_choices(a, field[4]);
	else if (!parse_range(field[4], &s))
		return "a range is MIN..MAX";
	if (!strcmp(s.name, "seed"))
		return NULL;
	if (settings_find(&w->params, s.name))
		return "the param stands twice";
	s.value = setting_parse(a, &s, field[3], &why);
	if (!s.value)
		return why;
	*(struct setting *)arena_push(a, &w->params.v, &w->params.n, sizeof(s)) = s;
	return NULL;
}

static const char *parse_line(struct arena *a, char *line, struct workload *w)
{
	char *field[MAX_FIELDS];
	unsigned n = split(line, field);

	if (!strcmp(field[0], "workload") && n == 3) {
		w->name = field[1];
		w->doc = field[2];
		return NULL;
	}
	if (!strcmp(field[0], "param") && n == 6)
		return parse_param(a, field, w);
	if (!strcmp(field[0], "phase") && n == 3) {
		*(const char **)arena_push(a, &w->phases, &w->nr_phases, sizeof(*w->phases)) =
			field[1];
		return NULL;
	}
	return "neither a workload, a param nor a phase line";
}

bool workload_parse(struct arena *a, const char *from, char *text, struct workload *w,
		    struct diag *d)
{
	char *line, *save;
	unsigned nr = 0;
	bool good = true;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *why = parse_line(a, line, w);

		nr++;
		if (why) {
			diag_add(d, from, nr, "%s", why);
			good = false;
		}
	}
	if (good && !w->name) {
		diag_add(d, from, 0, "says nothing of a workload");
		good = false;
	}
	return good;
}

bool workload_load(struct arena *a, const char *name, struct workload *w, struct diag *d)
{
	char *found = places_workload(name);
	char *path = arena_strdup(a, found), *text = arena_alloc(a, DESCRIBE_MAX);
	const char *const argv[] = {path, "--describe", NULL};
	char error[256];

	free(found);
	*w = (struct workload){.path = path};
	if (access(path, X_OK)) {
		diag_add(d, NULL, 0, "no workload %s: %s is no program (make builds them)", name,
			 path);
		return false;
	}
	if (!capture_stdout(argv, 10, false, text, DESCRIBE_MAX, error, sizeof(error))) {
		diag_add(d, NULL, 0, "workload %s can't describe itself: %s", name, error);
		return false;
	}
	return workload_parse(a, arena_printf(a, "%s --describe", path), text, w, d);
}
