/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The LRU lists of the pages that only swap can take in: anonymous ones and those of shared
 * memory. What reclaim will scan. A page enters the inactive list when it is first mapped, one of
 * shared memory when its object gets it, and leaves when it is freed.
 *
 * A page is linked directly, not through a per-CPU batch: that is fewer instructions a fault (a
 * batch stores each page twice), and a page that is freed never has to be looked for in a batch.
 *
 * Locks: lru.lock (LOCK_LRU) protects the lists and the page flags PG_LRU and PG_ACTIVE.
 */
#ifndef MM_LRU_H
#define MM_LRU_H

#include "mm/phys/page.h"
#include "mm/phys/vmstat.h"

enum lru_list { LRU_INACTIVE_ANON, LRU_ACTIVE_ANON, NR_LRU_LISTS };

struct lru {
	struct spinlock lock;
	struct list_node lists[NR_LRU_LISTS];
};

extern struct lru lru;

/* Empties the lists. Needs: before the first fault. */
void lru_init(void);

/* Puts a page at the head of the inactive list. Needs: the page is the caller's alone and on no
 * list; its flags still without PG_LRU. The caller counts it in nr_inactive_anon. */
static inline void lru_add(struct page *page)
{
	spin_lock(&lru.lock, LOCK_LRU);
	list_add(&page->lru, &lru.lists[LRU_INACTIVE_ANON]);
	page_set_flags(page, page->flags | 1u << PG_LRU);
	spin_unlock(&lru.lock, LOCK_LRU);
}

/* Drops one reference of each of n pages. Those that nobody has any more leave their lists and are
 * moved to the front of pages[], for the caller to free; how many. Takes the lock once. */
unsigned lru_put_pages(struct page **pages, unsigned n);

/* Drops n references of a page that are likely not the last; if they are, frees the page. Needs:
 * the page unmapped if so. */
void lru_put_page(struct page *page, uint32_t n);

/* Marks an anonymous page as one that reclaim may drop (MADV_FREE). Needs: it is mapped. */
static inline void lru_lazyfree(struct page *page)
{
	spin_lock(&lru.lock, LOCK_LRU);
	page_set_flags(page, page->flags | 1u << PG_LAZYFREE);
	spin_unlock(&lru.lock, LOCK_LRU);
	vmstat_inc(FL_VMSTAT_PGLAZYFREE);
}

/* Walks the lists: links, flags, counts.. Panics with what is wrong. */
void lru_check(void);

#endif
