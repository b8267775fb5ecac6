/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VMA index: finds a VMA by address, and a hole by size, among those of an address space.
 *
 * What it costs is a question that Faultline asks, so there are several, in vma/index/NAME/, one of
 * which is compiled in. Each brings two headers, found by include path, so that the measured path
 * has neither an indirect call nor an #ifdef:
 *
 *   vma_index_types.h   struct vma_index, in struct mm; struct vma_link, in each VMA
 *   vma_index_impl.h    what is declared here, inline or as prototypes
 *
 * Besides the index there is always the list of the VMAs in address order (vma->prev, vma->next,
 * mm->first, mm->last), and what vma.c knows without asking either: the VMA that was found last,
 * the widest gap and a bound for the others.
 *
 * All of it is under mm->lock: for reading where nothing else is said.
 */
#ifndef MM_VMA_INDEX_H
#define MM_VMA_INDEX_H

#include "mm/base/mm_types.h"

/* Below or above, in address order; by index, the children of a node of a binary tree. */
enum vma_side { VMA_BELOW, VMA_ABOVE };

/*
 * Contracts of vma_index_impl.h. "Write" needs mm->lock for writing.
 *
 *   struct vma *vma_index_lookup(const struct mm *mm, uint64_t addr)
 *        the VMA with start <= addr < end, or NULL
 *   struct vma *vma_index_find(const struct mm *mm, uint64_t addr)
 *        the first VMA with end > addr, or NULL
 *   struct vma *vma_index_fit(const struct vma *vma, uint64_t len, enum vma_side side)
 *        the nearest VMA on that side of vma with vma->gap >= len, or NULL
 *
 *   int vma_index_reserve(struct mm *mm, unsigned n)
 *        write; gets the memory for the next n <= VMA_SPARE_MAX inserts, whatever is erased in
 *        between: 0, or -1 without it. What an earlier call got counts.
 *   void vma_index_insert(struct mm *mm, struct vma *vma)
 *        write; vma is in the list already, with its gap set, and comes into the index. Needs:
 *        reserved
 *   void vma_index_erase(struct mm *mm, struct vma *vma)
 *        write; vma is out of the list already (what its neighbours are does not matter), and goes
 *   void vma_index_gap_changed(struct vma *vma)
 *   void vma_index_end_changed(struct vma *vma)
 *        write; vma->gap or vma->end has a new value, and the order is as before. That vma->start
 *        changes tells the index nothing.
 *
 *   void vma_index_init(void)
 *        once, at boot
 *   void vma_index_clear(struct mm *mm)
 *        write; forgets all VMAs, which may be freed already, and gives back all memory
 *   void vma_index_check(const struct mm *mm)
 *        panics unless it holds the VMAs of the list, in that order, and what it has summed up is
 *        right; slow
 */
#include "vma_index_impl.h"

/* ---- for everybody ---- */

/* The VMA with start <= addr < end, or NULL. Needs: mm->lock. In every fault, hence inline: first
 * the one that the last lookup found. */
static inline struct vma *vma_lookup(struct mm *mm, uint64_t addr)
{
	struct vma *vma = __atomic_load_n(&mm->last_hit, __ATOMIC_RELAXED);

	if (likely(vma && addr >= vma->start && addr < vma->end))
		return vma;
	vma = vma_index_lookup(mm, addr);
	if (vma)
		__atomic_store_n(&mm->last_hit, vma, __ATOMIC_RELAXED);
	return vma;
}

/* The first VMA with end > addr, or NULL. Needs: mm->lock. */
static inline struct vma *vma_find(struct mm *mm, uint64_t addr)
{
	struct vma *vma = __atomic_load_n(&mm->last_hit, __ATOMIC_RELAXED);

	if (vma && addr - vma->start < vma->end - vma->start)
		return vma;
	return vma_index_find(mm, addr);
}

#endif
