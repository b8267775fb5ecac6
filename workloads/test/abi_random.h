/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For the random programs that are compared: a seeded generator, and lines that are printed or, if
 * `quiet`, only digested, for runs of many seeds. */
#ifndef ABI_RANDOM_H
#define ABI_RANDOM_H

#include <stdarg.h>
#include <stdint.h>

#include "abi.h"

static uint64_t rng, digest;
static int quiet;

static inline void random_start(uint64_t seed)
{
	rng = seed * 0x9e3779b97f4a7c15ul + 1;
	digest = 0xcbf29ce484222325ul;
}

static inline unsigned long draw(unsigned long below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (rng >> 11) % below;
}

/* Bits of a flags argument that nobody thought of: mostly none, now and then one or two of 64. */
static inline unsigned long draw_odd_bits(void)
{
	unsigned long bits = 0;

	for (unsigned long n = draw(12) ? 0 : 1 + draw(2); n; n--)
		bits |= 1ul << draw(draw(4) ? 32 : 64);
	return bits;
}

static inline void say(const char *fmt, ...)
{
	char line[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (int i = 0; i < n; i++)
		digest = (digest ^ (unsigned char)line[i]) * 0x100000001b3ul;
	if (!quiet)
		fputs(line, stdout);
}

static inline void say_result(long r)
{
	if (r == -1)
		say(" error %d\n", errno);
	else
		say(" %#lx\n", r);
}

#endif
