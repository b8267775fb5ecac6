/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gap below a VMA, vma->gap: who changes VMAs says here what became of the room between them.
 * Inside vma/ only; vma_gap.c says what is known of gaps and looks for holes.
 *
 * All of these need mm->lock for writing.
 */
#ifndef MM_VMA_GAP_H
#define MM_VMA_GAP_H

#include "mm/vma/vma.h"

#define VMA_GAP_ENDLESS UINT64_MAX

/* Its true width. */
static inline uint64_t vma_gap_below(const struct vma *vma)
{
	uint64_t low = vma->prev ? vma->prev->end : MMAP_MIN_ADDR, high = vma_start_gap(vma);

	return high > low ? high - low : 0;
}

/* Has this width now, as far as the index is told. */
void vma_gap_set(struct vma *vma, uint64_t gap);

/* A gap that may lie above mm->widest has this width now. */
static inline void vma_gap_set_bounded(struct vma *vma, uint64_t gap)
{
	if (gap > vma->mm->hole_bound)
		vma->mm->hole_bound = gap;
	vma_gap_set(vma, gap);
}

/* The room below vma changed. */
void vma_gap_changed(struct vma *vma);

/* vma came into the room below `next` (NULL: above the last), and into the index with next's gap.
 */
static inline void vma_gap_divided(struct mm *mm, struct vma *vma, struct vma *next)
{
	if (next && next == mm->widest) {
		uint64_t upper = vma_gap_below(next);

		if (vma_gap_below(vma) >= upper) {
			mm->widest = vma;
			if (next->next)
				vma_gap_set_bounded(next, upper);
			return;
		}
	}
	vma_gap_changed(vma);
	if (next)
		vma_gap_changed(next);
}

/* [start, end) adds to the room below `above` (NULL: above the last). Its VMAs are still in the
 * index: with the wider gap there first, their going changes little in it. */
static inline void vma_gap_left(struct mm *mm, struct vma *above, uint64_t start, uint64_t end)
{
	struct vma *widest = mm->widest;

	if (widest && widest->start >= start && widest->start < end) {
		mm->widest = above;
		if (above)
			vma_gap_set(above, VMA_GAP_ENDLESS);
	} else if (above) {
		vma_gap_changed(above);
	}
}

#endif
