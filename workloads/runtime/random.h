/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pseudo-random numbers that depend on the seed alone: splitmix64 (Steele, Lea, Flood 2014). */
#ifndef WORKLOADS_RANDOM_H
#define WORKLOADS_RANDOM_H

#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t random_next(struct random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* 0 <= result < n. Needs: 0 < n < 2^32 (the bias is below n / 2^32). */
static inline uint64_t random_below(struct random *r, uint64_t n)
{
	return (random_next(r) >> 32) * n >> 32;
}

#endif
