/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Write faults on a page that is mapped read-only in a writable private VMA: case 3d of fault.c.
 *
 * The old translation may be in the TLB, so each path flushes it, and before the old page's
 * reference goes: until then another CPU may still read through it.
 */
#include "fault_ctx.h"

/* The zero page is replaced by a fresh page, which is the same as copying it. */
static unsigned fault_cow_zero(struct fault_ctx *c)
{
	struct page *page = page_alloc();
	uint64_t pfn;

	if (unlikely(!page))
		return FL_CLASS_USER_INVALID_OOM;
	pfn = page_to_pfn(page);
	port_clear_page(port_pfn_to_virt(pfn));
	if (unlikely(!fault_map_new(c, page, pfn)))
		return FAULT_RESTART;
	tlb_flush_page(c->mm, c->addr);
	return FL_CLASS_USER_MINOR_COW_ZERO;
}

/* A page of the file, mapped by an earlier read, is replaced by a copy. */
static unsigned fault_cow_file(struct fault_ctx *c, struct page *old)
{
	struct page *page = page_alloc();
	uint64_t pfn;

	if (unlikely(!page))
		return FL_CLASS_USER_INVALID_OOM;
	pfn = page_to_pfn(page);
	port_copy_page(port_pfn_to_virt(pfn), page_to_virt(old));
	if (unlikely(!fault_map_new(c, page, pfn)))
		return FAULT_RESTART;
	tlb_flush_page(c->mm, c->addr);
	if (rmap_put(old))
		vmstat_add(FL_VMSTAT_NR_FILE_MAPPED, -1);
	port_xadd64(&c->mm->rss_file, -1);
	page_put(old);
	return FL_CLASS_USER_MINOR_FILE_COW;
}

/* A page of our own that was write-protected becomes writable again. */
static unsigned fault_cow_reuse(struct fault_ctx *c, struct page *page)
{
	ASSERT(page->mapcount == 1);
	if (unlikely(!fault_lock_pte(c->slot, c->old)))
		return FAULT_RESTART;
	port_pte_set(c->slot.pte, pte_set_prot(c->old, c->vma->prot | PTE_PROT_WRITE));
	spin_unlock(&c->slot.table->ptl, LOCK_PTL);
	tlb_flush_page(c->mm, c->addr);
	return FL_CLASS_USER_MINOR_COW_REUSE;
}

unsigned fault_cow(struct fault_ctx *c)
{
	struct page *old = pfn_to_page(pte_pfn(c->old));

	if (page_is_anon(old))
		return fault_cow_reuse(c, old);
	if (unlikely(!vma_anon(c->vma)))
		return FL_CLASS_USER_INVALID_OOM;
	return old == zero_page ? fault_cow_zero(c) : fault_cow_file(c, old);
}
