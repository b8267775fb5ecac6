/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page tables of one mm: four levels, freed when empty.
 *
 * Each table is a page with PG_TABLE, and counts its entries in use in page->nr_present. Entries of
 * the upper levels change under mm->table_lock; entries of a lowest-level table under its page's
 * ptl. A lowest-level table is freed only by a holder of mm->lock for writing, so that a fault,
 * which holds it for reading, may keep a pointer into one.
 */
#ifndef MM_PGTABLE_H
#define MM_PGTABLE_H

#include "mm.h"
#include "page.h"

/* Where a lowest-level entry is. */
struct pte_slot {
	pte_t *pte;
	struct page *table;
};

/* The root table for a new mm, with the kernel's upper half; 0 or -MM_ENOMEM. */
int pgtable_init(struct mm *mm);
void pgtable_destroy(struct mm *mm); /* needs: no user entry left */

/* The slot of va without making tables; slot.pte NULL if a table on the way is missing.
 * Needs: mm->lock. */
struct pte_slot pgtable_find(struct mm *mm, uint64_t va);

/* The same, making the tables that are missing; slot.pte NULL without memory. Needs: mm->lock. */
struct pte_slot pgtable_get(struct mm *mm, uint64_t va);

/* Frees the tables that [start, end) left empty. Needs: mm->lock for writing, nothing mapped there.
 * Flushes this mm's TLB entries if a table went. */
void pgtable_free_range(struct mm *mm, uint64_t start, uint64_t end);

/* Drops every page mapped in [start, end): PTE, TLB, mapcount, rss, LRU, reference. A table left
 * empty stays. Needs: mm->lock (reading suffices: MADV_DONTNEED). (zap.c) */
void zap_range(struct mm *mm, uint64_t start, uint64_t end);

/* Makes present PTEs in [start, end) follow vma->prot: rights that a page may not have yet (write
 * to the zero page or to a file page) stay off. Flushes what lost rights. Needs: mm->lock for
 * writing. (protect.c) */
void protect_range(struct mm *mm, struct vma *vma, uint64_t start, uint64_t end);

#endif
