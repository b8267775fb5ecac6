/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Adding up pages as Linux does for /proc/self/smaps (fs/proc/task_mmu.c, smaps_account): a page is
 * shared if more than one entry maps it, and counts in Pss by one in so many; it is dirty if this
 * entry or the page says so.
 */
#include "mm/walk/usage.h"

#include "mm/phys/zero_page.h"

#include "mm/pgtable/pgtable.h"
#include "mm/rmap/rmap.h"
#include "mm/walk/age.h"

#define PSS_SHIFT 12

static void usage_share(const struct vma *vma, const struct page *page, bool dirty,
			struct mm_usage *u)
{
	uint32_t mappings = (uint32_t)__atomic_load_n(&page->mapcount, __ATOMIC_RELAXED);
	uint64_t pss = (PAGE_SIZE << PSS_SHIFT) / (mappings ? mappings : 1);
	enum rss_kind kind = page_rss_kind(page);

	u->pss += pss;
	*(kind == RSS_ANON ? &u->pss_anon : kind == RSS_FILE ? &u->pss_file : &u->pss_shmem) += pss;
	if (vma->flags & VM_LOCKED)
		u->pss_locked += pss;
	if (dirty)
		u->pss_dirty += pss;
	if (mappings > 1)
		*(dirty ? &u->shared_dirty : &u->shared_clean) += PAGE_SIZE;
	else
		*(dirty ? &u->private_dirty : &u->private_clean) += PAGE_SIZE;
}

static void usage_add(const struct vma *vma, pte_t pte, struct mm_usage *u)
{
	const struct page *page = pfn_to_page(pte_pfn(pte));

	if (pte_none(pte) || page == zero_page)
		return;
	u->rss += PAGE_SIZE;
	u->referenced += pte_young(pte) ? PAGE_SIZE : 0;
	if (page_rss_kind(page) == RSS_ANON) {
		u->anonymous += PAGE_SIZE;
		u->lazyfree += page_lazyfree(pte, page) ? PAGE_SIZE : 0;
	}
	usage_share(vma, page, pte_dirty(pte) || page_flag(page, PG_DIRTY), u);
}

void vma_usage(const struct vma *vma, struct mm_usage *usage)
{
	struct pte_slot slot;

	for (uint64_t va = vma->start; (slot = pgtable_next(vma->mm, &va, vma->end)).pte;) {
		uint64_t stop = pgtable_table_end(va, vma->end);

		for (; va < stop; va += PAGE_SIZE, slot.pte++)
			usage_add(vma, port_pte_read(slot.pte), usage);
	}
}
