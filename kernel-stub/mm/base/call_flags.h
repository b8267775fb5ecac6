/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a system call makes of each bit of a flags argument. Every call that takes flags has one
 * such table (mm/calls/mm_call_flags.h, kern/sys/kern_call_flags.h), so that no bit means nothing
 * without somebody having said so:
 *
 *   done      what it asks for happens, as on Linux
 *   harmless  accepted, and there is nothing to do for it here; the table says why
 *   refused   Linux does something for it that is not here: the error is that of a Linux, older or
 *             built without it, that can't do it either
 *   the rest  `unknown`: Linux's error for what it doesn't know; 0 where Linux ignores it
 */
#ifndef MM_CALL_FLAGS_H
#define MM_CALL_FLAGS_H

#include <stdint.h>

#include "port/port.h"

#define CALL_FLAGS_REFUSALS 2

struct call_flags {
	uint64_t done, harmless;
	struct {
		uint64_t bits;
		int error; /* MM_E* */
	} refused[CALL_FLAGS_REFUSALS];
	int unknown; /* MM_E*, or 0 */
};

/* Every bit that the table names. Pure. */
static inline uint64_t call_flags_known(const struct call_flags *t)
{
	uint64_t known = t->done | t->harmless;

	for (unsigned i = 0; i < CALL_FLAGS_REFUSALS; i++)
		known |= t->refused[i].bits;
	return known;
}

/* 0, or the negative error of a call with these flags: what is unknown is found first, then what is
 * refused, in the table's order. Pure; with a table that is a constant, a test of a mask. */
static inline int call_flags_check(const struct call_flags *t, uint64_t flags)
{
	if (likely(!(flags & ~(t->done | t->harmless))))
		return 0;
	if (t->unknown && flags & ~call_flags_known(t))
		return -t->unknown;
	for (unsigned i = 0; i < CALL_FLAGS_REFUSALS; i++)
		if (flags & t->refused[i].bits)
			return -t->refused[i].error;
	return 0;
}

#endif
