/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mremap. What a request is, as Linux sorts it (mm/mremap.c, 6.18):
 *
 *   1. flags, lengths, a new address that make no sense                  EINVAL
 *   2. MREMAP_FIXED without a change of length: every VMA of the range moves, with its distance
 *      from the one below; nothing at addr is EFAULT
 *   3. nothing at addr                                                   EFAULT
 *   4. MREMAP_FIXED or MREMAP_DONTUNMAP: unmaps what is at the new address (FIXED), cuts what is
 *      too long, moves
 *   5. the same length: nothing; shorter: the rest is unmapped
 *   6. longer: in place, if the range ends its VMA and there is room; else, with MREMAP_MAYMOVE,
 *      moves to a hole
 *
 * What is kept of a range that grows or moves must lie in one VMA (EFAULT). If it is empty, nothing
 * moves: shared memory is mapped a second time at the new place; else EINVAL.
 *
 * A move takes the pages along, not their contents:
 *
 *   i.   memory is got: VMAs, the tables of the new place, and a copy of each page that fork shared
 *        with another address space, since the reverse map finds such a page at one address only
 *        (anon_space.h). Without it the call ends in ENOMEM, and nothing has moved.
 *   ii.  the new range is mapped. Its pgoff goes on where the old one's was, so that it can be one
 *        VMA again with what it was cut off; memory without a page of its own, of which nobody
 *        could tell, is as if newly mapped.
 *   iii. PTEs move, a piece at a time: taken out under the old table's ptl, flushed, put in under
 *        the new one's. The two are never held at once. Nobody faults meanwhile.
 *   iv.  the old range is unmapped, or with MREMAP_DONTUNMAP left empty.
 *
 * Lock order: mm->lock for writing, ptl.
 */
#include "mm/mm.h"

#include "mm/base/mm_errno.h"
#include "mm/calls/mm_call_flags.h"
#include "mm/calls/place.h"
#include "mm/fault/fault.h"
#include "mm/pgtable/pgtable.h"
#include "mm/pgtable/tlb.h"
#include "mm/phys/buddy.h"
#include "mm/phys/lru.h"
#include "mm/rmap/anon.h"
#include "mm/rmap/rmap.h"
#include "mm/vma/vma.h"

#define MREMAP_TO (MREMAP_FIXED_ | MREMAP_DONTUNMAP_)
#define MREMAP_MAPS 3u /* that a move needs below the limit, as Linux has it */
#define MREMAP_PIECE 64u

struct mremap {
	struct mm *mm;
	uint64_t addr, old_len, new_addr, new_len;
	uint64_t flags;
	struct vma *vma; /* at addr */
};

/* ---- pages ---- */

/* The next piece of the old range at or after *va: PTEs that lie in one table, and whose new ones
 * do. Where it ends: *stop. slot.pte NULL after the last. */
static struct pte_slot piece_next(const struct mremap *r, uint64_t *va, uint64_t *stop)
{
	uint64_t end = r->addr + r->old_len, delta = r->new_addr - r->addr, there;
	struct pte_slot slot = pgtable_next(r->mm, va, end);

	if (!slot.pte)
		return slot;
	*stop = pgtable_table_end(*va, end);
	there = pgtable_table_end(*va + delta, end + delta) - delta;
	if (*stop > there)
		*stop = there;
	if (*stop - *va > MREMAP_PIECE * PAGE_SIZE)
		*stop = *va + MREMAP_PIECE * PAGE_SIZE;
	return slot;
}

/* A page that others map too is replaced by a copy, which a later write makes writable. */
static int unshare_page(const struct mremap *r, struct pte_slot slot, uint64_t va, struct page *old)
{
	struct page *page = page_alloc();
	uint64_t pfn;

	if (!page)
		return -MM_ENOMEM;
	pfn = page_to_pfn(page);
	port_copy_page(port_pfn_to_virt(pfn), page_to_virt(old));
	spin_lock(&slot.table->ptl, LOCK_PTL);
	rmap_add_new_anon(page, r->mm, va);
	lru_add(page);
	tlb_clear_flush(r->mm, slot.pte, va);
	port_pte_set(slot.pte, pte_make(pfn, r->vma->prot & ~(unsigned)PTE_PROT_WRITE));
	spin_unlock(&slot.table->ptl, LOCK_PTL);
	vmstat_inc(FL_VMSTAT_NR_ANON_PAGES);
	vmstat_inc(FL_VMSTAT_NR_INACTIVE_ANON);
	if (rmap_put(old))
		vmstat_add(FL_VMSTAT_NR_ANON_PAGES, -1);
	lru_put_page(old, 1);
	return 0;
}

