/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a mapping goes that nobody has fixed: where Linux 6.18 puts it
 * (arch/x86/kernel/sys_x86_64.c, mm/huge_memory.c), for mmap and mremap.
 *
 *   1. at the hint, if there is one and its place is free
 *   2. MAP_32BIT: in the lowest hole from 1 to 2 GiB
 *   3. in the highest hole below mmap_base (MAP_ABOVE4G: and above 4 GiB)
 *   4. in the lowest hole above UNMAPPED_BASE
 *
 * Memory that huge pages could serve is put where they fit (5.): so is private anonymous memory
 * without a hint whose length is a multiple of 2 MiB, and a private mapping of /dev/zero that has
 * room for a huge page where the file's offset is aligned. A hole is looked for that is 2 MiB
 * longer than asked for, and the mapping begins at the first place in it that suits: but if the
 * hole does, 2 MiB above its start. Without such a hole 1. to 4. decide.
 *
 * Linux does so since 6.7, for these lengths alone since 6.13, with /dev/zero since 6.18, whatever
 * the setting of transparent_hugepage.
 */
#ifndef MM_PLACE_H
#define MM_PLACE_H

#include "mm/mm.h"
#include "mm/object/file.h"
#include "mm/vma/vma.h"

/* 1.: *place is the hint, which lies below `end` with its length. Needs: page-aligned. */
static inline __attribute__((always_inline)) bool
place_hint(struct mm *mm, uint64_t hint, uint64_t len, uint64_t end, struct vma_place *place)
{
	if (!hint || len > end || hint > end - len)
		return false;
	*place = (struct vma_place){hint, vma_find(mm, hint)};
	return !place->next || hint + len <= vma_start_gap(place->next);
}

/* 3. and 4. for what is usual: neither a hint nor a flag. */
static inline struct vma_place place_anywhere(struct mm *mm, uint64_t len)
{
	struct vma_place place = vma_hole_topdown(mm, len, MMAP_MIN_ADDR, mm->mmap_base);

	return likely(place.start) ? place : vma_hole_bottomup(mm, len, UNMAPPED_BASE, TASK_SIZE);
}

/* What is asked for. */
struct place_request {
	uint64_t hint, len;   /* page-aligned; len > 0 */
	uint64_t map_flags;   /* MAP_32BIT_, MAP_ABOVE4G_; MAP_SHARED_ or not */
	struct vm_file *file; /* NULL: anonymous */
	uint64_t pgoff;	      /* of the file */
};

/* 1. to 4. Needs: mm->lock for writing. */
struct vma_place place_find(struct mm *mm, uint64_t hint, uint64_t len, uint64_t map_flags);

/* Does 5. come into question? Pure. */
static inline bool place_aligns(const struct place_request *r)
{
	if (r->map_flags & MAP_SHARED_)
		return false;
	if (r->file)
		return r->file->kind == VM_FILE_ZERO;
	return !(r->len & (PMD_SIZE - 1)) && !r->hint;
}

/* 5., and else 1. to 4. Needs: mm->lock for writing. */
struct vma_place place_best(struct mm *mm, const struct place_request *r);

#endif
