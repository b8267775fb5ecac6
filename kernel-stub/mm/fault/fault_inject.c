/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page-table entries brought into states that nothing else leaves behind, for stubctl and tests. */
#include "mm/fault/fault.h"

#include "mm/base/mm_errno.h"
#include "mm/pgtable/pgtable.h"
#include "mm/pgtable/tlb.h"
#include "mm/rmap/rmap.h"
#include "mm/vma/mmap_lock.h"
#include "mm/vma/vma_index.h"

/* What one of the calls below does to the entry of addr, under its ptl; 0 or -MM_EFAULT. */
typedef int (*pte_change)(const struct vma *vma, pte_t *pte);

static int pte_inject(struct mm *mm, uint64_t addr, pte_change change)
{
	int err = -MM_EFAULT;
	struct pte_slot slot;
	struct vma *vma;

	mmap_read_lock(mm);
	vma = vma_lookup(mm, addr);
	slot = vma ? pgtable_find(mm, addr) : (struct pte_slot){0};
	if (slot.pte) {
		spin_lock(&slot.table->ptl, LOCK_PTL);
		err = change(vma, slot.pte);
		spin_unlock(&slot.table->ptl, LOCK_PTL);
	}
	mmap_read_unlock(mm);
	return err;
}

static int change_corrupt(const struct vma *vma, pte_t *pte)
{
	(void)vma;
	if (pte_none(*pte))
		return -MM_EFAULT;
	port_pte_xchg(pte, pte_set_rsvd(*pte));
	return 0;
}

static int change_protect(const struct vma *vma, pte_t *pte)
{
	if (pte_none(*pte) || !pte_write(*pte))
		return -MM_EFAULT;
	port_pte_xchg(pte, pte_set_prot(*pte, vma->prot & ~(unsigned)PTE_PROT_WRITE));
	return 0;
}

/* The reverse, if the page may be written at all. */
static int change_unprotect(const struct vma *vma, pte_t *pte)
{
	const struct page *page = pfn_to_page(pte_pfn(*pte));

	if (pte_none(*pte) || !(vma->flags & VM_WRITE))
		return -MM_EFAULT;
	if (!(vma->flags & VM_SHARED) && (!page_is_anon(page) || !page_is_alone(page)))
		return -MM_EFAULT;
	port_pte_set(pte, pte_set_prot(*pte, vma->prot | PTE_PROT_WRITE));
	return 0;
}

int pte_corrupt(struct mm *mm, uint64_t addr)
{
	int err = pte_inject(mm, addr, change_corrupt);

	if (!err)
		tlb_flush_page(mm, addr);
	return err;
}

int pte_make_stale(struct mm *mm, uint64_t addr, int step)
{
	int err;

	if (step)
		return pte_inject(mm, addr, change_unprotect);
	err = pte_inject(mm, addr, change_protect);
	if (!err)
		tlb_flush_page(mm, addr);
	return err;
}
