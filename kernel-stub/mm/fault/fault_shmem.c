/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults on shared anonymous memory: case 3f of fault.c. The page is the object's, and found or
 * made there first (shmem.h); the PTE that maps it has a reference of its own. If the PTE changes
 * meanwhile, the page stays with the object. A fault of ring 3 is often served in
 * fault_fast.c already (fault_of_file); what is left comes here.
 */
#include "mm/fault/fault_ctx.h"

#include "mm/object/file.h"
#include "mm/object/shmem.h"

unsigned fault_shmem(struct fault_ctx *c, uint64_t index)
{
	bool fresh;
	struct page *page = shmem_get_page(c->vma->file, index, &fresh);

	if (unlikely(!page))
		return FL_CLASS_USER_INVALID_OOM;
	if (unlikely(!fault_map_shmem(c->mm, c->vma, c->slot, page)))
		return FAULT_RESTART;
	return fault_shmem_class(c->flags & FAULT_WRITE, fresh);
}

/* A write to a page that is mapped read-only in a writable VMA. Nothing leaves such a PTE behind
 * but stubctl (pte_make_stale). It gains a right: no flush (tlb.h, 4). */
unsigned fault_shmem_write(struct fault_ctx *c)
{
	if (unlikely(!fault_lock_pte(c->slot, c->old)))
		return FAULT_RESTART;
	port_pte_set(c->slot.pte, pte_mkwrite(c->old));
	spin_unlock(&c->slot.table->ptl, LOCK_PTL);
	return FL_CLASS_USER_MINOR_FILE_WRITE;
}
