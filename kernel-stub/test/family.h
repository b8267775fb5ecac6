/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several address spaces, forked from one another, on the software MMU. fault_world's mm is the one
 * that runs. Who includes this defines check_all(): what must hold of all of them after each step.
 */
#ifndef FAMILY_H
#define FAMILY_H

#include "test/fault_world.h"

#define MAX_MMS 16

/* Every address space there is. */
static struct mm *mms[MAX_MMS];
static unsigned nr_mms;

static void check_all(void);

static void run_as(struct mm *who)
{
	if (who == mm)
		return;
	port_load_mm(who);
	mm = who;
}

/* mm_check on each of them. */
static void check_mms(void)
{
	for (unsigned i = 0; i < nr_mms; i++) {
		mmap_write_lock(mms[i]);
		mm_check(mms[i]);
		mmap_write_unlock(mms[i]);
	}
}

static void family_open(void)
{
	world_open();
	mms[0] = mm;
	nr_mms = 1;
}

static struct mm *fork_mm(struct mm *parent)
{
	struct mm *child = mm_fork(parent);

	ATF_REQUIRE(child != NULL);
	ATF_REQUIRE(nr_mms < MAX_MMS);
	mms[nr_mms++] = child;
	check_all();
	return child;
}

static void end_mm(struct mm *who)
{
	unsigned i = 0;

	while (mms[i] != who)
		i++;
	mms[i] = mms[--nr_mms];
	if (mm == who)
		run_as(mms[0]);
	mm_destroy(who);
	check_all();
}

/* Ends all but `last`, which runs then. */
static void family_leave(struct mm *last)
{
	run_as(last);
	while (nr_mms > 1)
		end_mm(mms[0] == last ? mms[1] : mms[0]);
}

static uint64_t read_as(struct mm *who, uint64_t va)
{
	run_as(who);
	return read_word(va);
}

static void write_as(struct mm *who, uint64_t va, uint64_t word)
{
	run_as(who);
	write_word(va, word);
}

/* An access that must fault with these flags and be served as that class. */
#define CHECK_FAULT_AS(who, va, kind, flags_, class_)                                              \
	do {                                                                                       \
		struct faulted f_;                                                                 \
		run_as(who);                                                                       \
		f_ = access_faults((va), (kind));                                                  \
		ATF_CHECK_EQ(f_.flags, (uint32_t)(flags_));                                        \
		CHECK_VERDICT(f_.v, class_, FAULT_DONE, 0);                                        \
		access_works((va), (kind));                                                        \
		check_all();                                                                       \
	} while (0)

#endif
