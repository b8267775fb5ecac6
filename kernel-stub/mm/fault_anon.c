/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faults on anonymous memory that has no page yet: cases 3a and 3b of fault.c. */
#include "fault_ctx.h"

/* Case 3a: the shared zero page, read-only. It is neither counted nor in the reverse map. */
unsigned fault_anon_zero(struct fault_ctx *c)
{
	pte_t pte = pte_make(page_to_pfn(zero_page), c->vma->prot & ~(unsigned)PTE_PROT_WRITE);

	if (unlikely(!fault_lock_pte(c)))
		return FAULT_RESTART;
	c->slot.table->nr_present++;
	port_pte_set(c->slot.pte, pte);
	fault_unlock_pte(c);
	return FL_CLASS_USER_MINOR_ANON_ZERO;
}

/* Case 3b. */
unsigned fault_anon_alloc(struct fault_ctx *c)
{
	struct anon_root *root = vma_anon(c->vma);
	struct page *page;

	if (unlikely(!root))
		return FL_CLASS_USER_INVALID_OOM;
	page = page_alloc();
	if (unlikely(!page))
		return FL_CLASS_USER_INVALID_OOM;
	port_clear_page(page_to_virt(page));
	if (unlikely(!fault_map_anon(c, page, root, true)))
		return FAULT_RESTART;
	return FL_CLASS_USER_MINOR_ANON_ALLOC;
}