/* Step i for a piece: *any tells whether there is something to move. */
static int unshare_piece(const struct mremap *r, struct pte_slot slot, uint64_t va, uint64_t stop,
			 bool *any)
{
	for (; va < stop; va += PAGE_SIZE, slot.pte++) {
		pte_t pte = port_pte_read(slot.pte);
		struct page *page = pfn_to_page(pte_pfn(pte));

		if (pte_none(pte))
			continue;
		*any = true;
		if (page_is_anon(page) && !page_is_alone(page) && unshare_page(r, slot, va, page))
			return -MM_ENOMEM;
	}
	return 0;
}

/* Step i for pages and tables. On failure tables may be left empty at the new place. */
static int prepare_pages(const struct mremap *r)
{
	uint64_t delta = r->new_addr - r->addr, va = r->addr, stop;
	struct pte_slot slot;

	for (; (slot = piece_next(r, &va, &stop)).pte; va = stop) {
		bool any = false;

		if (unshare_piece(r, slot, va, stop, &any))
			return -MM_ENOMEM;
		if (any && !pgtable_get(r->mm, va + delta).pte)
			return -MM_ENOMEM;
	}
	return 0;
}

/* Takes out the PTEs of a piece; how many there were. */
static unsigned take_piece(const struct mremap *r, struct pte_slot slot, uint64_t va, unsigned n,
			   pte_t *ptes)
{
	struct tlb_batch tlb;
	unsigned taken = 0;

	tlb.nr = 0;
	spin_lock(&slot.table->ptl, LOCK_PTL);
	for (unsigned i = 0; i < n; i++, va += PAGE_SIZE) {
		ptes[i] = port_pte_read(&slot.pte[i]);
		if (pte_none(ptes[i]))
			continue;
		ptes[i] = port_pte_xchg(&slot.pte[i], (pte_t){0});
		tlb_batch_add(&tlb, va);
		taken++;
	}
	slot.table->nr_present -= taken;
	spin_unlock(&slot.table->ptl, LOCK_PTL);
	tlb_batch_flush(&tlb, r->mm);
	return taken;
}

/* Puts them in at va. An anonymous page is this mm's alone: it is found there from now on. */
static void put_piece(const struct mremap *r, struct pte_slot slot, uint64_t va, unsigned n,
		      unsigned taken, const pte_t *ptes)
{
	spin_lock(&slot.table->ptl, LOCK_PTL);
	for (unsigned i = 0; i < n; i++, va += PAGE_SIZE) {
		struct page *page = pfn_to_page(pte_pfn(ptes[i]));

		if (pte_none(ptes[i]))
			continue;
		if (page_is_anon(page)) {
			page->mapping = r->mm->anon_mapping;
			page->index = va >> PAGE_SHIFT;
		}
		port_pte_set(&slot.pte[i], ptes[i]);
	}
	slot.table->nr_present += taken;
	spin_unlock(&slot.table->ptl, LOCK_PTL);
}

/* Step iii. Needs: prepare_pages(). */
static void move_pages(const struct mremap *r)
{
	uint64_t delta = r->new_addr - r->addr, va = r->addr, stop;
	pte_t ptes[MREMAP_PIECE];
	struct pte_slot slot;

	for (; (slot = piece_next(r, &va, &stop)).pte; va = stop) {
		unsigned n = (unsigned)((stop - va) >> PAGE_SHIFT);
		unsigned taken = take_piece(r, slot, va, n, ptes);

		if (taken)
			put_piece(r, pgtable_find(r->mm, va + delta), va + delta, n, taken, ptes);
	}
}

/* ---- moving ---- */

/* What the new range will be. */
static struct vma_new new_range(const struct mremap *r)
{
	const struct vma *vma = r->vma;
	struct vma_new new = {r->new_addr, r->new_addr + r->new_len, vma->flags, vma->file,
			      vma->pgoff + ((r->addr - vma->start) >> PAGE_SHIFT)};

	if (vma_is_anonymous(vma) && !vma->anon)
		new.pgoff = new.start >> PAGE_SHIFT;
	return new;
}

/* MREMAP_DONTUNMAP: the VMA is no longer locked, and one that has lost all its pages is like a new
 * one. */
