/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Growth of a stack: a VM_GROWSDOWN VMA extends downwards to the page of an access below it, as far
 * below as that may be. As on Linux (mm/vma.c, expand_downwards), not if
 *
 *   1. the page lies below MMAP_MIN_ADDR
 *   2. fewer than 256 pages would stay free above the VMA below, so that a stack that outgrows its
 *      room runs into nothing before it runs into something. A VMA below without any right is a
 *      guard by itself, and one that grows down too is a stack next to this one: they may touch
 *   3. there is no memory for the VMA's anon_root, which it gets here, because the page that will
 *      be mapped needs it anyway
 *   4. it would be larger than RLIMIT_STACK, or the address space than RLIMIT_AS
 *
 *      |<---- free ---->|<- guard gap ->|        |<- grows to here
 *   VVVV                                 ........SSSSSS
 *
 * Whoever maps something else keeps the same distance, by vma_start_gap().
 */
#include "mm/base/mm_errno.h"
#include "mm/vma/vma.h"

/* Case 2. */
static bool stack_crowds(const struct vma *below, uint64_t addr)
{
	return below && below->flags & VM_ACCESS_FLAGS && !(below->flags & VM_GROWSDOWN) &&
	       addr - below->end < STACK_GUARD_GAP;
}

/* Case 4, and a pgoff that would wrap, as mremap may have made it. */
static bool stack_too_large(const struct vma *vma, uint64_t addr)
{
	uint64_t more = (vma->start - addr) >> PAGE_SHIFT;

	return (vma->end - addr) >> PAGE_SHIFT > vma->mm->stack_limit || more > vma->pgoff ||
	       !vm_may_expand(vma->mm, vma->flags, more);
}

int stack_grow(struct mm *mm, uint64_t addr)
{
	struct vma *vma = vma_find(mm, addr);

	addr &= PAGE_MASK;
	if (!vma)
		return -MM_EFAULT;
	if (vma->start <= addr)
		return 0;
	if (!(vma->flags & VM_GROWSDOWN))
		return -MM_EFAULT;
	if (addr < MMAP_MIN_ADDR)
		return -MM_EPERM;
	if (stack_crowds(vma->prev, addr) || !vma_anon(vma) || stack_too_large(vma, addr))
		return -MM_ENOMEM;
	vma_extend_down(vma, addr);
	return 0;
}
