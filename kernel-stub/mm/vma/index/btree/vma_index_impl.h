/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The B-tree: lookups, inline. See vma_index.h for the contracts, vma_index.c for the tree. */
#ifndef MM_VMA_INDEX_IMPL_H
#define MM_VMA_INDEX_IMPL_H

#include "mm/base/mm_types.h"

/* Down to the first entry that ends above addr. There is one in the root, so there is one in each
 * node on the way: no comparison with the number of entries. */
static inline struct vma *vma_index_find(const struct mm *mm, uint64_t addr)
{
	const struct vma_node *node = mm->index.root;

	if (!node || node->end[node->n - 1] <= addr)
		return NULL;
	for (;;) {
		const uint64_t *end = node->end;

		while (*end <= addr)
			end++;
		if (!node->level)
			return node->vma[end - node->end];
		node = node->node[end - node->end];
	}
}

static inline struct vma *vma_index_lookup(const struct mm *mm, uint64_t addr)
{
	struct vma *vma = vma_index_find(mm, addr);

	return vma && vma->start <= addr ? vma : NULL;
}

struct vma *vma_index_fit(const struct vma *vma, uint64_t len, enum vma_side side);

/* The slow half: gets nodes until there are `need`. 0 or -1. */
int vma_index_refill(struct vma_index *index, uint32_t need);

/* An insert splits at most every node on its way up, and makes a root above them. Two do not need
 * more than twice that: a root just made is not full. */
static inline int vma_index_reserve(struct mm *mm, unsigned n)
{
	uint32_t need = n * (mm->index.height + 1);

	return likely(mm->index.nr_free >= need) ? 0 : vma_index_refill(&mm->index, need);
}

void vma_index_insert(struct mm *mm, struct vma *vma);
void vma_index_erase(struct mm *mm, struct vma *vma);
void vma_index_gap_changed(struct vma *vma);
void vma_index_end_changed(struct vma *vma);

void vma_index_init(void);
void vma_index_clear(struct mm *mm);
void vma_index_check(const struct mm *mm);

#endif
