/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The anonymous half of the reverse map: from a page back to the VMA that maps it.
 *
 * An anonymous page carries page->mapping = anon_page_mapping(root) and page->index = va >>
 * PAGE_SHIFT. The root names the address space, the index the place in it.
 *
 * A VMA gets its root with its first page of its own (the zero page is not), by vma_anon(): a
 * neighbour's if the two could become one VMA but for their rights, else a new one. So a fresh
 * mapping, which has none, merges with any compatible neighbour, and two that were split by
 * mprotect merge again. Two VMAs with different roots never merge: their pages already say where
 * they belong.
 *
 * Each VMA with a root holds one reference; a page holds none, since it is unmapped before its VMA
 * goes. A root's count changes under mm->lock for writing, or for reading with mm->table_lock.
 */
#ifndef MM_ANON_H
#define MM_ANON_H

#include "mm.h"

struct anon_root {
	struct mm *mm;
	uint32_t refcount; /* VMAs that have it */
};

#define ANON_PAGE_BIT 1ull /* in page->mapping: an anon_root, not a vm_file */

static inline void *anon_page_mapping(struct anon_root *root)
{
	return (void *)((uintptr_t)root | ANON_PAGE_BIT);
}

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

/* One more VMA has it; NULL is fine. Needs: mm->lock for writing, or
 * mm->table_lock. */
void anon_get(struct anon_root *root);

/* One less; the last frees it. NULL is fine. Needs: mm->lock for writing. */
void anon_put(struct anon_root *root);

/* May VMAs with these two roots be one? */
static inline bool anon_compatible(const struct anon_root *a, const struct anon_root *b)
{
	return !a || !b || a == b;
}

#endif
