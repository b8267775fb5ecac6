/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The LRU lists (lru.h). */
#include "mm/phys/lru.h"

#include "mm/phys/buddy.h"

struct lru lru;

void lru_init(void)
{
	lru = (struct lru){0};
	for (unsigned i = 0; i < NR_LRU_LISTS; i++)
		list_init(&lru.lists[i]);
}

static enum lru_list lru_list_of(const struct page *page)
{
	return page_flag(page, PG_ACTIVE) ? LRU_ACTIVE_ANON : LRU_INACTIVE_ANON;
}

/* Needs: the lock; nobody else has the page. */
static inline void lru_unlink(struct page *page, int64_t removed[])
{
	if (!page_flag(page, PG_LRU))
		return;
	removed[lru_list_of(page)]++;
	list_del(&page->lru);
	page_set_flags(page, page->flags & ~(1u << PG_LRU | 1u << PG_ACTIVE | 1u << PG_LAZYFREE));
}

static inline void lru_count_removed(const int64_t removed[])
{
	vmstat_add(FL_VMSTAT_NR_INACTIVE_ANON, -removed[LRU_INACTIVE_ANON]);
	vmstat_add(FL_VMSTAT_NR_ACTIVE_ANON, -removed[LRU_ACTIVE_ANON]);
}

unsigned lru_put_pages(struct page **pages, unsigned n)
{
	int64_t removed[NR_LRU_LISTS] = {0};
	unsigned gone = 0;

	spin_lock(&lru.lock, LOCK_LRU);
	for (unsigned i = 0; i < n; i++) {
		struct page *page = pages[i];

		if (page_flag(page, PG_RESERVED) || port_xadd32(&page->refcount, -1u) != 1)
			continue;
		lru_unlink(page, removed);
		pages[gone++] = page;
	}
	spin_unlock(&lru.lock, LOCK_LRU);
	lru_count_removed(removed);
	return gone;
}

void lru_put_page(struct page *page, uint32_t n)
{
	int64_t removed[NR_LRU_LISTS] = {0};

	if (likely(port_xadd32(&page->refcount, -n) != n))
		return;
	spin_lock(&lru.lock, LOCK_LRU);
	lru_unlink(page, removed);
	spin_unlock(&lru.lock, LOCK_LRU);
	lru_count_removed(removed);
	page_free(page);
}

static void lru_check_list(enum lru_list which)
{
	list_for_each (n, &lru.lists[which]) {
		struct page *page = list_entry(n, struct page, lru);

		ASSERT(n->next->prev == n && n->prev->next == n);
		ASSERT(page_flag(page, PG_LRU));
		ASSERT(page_flag(page, PG_SWAPBACKED) != page_flag(page, PG_SHMEM));
		ASSERT(lru_list_of(page) == which);
		ASSERT(page->refcount > 0);
		ASSERT(page->mapcount > 0 || page_flag(page, PG_SHMEM));
	}
}

void lru_check(void)
{
	spin_lock(&lru.lock, LOCK_LRU);
	for (unsigned i = 0; i < NR_LRU_LISTS; i++)
		lru_check_list(i);
	spin_unlock(&lru.lock, LOCK_LRU);
}
