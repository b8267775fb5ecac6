/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the pages of a VMA amount to: the sums of /proc/self/smaps. */
#ifndef MM_USAGE_H
#define MM_USAGE_H

#include "mm/base/mm_types.h"

/* Bytes; those called pss times 4096, as Linux adds them up (fs/proc/task_mmu.c, PSS_SHIFT). */
struct mm_usage {
	uint64_t rss, pss, pss_dirty, pss_anon, pss_file, pss_shmem, pss_locked;
	uint64_t shared_clean, shared_dirty, private_clean, private_dirty;
	uint64_t referenced, anonymous, lazyfree;
};

/* Adds the pages of a VMA. The zero page is nobody's. Needs: mm->lock (reading suffices). Pages
 * that fault in or go meanwhile are in it or not. */
void vma_usage(const struct vma *vma, struct mm_usage *usage);

#endif
