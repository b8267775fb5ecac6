/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debug builds: what is looked at when a single page is freed, beyond page_free's own check. */
#ifndef MM_PAGE_DEBUG_H
#define MM_PAGE_DEBUG_H

#include "mm/phys/page.h"

static inline void page_debug_free(const struct page *page)
{
	ASSERT(page->mapcount == 0);
	ASSERT(page->order == 0);
	ASSERT(page->nr_present == 0);
}

#endif
