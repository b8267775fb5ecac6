/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list as its own index: every search walks it from the lowest VMA on, or from the VMA that it
 * begins at. It shows what the others are worth. See vma_index.h for the contracts.
 */
#ifndef MM_VMA_INDEX_IMPL_H
#define MM_VMA_INDEX_IMPL_H

#include "mm/base/mm_types.h"

/* ---- finding ---- */

static inline struct vma *vma_index_find(const struct mm *mm, uint64_t addr)
{
	struct vma *vma = mm->first;

	while (vma && vma->end <= addr)
		vma = vma->next;
	return vma;
}

static inline struct vma *vma_index_lookup(const struct mm *mm, uint64_t addr)
{
	struct vma *vma = vma_index_find(mm, addr);

	return vma && vma->start <= addr ? vma : NULL;
}

static inline struct vma *vma_index_fit(const struct vma *vma, uint64_t len, enum vma_side side)
{
	struct vma *at = side == VMA_BELOW ? vma->prev : vma->next;

	while (at && at->gap < len)
		at = side == VMA_BELOW ? at->prev : at->next;
	return at;
}

/* ---- changing: the list is linked by vma.c ---- */

static inline void vma_index_init(void)
{
}

static inline int vma_index_reserve(struct mm *mm, unsigned n)
{
	(void)mm;
	(void)n;
	return 0;
}

static inline void vma_index_insert(struct mm *mm, struct vma *vma)
{
	(void)mm;
	(void)vma;
}

static inline void vma_index_erase(struct mm *mm, struct vma *vma)
{
	(void)mm;
	(void)vma;
}

static inline void vma_index_gap_changed(struct vma *vma)
{
	(void)vma;
}

static inline void vma_index_end_changed(struct vma *vma)
{
	(void)vma;
}

static inline void vma_index_clear(struct mm *mm)
{
	(void)mm;
}

static inline void vma_index_check(const struct mm *mm)
{
	(void)mm; /* vma_check() looks at the list */
}

#endif
