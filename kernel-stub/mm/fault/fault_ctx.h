/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the fault path share: the state of one fault on its way through fault.c and
 * fault_{anon,cow,file}.c, and what a path may answer.
 *
 * A path function serves the fault that its name says. All of them:
 * => need: mm->lock for reading, c->slot and c->old filled in, no ptl held
 * => return the class that the fault was served as; FAULT_RESTART if the PTE was no longer c->old
 *    when its ptl was held (another CPU was first; nothing has changed); or a class of kind
 *    `invalid` whose verdict says what must happen (no memory; beyond the end of a file)
 * => leave nothing behind unless they served the fault
 */
#ifndef MM_FAULT_CTX_H
#define MM_FAULT_CTX_H

#include "mm/fault/fault.h"
#include "mm/pgtable/pgtable.h"
#include "mm/pgtable/tlb.h"
#include "mm/phys/buddy.h"
#include "mm/phys/lru.h"
#include "mm/phys/zero_page.h"
#include "mm/rmap/anon.h"
#include "mm/rmap/rmap.h"
#include "mm/vma/mmap_lock.h"

enum {
	FAULT_SERVE = FL_NR_CLASSES, /* fault_classify(): the VMA allows it */
	FAULT_RESTART,
};

struct fault_ctx {
	struct mm *mm;
	struct vma *vma;
	uint64_t addr;
	uint32_t flags; /* enum fault_flag */
	struct pte_slot slot;
	pte_t old; /* as read without the ptl */
};

unsigned fault_anon_zero(struct fault_ctx *c);	/* fault_anon.c */
unsigned fault_anon_alloc(struct fault_ctx *c); /* fault_anon.c */
unsigned fault_cow(struct fault_ctx *c); /* fault_cow.c: a write; c->old maps a page read-only */
unsigned fault_cow_shared(struct fault_ctx *c); /* the same once fault_take_over() said so */
unsigned fault_file(struct fault_ctx *c);	/* fault_file.c: c->old is none */
unsigned fault_shmem(struct fault_ctx *c, uint64_t index); /* fault_shmem.c: c->old is none */
unsigned fault_shmem_write(struct fault_ctx *c); /* fault_shmem.c: a write; c->old maps a page
						    read-only */

/* The whole path (fault.c): steps ii to v for any fault. Needs: mm->lock for reading, which it
 * releases. */
struct fault_verdict fault_locked(struct mm *mm, const struct fault_access *access);

/* The same where mmap_read_try() has found a writer at work: waits for mm->lock first. */
struct fault_verdict fault_waits(struct mm *mm, const struct fault_access *access);

/* The same for a fault that is not what a shortcut expects: all steps, mm->lock not held. mm may be
 * NULL. */
struct fault_verdict fault_unusual(struct mm *mm, const struct fault_access *access);

/* Which page of its file the VMA has at addr. */
static inline uint64_t fault_page_index(const struct vma *vma, uint64_t addr)
{
	return vma->pgoff + ((addr - vma->start) >> PAGE_SHIFT);
}

/* Takes the ptl of a slot and tells whether its PTE is still `old`; if not, releases it again. */
static inline bool fault_lock_pte(struct pte_slot slot, pte_t old)
{
	spin_lock(&slot.table->ptl, LOCK_PTL);
	if (likely(port_pte_read(slot.pte).v == old.v))
		return true;
	spin_unlock(&slot.table->ptl, LOCK_PTL);
	return false;
}

/* Maps the zero page read-only with the VMA's other rights. False if the PTE is no longer none. */
static inline bool fault_map_zero(const struct vma *vma, struct pte_slot slot)
{
	if (unlikely(!fault_lock_pte(slot, (pte_t){0})))
		return false;
	slot.table->nr_present++;
	port_pte_set(slot.pte, pte_make(zero_pfn, vma->prot & ~(unsigned)PTE_PROT_WRITE));
	spin_unlock(&slot.table->ptl, LOCK_PTL);
	return true;
}

/* Maps a fresh page (frame pfn), contents ready, as anonymous memory with the VMA's rights and
 * write, in place of `old`; the PTE takes over the caller's reference. False if the PTE is no
 * longer `old`: the page is the caller's still. Needs: the VMA is writable and has its anon_root.
 * The caller counts it in rss_anon; if `old` is not none, no CPU uses that translation any more,
 * and the caller drops that page. */
