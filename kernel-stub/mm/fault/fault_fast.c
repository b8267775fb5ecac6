/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shortcuts of the page fault: cases 2, 3a, 3b, 3d and 3f of fault.c where nothing is missing
 * on the way. vm_fault() tries those that come most often. What doesn't fit goes to the whole path,
 * which starts anew under the lock held here. The calls to it are tail calls, so that no register
 * is saved for them.
 */
#include "mm/fault/fault_ctx.h"
#include "mm/fault/fault_verdict.h"
#include "mm/object/shmem.h"
#include "mm/vma/vma_index.h"

/* Whether no VMA holds addr and none will grow to it, as far as `vma` and its neighbours and the
 * lowest one can tell: a program that faults where nothing is tends to do so next to what it uses
 * last, or through a null pointer. Needs: mm->lock. */
static inline bool fault_in_hole(const struct mm *mm, const struct vma *vma, uint64_t addr)
{
	if (addr >= vma->end) {
		vma = vma->next;
		return !vma || (addr < vma->start && !(vma->flags & VM_GROWSDOWN));
	}
	if (addr >= vma->start)
		return false;
	if (vma->prev && addr < vma->prev->end) {
		vma = mm->first;
		if (addr >= vma->start)
			return false;
	}
	return !(vma->flags & VM_GROWSDOWN);
}

/* Case 3d, all looked up; `path` is one of fault_cow.c's. Releases mm->lock. */
static inline __attribute__((always_inline)) struct fault_verdict
fault_protected_by(unsigned (*path)(struct fault_ctx *c), struct mm *mm,
		   const struct fault_access *access, struct vma *vma, struct pte_slot slot,
		   pte_t old)
{
	struct fault_ctx c = {mm, vma, access->addr, access->flags, slot, old};
	unsigned class = path(&c);

	if (unlikely(class == FAULT_RESTART))
		return fault_locked(mm, access);
	return fault_end(mm, c.flags, class);
}

/* Its page is shared: fault_take_over() said so. A page of shared memory always is, since its
 * object has it too, so it is here that such a VMA is found out. */
static __attribute__((noinline)) struct fault_verdict
fault_protected_shared(struct mm *mm, const struct fault_access *access, struct vma *vma,
		       struct pte_slot slot, pte_t old)
{
	if (unlikely(vma->flags & VM_SHARED)) {
		page_put(pfn_to_page(pte_pfn(old)));
		return fault_locked(mm, access);
	}
	return fault_protected_by(fault_cow_shared, mm, access, vma, slot, old);
}

/* Its page is the zero page. */
static __attribute__((noinline)) struct fault_verdict
fault_protected_zero(struct mm *mm, const struct fault_access *access, struct vma *vma,
		     struct pte_slot slot, pte_t old)
{
	return fault_protected_by(fault_cow, mm, access, vma, slot, old);
}

/* The fast path of case 3d from ring 3, and of case 2 where the VMA forbids the write: as in
 * vm_fault(), nothing is missing on the way. A page that nobody else has is taken over right here.
 */
static __attribute__((noinline)) struct fault_verdict
fault_protected(struct mm *mm, const struct fault_access *access)
{
	uint64_t addr = access->addr;
	struct page *page, *table;
	enum fault_shared found;
	struct pte_slot slot;
	struct vma *vma;
	pte_t old;

	if (unlikely(!mmap_read_try(mm)))
		return fault_waits(mm, access);
	vma = __atomic_load_n(&mm->last_hit, __ATOMIC_RELAXED);
	if (unlikely(!vma || addr < vma->start || addr >= vma->end))
		return fault_locked(mm, access);
	if (unlikely(!(vma->flags & VM_WRITE)))
		return fault_end(mm, FAULT_USER, FL_CLASS_USER_INVALID_ACCERR);
	table = pgtable_try(mm, addr);
	if (unlikely(!table))
		return fault_locked(mm, access);
	slot = pgtable_slot(table, addr);
	old = port_pte_read(slot.pte);
	if (unlikely(pte_none(old) || pte_write(old)))
		return fault_locked(mm, access);
	page = pfn_to_page(pte_pfn(old));
	if (page == zero_page)
		return fault_protected_zero(mm, access, vma, slot, old);
	found = fault_take_over(mm, slot, old, page);
	if (found == FAULT_SHARED)
		return fault_protected_shared(mm, access, vma, slot, old);
	if (unlikely(found == FAULT_CHANGED))
		return fault_locked(mm, access);
	mmap_read_unlock(mm);
	return (struct fault_verdict){.class = FL_CLASS_USER_MINOR_COW_REUSE};
}

/* The fast path has found that the VMA is not `vma`, the last one: so there may be none. */
static __attribute__((noinline)) struct fault_verdict
fault_elsewhere(struct mm *mm, const struct fault_access *access, const struct vma *vma)
{
	if (unlikely(!fault_in_hole(mm, vma, access->addr) || access->addr >= TASK_SIZE))
		return fault_locked(mm, access);
	mmap_read_unlock(mm);
	return fault_verdict(FL_CLASS_USER_INVALID_MAPERR);
}

/* The fast path of case 3b has lost the race for the PTE. */
static __attribute__((noinline)) struct fault_verdict
fault_lost(struct mm *mm, const struct fault_access *access, struct page *page)
{
	page_put(page);
	return fault_locked(mm, access);
}

