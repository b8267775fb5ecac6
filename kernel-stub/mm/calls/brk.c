/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * brk. As on Linux (mm/mmap.c), it refuses by returning the break as it was:
 *
 *   1. below start_brk, or above what RLIMIT_DATA leaves the heap
 *   2. shrinking where nothing is mapped any more, or what would be left is too many VMAs
 *   3. growing past the address space, or so far that not a page stays free below the next VMA
 *      (below the guard gap of a stack), or over something, or past a limit, or without memory
 */
#include "mm/mm.h"

#include "mm/base/mm_errno.h"
#include "mm/vma/vma.h"
#include "mm/walk/zap.h"

#define BRK_FLAGS (VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | VM_ACCOUNT)

static int brk_shrink(struct mm *mm, uint64_t start, uint64_t end)
{
	struct vma *first = vma_find(mm, start);
	unsigned cut = vma_unmap_needs(first, start, end);
	struct vma_spare spare;

	if (!first || first->start >= end)
		return -MM_EINVAL;
	if (cut && mm->map_count >= mm->map_max)
		return -MM_ENOMEM;
	if (vma_spare_fill(mm, &spare, cut))
		return -MM_ENOMEM;
	zap_range(mm, start, end);
	vma_unmap(mm, first, start, end, &spare);
	return 0;
}

static int brk_grow(struct mm *mm, uint64_t start, uint64_t end)
{
	struct vma_new new = {start, end, BRK_FLAGS | mm->def_flags, NULL, start >> PAGE_SHIFT};
	struct vma *next = vma_find(mm, start), *prev = next ? next->prev : mm->last;
	struct vma_neighbours n;
	struct vma_spare spare;

	if (end <= start || end > TASK_SIZE)
		return -MM_ENOMEM;
	if (next && end + PAGE_SIZE > vma_start_gap(next))
		return -MM_ENOMEM;
	if (!vm_may_expand(mm, BRK_FLAGS, (end - start) >> PAGE_SHIFT) ||
	    mm->map_count > mm->map_max)
		return -MM_ENOMEM;
	if (prev && prev->end <= mm->start_brk)
		prev = NULL; /* the program's zero fill: Linux grows the heap's own VMA only */
	n = vma_plan_map(&new, prev, next, NULL);
	if (vma_spare_fill(mm, &spare, vma_map_needs(n)))
		return -MM_ENOMEM;
	vma_map(mm, &new, next, n, &spare);
	return 0;
}

/* Case 1. */
static bool brk_outside(const struct mm *mm, uint64_t brk)
{
	if (brk < mm->start_brk)
		return true;
	return mm->brk_limit != VM_LIMIT_NONE &&
	       brk - mm->start_brk + mm->data_size > mm->brk_limit;
}

uint64_t vm_brk(struct mm *mm, uint64_t brk)
{
	uint64_t old_end, new_end = page_align(brk), result;
	bool populate;
	int err = 0;

	mmap_write_lock(mm);
	old_end = page_align(mm->brk);
	if (brk_outside(mm, brk))
		err = -MM_EINVAL;
	else if (brk <= mm->brk && new_end < old_end)
		err = brk_shrink(mm, new_end, old_end);
	else if (new_end != old_end)
		err = brk_grow(mm, old_end, new_end);
	if (!err)
		mm->brk = brk;
	result = mm->brk;
	populate = mm->def_flags & VM_LOCKED && !err && new_end > old_end;
	mmap_write_unlock(mm);
	if (populate)
		vm_populate(mm, old_end, new_end);
	return result;
}
