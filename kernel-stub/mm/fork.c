/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fork: the copy of an address space.
 *
 *        parent                         child
 *   VMA  aaaaa  ddd  wwww  fffff        aaaaa       wwww  fffff
 *   PTE  W-WR         WW                r-rR
 *
 *        a  anonymous memory, or private file memory, with pages of its own
 *        d  MADV_DONTFORK: the child has no such VMA
 *        w  MADV_WIPEONFORK: the child has the VMA, empty
 *        f  memory without a page of its own: the child's faults will find what the parent's found
 *
 * The steps:
 *
 *   i.   an empty mm, put below the parent's in the tree of the reverse map
 *   ii.  VMA by VMA a copy of it, with an anon_root of its own if it had one
 *   iii. the PTEs of an `a`, table by table: each page gets one more reference and mapping, and
 *        what could be written becomes read-only on both sides. The next write faults, and copies
 *        the page or, if the other side has gone, takes it over (fault_cow.c)
 *   iv.  one flush of the parent's TLB, which may still hold the right to write
 *
 * Without memory in any of them the child is destroyed as it stands. The parent's pages that were
 * write-protected stay so; a fault makes each writable again.
 *
 * mm->lock of both is held for writing, so that the reverse map, which can find the child from i
 * on, does not look at it half made. The child's page tables need no other lock.
 */
#include "buddy.h"
#include "errno.h"
#include "fault.h"
#include "pgtable.h"
#include "rmap.h"
#include "tlb.h"
#include "vma.h"

struct fork {
	struct mm *child;
	int64_t protected; /* PTEs that lost the right to write */
};

/* A page that only its reader has: the zero page, a file's, one that an earlier fork shared. */
static void fork_read_only(struct fork *f, struct page *page)
{
	if (page == zero_page)
		return;
	page_get(page);
	port_xadd32((uint32_t *)&page->mapcount, 1);
	if (page_is_anon(page))
		f->child->rss_anon++;
	else
		f->child->rss_file++;
}

/* Step iii for n PTEs of one table. A PTE with the right to write maps an anonymous page, since no
 * other may be written: nothing has to be asked about the page, or looked at in it. */
static void fork_ptes(struct fork *f, struct pte_slot from, struct pte_slot to, uint64_t n)
{
	struct page *pages = port_vmemmap();
	int64_t others = 0, none = 0;

	spin_lock(&from.table->ptl, LOCK_PTL);
	for (uint64_t i = 0; i < n; i++) {
		pte_t pte = port_pte_read(&from.pte[i]);
		struct page *page = &pages[pte_pfn(pte)];

		if (likely(pte_write(pte))) {
			port_pte_wrprotect(&from.pte[i]);
			port_xadd32(&page->refcount, 1);
			port_xadd32((uint32_t *)&page->mapcount, 1);
			port_pte_set(&to.pte[i], pte_wrprotect(pte));
			continue;
		}
		others++;
		if (pte_none(pte)) {
			none++;
			continue;
		}
		fork_read_only(f, page);
		port_pte_set(&to.pte[i], pte);
	}
	spin_unlock(&from.table->ptl, LOCK_PTL);
	to.table->nr_present += n - (uint64_t)none;
	f->child->rss_anon += (int64_t)n - others;
	f->protected += (int64_t)n - others;
}

/* Step iii for a VMA. */
static int fork_pages(struct fork *f, const struct vma *vma)
{
	struct pte_slot from, to;
	uint64_t va = vma->start;

	while ((from = pgtable_next(vma->mm, &va, vma->end)).pte) {
		uint64_t stop = pgtable_table_end(va, vma->end);

		if (from.table->nr_present) {
			to = pgtable_get(f->child, va);
			if (!to.pte)
				return -MM_ENOMEM;
			fork_ptes(f, from, to, (stop - va) >> PAGE_SHIFT);
		}
		va = stop;
	}
	return 0;
}

/* Steps ii and iii. */
static int fork_vmas(struct fork *f, const struct mm *parent)
{
	for (const struct vma *vma = parent->first; vma; vma = vma->next) {
		const struct vma *copy;

		if (vma->flags & VM_DONTCOPY)
			continue;
		copy = vma_fork(f->child, vma);
		if (!copy || (copy->anon && fork_pages(f, vma)))
			return -MM_ENOMEM;
	}
	return 0;
}

/* All steps, once both locks are held. */
static int fork_locked(struct mm *child, struct mm *parent)
{
	struct fork f = {.child = child};
	int err = fork_vmas(&f, parent);

	if (f.protected)
		tlb_flush_all(parent);
	return err;
}

struct mm *mm_fork(struct mm *parent)
{
	struct mm *child;
	int err;

	write_lock(&parent->lock, LOCK_MMAP);
	child = mm_create_for_fork(parent);
	if (!child) {
		write_unlock(&parent->lock, LOCK_MMAP);
		return NULL;
	}
	write_lock(&child->lock, LOCK_MMAP_CHILD);
	err = fork_locked(child, parent);
	write_unlock(&child->lock, LOCK_MMAP_CHILD);
	write_unlock(&parent->lock, LOCK_MMAP);
	if (!err)
		return child;
	mm_destroy(child);
	return NULL;
}
