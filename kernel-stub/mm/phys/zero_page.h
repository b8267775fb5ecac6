/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The zero page: what reads of untouched anonymous memory share. */
#ifndef MM_ZERO_PAGE_H
#define MM_ZERO_PAGE_H

#include "mm/phys/page.h"

/* PG_RESERVED, mapped read-only, never counted. */
extern struct page *zero_page;
extern uint64_t zero_pfn;

/* Once, before the first fault; 0 or -MM_ENOMEM. */
int zero_page_init(void);

#endif
