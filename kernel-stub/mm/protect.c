/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making the PTEs of a range follow the rights of their VMA.
 *
 * A page may have write access when the VMA has and the page is anonymous and nobody else's:
 * then the right comes back at once, without a fault. The zero page and the pages of a file stay
 * read-only until a write fault copies them.
 *
 * Only a right that is lost needs a flush. A right that is gained may leave a stale TLB entry
 * behind: the fault that it causes finds nothing to do and flushes it (user.minor.spurious).
 *
 * Lock order: mm->lock for writing, ptl.
 */
#include "pgtable.h"

#include "rmap.h"
#include "tlb.h"

static unsigned protect_rights(const struct vma *vma, pte_t pte)
{
	struct page *page = pfn_to_page(pte_pfn(pte));
	bool may_write = vma->flags & VM_WRITE && page_is_anon(page) && page->refcount == 1;

	return may_write ? vma->prot | PTE_PROT_WRITE : vma->prot & ~(unsigned)PTE_PROT_WRITE;
}

static bool protect_loses(pte_t old, pte_t new)
{
	return (pte_write(old) && !pte_write(new)) || (pte_exec(old) && !pte_exec(new)) ||
	       (pte_user(old) && !pte_user(new));
}

/* One PTE. The CPU may set its accessed or dirty bit meanwhile, hence the exchange. */
static void protect_pte(struct vma *vma, pte_t *pte, uint64_t va, struct tlb_batch *tlb)
{
	pte_t old = port_pte_read(pte);
	pte_t new;

	if (pte_none(old))
		return;
	do {
		new = pte_set_prot(old, protect_rights(vma, old));
		if (new.v == old.v)
			return;
	} while (!port_pte_cmpxchg(pte, &old, new));
	if (protect_loses(old, new))
		tlb_batch_add(tlb, va);
}

void protect_range(struct mm *mm, struct vma *vma, uint64_t start, uint64_t end)
{
	struct tlb_batch tlb;
	struct pte_slot slot;

	ASSERT(vma->start <= start && start <= end && end <= vma->end);
	tlb.nr = 0;
	for (uint64_t va = start; (slot = pgtable_next(mm, &va, end)).pte;) {
		uint64_t stop = pgtable_table_end(va, end);

		spin_lock(&slot.table->ptl, LOCK_PTL);
		for (; va < stop; va += PAGE_SIZE, slot.pte++)
			protect_pte(vma, slot.pte, va, &tlb);
		spin_unlock(&slot.table->ptl, LOCK_PTL);
	}
	tlb_batch_flush(&tlb, mm);
}
