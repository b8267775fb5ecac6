/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking pages out of an address space. */
#ifndef MM_ZAP_H
#define MM_ZAP_H

#include "mm/pgtable/pgtable.h"

/* Drops every page mapped in [start, end): PTE, TLB, mapcount, rss, LRU, reference. A table left
 * empty stays. Needs: mm->lock for writing. */
void zap_range(struct mm *mm, uint64_t start, uint64_t end);

/* The same for a holder of mm->lock for reading (MADV_DONTNEED): faults go on meanwhile, so an
 * empty PTE counts only under its ptl (tlb_clear_flush). */
void zap_range_shared(struct mm *mm, uint64_t start, uint64_t end);

/* The same for the page of va, if its entry is still that one: a CPU may set its dirty bit
 * meanwhile. Needs: mm->lock (reading suffices); old not none. */
void zap_page_if(struct mm *mm, struct pte_slot slot, uint64_t va, pte_t old);

#endif
