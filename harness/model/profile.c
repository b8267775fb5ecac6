/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "model/profile.h"

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

static int by_name(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

const char *const *profile_names(struct arena *a, const char *dir)
{
	const char **v = NULL;
	size_t n = 0;
	DIR *at = opendir(dir);

	for (struct dirent *e = at ? readdir(at) : NULL; e; e = readdir(at))
		if (e->d_name[0] != '.' && ends_with(e->d_name, ".ini"))
			*(const char **)arena_push(a, &v, &n, sizeof(*v)) =
				arena_strndup(a, e->d_name, strlen(e->d_name) - 4);
	if (at)
		closedir(at);
	if (n)
		qsort(v, n, sizeof(*v), by_name);
	*(const char **)arena_push(a, &v, &n, sizeof(*v)) = NULL;
	return v;
}

const char *profile_find_file(struct arena *a, const char *what, const char *dir, const char *name,
			      struct diag *d)
{
	if (strchr(name, '/') || ends_with(name, ".ini"))
		return arena_strdup(a, name);
	const char *file = arena_printf(a, "%s/%s.ini", dir, name);

	if (!access(file, R_OK))
		return file;
	const char *near = text_nearest(name, profile_names(a, dir));
	char q[48];

	diag_add(d, NULL, 0, "no %s %s in %s%s%s", what, text_quote(q, name), dir,
		 near ? ": did you mean " : "; `faultline list` names what there is",
		 near ? near : "");
	return NULL;
}

static const char *name_of_file(struct arena *a, const char *file)
{
	const char *slash = strrchr(file, '/');
	const char *base = slash ? slash + 1 : file;
	size_t n = strlen(base);

	return arena_strndup(a, base, ends_with(base, ".ini") ? n - 4 : n);
}

/* The name becomes a word of results and the name of files: nothing that JSON or a path can't hold.
 */
static bool good_name(const char *name)
{
	for (; *name; name++)
		if (*name < ' ' || *name > '~')
			return false;
	return true;
}

/* [profile]: which workload, and its parameters from itself. */
static bool read_head(struct arena *a, const struct conf *c, struct profile *p, struct diag *d)
{
	const struct conf_entry *workload = conf_find(c, "profile", "workload");
	const struct conf_entry *description = conf_find(c, "profile", "description");
	struct diag inner = {0};

	p->description = description ? description->value : "";
	if (!workload) {
		diag_add(d, c->file, 0, "[profile] has no workload = NAME");
		return false;
	}
	bool good = !strchr(workload->value, '/') &&
		    workload_load(a, workload->value, &p->workload, &inner);

	if (!good)
		diag_add(d, c->file, workload->line, "%s",
			 inner.text ? strtok(inner.text, "\n") : "workload: use a bare name");
	diag_free(&inner);
	if (!good)
		return false;
	for (size_t i = 0; i < p->workload.params.n; i++)
		*(struct setting *)arena_push(a, &p->settings.v, &p->settings.n,
					      sizeof(struct setting)) = p->workload.params.v[i];
	settings_add_fixed(a, &p->settings);
	return true;
}

static void read_setting(struct arena *a, const struct conf *c, const struct conf_entry *e,
			 struct profile *p, struct diag *d)
{
	struct setting *s = settings_find(&p->settings, e->key);
	const char *why;

	if (!s) {
		diag_add(d, c->file, e->line, "no setting %s: %s", e->key,
			 settings_hint(a, &p->settings, e->key));
		return;
	}
	if (strcmp(setting_group_name(s->group), e->section)) {
		diag_add(d, c->file, e->line, "%s belongs into [%s]", e->key,
			 setting_group_name(s->group));
		return;
	}
	const char *value = setting_parse(a, s, e->value, &why);

	if (value)
		s->value = value;
	else
		diag_add(d, c->file, e->line, "%s", why);
}

static bool is_setting_section(const char *name)
{
	return !strcmp(name, "params") || !strcmp(name, "machine") || !strcmp(name, "kernel");
}

static bool is_expect_section(const char *name)
{
	return !strcmp(name, "expect") || !strncmp(name, "expect ", 7);
}

static void check_sections(const struct conf *c, struct diag *d)
{
	static const char *const names[] = {"profile", "machine", "kernel",
					    "params",  "expect",  NULL};

	for (size_t i = 0; i < c->nr_sections; i++) {
		const struct conf_section *s = &c->sections[i];
		const char *near = text_nearest(s->name, names);

		if (strcmp(s->name, "profile") && !is_setting_section(s->name) &&
		    !is_expect_section(s->name))
			diag_add(d, c->file, s->line, "no section [%s] in a profile: %s%s", s->name,
				 near ? "did you mean "
				      : "there are profile, machine, kernel, params, expect and "
					"expect ENGINE",
				 near ? near : "");
	}
}

static void check_head(const struct conf *c, struct diag *d)
{
	for (size_t i = 0; i < c->nr_entries; i++) {
		const struct conf_entry *e = &c->entries[i];

		if (!*e->section)
			diag_add(d, c->file, e->line, "%s stands before any [section]", e->key);
		else if (!strcmp(e->section, "profile") && strcmp(e->key, "workload") &&
			 strcmp(e->key, "description"))
			diag_add(d, c->file, e->line,
				 "no key %s in [profile]: use workload or description", e->key);
	}
}

bool profile_load(struct arena *a, const char *profile_dir, const char *name, struct profile *p,
		  struct diag *d)
{
	unsigned before = d->count;
	struct conf c;
	char q[48];

	*p = (struct profile){0};
	p->file = profile_find_file(a, "profile", profile_dir, name, d);
	if (!p->file || !conf_read(a, p->file, &c, d))
		return false;
	p->name = name_of_file(a, p->file);
	if (!good_name(p->name)) {
		diag_add(d, NULL, 0, "profile %s: use printable ASCII for a profile's file name",
			 text_quote(q, p->name));
		return false;
	}
	check_sections(&c, d);
	check_head(&c, d);
	if (!read_head(a, &c, p, d))
		return false;
	for (size_t i = 0; i < c.nr_entries; i++)
		if (is_setting_section(c.entries[i].section))
			read_setting(a, &c, &c.entries[i], p, d);
	for (size_t i = 0; i < c.nr_sections; i++)
		if (is_expect_section(c.sections[i].name))
			expect_read(a, &c, &c.sections[i], &p->settings, &p->expect, d);
	return d->count == before;
}

bool profile_set(struct arena *a, struct settings *s, const char *assignment, const char **why)
{
	const char *equals = strchr(assignment, '=');

	if (!equals) {
		*why = arena_printf(a, "%s: use KEY=VALUE", assignment);
		return false;
	}
	const char *key = arena_strndup(a, assignment, (size_t)(equals - assignment));
	struct setting *at = settings_find(s, key);

	if (!at) {
		*why = arena_printf(a, "no setting %s: %s", key, settings_hint(a, s, key));
		return false;
	}
	const char *value = setting_parse(a, at, equals + 1, why);

	if (value)
		at->value = value;
	return value != NULL;
}
