/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <string.h>

#include "report/label_words.h"

struct word_count {
	size_t cells, last; /* how many have it; 1 + the place of the last that was counted */
};

/* A word of a profile; the empty word is the profile itself. Unambiguous, whatever the two hold. */
static const char *name_of(struct arena *a, const char *profile, const char *word)
{
	return arena_printf(a, "%zu %s%s", strlen(profile), profile, word);
}

static void count(struct label_words *w, const char *profile, const char *word, size_t cell)
{
	const char *name = name_of(w->arena, profile, word);
	size_t at = *map_put(&w->by_name, name, strlen(name), w->n);
	struct word_count *c =
		at < w->n ? &w->counts[at] : arena_push(w->arena, &w->counts, &w->n, sizeof(*c));

	c->cells += c->last != cell + 1;
	c->last = cell + 1;
}

struct label_words label_words_count(const struct results *r)
{
	struct label_words w = {.arena = r->arena, .by_name = {.arena = r->arena}};

	for (size_t i = 0; i < r->n; i++) {
		const struct result_cell *c = &r->cells[i];
		char *words = arena_strdup(r->arena, c->label), *save;

		count(&w, c->profile, "", i);
		for (char *t = strtok_r(words, " ", &save); t; t = strtok_r(NULL, " ", &save))
			count(&w, c->profile, t, i);
	}
	return w;
}

static size_t cells_with(const struct label_words *w, const char *profile, const char *word)
{
	const char *name = name_of(w->arena, profile, word);
	size_t at;

	return map_find(&w->by_name, name, strlen(name), &at) ? w->counts[at].cells : 0;
}

const char *label_words_telling(const struct label_words *w, const struct result_cell *c,
				bool (*skip)(const char *word, const void *arg), const void *arg)
{
	char *words = arena_strdup(w->arena, c->label), *save;
	size_t cells = cells_with(w, c->profile, "");
	const char *all = "";

	for (char *t = strtok_r(words, " ", &save); t; t = strtok_r(NULL, " ", &save))
		if (!skip(t, arg) && cells_with(w, c->profile, t) != cells)
			all = arena_printf(w->arena, "%s%s%s", all, *all ? " " : "", t);
	return all;
}
