/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mm_check: the invariants of an address space. */
#include "mm/rmap/anon.h"
#include "mm/pgtable/pgtable.h"
#include "mm/vma/vma.h"

void mm_check(struct mm *mm)
{
	vma_check(mm);
	pgtable_check(mm);
}