static void leave_empty(const struct mremap *r, struct vma *to)
{
	struct vma *vma = vma_find(r->mm, r->addr);
	uint32_t flags = vma->flags & ~(uint32_t)VM_LOCKED_MASK;

	vma_count_change(r->mm, vma->flags, flags, (vma->end - vma->start) >> PAGE_SHIFT);
	vma_set_flags(vma, flags);
	if (vma == to || vma->start != r->addr || vma->end != r->addr + r->old_len)
		return;
	anon_put(vma->anon);
	vma->anon = NULL;
}

/* Steps ii to iv. `anon` is the root that the pages have. */
static void move_range(struct mremap *r, const struct vma_new *new, struct vma *next,
		       struct vma_neighbours n, struct anon_root *anon, struct vma_spare *spare)
{
	uint64_t end = r->addr + r->old_len;
	struct vma *to;

	vma_map(r->mm, new, next, n, spare);
	to = vma_find(r->mm, new->start);
	if (!to->anon) {
		anon_get(anon);
		to->anon = anon;
	}
	move_pages(r);
	if (r->flags & MREMAP_DONTUNMAP_)
		leave_empty(r, to);
	else if (r->old_len) /* the VMA may be part of the new one by now */
		vma_unmap(r->mm, vma_find(r->mm, r->addr), r->addr, end, spare);
}

/* All steps: to r->new_addr, which is free; `next` is the VMA above it. */
static int64_t move(struct mremap *r, struct vma *next)
{
	struct mm *mm = r->mm;
	struct vma_new new = new_range(r);
	struct anon_root *anon = r->vma->anon;
	struct vma_neighbours n = vma_plan_map(&new, next ? next->prev : mm->last, next, anon);
	unsigned cut = !(r->flags & MREMAP_DONTUNMAP_);
	struct vma_spare spare;

	if (mm->map_count + MREMAP_MAPS >= mm->map_max)
		return -MM_ENOMEM;
	if (vma_spare_fill(mm, &spare, cut + vma_map_needs(n)))
		return -MM_ENOMEM;
	if (prepare_pages(r)) {
		pgtable_free_range(mm, new.start, new.end);
		vma_spare_drop(&spare);
		return -MM_ENOMEM;
	}
	move_range(r, &new, next, n, anon, &spare);
	vma_spare_drop(&spare);
	return (int64_t) new.start;
}

/* ---- places ---- */

/* Moves to a hole, or to the place that MREMAP_FIXED names and that is free by now. With
 * MREMAP_DONTUNMAP alone new_addr is a hint. */
static int64_t move_somewhere(struct mremap *r)
{
	const struct vma *vma = r->vma;
	struct place_request request = {r->flags & MREMAP_DONTUNMAP_ ? r->new_addr : 0, r->new_len,
					vma->flags & VM_SHARED ? MAP_SHARED_ : 0, vma->file,
					vma->pgoff + ((r->addr - vma->start) >> PAGE_SHIFT)};
	struct vma_place place;

	if (r->flags & MREMAP_FIXED_)
		return move(r, vma_find(r->mm, r->new_addr));
	place = place_best(r->mm, &request);
	r->new_addr = place.start;
	return place.start ? move(r, place.next) : -MM_ENOMEM;
}

/* ---- the cases ---- */

/* Case 1. Pure. */
static bool senseless(const struct mremap *r)
{
	if (call_flags_check(&mremap_flags, r->flags) || r->addr & ~PAGE_MASK || !r->new_len ||
	    r->new_len > TASK_SIZE)
		return true;
	if (!(r->flags & MREMAP_TO))
		return false;
	if (r->new_addr > TASK_SIZE - r->new_len || r->new_addr & ~PAGE_MASK)
		return true;
	if (!(r->flags & MREMAP_MAYMOVE_))
		return true;
	if (r->flags & MREMAP_DONTUNMAP_ && r->old_len != r->new_len)
		return true;
	return r->addr + r->old_len > r->new_addr && r->new_addr + r->new_len > r->addr;
}

/* May the range grow or move? */
static int check_range(const struct mremap *r)
{
	uint64_t first = r->vma->pgoff + ((r->addr - r->vma->start) >> PAGE_SHIFT);
	uint64_t kept = r->old_len < r->new_len ? r->old_len : r->new_len;

	if (!r->old_len && !(r->vma->flags & VM_SHARED))
		return -MM_EINVAL;
	if (kept > r->vma->end - r->addr)
		return -MM_EFAULT;
	if (first + (r->new_len >> PAGE_SHIFT) < first)
		return -MM_EINVAL;
	if (r->new_len > r->old_len &&
	    !vm_may_expand(r->mm, r->vma->flags, (r->new_len - r->old_len) >> PAGE_SHIFT))
		return -MM_ENOMEM;
	return 0;
}

