/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The little of <string.h> that kern/ needs beyond memcpy, memset and memcmp. */
#ifndef KERN_STR_H
#define KERN_STR_H

#include <stdbool.h>
#include <stddef.h>

static inline size_t str_length(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static inline bool str_equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

#endif
