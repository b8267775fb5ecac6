/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which word of memory an address stands for, whoever maps it where: for futexes (mm.h). */
#include "mm/mm.h"
#include "mm/vma/vma.h"
#include "mm/vma/vma_index.h"

static struct vm_key key_of(const struct mm *mm, const struct vma *vma, uint64_t addr)
{
	struct vm_key key = {.offset = (uint32_t)(addr & ~PAGE_MASK)};

	if (vma->flags & VM_SHARED && !vma_is_anonymous(vma)) {
		key.object = vma->file->inode;
		key.index = vma->pgoff + ((addr - vma->start) >> PAGE_SHIFT);
		key.shared = true;
	} else {
		key.object = (uintptr_t)mm;
		key.index = addr >> PAGE_SHIFT;
	}
	return key;
}

bool vm_shared_key(struct mm *mm, uint64_t addr, struct vm_key *key)
{
	const struct vma *vma;

	mmap_read_lock(mm);
	vma = vma_lookup(mm, addr);
	if (vma)
		*key = key_of(mm, vma, addr);
	mmap_read_unlock(mm);
	return vma != NULL;
}
