/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making the zero page (zero_page.h). */
#include "mm/phys/zero_page.h"

#include "mm/base/mm_errno.h"
#include "mm/phys/buddy.h"

struct page *zero_page;
uint64_t zero_pfn;

int zero_page_init(void)
{
	zero_page = page_alloc_kernel();
	if (!zero_page)
		return -MM_ENOMEM;
	zero_page->flags |= 1u << PG_RESERVED;
	zero_pfn = page_to_pfn(zero_page);
	return 0;
}
