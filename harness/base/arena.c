/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	alignas(max_align_t) unsigned char bytes[];
};

enum { BLOCK_BYTES = 64 << 10 };

static void out_of_memory(size_t bytes)
{
	fprintf(stderr, "faultline: out of memory for %zu bytes\n", bytes);
	abort();
}

static struct arena_block *new_block(struct arena *a, size_t bytes)
{
	size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
	struct arena_block *b = calloc(1, sizeof(*b) + size);

	if (!b)
		out_of_memory(bytes);
	b->size = size;
	b->next = a->blocks;
	a->blocks = b;
	return b;
}

void *arena_alloc(struct arena *a, size_t bytes)
{
	struct arena_block *b = a->blocks;
	size_t unit = alignof(max_align_t);

	if (bytes > SIZE_MAX / 2)
		out_of_memory(bytes);
	bytes = (bytes + unit - 1) & ~(unit - 1);
	if (!b || b->size - b->used < bytes)
		b = new_block(a, bytes);
	void *p = b->bytes + b->used;

	b->used += bytes;
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *copy = arena_alloc(a, n + 1);

	memcpy(copy, s, n);
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *format, ...)
{
	va_list ap;
	char *text = NULL;

	va_start(ap, format);
	int n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory(0);
	char *copy = arena_strndup(a, text, (size_t)n);

	free(text);
	return copy;
}

void *arena_push(struct arena *a, void *v_ptr, size_t *n, size_t size)
{
	unsigned char *v;

	memcpy(&v, v_ptr, sizeof(v));
	/* Room is a power of two: used up exactly when n is 0 or one. */
	if (!(*n & (*n - 1))) {
		unsigned char *bigger = arena_alloc(a, (*n ? 2 * *n : 1) * size);

		if (*n)
			memcpy(bigger, v, *n * size);
		v = bigger;
		memcpy(v_ptr, &v, sizeof(v));
	}
	return v + (*n)++ * size;
}

void arena_free(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *b = a->blocks;

		a->blocks = b->next;
		free(b);
	}
}
