/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The four functions that a compiler may call for in freestanding code. */
#include "port/port.h"

void *memcpy(void *to, const void *from, size_t n)
{
	void *d = to;
	size_t words = n / 8;

	n &= 7;
	__asm__ volatile("rep movsq" : "+D"(d), "+S"(from), "+c"(words)::"memory");
	__asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(n)::"memory");
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	uint8_t *d = to;
	const uint8_t *s = from;

	if (d <= s || d >= s + n)
		return memcpy(to, from, n);
	while (n--)
		d[n] = s[n];
	return to;
}

void *memset(void *p, int c, size_t n)
{
	void *d = p;
	uint64_t pattern = (uint8_t)c * 0x0101010101010101ull;
	size_t words = n / 8;

	n &= 7;
	__asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(pattern) : "memory");
	__asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(pattern) : "memory");
	return p;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}
