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
 * fault_locked() takes them for any fault. vm_fault(), fault_protected() and fault_of_file() first
 * try the common ones of 3a, 3b, 3d and 3f on a path of their own, and leave to it what doesn't
 * fit.
 *
 * The class is that of the path that was taken. A fault of ring 0 in copy_to_user or
 * copy_from_user is served alike; its class says only that (kernel.minor.uaccess,
 * kernel.invalid.uaccess).
 *
 * Lock order: mm->lock (read) > mm->table_lock; mm->lock > ptl > LRU; buddy and slab below all.
 * mm->lock keeps the VMA and the tables in place; the ptl, the PTE and its table's count.
 */
#include "mm/fault/fault_ctx.h"
#include "mm/object/shmem.h"
#include "mm/pgtable/vmalloc.h"
#include "mm/vma/vma.h"

/* What follows from each class but the class itself, laid out like struct fault_verdict in its
 * register; the classes that are not named here are served. */
#define REFUSAL(outcome, si_code) ((uint32_t)(outcome) << 8 | (uint32_t)(si_code) << 16)
static const uint32_t refusals[FL_NR_CLASSES] = {
	[FL_CLASS_USER_INVALID_MAPERR] = REFUSAL(FAULT_SIGNAL, SEGV_MAPERR_),
	[FL_CLASS_USER_INVALID_ACCERR] = REFUSAL(FAULT_SIGNAL, SEGV_ACCERR_),
	[FL_CLASS_USER_INVALID_EXEC] = REFUSAL(FAULT_SIGNAL, SEGV_ACCERR_),
	[FL_CLASS_USER_INVALID_KERNEL_ADDR] = REFUSAL(FAULT_SIGNAL, SEGV_MAPERR_),
	[FL_CLASS_USER_INVALID_BUS] = REFUSAL(FAULT_BUS, 0),
	[FL_CLASS_USER_INVALID_OOM] = REFUSAL(FAULT_OOM, 0),
	[FL_CLASS_USER_INVALID_RSVD] = REFUSAL(FAULT_OOPS, 0),
	[FL_CLASS_KERNEL_INVALID_UACCESS] = REFUSAL(FAULT_FIXUP, 0),
	[FL_CLASS_KERNEL_INVALID_OOPS] = REFUSAL(FAULT_OOPS, 0),
	[FL_CLASS_KERNEL_INVALID_PANIC] = REFUSAL(FAULT_OOPS, 0),
};

/* Step v. */
static inline struct fault_verdict fault_verdict(unsigned class)
{
	union {
		uint32_t word;
		struct fault_verdict v;
	} u = {.word = refusals[class] | class};

	return u.v;
}
_Static_assert(sizeof(struct fault_verdict) == sizeof(uint32_t), "a verdict fits one register");

/* The class of a fault of copy_to_user or copy_from_user that ring 3 would call `class`. */
static unsigned fault_uaccess_class(unsigned class)
{
	return refusals[class] ? FL_CLASS_KERNEL_INVALID_UACCESS : FL_CLASS_KERNEL_MINOR_UACCESS;
}

/* Releases mm->lock and gives the verdict on a fault of that class. */
static inline struct fault_verdict fault_end(struct mm *mm, uint32_t flags, unsigned class)
{
	mmap_read_unlock(mm);
	if (unlikely(!(flags & FAULT_USER)))
		class = fault_uaccess_class(class);
	return fault_verdict(class);
}

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

/* Whether no VMA holds addr and none will grow to it, as far as the last one that was found and its
 * neighbours can tell: a program that faults where nothing is tends to do so next to what it uses.
 * Needs: mm->lock. */
static inline bool fault_in_hole(struct mm *mm, uint64_t addr)
{
	const struct vma *vma = __atomic_load_n(&mm->last_hit, __ATOMIC_RELAXED);

	if (unlikely(!vma))
		return false;
	if (addr >= vma->end) {
		vma = vma->next;
		return !vma || (addr < vma->start && !(vma->flags & VM_GROWSDOWN));
	}
	return addr < vma->start && !(vma->flags & VM_GROWSDOWN) &&
	       (!vma->prev || addr >= vma->prev->end);
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

/* Steps ii to v for any fault. Needs: mm->lock for reading, which it releases. */
static __attribute__((noinline)) struct fault_verdict
fault_locked(struct mm *mm, const struct fault_access *access)
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

/* All steps for a fault whose fast path has found a writer at work: it has tried mm->lock. */
static __attribute__((noinline)) struct fault_verdict fault_waits(struct mm *mm,
								  const struct fault_access *access)
{
	mmap_read_lock_wait(mm);
	return fault_locked(mm, access);
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

/* All steps for a fault that is not what the fast path expects. */
static __attribute__((noinline)) struct fault_verdict
fault_unusual(struct mm *mm, const struct fault_access *access)
{
	if (!mm)
		return fault_verdict(FL_CLASS_KERNEL_INVALID_OOPS);
	if (!fault_needs_vma(access->flags, access->addr < TASK_SIZE)) {
		if (fault_may_sync(access->flags) && vmalloc_fault(mm, access->addr))
			return fault_verdict(FL_CLASS_KERNEL_MINOR_VMALLOC);
		return fault_verdict(fault_classify_early(access->flags));
	}
	mmap_read_lock(mm);
	return fault_locked(mm, access);
}

/* The fast path has found that the VMA is not the last one: so there may be none. */
static __attribute__((noinline)) struct fault_verdict
fault_elsewhere(struct mm *mm, const struct fault_access *access)
{
	if (unlikely(access->addr >= TASK_SIZE || !fault_in_hole(mm, access->addr)))
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

/* The fast path: cases 3a and 3b (for 3d, fault_protected()) from ring 3, with nothing missing on
 * the way: the VMA and the table are those of the last fault, the VMA has its anon_root, this CPU a
 * free page. Whatever else turns up goes to the general path, which starts anew under the lock held
 * here. The calls to it are tail calls, so that no register is saved for them. */
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
	if (unlikely(!vma || addr < vma->start || addr >= vma->end))
		return fault_elsewhere(mm, access);
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
	vmstat_inc(FL_VMSTAT_PGFAULT);
	if (unlikely(!mm || access->flags & FAULT_RSVD))
		return fault_unusual(mm, access);
	if (unlikely(!mmap_read_try(mm)))
		return fault_waits(mm, access);
	if (!fault_in_hole(mm, access->addr))
		return fault_locked(mm, access);
	mmap_read_unlock(mm);
	return fault_verdict(FL_CLASS_KERNEL_INVALID_UACCESS);
}
