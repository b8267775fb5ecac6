/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mincore: which pages are in memory. As on Linux (mm/mincore.c), a page that is mapped is, the
 * zero page included, and so is a page of a file that nobody has mapped; the initrd's always are,
 * and those of shared memory that anyone has touched.
 */
#include "mm/mm.h"

#include "mm/base/mm_errno.h"
#include "mm/object/file.h"
#include "mm/pgtable/pgtable.h"
#include "mm/vma/vma.h"

static bool file_has(const struct vma *vma, uint64_t va)
{
	uint64_t index = vma->pgoff + ((va - vma->start) >> PAGE_SHIFT);

	if (vma_is_anonymous(vma) || index >= vm_file_pages(vma->file))
		return false;
	return vma->file->kind != VM_FILE_SHMEM || page_index_find(&vma->file->pages, index);
}

/* An entry that looks empty without its ptl may be one whose page another CPU is replacing
 * (tlb_clear_flush). */
static bool pte_has(struct pte_slot slot)
{
	bool has;

	if (!slot.pte)
		return false;
	spin_lock(&slot.table->ptl, LOCK_PTL);
	has = !pte_none(port_pte_read(slot.pte));
	spin_unlock(&slot.table->ptl, LOCK_PTL);
	return has;
}

static int64_t mincore_locked(struct mm *mm, uint64_t addr, uint64_t n, unsigned char *vec)
{
	const struct vma *vma = vma_lookup(mm, addr);

	if (!vma)
		return -MM_ENOMEM;
	if (n > (vma->end - addr) >> PAGE_SHIFT)
		n = (vma->end - addr) >> PAGE_SHIFT;
	for (uint64_t i = 0; i < n; i++, addr += PAGE_SIZE)
		vec[i] = pte_has(pgtable_find(mm, addr)) || file_has(vma, addr);
	return (int64_t)n;
}

int64_t vm_mincore(struct mm *mm, uint64_t addr, uint64_t n, unsigned char *vec)
{
	int64_t ret;

	mmap_read_lock(mm);
	ret = mincore_locked(mm, addr, n, vec);
	mmap_read_unlock(mm);
	return ret;
}