/* The fast path of case 3f where nobody has touched the page yet, and what else has no page in an
 * index. Needs: the VMA allows the access. */
static __attribute__((noinline)) struct fault_verdict
fault_of_new_page(struct mm *mm, const struct fault_access *access, struct vma *vma,
		  struct page *table)
{
	uint64_t addr = access->addr, index = fault_page_index(vma, addr);
	struct page *page;
	bool fresh;

	if (unlikely(vma->file->kind != VM_FILE_SHMEM || index >= vm_file_pages(vma->file)))
		return fault_locked(mm, access);
	page = shmem_make_page(vma->file, index, &fresh);
	if (unlikely(!page))
		return fault_end(mm, FAULT_USER, FL_CLASS_USER_INVALID_OOM);
	if (unlikely(!fault_map_shmem(mm, vma, pgtable_slot(table, addr), page)))
		return fault_locked(mm, access);
	return fault_end(mm, FAULT_USER, fault_shmem_class(access->flags & FAULT_WRITE, fresh));
}

/* The fast path of case 3f from ring 3. That the file's index has the page says that the file is
 * shared memory and that long. */
static __attribute__((noinline)) struct fault_verdict
fault_of_file(struct mm *mm, const struct fault_access *access, struct vma *vma)
{
	bool write = access->flags & FAULT_WRITE;
	uint64_t addr = access->addr;
	struct page *page, *table = pgtable_try(mm, addr);

	if (unlikely(!table || !(vma->flags & (write ? VM_WRITE : VM_ACCESS_FLAGS))))
		return fault_locked(mm, access);
	page = page_index_find(&vma->file->pages, fault_page_index(vma, addr));
	if (unlikely(!page))
		return fault_of_new_page(mm, access, vma, table);
	if (unlikely(!fault_map_shmem(mm, vma, pgtable_slot(table, addr), page)))
		return fault_locked(mm, access);
	return fault_end(mm, FAULT_USER, fault_shmem_class(write, false));
}

/* Cases 3a and 3b (for 3d, fault_protected()) from ring 3, with nothing missing on the way: the VMA
 * and the table are those of the last fault, the VMA has its anon_root, this CPU a free page. */
struct fault_verdict vm_fault(struct mm *mm, const struct fault_access *access)
{
	uint32_t flags = access->flags;
	uint64_t addr = access->addr;
	struct page *page, *table;
	struct pte_slot slot;
	struct vma *vma;
	uint64_t pfn;

	vmstat_inc(FL_VMSTAT_PGFAULT);
	if (unlikely((flags & ~(uint32_t)FAULT_WRITE) != FAULT_USER || !mm))
		return flags == (FAULT_USER | FAULT_WRITE | FAULT_PRESENT) && mm
			       ? fault_protected(mm, access)
			       : fault_unusual(mm, access);
	if (unlikely(!mmap_read_try(mm)))
		return fault_waits(mm, access);
	vma = __atomic_load_n(&mm->last_hit, __ATOMIC_RELAXED);
	if (unlikely(!vma))
		return fault_locked(mm, access);
	if (unlikely(addr < vma->start || addr >= vma->end))
		return fault_elsewhere(mm, access, vma);
	if (unlikely(vma->file))
		return fault_of_file(mm, access, vma);
	table = pgtable_try(mm, addr);
	if (unlikely(!table))
		return fault_locked(mm, access);
	slot = pgtable_slot(table, addr);

	if (!(flags & FAULT_WRITE)) {
		if (unlikely(!(vma->flags & VM_ACCESS_FLAGS) || !fault_map_zero(vma, slot)))
			return fault_locked(mm, access);
		mmap_read_unlock(mm);
		return (struct fault_verdict){.class = FL_CLASS_USER_MINOR_ANON_ZERO};
	}
	if (unlikely(!(vma->flags & VM_WRITE) || !__atomic_load_n(&vma->anon, __ATOMIC_RELAXED)))
		return fault_locked(mm, access);
	if (unlikely(port_should_fail()))
		return fault_end(mm, flags, FL_CLASS_USER_INVALID_OOM);
	page = pcp_pop(MT_MOVABLE);
	if (unlikely(!page))
		return fault_locked(mm, access);
	pfn = page_to_pfn(page);
	port_clear_page(port_pfn_to_virt(pfn));
	if (unlikely(!fault_map_anon(vma, addr, slot, (pte_t){0}, page, pfn)))
		return fault_lost(mm, access, page);
	mmap_read_unlock(mm);
	return (struct fault_verdict){.class = FL_CLASS_USER_MINOR_ANON_ALLOC};
}

struct fault_verdict vm_fault_uaccess(struct mm *mm, const struct fault_access *access)
{
	const struct vma *vma;

	vmstat_inc(FL_VMSTAT_PGFAULT);
	if (unlikely(!mm || access->flags & FAULT_RSVD))
		return fault_unusual(mm, access);
	if (unlikely(!mmap_read_try(mm)))
		return fault_waits(mm, access);
	vma = __atomic_load_n(&mm->last_hit, __ATOMIC_RELAXED);
	if (unlikely(!vma) || !fault_in_hole(mm, vma, access->addr))
		return fault_locked(mm, access);
	mmap_read_unlock(mm);
	return fault_verdict(FL_CLASS_KERNEL_INVALID_UACCESS);
}
