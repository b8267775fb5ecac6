/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a program says of pages that it keeps mapped. */
#ifndef MM_AGE_H
#define MM_AGE_H

#include "mm/base/mm_types.h"
#include "mm/phys/page.h"

/* MADV_COLD and, with lazyfree, MADV_FREE for the anonymous pages in [start, end); MADV_PAGEOUT for
 * those that are lazyfree. Need: mm->lock (reading suffices). */
void age_range(struct mm *mm, uint64_t start, uint64_t end, bool lazyfree);
void lazyfree_drop(struct mm *mm, uint64_t start, uint64_t end);

/* May reclaim drop the page that this entry maps? Needs: mm->lock. */
bool page_lazyfree(pte_t pte, const struct page *page);

#endif
