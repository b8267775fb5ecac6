/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of the cells' labels: those that all cells of a profile have tell none from another. */
#ifndef HARNESS_LABEL_WORDS_H
#define HARNESS_LABEL_WORDS_H

#include "results/results.h"

struct label_words {
	struct arena *arena;
	struct map by_name; /* of a profile, and of a profile and a word */
	struct word_count *counts;
	size_t n;
};

/* Counts once what label_words_telling() asks for every cell. */
struct label_words label_words_count(const struct results *r);

/* The words of c's label that not all cells of its profile have, and for which skip(word, arg) is
 * false, with blanks between them. From the arena of the results. */
const char *label_words_telling(const struct label_words *w, const struct result_cell *c,
				bool (*skip)(const char *word, const void *arg), const void *arg);

#endif
