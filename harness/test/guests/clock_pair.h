/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The TSC and CLOCK_MONOTONIC at one moment. Two such pairs tell how fast the one goes by the
 * other, whoever took the CPU away in between; shared by a test and the program that runs in its
 * guest. */
#ifndef TEST_CLOCK_PAIR_H
#define TEST_CLOCK_PAIR_H

#include <stdint.h>
#include <time.h>
#include <x86intrin.h>

struct clock_pair {
	uint64_t tsc, ns;
};

/* Of several attempts the one that took least: a moment in which the CPU was not taken away. */
static inline struct clock_pair clock_pair_take(void)
{
	struct clock_pair best = {0, 0};
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 20; i++) {
		struct timespec t;
		uint64_t before = __rdtsc(), took;

		clock_gettime(CLOCK_MONOTONIC, &t);
		took = __rdtsc() - before;
		if (took < least) {
			least = took;
			best.tsc = before + took / 2;
			best.ns = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
		}
	}
	return best;
}

/* Ticks a nanosecond. */
static inline double clock_pair_rate(struct clock_pair a, struct clock_pair b)
{
	return (double)(b.tsc - a.tsc) / (double)(b.ns - a.ns);
}

#endif
