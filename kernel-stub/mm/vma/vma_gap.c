/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gaps between VMAs, and the search for a hole among them.
 *
 * Each VMA knows its `gap`, the free bytes below it that a hole search may give away. The index
 * (vma_index.h) keeps the largest of them for its parts, so that the search never enters a part
 * without a hole that fits.
 *
 * Two gaps stand apart: the widest, which most calls take from or give back to, and the one below
 * the last VMA, usually the stack's, which reaches above mmap_base. With their true width they
 * would change what the index has summed up with each call. So they count as endless there, and a
 * search that comes to one looks whether it fits. That mm->widest is the widest is a matter of
 * speed only: a VMA whose gap grows beyond it takes its place, and when its VMA goes the successor
 * does.
 *
 * Most searches downwards from mmap_base pass over small holes until they come to the widest gap.
 * What one of them has found out is kept: no gap between mm->widest and mmap_base is wider than
 * mm->hole_bound. It rises when such a gap does, and falls when a search has found none.
 *
 * The gap above a VMA that ends below MMAP_MIN_ADDR is taken for wider than it is. It is the
 * lowest, so a search comes to it last, and finds that there is nothing in it above the bound.
 */
#include "mm/vma/vma_gap.h"

__attribute__((noinline)) void vma_gap_set(struct vma *vma, uint64_t gap)
{
	if (vma->gap == gap)
		return;
	vma->gap = gap;
	vma_index_gap_changed(vma);
}

static void set_widest(struct mm *mm, struct vma *vma)
{
	struct vma *old = mm->widest;

	if (!old || vma->start < old->start)
		mm->hole_bound = VMA_GAP_ENDLESS;
	mm->widest = vma;
	vma_gap_set(vma, VMA_GAP_ENDLESS);
	if (old && old->next)
		vma_gap_set_bounded(old, vma_gap_below(old));
}

void vma_gap_changed(struct vma *vma)
{
	struct vma *widest = vma->mm->widest;
	uint64_t gap;

	if (vma == widest)
		return;
	gap = vma_gap_below(vma);
	if (!widest || gap > vma_gap_below(widest))
		set_widest(vma->mm, vma);
	else if (vma->next)
		vma_gap_set_bounded(vma, gap);
}

/* ---- holes ---- */

struct hole {
	uint64_t start, end;
};

/* The part of the gap below vma (NULL: of what lies above the last) within [low, high). */
static struct hole hole_within(const struct mm *mm, const struct vma *vma, uint64_t low,
			       uint64_t high)
{
	const struct vma *prev = vma ? vma->prev : mm->last;
	struct hole hole = {prev ? prev->end : 0, vma ? vma_start_gap(vma) : TASK_SIZE};

	hole.start = hole.start > low ? hole.start : low;
	hole.end = hole.end < high ? hole.end : high;
	return hole;
}

static bool hole_fits(struct hole hole, uint64_t len)
{
	return hole.end > hole.start && hole.end - hole.start >= len;
}

/* The first VMA with end > addr, for an address above most of them. */
static struct vma *find_high(struct mm *mm, uint64_t addr)
{
	struct vma *last = mm->last;

	if (!last || last->end <= addr)
		return NULL;
	if (!last->prev || last->prev->end <= addr)
		return last;
	return vma_find(mm, addr);
}

/* The nearest VMA on that side of `from` with room for len below it, or NULL. */
static struct vma *room_beside(struct vma *from, uint64_t len, enum vma_side side)
{
	struct vma *vma = vma_index_fit(from, len, side);

	while (vma && vma_gap_below(vma) < len)
		vma = vma_index_fit(vma, len, side);
	return vma;
}

/* Does mm->hole_bound say something about a search downwards from there? */
static bool bound_holds(const struct mm *mm, uint64_t high)
{
	return high == mm->mmap_base && mm->widest && mm->widest->end <= high;
}

/* The highest VMA below `from` (NULL: of all) with room for len below it, or NULL. `from` is where
 * the search downwards from `high` began: it has no room. */
static struct vma *room_below(struct mm *mm, struct vma *from, uint64_t len, uint64_t high)
{
	struct vma *vma;

	if (!from) {
		from = mm->last;
		if (!from || vma_gap_below(from) >= len)
			return from;
	}
	if (len > mm->hole_bound && bound_holds(mm, high) && vma_gap_below(mm->widest) >= len)
		return mm->widest;
	vma = room_beside(from, len, VMA_BELOW);
	if (vma && vma == mm->widest && bound_holds(mm, high))
		mm->hole_bound = len - 1;
	return vma;
}

struct vma_place vma_hole_topdown(struct mm *mm, uint64_t len, uint64_t low, uint64_t high)
{
	struct vma *vma = find_high(mm, high);
	struct hole hole = hole_within(mm, vma, low, high);
	uint64_t start;

	if (hole_fits(hole, len))
		return (struct vma_place){hole.end - len, vma};
	vma = room_below(mm, vma, len, high);
	if (!vma)
		return (struct vma_place){0, NULL};
	start = vma_start_gap(vma) - len;
	return (struct vma_place){start >= low ? start : 0, vma};
}

struct vma_place vma_hole_bottomup(struct mm *mm, uint64_t len, uint64_t low, uint64_t high)
{
	struct vma *vma = vma_find(mm, low);
	struct hole hole = hole_within(mm, vma, low, high);

	if (vma && !hole_fits(hole, len)) {
		vma = room_beside(vma, len, VMA_ABOVE);
		hole = hole_within(mm, vma, low, high);
	}
	return (struct vma_place){hole_fits(hole, len) ? hole.start : 0, vma};
}
