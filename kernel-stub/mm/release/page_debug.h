/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Release builds: page_free checks flags and references only; mapcount when the page leaves the
 * per-CPU list. */
#ifndef MM_PAGE_DEBUG_H
#define MM_PAGE_DEBUG_H

#include "mm/phys/page.h"

static inline void page_debug_free(const struct page *page)
{
	(void)page;
}

#endif
