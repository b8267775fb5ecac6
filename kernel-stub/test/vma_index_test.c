/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VMA index that is compiled in, with as many VMAs as make a tree of several levels: what it
 * finds against a walk over the list, and mm_check(). Slots of four pages, each with a VMA of up to
 * three:
 *
 *    base
 *     |ww..|....|www.|w...|  …
 */
#include <atf-c.h>

#include "test/random.h"
#include "test/vma_world.h"

#define SLOTS_MAX 3000u
#define SLOT (4 * PAGE_SIZE)
#define SLOTS_BASE 0x10000000ull
#define RW (VM_READ | VM_WRITE)

static unsigned pages_of[SLOTS_MAX]; /* mapped */
static unsigned nr_mapped;
static uint64_t seed;

static uint64_t slot_start(unsigned slot)
{
	return SLOTS_BASE + slot * SLOT;
}

/* Maps so many pages of an empty slot: what mmap returned. */
static int64_t map_slot(unsigned slot, unsigned pages)
{
	return vm_mmap(world_mm, slot_start(slot), pages * PAGE_SIZE, RW,
		       MAP_PRIVATE_ | MAP_FIXED_NOREPLACE_, NULL, 0, 0);
}

/* Gives the slot so many pages. */
static void set_slot(unsigned slot, unsigned pages)
{
	unsigned old = pages_of[slot];
	uint64_t start = slot_start(slot);

	if (pages > old)
		ATF_REQUIRE(vm_mmap(world_mm, start + old * PAGE_SIZE, (pages - old) * PAGE_SIZE,
				    RW, MAP_PRIVATE_ | MAP_FIXED_NOREPLACE_, NULL, 0, 0) > 0);
	else if (pages < old)
		ATF_REQUIRE_EQ(0, vm_munmap(world_mm, start + pages * PAGE_SIZE,
					    (old - pages) * PAGE_SIZE));
	pages_of[slot] = pages;
	nr_mapped += !old - !pages;
}

static void slots_open(void)
{
	world_open();
	memset(pages_of, 0, sizeof(pages_of));
	nr_mapped = 0;
	seed = 1;
}

/* ---- the index against the list ---- */

static const struct vma *walk_find(uint64_t addr)
{
	const struct vma *vma = world_mm->first;

	while (vma && vma->end <= addr)
		vma = vma->next;
	return vma;
}

static const struct vma *walk_fit(const struct vma *vma, uint64_t len, enum vma_side side)
{
	do
		vma = side == VMA_BELOW ? vma->prev : vma->next;
	while (vma && vma->gap < len);
	return vma;
}

static void compare_at(uint64_t addr)
{
	const struct vma *vma = walk_find(addr);
	bool in = vma && vma->start <= addr;

	ATF_REQUIRE_EQ(vma, vma_index_find(world_mm, addr));
	ATF_REQUIRE_EQ(in ? vma : NULL, vma_index_lookup(world_mm, addr));
	for (unsigned pages = 1; vma && pages <= 64; pages *= 4)
		for (int side = VMA_BELOW; side <= VMA_ABOVE; side++)
			ATF_REQUIRE_EQ(walk_fit(vma, pages * PAGE_SIZE, (enum vma_side)side),
				       vma_index_fit(vma, pages * PAGE_SIZE, (enum vma_side)side));
}

static void compare_somewhere(unsigned slots)
{
	ATF_REQUIRE_EQ(nr_mapped, world_mm->map_count);
	compare_at(SLOTS_BASE - PAGE_SIZE +
		   random_below(&seed, (uint64_t)slots * 4 + 2) * PAGE_SIZE);
}

/* ---- filling and emptying ---- */

enum order { UPWARDS, DOWNWARDS, OUTWARDS, SCATTERED, NR_ORDERS };

static unsigned nth_slot(enum order order, unsigned i, unsigned slots)
{
	switch (order) {
	case UPWARDS:
		return i;
	case DOWNWARDS:
		return slots - 1 - i;
	case OUTWARDS:
		return i % 2 ? slots / 2 - (i + 1) / 2 : slots / 2 + i / 2;
	default:
		return i * 769 % slots; /* a prime that does not divide slots */
	}
}

static void fill_and_empty(enum order in, enum order out, unsigned slots)
{
	slots_open();
	for (unsigned i = 0; i < 2 * slots; i++) {
		unsigned k = i % slots;

		set_slot(nth_slot(i < slots ? in : out, k, slots), i < slots ? 1 + k % 3 : 0);
		compare_somewhere(slots);
		if (i % 32 == 0)
			world_check();
	}
	ATF_REQUIRE(!world_mm->first);
	world_close();
}

