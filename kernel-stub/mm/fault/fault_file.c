/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faults on a file mapping where no page is mapped yet: case 3c of fault.c, and which case it is.
 */
#include "mm/fault/fault_ctx.h"

#include "mm/object/file.h"

/* A read: the file's own page, read-only whatever the VMA allows. The PTE takes over the reference.
 */
static unsigned fault_file_map(struct fault_ctx *c, struct page *page)
{
	pte_t pte = pte_make(page_to_pfn(page), c->vma->prot & ~(unsigned)PTE_PROT_WRITE);

	if (unlikely(!fault_lock_pte(c->slot, c->old))) {
		page_put(page);
		return FAULT_RESTART;
	}
	rmap_add_file(page);
	c->slot.table->nr_present++;
	port_pte_set(c->slot.pte, pte);
	spin_unlock(&c->slot.table->ptl, LOCK_PTL);
	port_xadd64(&c->mm->rss_file, 1);
	return FL_CLASS_USER_MINOR_FILE_MAP;
}

/* A write: a copy. The file's page is needed only for that. */
static unsigned fault_file_cow(struct fault_ctx *c, struct page *from)
{
	struct page *page = vma_anon(c->vma) ? page_alloc() : NULL;
	uint64_t pfn;

	if (unlikely(!page)) {
		page_put(from);
		return FL_CLASS_USER_INVALID_OOM;
	}
	pfn = page_to_pfn(page);
	port_copy_page(port_pfn_to_virt(pfn), page_to_virt(from));
	page_put(from);
	return fault_map_new(c, page, pfn) ? FL_CLASS_USER_MINOR_FILE_COW : FAULT_RESTART;
}

unsigned fault_file(struct fault_ctx *c)
{
	struct vm_file *file = c->vma->file;
	uint64_t index = fault_page_index(c->vma, c->addr);
	struct page *page;

	if (file->kind == VM_FILE_ZERO)
		return c->flags & FAULT_WRITE ? fault_anon_alloc(c) : fault_anon_zero(c);
	if (unlikely(index >= vm_file_pages(file)))
		return FL_CLASS_USER_INVALID_BUS;
	if (file->kind == VM_FILE_SHMEM)
		return fault_shmem(c, index);
	page = file->get_page(file, index);
	if (unlikely(!page))
		return FL_CLASS_USER_INVALID_OOM;
	return c->flags & FAULT_WRITE ? fault_file_cow(c, page) : fault_file_map(c, page);
}
