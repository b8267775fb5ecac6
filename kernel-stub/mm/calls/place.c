/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/calls/place.h"

#define LOW_START 0x40000000ull /* 1 GiB: below it are the program and its heap */
#define LOW_END 0x80000000ull
#define ABOVE_4G 0x100000000ull

struct vma_place place_find(struct mm *mm, uint64_t hint, uint64_t len, uint64_t map_flags)
{
	uint64_t low = map_flags & MAP_ABOVE4G_ ? ABOVE_4G : MMAP_MIN_ADDR;
	uint64_t end = map_flags & MAP_32BIT_ ? LOW_END : TASK_SIZE;
	struct vma_place place;

	if (place_hint(mm, hint, len, end, &place))
		return place;
	if (map_flags & MAP_32BIT_)
		return vma_hole_bottomup(mm, len, LOW_START, LOW_END);
	place = vma_hole_topdown(mm, len, low, mm->mmap_base);
	return place.start ? place : vma_hole_bottomup(mm, len, UNMAPPED_BASE, TASK_SIZE);
}

/* Has [offset, offset + len) of a file a whole huge page? Pure. */
static bool has_huge_page(uint64_t offset, uint64_t len)
{
	uint64_t first = (offset + PMD_SIZE - 1) & ~(PMD_SIZE - 1), end = offset + len;

	return first < end && end - first >= PMD_SIZE;
}

/* 5. .start 0: it doesn't apply, or there is no hole. */
static struct vma_place find_aligned(struct mm *mm, const struct place_request *r)
{
	uint64_t offset = r->file ? r->pgoff << PAGE_SHIFT : 0, more;
	struct vma_place place = {0, NULL};

	if (!place_aligns(r) || !has_huge_page(offset, r->len) || r->len > TASK_SIZE)
		return place;
	place = place_find(mm, r->hint, r->len + PMD_SIZE, r->map_flags);
	if (!place.start || place.start == r->hint)
		return place;
	more = (offset - place.start) & (PMD_SIZE - 1);
	place.start += more ? more : PMD_SIZE;
	return place;
}

struct vma_place place_best(struct mm *mm, const struct place_request *r)
{
	struct vma_place place = find_aligned(mm, r);

	return place.start ? place : place_find(mm, r->hint, r->len, r->map_flags);
}
