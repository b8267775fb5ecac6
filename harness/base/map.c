/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <string.h>

#include "base/map.h"

struct map_slot {
	const char *key; /* NULL: free */
	size_t len, value;
	uint64_t hash;
};

enum { MIN_ROOM = 16 };

/* FNV-1a. */
static uint64_t hash_of(const char *key, size_t len)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)key[i]) * 0x100000001b3u;
	return h ^ h >> 32;
}

/* The slot of the key, or the free one where it would stand. Needs: a free slot. */
static struct map_slot *probe(const struct map *m, const char *key, size_t len, uint64_t hash)
{
	size_t i = hash & (m->room - 1);

	while (m->slots[i].key && (m->slots[i].hash != hash || m->slots[i].len != len ||
				   memcmp(m->slots[i].key, key, len)))
		i = (i + 1) & (m->room - 1);
	return &m->slots[i];
}

static void grow(struct map *m)
{
	struct map old = *m;

	m->room = old.room ? 2 * old.room : MIN_ROOM;
	m->slots = arena_alloc(m->arena, m->room * sizeof(*m->slots));
	for (size_t i = 0; i < old.room; i++) {
		const struct map_slot *s = &old.slots[i];

		if (s->key)
			*probe(m, s->key, s->len, s->hash) = *s;
	}
}

size_t *map_put(struct map *m, const char *key, size_t len, size_t value)
{
	uint64_t hash = hash_of(key, len);

	if (2 * m->n >= m->room)
		grow(m);
	struct map_slot *s = probe(m, key, len, hash);

	if (!s->key) {
		*s = (struct map_slot){.key = key, .len = len, .value = value, .hash = hash};
		m->n++;
	}
	return &s->value;
}

bool map_find(const struct map *m, const char *key, size_t len, size_t *value)
{
	const struct map_slot *s = m->n ? probe(m, key, len, hash_of(key, len)) : NULL;

	if (!s || !s->key)
		return false;
	*value = s->value;
	return true;
}
