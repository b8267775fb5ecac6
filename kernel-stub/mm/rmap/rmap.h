/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reverse map, kept as PTEs come and go: which file or anon_space a page belongs to
 * (page->mapping), where in it (page->index), and how many PTEs map it (page->mapcount). The gauges
 * nr_anon_pages and nr_mapped count pages whose mapcount is not zero.
 *
 * The shared zero page has no reverse map and is never passed in here.
 */
#ifndef MM_RMAP_H
#define MM_RMAP_H

#include "mm/phys/page.h"
#include "mm/phys/vmstat.h"
#include "mm/rmap/anon_space.h"

static inline bool page_is_anon(const struct page *page)
{
	return page_flag(page, PG_SWAPBACKED);
}

/* What a page is counted as in an mm. */
enum rss_kind { RSS_FILE, RSS_ANON, RSS_SHMEM, NR_RSS_KINDS };

_Static_assert(RSS_ANON == 1 && RSS_SHMEM == 2 && PG_SHMEM == PG_SWAPBACKED + 1,
	       "the two flags, side by side, are the kind");
static inline enum rss_kind page_rss_kind(const struct page *page)
{
	return (enum rss_kind)(page->flags >> PG_SWAPBACKED & 3);
}

/* A fresh page, the caller's alone, becomes anonymous memory of mm at addr with its first PTE. The
 * caller
 * counts it in nr_anon_pages. */
static inline void rmap_add_new_anon(struct page *page, const struct mm *mm, uint64_t addr)
{
	page_set_flags(page, 1u << PG_SWAPBACKED);
	page->mapcount = 1;
	page->mapping = mm->anon_mapping;
	page->index = addr >> PAGE_SHIFT;
}

/* One more PTE maps a page of a file, or of shared memory. Needs: the caller has a reference. */
static inline void rmap_add_file(struct page *page)
{
	if (port_xadd32((uint32_t *)&page->mapcount, 1) == 0)
		vmstat_inc(FL_VMSTAT_NR_FILE_MAPPED);
}

/* One PTE less maps it: was it the last? The caller then counts the page out of its gauge. Needs:
 * the caller still has that PTE's reference. */
static inline bool rmap_put(struct page *page)
{
	return port_xadd32((uint32_t *)&page->mapcount, -1u) == 1;
}

/* Checks what a page says of itself against a PTE of mm that maps it at va. Panics with what is
 * wrong. */
void rmap_check(struct mm *mm, const struct page *page, uint64_t va);

#endif
