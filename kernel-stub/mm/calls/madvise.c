/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * madvise: VMA by VMA. As on Linux (mm/madvise.c), holes are passed over, the rest is done, and the
 * call ends in ENOMEM; so want of memory is EAGAIN. Advice about the order of reads and
 * about fork is kept in the VMA's flags, which splits it.
 */
#include "mm/mm.h"

#include "mm/base/mm_errno.h"
#include "mm/pgtable/pgtable.h"
#include "mm/vma/vma.h"
#include "mm/walk/age.h"
#include "mm/walk/zap.h"

/* What advice makes of a VMA's flags. */
struct advice_flags {
	bool is_flag;	     /* it is of this kind */
	uint32_t clear, set; /* enum vm_flag */
};

static struct advice_flags advice_flags(int advice)
{
	switch (advice) {
	case MADV_NORMAL_:
		return (struct advice_flags){true, VM_RAND_READ | VM_SEQ_READ, 0};
	case MADV_RANDOM_:
		return (struct advice_flags){true, VM_SEQ_READ, VM_RAND_READ};
	case MADV_SEQUENTIAL_:
		return (struct advice_flags){true, VM_RAND_READ, VM_SEQ_READ};
	case MADV_DONTFORK_:
		return (struct advice_flags){true, 0, VM_DONTCOPY};
	case MADV_DOFORK_:
		return (struct advice_flags){true, VM_DONTCOPY, 0};
	case MADV_HUGEPAGE_:
		return (struct advice_flags){true, VM_NOHUGEPAGE, VM_HUGEPAGE};
	case MADV_NOHUGEPAGE_:
		return (struct advice_flags){true, VM_HUGEPAGE, VM_NOHUGEPAGE};
	case MADV_DONTDUMP_:
		return (struct advice_flags){true, 0, VM_DONTDUMP};
	case MADV_DODUMP_:
		return (struct advice_flags){true, VM_DONTDUMP, 0};
	case MADV_WIPEONFORK_:
		return (struct advice_flags){true, 0, VM_WIPEONFORK};
	case MADV_KEEPONFORK_:
		return (struct advice_flags){true, VM_WIPEONFORK, 0};
	default:
		return (struct advice_flags){0};
	}
}

/* Advice about the pages: mm->lock for reading suffices. */
static bool advice_is_pages(int advice)
{
	switch (advice) {
	case MADV_WILLNEED_:
	case MADV_DONTNEED_:
	case MADV_DONTNEED_LOCKED_:
	case MADV_FREE_:
	case MADV_COLD_:
	case MADV_PAGEOUT_:
		return true;
	default:
		return false;
	}
}

/* These take the lock by themselves. */
static bool advice_is_populate(int advice)
{
	return advice == MADV_POPULATE_READ_ || advice == MADV_POPULATE_WRITE_;
}

/* Does the VMA take that advice? Droppable memory stays what a child and a core file don't get. */
static bool advice_suits(const struct vma *vma, int advice)
{
	switch (advice) {
	case MADV_WIPEONFORK_:
		return !vma->file && !(vma->flags & VM_SHARED);
	case MADV_KEEPONFORK_:
	case MADV_DODUMP_:
		return !(vma->flags & VM_DROPPABLE);
	default:
		return true;
	}
}

static int advise_plan(struct vma_change *change, struct vma *vma, uint64_t start, uint64_t end,
		       int advice)
{
	struct advice_flags f = advice_flags(advice);

	if (!advice_suits(vma, advice))
		return -MM_EINVAL;
	vma_plan_change(change, vma, start > vma->start ? start : vma->start,
			end < vma->end ? end : vma->end, (vma->flags & ~f.clear) | f.set);
	if (vma->mm->map_count + change->nr_new > vma->mm->map_max)
		return -MM_EAGAIN;
	return 0;
}

static int advise_flags(struct mm *mm, uint64_t start, uint64_t end, int advice)
{
	struct vma *vma = vma_find(mm, start);
	struct vma_change change;
	struct vma_spare spare = {.n = 0};
	int err = 0, hole = 0;

	for (bool first = true; !err && vma && vma->start < end; first = false) {
		if (start < vma->start)
			hole = -MM_ENOMEM;
		err = advise_plan(&change, vma, start, end, advice);
		if (!err && first && vma_spare_for_changes(&spare, &change, end))
			err = -MM_EAGAIN;
		if (!err) {
			vma = vma_do_change(&change, &spare);
			start = vma->end;
			vma = vma->next;
		}
	}
	vma_spare_drop(&spare);
	if (err)
		return err;
	return start < end ? -MM_ENOMEM : hole;
}

/* What pages advice makes of [start, end) of a VMA, or -MM_EINVAL if that VMA takes none. */
static int advise_vma(struct mm *mm, const struct vma *vma, uint64_t start, uint64_t end,
		      int advice)
{
	if (advice == MADV_WILLNEED_)
		return 0; /* there is nothing to read in */
	if (vma->flags & VM_LOCKED && advice != MADV_DONTNEED_LOCKED_)
		return -MM_EINVAL;
	if (advice == MADV_FREE_ && (!vma_is_anonymous(vma) || vma->flags & VM_SHARED))
		return -MM_EINVAL;
	if (advice == MADV_DONTNEED_ || advice == MADV_DONTNEED_LOCKED_)
		zap_range_shared(mm, start, end);
	else if (advice == MADV_PAGEOUT_)
		lazyfree_drop(mm, start, end);
	else
		age_range(mm, start, end, advice == MADV_FREE_);
	return 0;
}

/* From VMA to VMA, past holes, up to the first that refuses. */
static int advise_pages(struct mm *mm, uint64_t start, uint64_t end, int advice)
{
	int hole = 0, err;

	for (struct vma *vma = vma_find(mm, start); vma && vma->start < end; vma = vma->next) {
		uint64_t to = end < vma->end ? end : vma->end;

		if (start < vma->start) {
			hole = -MM_ENOMEM;
			start = vma->start;
		}
		err = advise_vma(mm, vma, start, to, advice);
		if (err)
			return err;
		start = to;
	}
	return start < end ? -MM_ENOMEM : hole;
}

int64_t vm_madvise(struct mm *mm, uint64_t addr, uint64_t len, int advice)
{
	uint64_t end = addr + page_align(len);
	bool pages = advice_is_pages(advice);
	int err;

	if ((!pages && !advice_is_populate(advice) && !advice_flags(advice).is_flag) ||
	    addr & ~PAGE_MASK)
		return -MM_EINVAL;
	if ((len && !page_align(len)) || end < addr)
		return -MM_EINVAL;
	if (end == addr)
		return 0;
	if (pages) {
		mmap_read_lock(mm);
		err = advise_pages(mm, addr, end, advice);
		mmap_read_unlock(mm);
	} else if (advice_is_populate(advice)) {
		err = (int)vm_populate_advice(mm, addr, end, advice == MADV_POPULATE_WRITE_);
	} else {
		mmap_write_lock(mm);
		err = advise_flags(mm, addr, end, advice);
		mmap_write_unlock(mm);
	}
	return err;
}
