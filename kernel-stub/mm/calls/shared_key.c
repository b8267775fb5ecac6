/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which word of memory an address stands for, whoever maps it where: for futexes (mm.h). As Linux's
 * get_futex_key() (kernel/futex/core.c) it asks the page, and so brings it in:
 *
 *   the VMA may be     the page                          its word is
 *   written            made writable, copied first if    the object's, of a shared mapping;
 *                      it is a private one               else the address space's
 *   read only          as a read finds it                the object's, of either mapping; nobody's
 *                                                        if it is anonymous or the zero page: it
 *                                                        will never change
 *   neither                                              nobody's
 */
#include "mm/base/mm_errno.h"
#include "mm/mm.h"
#include "mm/pgtable/pgtable.h"
#include "mm/phys/zero_page.h"
#include "mm/rmap/rmap.h"
#include "mm/vma/vma.h"
#include "mm/vma/vma_index.h"

enum key_look {
	KEY_FOUND,
	KEY_NONE,	/* there is no such word */
	KEY_WANTS_READ, /* the page has to be brought in, */
	KEY_WANTS_WRITE /* or to be made writable */
};

static struct vm_key key_of(const struct mm *mm, const struct vma *vma, uint64_t addr, bool object)
{
	struct vm_key key = {.offset = (uint32_t)(addr & ~PAGE_MASK), .shared = object};

	if (object) {
		key.object = vma->file->inode;
		key.index = vma->pgoff + ((addr - vma->start) >> PAGE_SHIFT);
	} else {
		key.object = (uintptr_t)mm;
		key.index = addr >> PAGE_SHIFT;
	}
	return key;
}

/* The entry at addr, and whether its page is one that others may change: not the zero page, not
 * anonymous. */
static pte_t pte_at(struct mm *mm, uint64_t addr, bool *objects)
{
	struct pte_slot slot = pgtable_find(mm, addr);
	const struct page *page;
	pte_t pte = {0};

	*objects = false;
	if (!slot.pte)
		return pte;
	spin_lock(&slot.table->ptl, LOCK_PTL);
	pte = port_pte_read(slot.pte);
	page = pfn_to_page(pte_pfn(pte));
	*objects = !pte_none(pte) && page != zero_page && !page_is_anon(page);
	spin_unlock(&slot.table->ptl, LOCK_PTL);
	return pte;
}

/* The key, if the page is as the table above wants it. Needs: mm->lock for reading. */
static enum key_look key_look(struct mm *mm, uint64_t addr, bool write, struct vm_key *key)
{
	const struct vma *vma = vma_lookup(mm, addr);
	bool objects;
	pte_t pte;

	if (!vma || !(vma->flags & (write ? VM_WRITE : VM_WRITE | VM_READ)))
		return KEY_NONE;
	pte = pte_at(mm, addr, &objects);
	if (vma->flags & VM_WRITE) {
		if (!pte_write(pte))
			return KEY_WANTS_WRITE;
	} else if (!objects) {
		return pte_none(pte) ? KEY_WANTS_READ : KEY_NONE;
	}
	*key = key_of(mm, vma, addr, objects);
	return KEY_FOUND;
}

int vm_shared_key(struct mm *mm, uint64_t addr, bool write, struct vm_key *key)
{
	int error = 0;

	while (!error) {
		enum key_look found;

		mmap_read_lock(mm);
		found = key_look(mm, addr, write, key);
		mmap_read_unlock(mm);
		if (found == KEY_FOUND)
			return 0;
		if (found == KEY_NONE)
			return -MM_EFAULT;
		error = vm_fault_in(mm, addr, found == KEY_WANTS_WRITE);
	}
	return error;
}
