/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which VMAs have pages of their own, and which of these may be one VMA: Linux's anon_vma, as far
 * as /proc/self/maps shows it. (Where a page is mapped is anon_space.h's.)
 *
 * A VMA gets its root with its first page of its own (the zero page is not), by vma_anon(): a
 * neighbour's if the two could become one VMA but for their rights, else a new one. So a fresh
 * mapping, which has none, merges with any compatible neighbour, and two that were split by
 * mprotect merge again. Two VMAs with different roots never merge.
 *
 * fork gives each VMA of the child that has pages a root by itself, an inherited one: it merges
 * with the VMAs that have the same root, those split off it, but not with one that has none (Linux
 * mm/vma.c, vma_had_uncowed_parents).
 *
 * Each VMA with a root holds one reference. The count changes under mm->lock for writing, or for
 * reading with mm->table_lock.
 */
#ifndef MM_ANON_H
#define MM_ANON_H

#include "mm/base/mm_types.h"

struct anon_root {
	struct mm *mm;
	uint32_t refcount; /* VMAs that have it */
	bool inherited;	   /* fork made it */
};

/* Slab cache; by mm_init(). */
void anon_init(void);

/* The slow half of vma_anon(). Takes mm->table_lock. */
struct anon_root *anon_attach(struct vma *vma);

/* The VMA's root, made on first use; NULL without memory.
 * Needs: vma->mm->lock (reading suffices); no lock ranked at or above LOCK_PTL_UPPER held. */
static inline struct anon_root *vma_anon(struct vma *vma)
{
	struct anon_root *root = __atomic_load_n(&vma->anon, __ATOMIC_ACQUIRE);

	return likely(root != NULL) ? root : anon_attach(vma);
}

/* An inherited root with one reference, for a VMA of a new mm; NULL without memory. */
struct anon_root *anon_inherit(struct mm *mm);

/* One more VMA has it; NULL is fine. Needs: mm->lock for writing, or
 * mm->table_lock. */
void anon_get(struct anon_root *root);

/* One less; the last frees it. NULL is fine. Needs: mm->lock for writing. */
void anon_put(struct anon_root *root);

/* May VMAs with these two roots be one? */
static inline bool anon_compatible(const struct anon_root *a, const struct anon_root *b)
{
	if (!a)
		return !b || !b->inherited;
	return a == b || (!b && !a->inherited);
}

#endif
