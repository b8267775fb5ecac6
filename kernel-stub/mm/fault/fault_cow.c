/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Write faults on a page that is mapped read-only in a writable private VMA: case 3d of fault.c.
 *
 * The old translation may be in TLBs. A path that puts another page in its place flushes it
 * everywhere before the new one can be seen (fault_set_anon), and before the old page's reference
 * goes: until then another CPU may still read through it. While it is copied it is held by a
 * reference more: another thread may drop it meanwhile (then the PTE has changed), but nobody can
 * make anything else of its frame.
 *
 * A fault from ring 3 whose VMA is the last one found takes a page over in fault_fast.c
 * already (fault_protected); what is left comes here.
 */
#include "mm/fault/fault_ctx.h"

/* A path is entered by a tail call, so that none saves the registers that another needs. */
#define COW_PATH __attribute__((noinline))

/* The zero page is replaced by a fresh page, which is the same as copying it. */
static COW_PATH unsigned fault_cow_zero(struct fault_ctx *c)
{
	struct page *page = page_alloc();
	uint64_t pfn;

	if (unlikely(!page))
		return FL_CLASS_USER_INVALID_OOM;
	pfn = page_to_pfn(page);
	port_clear_page(port_pfn_to_virt(pfn));
	if (unlikely(!fault_map_new(c, page, pfn)))
		return FAULT_RESTART;
	return FL_CLASS_USER_MINOR_COW_ZERO;
}

/* A page of the file, mapped by an earlier read, is replaced by a copy. */
static COW_PATH unsigned fault_cow_file(struct fault_ctx *c, struct page *old)
{
	struct page *page = vma_anon(c->vma) ? page_alloc() : NULL;
	uint64_t pfn;

	if (unlikely(!page)) {
		page_put(old);
		return FL_CLASS_USER_INVALID_OOM;
	}
	pfn = page_to_pfn(page);
	port_copy_page(port_pfn_to_virt(pfn), page_to_virt(old));
	if (unlikely(!fault_map_new(c, page, pfn))) {
		page_put(old);
		return FAULT_RESTART;
	}
	if (rmap_put(old))
		vmstat_add(FL_VMSTAT_NR_FILE_MAPPED, -1);
	port_xadd64(&c->mm->rss_file, -1);
	page_put(old);
	page_put(old);
	return FL_CLASS_USER_MINOR_FILE_COW;
}

/* An anonymous page that fork shared is replaced by a copy. */
static COW_PATH unsigned fault_cow_copy(struct fault_ctx *c, struct page *old)
{
	struct page *page = page_alloc();
	uint64_t pfn;

	if (unlikely(!page)) {
		lru_put_page(old, 1);
		return FL_CLASS_USER_INVALID_OOM;
	}
	pfn = page_to_pfn(page);
	port_copy_page(port_pfn_to_virt(pfn), page_to_virt(old));
	if (unlikely(!fault_set_anon(c->vma, c->addr, c->slot, c->old, page, pfn))) {
		page_put(page);
		lru_put_page(old, 1);
		return FAULT_RESTART;
	}
	if (unlikely(rmap_put(old))) /* the others dropped it while it was copied */
		vmstat_add(FL_VMSTAT_NR_ANON_PAGES, -1);
	lru_put_page(old, 2);
	return FL_CLASS_USER_MINOR_COW_COPY;
}

unsigned fault_cow_shared(struct fault_ctx *c)
{
	struct page *old = pfn_to_page(pte_pfn(c->old));

	return page_is_anon(old) ? fault_cow_copy(c, old) : fault_cow_file(c, old);
}

unsigned fault_cow(struct fault_ctx *c)
{
	struct page *old = pfn_to_page(pte_pfn(c->old));

	if (unlikely(c->vma->flags & VM_SHARED))
		return fault_shmem_write(c);
	if (old == zero_page)
		return vma_anon(c->vma) ? fault_cow_zero(c) : FL_CLASS_USER_INVALID_OOM;
	switch (fault_take_over(c->mm, c->slot, c->old, old)) {
	case FAULT_ALONE:
		return FL_CLASS_USER_MINOR_COW_REUSE;
	case FAULT_SHARED:
		return fault_cow_shared(c);
	default:
		return FAULT_RESTART;
	}
}
