/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of the reverse map (rmap.h). */
#include "mm/rmap/rmap.h"

#include "mm/object/file.h"

struct rmap_search {
	struct mm *mm;
	bool found;    /* in it */
	bool writable; /* anywhere */
};

static void rmap_seen(void *arg, struct mm *mm, struct pte_slot slot)
{
	struct rmap_search *search = arg;

	search->found |= mm == search->mm;
	search->writable |= pte_write(*slot.pte);
}

static void rmap_check_anon(struct mm *mm, const struct page *page, uint64_t va)
{
	struct rmap_search search = {.mm = mm};

	ASSERT((uintptr_t)page->mapping & ANON_PAGE_BIT);
	ASSERT(page->index == va >> PAGE_SHIFT);
	ASSERT(anon_space_walk(page, rmap_seen, &search) == page->mapcount && search.found);
	ASSERT(page->refcount == (uint32_t)page->mapcount);
	ASSERT(page->mapcount == 1 || !search.writable);
	ASSERT(page_flag(page, PG_LRU));
}

static void rmap_check_shmem(struct mm *mm, const struct page *page)
{
	struct rmap_search search = {.mm = mm};

	ASSERT(vm_file_walk(page, rmap_seen, &search) == page->mapcount && search.found);
	ASSERT(page->refcount == (uint32_t)page->mapcount + 1); /* the object's */
	ASSERT(page_flag(page, PG_LRU));
}

void rmap_check(struct mm *mm, const struct page *page, uint64_t va)
{
	ASSERT(page->mapcount > 0);
	ASSERT(!page_flag(page, PG_BUDDY) && !page_flag(page, PG_TABLE) &&
	       !page_flag(page, PG_SLAB));
	if (page_is_anon(page))
		rmap_check_anon(mm, page, va);
	else if (page_flag(page, PG_SHMEM))
		rmap_check_shmem(mm, page);
	else
		ASSERT(page_flag(page, PG_RESERVED) || page->refcount >= (uint32_t)page->mapcount);
}
