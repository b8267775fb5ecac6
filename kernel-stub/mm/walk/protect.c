/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making the PTEs of a range follow the rights of their VMA.
 *
 * A page may have write access when the VMA has and the page is anonymous and nobody else's, or
 * shared: then the right comes back at once, without a fault. The zero page and the pages of a file
 * stay read-only until a write fault copies them.
 *
 * Only a right that is lost needs a flush. A right that is gained may leave a stale TLB entry
 * behind: the fault that it causes finds nothing to do and flushes it (user.minor.spurious).
 *
 * Lock order: mm->lock for writing, ptl.
 */
#include "mm/walk/protect.h"

#include "mm/pgtable/pgtable.h"

#include "mm/pgtable/tlb.h"
#include "mm/rmap/rmap.h"

/* May a page of a writable VMA be written without a fault? */
static inline bool protect_may_write(const struct vma *vma, const struct page *page)
{
	return page_is_anon(page) ? page_is_alone(page) : vma->flags & VM_SHARED;
}

static inline unsigned protect_rights(const struct vma *vma, pte_t pte)
{
	bool may_write = vma->flags & VM_WRITE && protect_may_write(vma, pfn_to_page(pte_pfn(pte)));

	return may_write ? vma->prot | PTE_PROT_WRITE : vma->prot & ~(unsigned)PTE_PROT_WRITE;
}

static bool protect_loses(pte_t old, pte_t new)
{
	return (pte_write(old) && !pte_write(new)) || (pte_exec(old) && !pte_exec(new)) ||
	       (pte_user(old) && !pte_user(new));
}

/* One PTE; whether it lost a right. The CPU may set its accessed or dirty bit meanwhile, hence the
 * exchange. */
static inline bool protect_pte(struct vma *vma, pte_t *pte)
{
	pte_t old = port_pte_read(pte);
	pte_t new;

	if (pte_none(old))
		return false;
	do {
		new = pte_set_prot(old, protect_rights(vma, old));
		if (new.v == old.v)
			return false;
	} while (!port_pte_cmpxchg(pte, &old, new));
	return protect_loses(old, new);
}

/* A single page, without a batch. */
static inline void protect_slot(struct mm *mm, struct vma *vma, uint64_t va, struct pte_slot slot)
{
	bool lost;

	spin_lock(&slot.table->ptl, LOCK_PTL);
	lost = protect_pte(vma, slot.pte);
	spin_unlock(&slot.table->ptl, LOCK_PTL);
	if (lost)
		tlb_flush_page(mm, va);
}

/* What is protected is often what faults next: its table is remembered. */
static __attribute__((noinline)) void protect_page_elsewhere(struct mm *mm, struct vma *vma,
							     uint64_t va)
{
	struct pte_slot slot = pgtable_find(mm, va);

	if (!slot.pte)
		return;
	__atomic_store_n(&mm->last_table, slot.table, __ATOMIC_RELEASE);
	protect_slot(mm, vma, va, slot);
}

static inline void protect_page(struct mm *mm, struct vma *vma, uint64_t va)
{
	struct page *table = pgtable_try(mm, va);

	if (likely(table != NULL))
		protect_slot(mm, vma, va, pgtable_slot(table, va));
	else
		protect_page_elsewhere(mm, vma, va);
}

static __attribute__((noinline)) void protect_pages(struct mm *mm, struct vma *vma, uint64_t start,
						    uint64_t end)
{
	struct tlb_batch tlb;
	struct pte_slot slot;

	tlb.nr = 0;
	for (uint64_t va = start; (slot = pgtable_next(mm, &va, end)).pte;) {
		uint64_t stop = pgtable_table_end(va, end);

		spin_lock(&slot.table->ptl, LOCK_PTL);
		for (; va < stop; va += PAGE_SIZE, slot.pte++)
			if (protect_pte(vma, slot.pte))
				tlb_batch_add(&tlb, va);
		spin_unlock(&slot.table->ptl, LOCK_PTL);
	}
	tlb_batch_flush(&tlb, mm);
}

void protect_range(struct mm *mm, struct vma *vma, uint64_t start, uint64_t end)
{
	ASSERT(vma->start <= start && start <= end && end <= vma->end);
	if (end - start == PAGE_SIZE)
		protect_page(mm, vma, start);
	else
		protect_pages(mm, vma, start, end);
}
