/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faults on anonymous memory that has no page yet: cases 3a and 3b of fault.c. */
#include "mm/fault/fault_ctx.h"

/* Case 3a: the shared zero page, read-only. It is neither counted nor in the reverse map. */
unsigned fault_anon_zero(struct fault_ctx *c)
{
	return fault_map_zero(c->vma, c->slot) ? FL_CLASS_USER_MINOR_ANON_ZERO : FAULT_RESTART;
}

/* Case 3b. */
unsigned fault_anon_alloc(struct fault_ctx *c)
{
	struct page *page;
	uint64_t pfn;

	if (unlikely(!vma_anon(c->vma)))
		return FL_CLASS_USER_INVALID_OOM;
	page = page_alloc();
	if (unlikely(!page))
		return FL_CLASS_USER_INVALID_OOM;
	pfn = page_to_pfn(page);
	port_clear_page(port_pfn_to_virt(pfn));
	return fault_map_new(c, page, pfn) ? FL_CLASS_USER_MINOR_ANON_ALLOC : FAULT_RESTART;
}
