/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rights that change for pages which are there. */
#ifndef MM_PROTECT_H
#define MM_PROTECT_H

#include "mm/base/mm_types.h"

/* Makes present PTEs in [start, end) follow vma->prot: rights that a page may not have yet (write
 * to the zero page or to a file page) stay off. Flushes what lost rights. Needs: mm->lock for
 * writing. */
void protect_range(struct mm *mm, struct vma *vma, uint64_t start, uint64_t end);

#endif
