/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mlock, munlock, mlockall, munlockall: as on Linux (mm/mlock.c) a flag of the VMA, VM_LOCKED, and
 * all its pages brought in, unless VM_LOCKONFAULT leaves that to their faults. Nothing takes a page
 * away yet; so what the flag does is that the pages are there, that MADV_DONTNEED and its like
 * refuse, and that it is counted (locked_vm).
 *
 *   1. VMA by VMA from the lowest up, splitting and merging; a hole ends it with ENOMEM, and what
 *      came before stays changed, but is not populated
 *   2. then, mm->lock being free, the pages. One that is not to be had ends it: ENOMEM; want of
 *      memory is EAGAIN
 *
 * RLIMIT_MEMLOCK binds nobody: every process is root's, with CAP_IPC_LOCK.
 */
#include "mm/mm.h"

#include "mm/base/mm_errno.h"
#include "mm/calls/mm_call_flags.h"
#include "mm/vma/vma.h"

/* A VMA's flags once it is locked that way. What may be dropped is never locked, though brought in.
 */
static uint32_t mlock_flags(const struct vma *vma, uint32_t lock)
{
	return vma->flags & VM_DROPPABLE ? vma->flags
					 : (vma->flags & ~(uint32_t)VM_LOCKED_MASK) | lock;
}

static int mlock_plan(struct vma_change *change, struct vma *vma, uint64_t start, uint64_t end,
		      uint32_t flags)
{
	vma_plan_change(change, vma, start, end < vma->end ? end : vma->end,
			mlock_flags(vma, flags));
	return vma->mm->map_count + change->nr_new > vma->mm->map_max ? -MM_ENOMEM : 0;
}

/* Carries the planned change out, and then those that follow it. */
static int mlock_walk(struct vma_change *change, uint64_t end, uint32_t flags,
		      struct vma_spare *spare)
{
	for (;;) {
		struct vma *vma = vma_do_change(change, spare);
		int err;

		if (change->end >= end)
			return 0;
		if (vma->end > change->end) {
			err = mlock_plan(change, vma, change->end, end, flags);
		} else {
			if (!vma->next || vma->next->start != vma->end)
				return -MM_ENOMEM;
			err = mlock_plan(change, vma->next, vma->end, end, flags);
		}
		if (err)
			return err;
	}
}

/* Step 1. */
static int mlock_locked(struct mm *mm, uint64_t start, uint64_t end, uint32_t flags)
{
	struct vma *vma = start < TASK_SIZE ? vma_lookup(mm, start) : NULL;
	struct vma_change change;
	struct vma_spare spare;
	int err;

	if (!vma)
		return -MM_ENOMEM;
	err = mlock_plan(&change, vma, start, end, flags);
	if (!err)
		err = vma_spare_for_changes(&spare, &change, end);
	if (err)
		return err;
	err = mlock_walk(&change, end, flags, &spare);
	vma_spare_drop(&spare);
	return err;
}

/* Step 1 for a range as ring 3 names it. */
static int mlock_range(struct mm *mm, uint64_t start, uint64_t end, uint32_t flags)
{
	int err;

	if (end < start)
		return -MM_EINVAL;
	if (end == start)
		return 0;
	mmap_write_lock(mm);
	err = mlock_locked(mm, start, end, flags);
	mmap_write_unlock(mm);
	return err;
}

static uint64_t mlock_end(uint64_t addr, uint64_t len)
{
	return (addr & PAGE_MASK) + page_align(len + (addr & ~PAGE_MASK));
}

int64_t vm_mlock(struct mm *mm, uint64_t addr, uint64_t len, unsigned flags)
{
	uint64_t start = addr & PAGE_MASK, end = mlock_end(addr, len);
	uint32_t vm_flags = VM_LOCKED;
	int err = call_flags_check(&mlock2_flags, flags);

	if (err)
		return err;
	if (flags & MLOCK_ONFAULT_)
		vm_flags |= VM_LOCKONFAULT;
	err = mlock_range(mm, start, end, vm_flags);
	if (err)
		return err;
	err = vm_populate_strict(mm, start, end);
	if (err)
		return err == -MM_EFAULT ? -MM_ENOMEM : -MM_EAGAIN;
	return 0;
}

int64_t vm_munlock(struct mm *mm, uint64_t addr, uint64_t len)
{
	return mlock_range(mm, addr & PAGE_MASK, mlock_end(addr, len), 0);
}

/* Every VMA as a whole, so that nothing splits. */
static void mlock_all(struct mm *mm, uint32_t flags)
{
	struct vma_spare none = {.n = 0};
	struct vma *vma = mm->first;

	while (vma) {
		struct vma_change change;

		vma_plan_change(&change, vma, vma->start, vma->end, mlock_flags(vma, flags));
		vma = vma_do_change(&change, &none)->next;
	}
}

/* The calls of all memory, once their arguments are good. */
static void mlockall_apply(struct mm *mm, unsigned flags)
{
	uint32_t lock = VM_LOCKED | (flags & MCL_ONFAULT_ ? VM_LOCKONFAULT : 0);

	mmap_write_lock(mm);
	mm->def_flags = flags & MCL_FUTURE_ ? lock : 0;
	if (flags & MCL_CURRENT_ || !flags)
		mlock_all(mm, flags ? lock : 0);
	mmap_write_unlock(mm);
}

int64_t vm_mlockall(struct mm *mm, unsigned flags)
{
	int err = call_flags_check(&mlockall_flags, flags);

	if (err || !(flags & (MCL_CURRENT_ | MCL_FUTURE_)))
		return -MM_EINVAL;
	mlockall_apply(mm, flags);
	if (flags & MCL_CURRENT_)
		vm_populate(mm, 0, TASK_SIZE);
	return 0;
}

int64_t vm_munlockall(struct mm *mm)
{
	mlockall_apply(mm, 0);
	return 0;
}
