/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where mappings go (mm/calls/place.h): a table of what Linux 6.18 says of an empty address space
 * whose highest free page ends at mmap_base, and of one that has room in few places.
 */
#include <atf-c.h>

#include "mm/calls/place.h"
#include "test/vma_world.h"

#define P PAGE_SIZE
#define HUGE PMD_SIZE
#define TOP 0x7ffff7fff000ull /* mmap_base */
#define PRIV (MAP_PRIVATE_ | MAP_ANONYMOUS_)
#define SHARED (MAP_SHARED_ | MAP_ANONYMOUS_)
#define RW (PROT_READ_ | PROT_WRITE_)
#define GiB (1ull << 30)

static struct vm_file zero_file = {
	.path = "/dev/zero", .refcount = 1, .kind = VM_FILE_ZERO, .release = world_file_release};

struct row {
	uint64_t hint, len, flags;
	int64_t at; /* or an error */
	struct vm_file *file;
	uint64_t pgoff;
};

static const struct row rows[] = {
	/* lengths that huge pages could serve */
	{0, HUGE, PRIV, 0x7ffff7c00000, NULL, 0},
	{0, 2 * HUGE, PRIV, 0x7ffff7a00000, NULL, 0},
	{0, HUGE - 1, PRIV, 0x7ffff7c00000, NULL, 0},
	{0, HUGE + P, PRIV, (int64_t)(TOP - HUGE - P), NULL, 0},
	{0, HUGE - P, PRIV, (int64_t)(TOP - HUGE + P), NULL, 0},
	{0, HUGE, PRIV | MAP_STACK_, 0x7ffff7c00000, NULL, 0},
	{0, HUGE, PRIV | MAP_GROWSDOWN_, 0x7ffff7c00000, NULL, 0},
	{0, HUGE, MAP_DROPPABLE_ | MAP_ANONYMOUS_, 0x7ffff7c00000, NULL, 0},
	{0, HUGE, SHARED, (int64_t)(TOP - HUGE), NULL, 0},
	/* a hint is no wish for a border, and none if it is not one */
	{0x700000001000, HUGE, PRIV, 0x700000001000, NULL, 0},
	{TOP - P, HUGE, PRIV, (int64_t)(TOP - P), NULL, 0},
	{TASK_SIZE - P, HUGE, PRIV, (int64_t)(TOP - HUGE), NULL, 0},
	{0xfff, HUGE, PRIV, 0x7ffff7c00000, NULL, 0},
	{0x1000, HUGE, PRIV, MMAP_MIN_ADDR, NULL, 0},
	/* no hole that is 2 MiB longer, or at all */
	{0, 0x7ffff7e00000, PRIV, 0x1ff000, NULL, 0},
	{0, 0x7fffffe00000, PRIV, -MM_ENOMEM, NULL, 0},
	{0, 1ull << 63, PRIV, -MM_ENOMEM, NULL, 0},
	/* /dev/zero: where a huge page of the file fits */
	{0, HUGE, MAP_PRIVATE_, 0x7ffff7c00000, &zero_file, 0},
	{0, HUGE + P, MAP_PRIVATE_, 0x7ffff7c00000, &zero_file, 0},
	{0, HUGE, MAP_PRIVATE_, (int64_t)(TOP - HUGE), &zero_file, 1},
	{0, HUGE + P, MAP_PRIVATE_, (int64_t)(TOP - HUGE - P), &zero_file, 1},
	{0, 2 * HUGE - P, MAP_PRIVATE_, 0x7ffff7a01000, &zero_file, 1},
	{0, HUGE, MAP_SHARED_, (int64_t)(TOP - HUGE), &zero_file, 0},
	{0x700000001000, HUGE, MAP_PRIVATE_, 0x700000001000, &zero_file, 0},
	/* other files are not asked */
	{0, HUGE, MAP_PRIVATE_, (int64_t)(TOP - HUGE), &world_files[0], 0},
	/* MAP_32BIT */
	{0, P, PRIV | MAP_32BIT_, GiB, NULL, 0},
	{0, HUGE, PRIV | MAP_32BIT_, GiB + HUGE, NULL, 0},
	{0, HUGE, SHARED | MAP_32BIT_, GiB, NULL, 0},
	{0, GiB, PRIV | MAP_32BIT_, GiB, NULL, 0},
	{0, GiB + P, PRIV | MAP_32BIT_, -MM_ENOMEM, NULL, 0},
	{0, 4 * GiB, PRIV | MAP_32BIT_, -MM_ENOMEM, NULL, 0},
	{0x100001, P, PRIV | MAP_32BIT_, 0x100000, NULL, 0},
	{2 * GiB - P, P, PRIV | MAP_32BIT_, 2 * GiB - P, NULL, 0},
	{2 * GiB - P, 2 * P, PRIV | MAP_32BIT_, GiB, NULL, 0},
	{2 * GiB, P, PRIV | MAP_32BIT_, GiB, NULL, 0},
	{4 * GiB, P, PRIV | MAP_32BIT_ | MAP_FIXED_, 4 * GiB, NULL, 0},
	{0, P, PRIV | MAP_32BIT_ | MAP_ABOVE4G_, GiB, NULL, 0},
	{0, P, PRIV | MAP_ABOVE4G_, (int64_t)(TOP - P), NULL, 0},
	{GiB, P, PRIV | MAP_ABOVE4G_, GiB, NULL, 0},
};

