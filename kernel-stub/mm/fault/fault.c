/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page fault.
 *
 * What a fault can be, in the order in which it is found out:
 *
 *   1. nothing that a VMA could allow: a reserved bit in an entry, an address in the kernel half,
 *      ring 0 at an instruction that may not fault, or no address space at all; but a kernel
 *      mapping that this address space did not have yet is served (vmalloc.c)
 *   2. no VMA at the address, and none above that grows down to it (stack.c); or one that forbids
 *      the access
 *   3. the VMA allows it, and the PTE is
 *      3a. empty, the memory anonymous, a read: map the shared zero page     (fault_anon.c)
 *      3b. empty, the memory anonymous, a write: map a fresh zeroed page      (fault_anon.c)
 *      3c. empty, a file mapping: map the file's page read-only, or, for a write to
 *          private memory, a copy of it                                       (fault_file.c)
 *      3d. read-only, a write: the zero page is replaced; a file's page, and one that fork shared
 *          and others still have, is copied; one that nobody else has is made writable
 *                                                                             (fault_cow.c)
 *      3e. already good: another CPU was first, or this CPU's TLB had an older entry. Flush that
 *          entry, here alone, and go back: user.minor.spurious
 *      3f. empty, shared anonymous memory: map the page that all share, made if nobody touched it
 *          yet                                                               (fault_shmem.c)
 *
 * The steps:
 *
 *   i.   case 1 without any lock (fault_classify_early; both halves are pure functions of fault.h)
 *   ii.  mm->lock for reading; find the VMA, or let one grow, which changes it: for that mm->lock
 *        is taken for writing, and what was known is looked up again; case 2 (fault_classify_vma)
 *   iii. walk to the PTE, making tables; read it; choose the path of case 3
 *   iv.  the path allocates and fills its page without the ptl, then takes it and looks again: if
 *        the PTE is no longer what iii read, it undoes its work and the fault restarts at iii
 *   v.   the class becomes a verdict
 *
 * fault_locked() takes them for any fault, and fault_unusual() where there may be no VMA to look
 * for. The shortcuts of fault_fast.c, where a fault begins, leave to these what doesn't fit.
 *
 * The class is that of the path that was taken. A fault of ring 0 in copy_to_user or
 * copy_from_user is served alike; its class says only that (kernel.minor.uaccess,
 * kernel.invalid.uaccess).
 *
 * Lock order: mm->lock (read) > mm->table_lock; mm->lock > ptl > LRU; buddy and slab below all.
 * mm->lock keeps the VMA and the tables in place; the ptl, the PTE and its table's count.
 */
#include "mm/fault/fault_ctx.h"
#include "mm/fault/fault_verdict.h"
#include "mm/pgtable/vmalloc.h"
#include "mm/vma/vma.h"

/* Case 3e. The fault has dropped this CPU's entry (tlb.h, 4); but were it not so, as with a
 * hypervisor that forgets to, the task would fault for ever. */
static unsigned fault_spurious(struct fault_ctx *c)
{
	ASSERT(pte_user(c->old) && (!(c->flags & FAULT_FETCH) || pte_exec(c->old)));
	vmstat_inc(FL_VMSTAT_TLB_LOCAL_FLUSH_ONE);
	port_tlb_flush_page(c->mm, c->addr);
	return FL_CLASS_USER_MINOR_SPURIOUS;
}

/* Steps iii and iv. */
static inline unsigned fault_serve(struct fault_ctx *c)
{
	c->slot = pgtable_get(c->mm, c->addr);
	if (unlikely(!c->slot.pte))
		return FL_CLASS_USER_INVALID_OOM;
	c->old = port_pte_read(c->slot.pte);
	if (likely(pte_none(c->old))) {
		if (unlikely(c->vma->file))
			return fault_file(c);
		return c->flags & FAULT_WRITE ? fault_anon_alloc(c) : fault_anon_zero(c);
	}
	if (c->flags & FAULT_WRITE && !pte_write(c->old))
		return fault_cow(c);
	return fault_spurious(c);
}

/* No VMA holds addr: the one above, if it has grown down to addr. Needs: mm->lock for reading,
 * which it may release and take again. */
static __attribute__((noinline)) struct vma *fault_grow(struct mm *mm, uint64_t addr)
{
	const struct vma *vma = vma_find(mm, addr);
	int err;

	if (!vma || !(vma->flags & VM_GROWSDOWN))
		return NULL;
	mmap_read_unlock(mm);
	mmap_write_lock(mm);
	err = stack_grow(mm, addr);
	mmap_write_unlock(mm);
	mmap_read_lock(mm);
	return err ? NULL : vma_lookup(mm, addr);
}

struct fault_verdict fault_locked(struct mm *mm, const struct fault_access *access)
{
	struct fault_ctx c;
	unsigned class;
	bool grown = false;

	c.mm = mm;
	c.addr = access->addr;
	c.flags = access->flags;
	c.vma = vma_lookup(mm, c.addr);
	if (unlikely(!c.vma && c.addr < TASK_SIZE)) {
		c.vma = fault_grow(mm, c.addr);
		grown = c.vma;
	}
	class = c.vma ? fault_classify_vma(c.flags, true, c.vma->flags)
		      : fault_classify(c.flags, c.addr < TASK_SIZE, false, 0);
	if (likely(class == FAULT_SERVE))
		do
			class = fault_serve(&c);
		while (unlikely(class == FAULT_RESTART));
	if (unlikely(grown && !refusals[class]))
		class = FL_CLASS_USER_MINOR_STACK_GROW;
	return fault_end(mm, c.flags, class);
}

__attribute__((noinline)) struct fault_verdict fault_waits(struct mm *mm,
							   const struct fault_access *access)
{
	mmap_read_lock_wait(mm);
	return fault_locked(mm, access);
}

struct fault_verdict fault_unusual(struct mm *mm, const struct fault_access *access)
{
	if (!mm)
		return fault_verdict(FL_CLASS_KERNEL_INVALID_OOPS);
	if (!fault_needs_vma(access->flags, access->addr < TASK_SIZE)) {
		if (fault_may_sync(access->flags) && vmalloc_fault(mm, access->addr))
			return fault_verdict(FL_CLASS_KERNEL_MINOR_VMALLOC);
		return fault_verdict(fault_classify_early(access->flags));
	}
	if (unlikely(!mmap_read_try(mm)))
		return fault_waits(mm, access);
	return fault_locked(mm, access);
}