static inline __attribute__((always_inline)) bool fault_set_anon(struct vma *vma, uint64_t addr,
								 struct pte_slot slot, pte_t old,
								 struct page *page, uint64_t pfn)
{
	pte_t pte = pte_make(pfn, vma->prot | PTE_PROT_WRITE);
	int64_t *stat = port_mm_cpu()->vmstat;

	if (unlikely(!fault_lock_pte(slot, old)))
		return false;
	rmap_add_new_anon(page, vma->mm, addr);
	lru_add(page);
	if (pte_none(old))
		slot.table->nr_present++;
	else
		tlb_clear_flush(vma->mm, slot.pte, addr);
	port_pte_set(slot.pte, pte);
	spin_unlock(&slot.table->ptl, LOCK_PTL);
	stat[FL_VMSTAT_NR_ANON_PAGES]++;
	stat[FL_VMSTAT_NR_INACTIVE_ANON]++;
	return true;
}

/* The same, counted in rss_anon. */
static inline bool fault_map_anon(struct vma *vma, uint64_t addr, struct pte_slot slot, pte_t old,
				  struct page *page, uint64_t pfn)
{
	if (unlikely(!fault_set_anon(vma, addr, slot, old, page, pfn)))
		return false;
	port_xadd64(&vma->mm->rss_anon, 1);
	return true;
}

/* Maps a page of the VMA's object with the VMA's rights; the PTE gets a reference of its own. False
 * if the PTE is no longer none. */
static inline bool fault_map_shmem(struct mm *mm, const struct vma *vma, struct pte_slot slot,
				   struct page *page)
{
	pte_t pte = pte_make(page_to_pfn(page), vma->prot);

	if (unlikely(!fault_lock_pte(slot, (pte_t){0})))
		return false;
	port_xadd32(&page->refcount, 1);
	rmap_add_file(page);
	slot.table->nr_present++;
	port_pte_set(slot.pte, pte);
	spin_unlock(&slot.table->ptl, LOCK_PTL);
	port_xadd64(&mm->rss_shmem, 1);
	return true;
}

/* What a fault was that has mapped such a page. */
static inline unsigned fault_shmem_class(bool write, bool fresh)
{
	if (fresh)
		return FL_CLASS_USER_MINOR_SHMEM_ALLOC;
	return write ? FL_CLASS_USER_MINOR_FILE_WRITE : FL_CLASS_USER_MINOR_FILE_MAP;
}

enum fault_shared {
	FAULT_ALONE,   /* nobody else had the page: it is writable again, and this mm's by birth too
			*/
	FAULT_SHARED,  /* it must be copied; the caller has a reference */
	FAULT_CHANGED, /* the PTE is no longer `old` */
};

/* Looks whether a page that is mapped read-only is this mm's alone, and takes it over if so. The
 * PTE is looked at under its ptl: while it is there, so is the page, and nobody else makes anything
 * of it. A single reference is this PTE's, and only a fork of this mm could add another, which
 * mm->lock keeps out. Needs: the VMA is writable; not for the zero page. Nothing has to be flushed
 * (tlb.h, 4).
 */
static inline enum fault_shared fault_take_over(const struct mm *mm, struct pte_slot slot,
						pte_t old, struct page *page)
{
	enum fault_shared found = FAULT_SHARED;

	if (unlikely(!fault_lock_pte(slot, old)))
		return FAULT_CHANGED;
	if (page_is_anon(page) && page_is_alone(page)) {
		page->mapping = mm->anon_mapping;
		port_pte_set(slot.pte, pte_mkwrite(old));
		found = FAULT_ALONE;
	} else {
		page_get(page);
	}
	spin_unlock(&slot.table->ptl, LOCK_PTL);
	return found;
}

/* The same for a fault on the general path: if the PTE has changed, the page is freed. */
static inline bool fault_map_new(struct fault_ctx *c, struct page *page, uint64_t pfn)
{
	if (likely(fault_map_anon(c->vma, c->addr, c->slot, c->old, page, pfn)))
		return true;
	page_put(page);
	return false;
}

#endif
