/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a program says of pages that it keeps mapped (Linux mm/madvise.c):
 *
 *   MADV_COLD     not used lately: the accessed bit goes
 *   MADV_FREE     contents not needed: accessed and dirty bit go, and the page is marked lazyfree.
 *                 As long as the dirty bit stays off, reclaim may drop the page, and a read would
 *                 find zeros; a write sets it, and the page is a page like any other again
 *   MADV_PAGEOUT  reclaim these now. There is no swap, so only what is lazyfree and was not written
 *                 since can go
 *
 * The CPU may have the dirty bit in its TLB and then would not set it again: the entry is flushed
 * before anybody relies on it.
 *
 * Locks: mm->lock for reading; ptl; the LRU lock for the page's mark, inside.
 */
#include "mm/walk/age.h"

#include "mm/phys/lru.h"
#include "mm/phys/zero_page.h"
#include "mm/walk/zap.h"

#include "mm/pgtable/pgtable.h"
#include "mm/pgtable/tlb.h"
#include "mm/rmap/rmap.h"

/* Whether the entry has changed. The CPU may set bits meanwhile. */
static bool age_pte(pte_t *pte, bool lazyfree)
{
	pte_t old = port_pte_read(pte), new;

	do {
		new = lazyfree ? pte_mkclean(pte_mkold(old)) : pte_mkold(old);
		if (new.v == old.v)
			return false;
	} while (!port_pte_cmpxchg(pte, &old, new));
	return true;
}

/* MADV_COLD leaves alone what others map too. */
static bool age_wants(const struct page *page, bool lazyfree)
{
	return page != zero_page && page_is_anon(page) && (lazyfree || page->mapcount == 1);
}

static void age_table(struct pte_slot slot, uint64_t va, uint64_t end, bool lazyfree,
		      struct tlb_batch *tlb)
{
	spin_lock(&slot.table->ptl, LOCK_PTL);
	for (; va < end; va += PAGE_SIZE, slot.pte++) {
		pte_t pte = port_pte_read(slot.pte);
		struct page *page = pfn_to_page(pte_pfn(pte));

		if (pte_none(pte) || !age_wants(page, lazyfree))
			continue;
		if (age_pte(slot.pte, lazyfree))
			tlb_batch_add(tlb, va);
		if (lazyfree)
			lru_lazyfree(page);
	}
	spin_unlock(&slot.table->ptl, LOCK_PTL);
}

void age_range(struct mm *mm, uint64_t start, uint64_t end, bool lazyfree)
{
	struct tlb_batch tlb;
	struct pte_slot slot;

	tlb.nr = 0;
	for (uint64_t va = start; (slot = pgtable_next(mm, &va, end)).pte;) {
		uint64_t stop = pgtable_table_end(va, end);

		age_table(slot, va, stop, lazyfree, &tlb);
		va = stop;
	}
	tlb_batch_flush(&tlb, mm);
}

bool page_lazyfree(pte_t pte, const struct page *page)
{
	return page_flag(page, PG_LAZYFREE) && !pte_dirty(pte);
}

void lazyfree_drop(struct mm *mm, uint64_t start, uint64_t end)
{
	struct pte_slot slot;

	for (uint64_t va = start; (slot = pgtable_next(mm, &va, end)).pte; va += PAGE_SIZE) {
		pte_t pte = port_pte_read(slot.pte);
		const struct page *page = pfn_to_page(pte_pfn(pte));

		if (!pte_none(pte) && page->mapcount == 1 && page_lazyfree(pte, page))
			zap_page_if(mm, slot, va, pte);
	}
}
