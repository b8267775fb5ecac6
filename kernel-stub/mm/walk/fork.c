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
 *        the page or, if the other side has gone, takes it over (fault_cow.c). The child's is old:
 *        it has not touched the page yet
 *   iv.  one flush of the parent's TLB, which may still hold the right to write
 *
 * Without memory in any of them the child is destroyed as it stands. The parent's pages that were
 * write-protected stay so; a fault makes each writable again.
 *
 * mm->lock of both is held for writing, so that the reverse map, which can find the child from i
 * on, does not look at it half made. The child's page tables need no other lock.
 */
#include "mm/mm.h"

#include "mm/base/mm_errno.h"
#include "mm/pgtable/pgtable.h"
#include "mm/pgtable/tlb.h"
#include "mm/phys/buddy.h"
#include "mm/phys/zero_page.h"
#include "mm/rmap/rmap.h"
#include "mm/vma/vma.h"

/* PTEs are looked at by cache lines: most tables hold runs of pages with long gaps between. */
#define PTES_PER_LINE 8u

/* The counts of frame 0; those of another stand page_offset() bytes behind. Two pointers, that the
 * compiler knows nothing of, make each count one instruction. */
struct fork_counts {
	char *refcount, *mapcount;
};

struct fork {
	struct mm *child;
	struct fork_counts counts;
	uint32_t copied; /* PTEs of the table that is being copied */
	bool protected;	 /* one of the parent's lost the right to write */
};

/* A PTE with the right to write. It maps an anonymous page, since no other may be written: nothing
 * has to be asked about the page, or looked at in it. It is read once the right has gone, so that
 * the child's is dirty too if another CPU wrote at the last moment. */
static inline __attribute__((always_inline)) void fork_writable(struct fork_counts counts,
								pte_t *from, pte_t *to)
{
	pte_t pte;
	uint64_t at;

	port_pte_wrprotect(from);
	pte = port_pte_read(from);
	at = page_offset(pte_phys(pte));
	port_xadd32((uint32_t *)(counts.refcount + at), 1);
	port_xadd32((uint32_t *)(counts.mapcount + at), 1);
	port_pte_set(to, pte_mkold(pte));
}

/* Any other: of the zero page, of a file's, of one that an earlier fork shared. Returns how many
 * PTEs the child has got. */
static uint32_t fork_read_only(struct fork *f, pte_t parents, pte_t *to)
{
	pte_t pte = pte_mkold(parents);
	struct page *page = pfn_to_page(pte_pfn(pte));

	if (pte_none(pte))
		return 0;
	port_pte_set(to, pte);
	if (page == zero_page) {
		f->child->rss_anon--; /* counted with the others of its table */
		return 1;
	}
	page_get(page);
	port_xadd32((uint32_t *)&page->mapcount, 1);
	if (!page_is_anon(page)) {
		f->child->rss_anon--;
		f->child->rss_file++;
	}
	return 1;
}

/* n PTEs one by one. */
static void fork_some(struct fork *f, pte_t *from, pte_t *to, uint32_t n)
{
	for (; n; n--, from++, to++) {
		pte_t pte = port_pte_read(from);

		if (!pte_write(pte)) {
			f->copied += fork_read_only(f, pte, to);
			continue;
		}
		fork_writable(f->counts, from, to);
		f->copied++;
		f->protected = true;
	}
}

/* As it is: a CPU of the parent may set its accessed or dirty bit meanwhile. */
static inline uint64_t bits(const pte_t *p)
{
	return port_peek64(&p->v);
}

static inline bool line_writable(const pte_t *p)
{
	return pte_write((pte_t){bits(p + 0)}) &&
	       pte_write((pte_t){bits(p + 1) & bits(p + 2) & bits(p + 3) & bits(p + 4) &
				 bits(p + 5) & bits(p + 6) & bits(p + 7)});
}

/* A line that is not writable all along; most are empty. Apart, so that the loop over those that
 * are has the registers. */
static __attribute__((noinline)) void fork_other_line(struct fork *f, pte_t *from, pte_t *to)
{
	if (bits(from + 0) | bits(from + 1) | bits(from + 2) | bits(from + 3) | bits(from + 4) |
	    bits(from + 5) | bits(from + 6) | bits(from + 7))
		fork_some(f, from, to, PTES_PER_LINE);
}

/* The PTEs of n lines. */
static void fork_lines(struct fork *f, pte_t *from, pte_t *to, uint32_t n)
{
	const pte_t *end = from + n * PTES_PER_LINE;
	struct fork_counts counts = f->counts;
	uint32_t copied = 0;

	for (; from < end; from += PTES_PER_LINE, to += PTES_PER_LINE) {
		if (!line_writable(from)) {
			fork_other_line(f, from, to);
			continue;
		}
		fork_writable(counts, from + 0, to + 0);
		fork_writable(counts, from + 1, to + 1);
		fork_writable(counts, from + 2, to + 2);
		fork_writable(counts, from + 3, to + 3);
		fork_writable(counts, from + 4, to + 4);
		fork_writable(counts, from + 5, to + 5);
		fork_writable(counts, from + 6, to + 6);
		fork_writable(counts, from + 7, to + 7);
		copied += PTES_PER_LINE;
	}
	f->copied += copied;
	f->protected |= copied != 0;
}

/* Step iii for n PTEs of one table. */
static void fork_ptes(struct fork *f, struct pte_slot from, struct pte_slot to, uint32_t n)
{
	uint32_t head = -((uintptr_t)from.pte / sizeof(pte_t)) % PTES_PER_LINE;
	uint32_t lines, tail;

	head = head < n ? head : n;
	lines = (n - head) / PTES_PER_LINE;
	tail = n - head - lines * PTES_PER_LINE;
	f->copied = 0;
	spin_lock(&from.table->ptl, LOCK_PTL);
	fork_some(f, from.pte, to.pte, head);
	fork_lines(f, from.pte + head, to.pte + head, lines);
	fork_some(f, from.pte + n - tail, to.pte + n - tail, tail);
	spin_unlock(&from.table->ptl, LOCK_PTL);
	to.table->nr_present += (uint16_t)f->copied;
	f->child->rss_anon += f->copied;
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
			fork_ptes(f, from, to, (uint32_t)((stop - va) >> PAGE_SHIFT));
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
	struct page *pages = port_vmemmap();
	struct fork f = {
		.child = child,
		.counts = {(char *)&pages->refcount, (char *)&pages->mapcount},
	};
	int err = fork_vmas(&f, parent);

	if (f.protected)
		tlb_flush_all(parent);
	return err;
}

struct mm *mm_fork(struct mm *parent)
{
	struct mm *child;
	int err;

	mmap_write_lock(parent);
	child = mm_create_for_fork(parent);
	if (!child) {
		mmap_write_unlock(parent);
		return NULL;
	}
	mmap_write_lock_class(child, LOCK_MMAP_CHILD);
	err = fork_locked(child, parent);
	mmap_write_unlock_class(child, LOCK_MMAP_CHILD);
	mmap_write_unlock(parent);
	if (!err)
		return child;
	mm_destroy(child);
	return NULL;
}
