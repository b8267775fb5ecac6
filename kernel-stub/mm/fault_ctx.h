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

#include "anon.h"
#include "buddy.h"
#include "fault.h"
#include "lru.h"
#include "pgtable.h"
#include "rmap.h"
#include "tlb.h"

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
unsigned fault_cow(struct fault_ctx *c);  /* fault_cow.c: a write; c->old maps a page read-only */
unsigned fault_file(struct fault_ctx *c); /* fault_file.c: c->old is none */

/* Takes the ptl and tells whether the PTE is still c->old; if not, releases it again. */
static inline bool fault_lock_pte(struct fault_ctx *c)
{
	spin_lock(&c->slot.table->ptl, LOCK_PTL);
	if (likely(port_pte_read(c->slot.pte).v == c->old.v))
		return true;
	spin_unlock(&c->slot.table->ptl, LOCK_PTL);
	return false;
}

static inline void fault_unlock_pte(struct fault_ctx *c)
{
	spin_unlock(&c->slot.table->ptl, LOCK_PTL);
}

/* Maps a fresh page, contents ready, as anonymous memory with the VMA's rights and write; the PTE
 * takes over the caller's reference. False, and the page freed, if the PTE has changed.
 * Needs: the VMA is writable; `fresh` = c->old is none, else the caller flushes the old translation
 * and drops the old page. */
static inline bool fault_map_anon(struct fault_ctx *c, struct page *page, struct anon_root *root,
				  bool fresh)
{
	pte_t pte = pte_make(page_to_pfn(page), c->vma->prot | PTE_PROT_WRITE);
	struct page *table = c->slot.table;
	int64_t *stat = port_mm_cpu()->vmstat;

	if (unlikely(!fault_lock_pte(c))) {
		page_put(page);
		return false;
	}
	rmap_add_new_anon(page, root, c->addr);
	lru_add(page);
	table->nr_present += fresh;
	port_pte_set(c->slot.pte, pte);
	spin_unlock(&table->ptl, LOCK_PTL);
	stat[FL_VMSTAT_NR_ANON_PAGES]++;
	stat[FL_VMSTAT_NR_INACTIVE_ANON]++;
	port_xadd64(&c->mm->rss_anon, 1);
	return true;
}

#endif
