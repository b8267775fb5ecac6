/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the stub does as the newest Linux at hand (6.18), and an older one, or one set up otherwise,
 * does not. host_features finds out what the Linux that runs it can do; programs that are compared
 * take the number that it prints as their last argument, and leave out what is not in it. Without
 * one they do what every Linux does alike. */
#ifndef HOST_FEATURES_H
#define HOST_FEATURES_H

#include <stdlib.h>

#define FEATURES(F)                                                                                \
	F(ALIGNED, "places for huge pages where the length is a multiple of theirs (6.13)")        \
	F(ZERO_ALIGNED, "the same for /dev/zero (6.18)")                                           \
	F(DROPPABLE, "MAP_DROPPABLE (6.11)")                                                       \
	F(STACK_SMALL, "MAP_STACK asks for small pages (6.8, transparent huge pages)")             \
	F(ADVICE_HUGE, "MADV_HUGEPAGE, and no pages between 4 KiB and 2 MiB by themselves")        \
	F(EMPTY_STAT, "newfstatat of a descriptor with any flag and no path (6.11)")               \
	F(HUGETLB, "MAP_HUGETLB of 2 MiB and 1 GiB, and no such page set aside")

enum {
#define FEATURE_INDEX(name, what) INDEX_##name,
	FEATURES(FEATURE_INDEX) NR_FEATURES
};

enum {
#define FEATURE_BIT(name, what) HAS_##name = 1 << INDEX_##name,
	FEATURES(FEATURE_BIT)
};

static inline unsigned long features_of(const char *argument)
{
	return argument ? strtoul(argument, NULL, 0) : 0;
}

#endif
