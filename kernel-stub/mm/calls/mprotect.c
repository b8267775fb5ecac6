/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mprotect: VMA by VMA, from the lowest up. As on Linux (mm/mprotect.c), a hole or a VMA that may
 * not have the rights stops it there; what came before stays changed. Only want of memory is found
 * out beforehand.
 */
#include "mm/mm.h"

#include "mm/base/mm_errno.h"
#include "mm/calls/mm_call_flags.h"
#include "mm/pgtable/pgtable.h"
#include "mm/rmap/anon.h"
#include "mm/vma/vma.h"
#include "mm/walk/protect.h"

#define PROT_GROWS (PROT_GROWSDOWN_ | PROT_GROWSUP_)

_Static_assert(VM_MAYREAD == VM_READ << 4 && VM_MAYWRITE == VM_WRITE << 4 &&
		       VM_MAYEXEC == VM_EXEC << 4,
	       "VM_MAY* stand four bits above VM_*");

/* The VMA's flags once it has the rights `prot` (PROT_* are VM_*). Private memory that becomes
 * writable counts as committed from then on; anonymous memory that no longer is does not, unless it
 * has pages of its own (as Linux from 6.6 on). Pure. */
static uint32_t mprotect_flags(const struct vma *vma, unsigned prot)
{
	uint32_t flags = (vma->flags & ~(uint32_t)VM_ACCESS_FLAGS) | (prot & VM_ACCESS_FLAGS);

	if (!(flags & VM_WRITE))
		return vma->file || vma->anon ? flags : flags & ~(uint32_t)VM_ACCOUNT;
	if (!(vma->flags & (VM_ACCOUNT | VM_WRITE | VM_SHARED | VM_NORESERVE)))
		flags |= VM_ACCOUNT;
	return flags;
}

/* Do so many pages of the VMA become data beyond RLIMIT_DATA? */
static __attribute__((noinline)) bool mprotect_over_limit(const struct vma *vma, uint32_t flags,
							  uint64_t pages)
{
	return flags & VM_WRITE && flags != vma->flags && !vm_may_expand(vma->mm, flags, pages) &&
	       vm_may_expand(vma->mm, vma->flags, pages);
}

/* May so many pages of the VMA have these flags? EACCES by VM_MAY*, ENOMEM by the limit. */
static int mprotect_allowed(const struct vma *vma, uint32_t flags, uint64_t pages)
{
	const struct mm *mm = vma->mm;

	if (flags & ~(flags >> 4) & VM_ACCESS_FLAGS)
		return -MM_EACCES;
	if (unlikely(mm->total_vm + pages > mm->free_limit) &&
	    mprotect_over_limit(vma, flags, pages))
		return -MM_ENOMEM;
	return 0;
}

/* Plans the change of [start, end) as far as it lies in vma. */
static int mprotect_plan(struct vma_change *change, struct vma *vma, uint64_t start, uint64_t end,
			 unsigned prot)
{
	uint32_t flags = mprotect_flags(vma, prot);
	int err;

	end = end < vma->end ? end : vma->end;
	err = mprotect_allowed(vma, flags, (end - start) >> PAGE_SHIFT);
	if (err)
		return err;
	vma_plan_change(change, vma, start, end, flags);
	if (vma->mm->map_count + change->nr_new > vma->mm->map_max)
		return -MM_ENOMEM;
	return 0;
}

/* A locked VMA that has become writable: what Linux brings in there and then (mprotect_fixup) gives
 * it a root before the next VMA's turn comes, which decides what that can be one VMA with. Without
 * memory for it, it gets one with its first page. */
static __attribute__((noinline)) void mprotect_attach(struct vma *vma, uint32_t before)
{
	if ((before & (VM_LOCKED_MASK | VM_WRITE | VM_SHARED)) == VM_LOCKED &&
	    vma->flags & VM_WRITE)
		vma_anon(vma);
}

/* Carries the planned change out, and then those that follow it. */
static int mprotect_walk(struct vma_change *change, uint64_t end, unsigned prot,
			 struct vma_spare *spare)
{
	for (;;) {
		uint32_t before = change->vma->flags;
		struct vma *vma = vma_do_change(change, spare);
		int err;

		if (change->flags != before)
			protect_range(vma->mm, vma, change->start, change->end);
		if (vma->end >= end)
			return 0;
		if (!vma->next || vma->next->start != vma->end)
			return -MM_ENOMEM;
		if (unlikely(vma->mm->locked_vm))
			mprotect_attach(vma, before);
		err = mprotect_plan(change, vma->next, vma->end, end, prot);
		if (err)
			return err;
	}
}

/* The VMA to begin with, and with PROT_GROWSDOWN the start of that VMA. */
static int mprotect_first(struct mm *mm, uint64_t *start, uint64_t *end, unsigned grows,
			  struct vma **first)
{
	struct vma *vma = vma_find(mm, *start);

