/* SPDX-License-Identifier: GPL-2.0-or-later */
/* References to a mapped file, and who maps it (file.h). */
#include "mm/object/file.h"

#include "mm/base/mm_types.h"
#include "mm/pgtable/pgtable.h"

void vm_file_get(struct vm_file *file)
{
	port_xadd32(&file->refcount, 1);
}

void vm_file_put(struct vm_file *file)
{
	uint32_t old = port_xadd32(&file->refcount, -1u);

	ASSERT(old != 0);
	if (old == 1)
		file->release(file);
}

void vm_file_link(struct vma *vma)
{
	struct vm_file *file = vma->file;

	vm_file_get(file);
	if (file->kind != VM_FILE_SHMEM)
		return;
	spin_lock(&file->i_mmap_lock, LOCK_I_MMAP);
	list_add(&vma->i_mmap, &file->i_mmap);
	spin_unlock(&file->i_mmap_lock, LOCK_I_MMAP);
}

void vm_file_unlink(struct vma *vma)
{
	struct vm_file *file = vma->file;

	if (file->kind == VM_FILE_SHMEM) {
		spin_lock(&file->i_mmap_lock, LOCK_I_MMAP);
		list_del(&vma->i_mmap);
		spin_unlock(&file->i_mmap_lock, LOCK_I_MMAP);
	}
	vm_file_put(file);
}

/* Where the VMA has that page of its file, if a PTE maps it there; else slot.pte is NULL. */
static struct pte_slot find_in_vma(const struct vma *vma, const struct page *page)
{
	uint64_t from = page->index - vma->pgoff; /* wraps if it lies before the VMA */
	struct pte_slot slot = {0};

	if (from >= (vma->end - vma->start) >> PAGE_SHIFT)
		return slot;
	slot = pgtable_find(vma->mm, vma->start + (from << PAGE_SHIFT));
	if (slot.pte && (pte_none(*slot.pte) || pte_pfn(*slot.pte) != page_to_pfn(page)))
		slot.pte = NULL;
	return slot;
}

int vm_file_walk(const struct page *page,
		 void (*visit)(void *arg, struct mm *mm, struct pte_slot slot), void *arg)
{
	struct vm_file *file = page->mapping;
	int found = 0;

	ASSERT(file->kind == VM_FILE_SHMEM);
	spin_lock(&file->i_mmap_lock, LOCK_I_MMAP);
	list_for_each (n, &file->i_mmap) {
		const struct vma *vma = list_entry(n, struct vma, i_mmap);
		struct pte_slot slot = find_in_vma(vma, page);

		if (!slot.pte)
			continue;
		visit(arg, vma->mm, slot);
		found++;
	}
	spin_unlock(&file->i_mmap_lock, LOCK_I_MMAP);
	return found;
}

void vm_file_check(const struct vma *vma)
{
	struct vm_file *file = vma->file;
	unsigned linked = 0;

	ASSERT(file->refcount);
	if (file->kind != VM_FILE_SHMEM)
		return;
	spin_lock(&file->i_mmap_lock, LOCK_I_MMAP);
	list_for_each (n, &file->i_mmap) {
		ASSERT(list_entry(n, struct vma, i_mmap)->file == file);
		linked += n == &vma->i_mmap;
	}
	spin_unlock(&file->i_mmap_lock, LOCK_I_MMAP);
	ASSERT(linked == 1 && vma->flags & VM_SHARED);
}
