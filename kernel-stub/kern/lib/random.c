/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014): one
 * stream for AT_RANDOM and getrandom, so that two boots of one seed see the same bytes. Not for
 * secrets.
 */
#include "kern/lib/random.h"

#include "kern/kern.h"

#define DEFAULT_SEED 1

uint64_t random_u64(void)
{
	static uint64_t state;
	static bool seeded;
	uint64_t z;

	if (!seeded) {
		state = cmdline_u64("seed", DEFAULT_SEED);
		seeded = true;
	}
	z = state += 0x9e3779b97f4a7c15ull;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}
