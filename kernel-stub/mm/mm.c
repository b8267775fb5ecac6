/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Address spaces: making and unmaking them, and their invariants. */
#include "mm/mm.h"

#include "mm/object/page_index.h"
#include "mm/object/shmem.h"
#include "mm/pgtable/pgtable.h"
#include "mm/phys/lru.h"
#include "mm/phys/slab.h"
#include "mm/rmap/anon.h"
#include "mm/rmap/anon_space.h"
#include "mm/vma/vma.h"
#include "mm/walk/pgtable_check.h"
#include "mm/walk/zap.h"

#define SMALL_GAP (8 * PMD_SIZE) /* of addresses, for drop_pages */

uint32_t mm_map_max = MAP_COUNT_MAX;

static struct kmem_cache mm_cache;

void mm_init(void)
{
	kmem_cache_init(&mm_cache, "mm", sizeof(struct mm), 64);
	vma_init();
	anon_init();
	anon_space_init();
	page_index_init();
	shmem_init();
	lru_init();
}

/* Gives a zeroed mm its tables and its place in the reverse map; frees it without memory. */
static struct mm *mm_complete(struct mm *mm, const struct mm *forked_from)
{
	if (pgtable_init(mm))
		goto no_tables;
	if (anon_space_enter(mm, forked_from))
		goto no_space;
	return mm;
no_space:
	pgtable_destroy(mm);
no_tables:
	kmem_cache_free(&mm_cache, mm);
	return NULL;
}

struct mm *mm_create(void)
{
	struct mm *mm = kmem_cache_alloc(&mm_cache);

	if (!mm)
		return NULL;
	*mm = (struct mm){.users = 1,
			  .map_max = mm_map_max,
			  .mmap_base = mm_mmap_base(VM_LIMITS_DEFAULT.stack),
			  .hole_bound = UINT64_MAX};
	mm = mm_complete(mm, NULL);
	if (mm)
		mm_set_limits(mm, &VM_LIMITS_DEFAULT);
	return mm;
}

struct mm *mm_create_for_fork(const struct mm *parent)
{
	struct mm *mm = kmem_cache_alloc(&mm_cache);

	if (!mm)
		return NULL;
	*mm = (struct mm){
		.users = 1,
		.map_max = parent->map_max,
		.mmap_base = parent->mmap_base,
		.hole_bound = UINT64_MAX,
		.start_brk = parent->start_brk,
		.brk = parent->brk,
		.start_stack = parent->start_stack,
		.arg_start = parent->arg_start,
		.arg_end = parent->arg_end,
		.free_limit = parent->free_limit,
		.as_limit = parent->as_limit,
		.data_limit = parent->data_limit,
		.stack_limit = parent->stack_limit,
		.brk_limit = parent->brk_limit,
		.data_size = parent->data_size,
		.text_size = parent->text_size,
	};
	return mm_complete(mm, parent);
}

/* Unmaps all pages and frees the tables. By stretches of VMAs with small gaps between them: to look
 * through the empty entries of the upper tables would cost more than all the rest. */
static void drop_pages(struct mm *mm)
{
	const struct vma *vma = mm->first;

	while (vma) {
		uint64_t start = vma->start, end;

		do
			end = vma->end;
		while ((vma = vma->next) && vma->start - end < SMALL_GAP);
		zap_range(mm, start, end);
		pgtable_free_range(mm, start, end);
	}
}

void mm_destroy(struct mm *mm)
{
	mmap_write_lock(mm);
	ASSERT(!mm->cpus);
	drop_pages(mm);
	vma_free_all(mm);
	mmap_write_unlock(mm);
	ASSERT(!mm->rss_anon && !mm->rss_file && !mm->rss_shmem && !mm->nr_tables);
	anon_space_leave(mm);
	pgtable_destroy(mm);
	kmem_cache_free(&mm_cache, mm);
}

void mm_get(struct mm *mm)
{
	port_xadd32(&mm->users, 1);
}

bool mm_put(struct mm *mm)
{
	return port_xadd32(&mm->users, -1u) == 1;
}

void mm_check(struct mm *mm)
{
	vma_check(mm);
	pgtable_check(mm);
}
