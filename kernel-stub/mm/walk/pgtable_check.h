/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page tables of an mm against everything else that knows of them. */
#ifndef MM_PGTABLE_CHECK_H
#define MM_PGTABLE_CHECK_H

#include "mm/base/mm_types.h"

/* Checks the whole tree: each page lies in a VMA and has no right that the VMA lacks; nr_present,
 * nr_tables, rss, reference and map counts; the zero page neither written, counted nor writable.
 * Panics with what is wrong. Needs: mm->lock. Slow. */
void pgtable_check(struct mm *mm);

#endif