	if (!vma || vma->start >= *end)
		return -MM_ENOMEM;
	if (grows == PROT_GROWSDOWN_) {
		if (!(vma->flags & VM_GROWSDOWN))
			return -MM_EINVAL;
		*start = vma->start;
	} else if (vma->start > *start) {
		return -MM_ENOMEM;
	} else if (grows) {
		return -MM_EINVAL; /* nothing grows up on x86 */
	}
	*first = vma;
	return 0;
}

/* Whether a change to these flags leaves the VMAs as they are: [start, end) is the whole of this
 * one, and what touches it has other flags. Pure. */
static bool mprotect_in_place(const struct vma *vma, uint64_t start, uint64_t end, uint32_t flags)
{
	const struct vma *prev = vma->prev, *next = vma->next;

	return vma->start == start && vma->end == end &&
	       (!prev || prev->end != start || prev->flags != flags) &&
	       (!next || next->start != end || next->flags != flags);
}

/* That change. */
static int mprotect_whole(struct mm *mm, struct vma *vma, uint32_t flags)
{
	uint64_t pages = (vma->end - vma->start) >> PAGE_SHIFT;
	int err = mprotect_allowed(vma, flags, pages);

	if (err || flags == vma->flags)
		return err;
	vma_count_writable(mm, vma->flags, flags, pages);
	vma_set_flags(vma, flags);
	protect_range(mm, vma, vma->start, vma->end);
	return 0;
}

static int mprotect_locked(struct mm *mm, uint64_t start, uint64_t end, unsigned grows,
			   unsigned prot)
{
	struct vma_change change;
	struct vma_spare spare;
	struct vma *vma;
	int err = mprotect_first(mm, &start, &end, grows, &vma);
	uint32_t flags;

	if (err)
		return err;
	flags = mprotect_flags(vma, prot);
	if (mprotect_in_place(vma, start, end, flags))
		return mprotect_whole(mm, vma, flags);
	err = mprotect_plan(&change, vma, start, end, prot);
	if (!err)
		err = vma_spare_for_changes(&spare, &change, end);
	if (err)
		return err;
	err = mprotect_walk(&change, end, prot, &spare);
	vma_spare_drop(&spare);
	return err;
}

/* From the first to the last part of [start, end) that is locked and becomes writable: Linux brings
 * in at once what it would otherwise have to copy at the first write. Empty: start = end. */
static __attribute__((noinline)) void mprotect_locked_part(struct mm *mm, uint64_t *start,
							   uint64_t *end)
{
	uint64_t first = *end, last = *end;

	for (const struct vma *vma = vma_find(mm, *start); vma && vma->start < *end;
	     vma = vma->next) {
		if ((vma->flags & (VM_LOCKED | VM_WRITE | VM_SHARED)) != VM_LOCKED)
			continue;
		if (first == *end)
			first = vma->start > *start ? vma->start : *start;
		last = vma->end < *end ? vma->end : *end;
	}
	*start = first;
	*end = last;
}

/* The call, but for what is to be brought in. */
static __attribute__((noinline)) int64_t mprotect_call(struct mm *mm, uint64_t addr, uint64_t len,
						       uint64_t prot)
{
	unsigned grows = (unsigned)prot & PROT_GROWS;
	uint64_t end = addr + page_align(len);
	int err;

	prot &= ~(uint64_t)PROT_GROWS;
	if (grows == PROT_GROWS || addr & ~PAGE_MASK)
		return -MM_EINVAL;
	if (!len)
		return 0;
	if (end <= addr)
		return -MM_ENOMEM;
	err = call_flags_check(&mprotect_prot, prot);
	if (err)
		return err;
	mmap_write_lock(mm);
	err = mprotect_locked(mm, addr, end, grows, (unsigned)prot);
	mmap_write_unlock(mm);
	return err;
}

/* The same where something is locked. */
static __attribute__((noinline)) int64_t mprotect_populating(struct mm *mm, uint64_t addr,
							     uint64_t len, uint64_t prot)
{
	uint64_t from = addr, to = addr + page_align(len);
	int64_t ret;

	mmap_read_lock(mm);
	mprotect_locked_part(mm, &from, &to);
	mmap_read_unlock(mm);
	ret = mprotect_call(mm, addr, len, prot);
	if (prot & PROT_WRITE_ && from < to)
		vm_populate_writable(mm, from, to);
	return ret;
}

int64_t vm_mprotect(struct mm *mm, uint64_t addr, uint64_t len, uint64_t prot)
{
	return unlikely(mm->locked_vm) ? mprotect_populating(mm, addr, len, prot)
				       : mprotect_call(mm, addr, len, prot);
}
