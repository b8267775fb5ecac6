/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that lives as long as a command: given out piece by piece, freed in one go. */
#ifndef HARNESS_ARENA_H
#define HARNESS_ARENA_H

#include <stddef.h>

struct arena_block;

/* All zero is an empty arena. */
struct arena {
	struct arena_block *blocks;
};

/* Zeroed memory of that size, aligned for anything. Aborts when there is none. */
void *arena_alloc(struct arena *a, size_t bytes);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A vector's next element: grows *v (n elements of that size in use) to hold n + 1, returns the new
 * one, zeroed. The old vector stays behind in the arena. */
void *arena_push(struct arena *a, void *v_ptr, size_t *n, size_t size);

/* Frees everything that came from it. */
void arena_free(struct arena *a);

#endif
