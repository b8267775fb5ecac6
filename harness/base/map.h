/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A hash table from text to numbers, mostly places in a vector. Nothing is ever taken out. */
#ifndef HARNESS_MAP_H
#define HARNESS_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct map_slot;

/* All zero but for the arena is an empty map; its memory is the arena's. */
struct map {
	struct arena *arena;
	struct map_slot *slots;
	size_t n, room;
};

/* Where the value of a key stands, which is `value` if the map did not have it: so
 * `*map_put(m, key, len, i) == i` tells whether a place i is the first of that name. The key (len
 * bytes, no NUL needed) is not copied; the pointer holds until the next call. */
size_t *map_put(struct map *m, const char *key, size_t len, size_t value);

/* False, and *value untouched, if the map does not have the key. */
bool map_find(const struct map *m, const char *key, size_t len, size_t *value);

#endif
