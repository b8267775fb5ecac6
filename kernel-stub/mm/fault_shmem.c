/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults on shared anonymous memory: case 3f of fault.c. The page is the object's, and found or
 * made there first (shmem.h); the PTE that maps it has a reference of its own. If the PTE changes
 * meanwhile, the page stays with the object.
 */
#include "fault_ctx.h"

#include "file.h"
#include "shmem.h"

unsigned fault_shmem(struct fault_ctx *c, uint64_t index)
{
	bool fresh;
	struct page *page = shmem_get_page(c->vma->file, index, &fresh);

	if (unlikely(!page))
		return FL_CLASS_USER_INVALID_OOM;
	if (unlikely(!fault_lock_pte(c->slot, c->old)))
		return FAULT_RESTART;
	page_get(page);
	rmap_add_file(page);
	c->slot.table->nr_present++;
	port_pte_set(c->slot.pte, pte_make(page_to_pfn(page), c->vma->prot));
	spin_unlock(&c->slot.table->ptl, LOCK_PTL);
	port_xadd64(&c->mm->rss_shmem, 1);
	if (fresh)
		return FL_CLASS_USER_MINOR_SHMEM_ALLOC;
	return c->flags & FAULT_WRITE ? FL_CLASS_USER_MINOR_FILE_WRITE
				      : FL_CLASS_USER_MINOR_FILE_MAP;
}

/* A write to a page that is mapped read-only in a writable VMA. Nothing leaves such a PTE behind
 * but stubctl (pte_make_stale).
 * Nothing has to be flushed (tlb.h, 4). */
unsigned fault_shmem_write(struct fault_ctx *c)
{
	if (unlikely(!fault_lock_pte(c->slot, c->old)))
		return FAULT_RESTART;
	port_pte_set(c->slot.pte, pte_mkwrite(c->old));
	spin_unlock(&c->slot.table->ptl, LOCK_PTL);
	return FL_CLASS_USER_MINOR_FILE_WRITE;
}
