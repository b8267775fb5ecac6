/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "model/cell_key.h"

struct cell_key cell_key_make(struct arena *a, const char *profile, const char *params,
			      unsigned long long rep)
{
	const char *gap = *params ? " " : "";
	struct cell_key k = {.text = arena_printf(a, "%s%s%s #%llu", profile, gap, params, rep)};

	k.len = strlen(k.text);
	k.len_settings = strlen(profile) + strlen(gap) + strlen(params);
	return k;
}

struct cell_key cell_key_of_rep(struct arena *a, const struct cell_key *k, unsigned long long rep)
{
	struct cell_key other = *k;

	other.text = arena_printf(a, "%.*s #%llu", (int)k->len_settings, k->text, rep);
	other.len = strlen(other.text);
	return other;
}

static int by_text(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

const char *cell_key_join(struct arena *a, const char **pairs, size_t n)
{
	size_t len = 1;

	for (size_t i = 0; i < n; i++)
		len += strlen(pairs[i]) + 1;
	char *all = arena_alloc(a, len), *end = all;

	if (n)
		qsort(pairs, n, sizeof(*pairs), by_text);
	for (size_t i = 0; i < n; i++) {
		if (i)
			*end++ = ' ';
		end = stpcpy(end, pairs[i]);
	}
	return all;
}

/* One CPU takes no turns: its cells are the same whatever `interleave` says. */
bool cell_key_has(const struct settings *s, const struct setting *one)
{
	if (one->unsaid)
		return strcmp(one->value, one->unsaid);
	return strcmp(one->name, "interleave") || setting_number(settings_find(s, "cpus")) != 1;
}

const char *cell_key_params(struct arena *a, const struct settings *s)
{
	struct arena scratch = {0};
	const char **pairs = arena_alloc(&scratch, s->n * sizeof(*pairs));
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		if (cell_key_has(s, &s->v[i]))
			pairs[n++] = arena_printf(&scratch, "%s=%s", s->v[i].name, s->v[i].value);
	const char *all = cell_key_join(a, pairs, n);

	arena_free(&scratch);
	return all;
}
