/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of the reverse map (rmap.h). */
#include "rmap.h"

static void rmap_check_anon(struct mm *mm, const struct page *page, uint64_t va)
{
	uintptr_t mapping = (uintptr_t)page->mapping;

	ASSERT(mapping & ANON_PAGE_BIT);
	ASSERT(((struct anon_root *)(mapping & ~ANON_PAGE_BIT))->mm == mm);
	ASSERT(page->index == va >> PAGE_SHIFT);
	ASSERT(page->mapcount == 1 && page->refcount == 1);
	ASSERT(page_flag(page, PG_LRU));
}

void rmap_check(struct mm *mm, const struct page *page, uint64_t va)
{
	ASSERT(page->mapcount > 0);
	ASSERT(!page_flag(page, PG_BUDDY) && !page_flag(page, PG_TABLE) &&
	       !page_flag(page, PG_SLAB));
	if (page_is_anon(page))
		rmap_check_anon(mm, page, va);
	else
		ASSERT(page_flag(page, PG_RESERVED) || page->refcount >= (uint32_t)page->mapcount);
}