/* Case 4. */
static int64_t move_to(struct mremap *r)
{
	struct mm *mm = r->mm;
	int64_t err = check_range(r);

	if (!err && r->flags & MREMAP_FIXED_)
		err = vm_munmap_locked(mm, r->new_addr, r->new_len);
	if (!err && r->old_len > r->new_len) {
		err = vm_munmap_locked(mm, r->addr + r->new_len, r->old_len - r->new_len);
		r->old_len = r->new_len;
	}
	if (err)
		return err;
	r->vma = vma_lookup(mm, r->addr);
	if (!r->vma)
		return -MM_EFAULT; /* an empty range may have lain there */
	if (r->flags & MREMAP_DONTUNMAP_ &&
	    !vm_may_expand(mm, r->vma->flags, r->old_len >> PAGE_SHIFT))
		return -MM_ENOMEM;
	return move_somewhere(r);
}

/* Case 2. */
static int64_t move_all(struct mremap *r)
{
	uint64_t at = r->addr, end = at + r->old_len, last_end = at, target = r->new_addr;
	int64_t first = -MM_EFAULT, ret;

	while (at < end) {
		struct vma *vma = vma_find(r->mm, at);

		if (!vma || vma->start >= end)
			break;
		if (vma->start > at && first < 0)
			return -MM_EFAULT;
		r->addr = vma->start > at ? vma->start : at;
		at = vma->end < end ? vma->end : end;
		r->old_len = r->new_len = at - r->addr;
		r->new_addr = target + (r->addr - last_end);
		r->vma = vma;
		last_end = at;
		ret = move_to(r);
		if (ret < 0)
			return ret;
		target = (uint64_t)ret + r->new_len;
		first = first < 0 ? ret : first;
	}
	return first;
}

/* Is there room behind the range, which ends its VMA? */
static bool room_behind(const struct mremap *r)
{
	uint64_t end = r->addr + r->new_len;

	return r->addr + r->old_len == r->vma->end && end <= TASK_SIZE && end > r->addr &&
	       (!r->vma->next || r->vma->next->start >= end);
}

/* Case 6. */
static int64_t grow(struct mremap *r)
{
	struct vma *vma = r->vma;
	struct vma_new new = {vma->end, r->addr + r->new_len, vma->flags, vma->file,
			      vma->pgoff + ((vma->end - vma->start) >> PAGE_SHIFT)};
	struct vma_spare spare = {.n = 0}; /* it joins the VMA */
	int64_t err = check_range(r);

	if (err)
		return err;
	if (room_behind(r)) {
		vma_map(r->mm, &new, vma->next, vma_plan_map(&new, vma, vma->next, vma->anon),
			&spare);
		return (int64_t)r->addr;
	}
	return r->flags & MREMAP_MAYMOVE_ ? move_somewhere(r) : -MM_ENOMEM;
}

static int64_t mremap_locked(struct mremap *r)
{
	int64_t err;

	if (r->flags & MREMAP_FIXED_ && r->old_len == r->new_len)
		return move_all(r);
	r->vma = vma_lookup(r->mm, r->addr);
	if (!r->vma)
		return -MM_EFAULT;
	if (r->flags & MREMAP_TO)
		return move_to(r);
	if (r->new_len > r->old_len)
		return grow(r);
	if (r->new_len == r->old_len)
		return (int64_t)r->addr;
	err = vm_munmap_locked(r->mm, r->addr + r->new_len, r->old_len - r->new_len);
	return err ? err : (int64_t)r->addr;
}

int64_t vm_mremap(struct mm *mm, uint64_t addr, uint64_t old_len, uint64_t new_len, uint64_t flags,
		  uint64_t new_addr)
{
	struct mremap r = {.mm = mm,
			   .addr = addr,
			   .old_len = page_align(old_len),
			   .new_addr = new_addr,
			   .new_len = page_align(new_len),
			   .flags = flags};
	uint64_t grown = r.old_len; /* from there on */
	bool populate;
	int64_t ret;

	if (senseless(&r))
		return -MM_EINVAL;
	mmap_write_lock(mm);
	ret = mremap_locked(&r);
	populate = mm->locked_vm && ret >= 0 && grown < r.new_len;
	mmap_write_unlock(mm);
	if (unlikely(populate))
		vm_populate_locked(mm, (uint64_t)ret + grown, (uint64_t)ret + page_align(new_len));
	return ret;
}