ATF_TC_WITHOUT_HEAD(every_order);
ATF_TC_BODY(every_order, tc)
{
	(void)tc;
	for (int in = 0; in < NR_ORDERS; in++)
		for (int out = 0; out < NR_ORDERS; out++)
			fill_and_empty((enum order)in, (enum order)out, 500);
}

ATF_TC_WITHOUT_HEAD(churn);
ATF_TC_BODY(churn, tc)
{
	(void)tc;
	slots_open();
	for (unsigned slot = 0; slot < SLOTS_MAX; slot++)
		set_slot(slot, 1 + slot % 3);
	for (unsigned i = 0; i < 20000; i++) {
		set_slot((unsigned)random_below(&seed, SLOTS_MAX),
			 (unsigned)random_below(&seed, 4));
		compare_somewhere(SLOTS_MAX);
		if (i % 256 == 0)
			world_check();
	}
	world_close();
}

/* All VMAs at once, as one call makes and unmakes them. */
ATF_TC_WITHOUT_HEAD(many_at_once);
ATF_TC_BODY(many_at_once, tc)
{
	uint64_t end = slot_start(SLOTS_MAX);

	(void)tc;
	slots_open();
	for (unsigned round = 0; round < 3; round++) {
		ATF_REQUIRE_EQ((int64_t)SLOTS_BASE,
			       vm_mmap(world_mm, SLOTS_BASE, end - SLOTS_BASE, VM_READ,
				       MAP_PRIVATE_ | MAP_FIXED_, NULL, 0, 0));
		for (unsigned slot = 0; slot < SLOTS_MAX; slot++)
			ATF_REQUIRE_EQ(0, vm_mprotect(world_mm, slot_start(slot), PAGE_SIZE, RW));
		ATF_REQUIRE_EQ(2 * SLOTS_MAX, world_mm->map_count);
		world_check();
		if (round == 0)
			ATF_REQUIRE_EQ(0, vm_mprotect(world_mm, SLOTS_BASE, end - SLOTS_BASE, RW));
		if (round == 0)
			ATF_REQUIRE_EQ(1, world_mm->map_count);
		if (round == 1)
			ATF_REQUIRE_EQ(0, vm_munmap(world_mm, SLOTS_BASE, end - SLOTS_BASE));
		world_check();
	}
	world_close();
}

/* ---- memory ---- */

/* Makes the call again with one allocation after the other refused, until it goes through. */
static void map_with_refusals(unsigned slot)
{
	uint32_t count = world_mm->map_count;

	for (uint64_t nth = 1;; nth++) {
		int64_t ret;

		hosted_fail_nth(nth);
		ret = map_slot(slot, 1);
		if (!hosted_fail_refused()) {
			ATF_REQUIRE_EQ((int64_t)slot_start(slot), ret);
			break;
		}
		ATF_REQUIRE_EQ(-MM_ENOMEM, ret);
		ATF_REQUIRE_EQ(count, world_mm->map_count);
		ATF_REQUIRE(!vma_index_lookup(world_mm, slot_start(slot)));
	}
	hosted_fail_none();
	pages_of[slot] = 1;
	nr_mapped++;
}

ATF_TC_WITHOUT_HEAD(each_allocation_fails);
ATF_TC_BODY(each_allocation_fails, tc)
{
	(void)tc;
	for (int order = 0; order < NR_ORDERS; order++) {
		slots_open();
		for (unsigned i = 0; i < 1000; i++) {
			map_with_refusals(nth_slot((enum order)order, i, 1000));
			if (i % 16 == 0)
				world_check();
		}
		world_close();
	}
}

/* A copy for a child, of which an allocation fails, leaves the parent as it was. */
ATF_TC_WITHOUT_HEAD(fork_fails);
ATF_TC_BODY(fork_fails, tc)
{
	struct mm *child = NULL;

	(void)tc;
	slots_open();
	for (unsigned slot = 0; slot < 200; slot++)
		set_slot(slot, 1);
	for (uint64_t nth = 1; !child; nth++) {
		hosted_fail_nth(nth);
		child = mm_fork(world_mm);
		ATF_REQUIRE_EQ(!child, !!hosted_fail_refused());
	}
	hosted_fail_none();
	ATF_REQUIRE_EQ(200, child->map_count);
	mmap_write_lock(child);
	mm_check(child);
	mmap_write_unlock(child);
	mm_destroy(child);
	world_close();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, every_order);
	ATF_TP_ADD_TC(tp, churn);
	ATF_TP_ADD_TC(tp, many_at_once);
	ATF_TP_ADD_TC(tp, each_allocation_fails);
	ATF_TP_ADD_TC(tp, fork_fails);
	return atf_no_error();
}