static void open_world(void)
{
	world_open();
	world_mm->mmap_base = TOP;
}

ATF_TC_WITHOUT_HEAD(places);
ATF_TC_BODY(places, tc)
{
	(void)tc;
	open_world();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		unsigned prot = r->flags & MAP_ANONYMOUS_ ? RW : PROT_READ_;
		int64_t at =
			vm_mmap(world_mm, r->hint, r->len, prot, r->flags, r->file, r->pgoff, 0);

		ATF_CHECK_EQ_MSG(r->at, at, "row %zu: %#lx, not %#lx", i, at, r->at);
		world_check();
		if (at >= 0)
			ATF_CHECK_EQ(0, vm_munmap(world_mm, (uint64_t)at, r->len));
	}
	world_close();
}

static void fill(uint64_t start, uint64_t end)
{
	ATF_REQUIRE_EQ((int64_t)start, vm_mmap(world_mm, start, end - start, 0,
					       PRIV | MAP_FIXED_ | MAP_NORESERVE_, NULL, 0, 0));
}

/*     LLLLLL......HHHHHHHH  one hole of 3 MiB that begins on a border: 2 MiB go to its end, where
 *     1 MiB off          they would without huge pages, since 4 MiB don't fit */
ATF_TC_WITHOUT_HEAD(tight_hole);
ATF_TC_BODY(tight_hole, tc)
{
	const uint64_t hole = 64 * GiB, size = HUGE + HUGE / 2;

	(void)tc;
	open_world();
	fill(MMAP_MIN_ADDR, hole);
	fill(hole + size, TASK_SIZE);
	ATF_CHECK_EQ((int64_t)(hole + size - HUGE),
		     vm_mmap(world_mm, 0, HUGE, RW, PRIV, NULL, 0, 0));
	ATF_CHECK_EQ(0, vm_munmap(world_mm, hole, HUGE * 2));
	ATF_CHECK_EQ(0, vm_munmap(world_mm, hole + size, HUGE / 2));
	/* 4 MiB do: the upper half of the hole, though its start is on a border too. */
	ATF_CHECK_EQ((int64_t)(hole + HUGE), vm_mmap(world_mm, 0, HUGE, RW, PRIV, NULL, 0, 0));
	world_close();
}

/* Nothing is free from 4 GiB on: MAP_ABOVE4G says so, others go below. */
ATF_TC_WITHOUT_HEAD(above_4g);
ATF_TC_BODY(above_4g, tc)
{
	(void)tc;
	open_world();
	fill(4 * GiB, TASK_SIZE);
	ATF_CHECK_EQ(-MM_ENOMEM, vm_mmap(world_mm, 0, P, RW, PRIV | MAP_ABOVE4G_, NULL, 0, 0));
	ATF_CHECK_EQ((int64_t)(4 * GiB - P), vm_mmap(world_mm, 0, P, RW, PRIV, NULL, 0, 0));
	world_close();
}

/* mremap looks for a place in the same way: for private memory one that huge pages could serve. */
ATF_TC_WITHOUT_HEAD(moved);
ATF_TC_BODY(moved, tc)
{
	const uint64_t at = 64 * GiB;

	(void)tc;
	open_world();
	fill(at, at + 2 * P);
	fill(TOP, TOP + P); /* so that nothing grows where it lies */
	ATF_CHECK_EQ(0x7ffff7c00000, vm_mremap(world_mm, at, P, HUGE, MREMAP_MAYMOVE_, 0));
	ATF_CHECK_EQ(0x7ffff77ff000,
		     vm_mremap(world_mm, 0x7ffff7c00000, HUGE, 2 * HUGE + P, MREMAP_MAYMOVE_, 0));
	ATF_CHECK_EQ(0, vm_munmap(world_mm, MMAP_MIN_ADDR, TASK_SIZE - MMAP_MIN_ADDR));
	ATF_REQUIRE_EQ((int64_t)at, vm_mmap(world_mm, at, P, RW, SHARED, NULL, 0, 0));
	fill(at + P, at + 2 * P);
	ATF_CHECK_EQ((int64_t)(TOP - HUGE), vm_mremap(world_mm, at, P, HUGE, MREMAP_MAYMOVE_, 0));
	world_close();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, places);
	ATF_TP_ADD_TC(tp, tight_hole);
	ATF_TP_ADD_TC(tp, above_4g);
	ATF_TP_ADD_TC(tp, moved);
	return atf_no_error();
}
