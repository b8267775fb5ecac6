/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The red-black tree. Each node knows the largest gap of its subtree, so that a search for a hole
 * never enters a subtree without one that fits. See vma_index.h for the contracts.
 */
#ifndef MM_VMA_INDEX_IMPL_H
#define MM_VMA_INDEX_IMPL_H

#include "mm/base/mm_types.h"

static inline struct vma *vma_of_node(const struct rb_node *n)
{
	return container_of(n, struct vma, link.node);
}

/* ---- the summaries ---- */

static inline uint64_t vma_subtree_gap(const struct rb_node *n)
{
	return n ? container_of(n, const struct vma, link.node)->link.subtree_gap : 0;
}

/* What vma->link.subtree_gap must be. */
static inline uint64_t vma_largest_gap(const struct vma *vma)
{
	uint64_t gap = vma->gap, left = vma_subtree_gap(vma->link.node.left),
		 right = vma_subtree_gap(vma->link.node.right);

	gap = gap > left ? gap : left;
	return gap > right ? gap : right;
}

/* rb_update_fn */
static inline bool vma_update_subtree_gap(struct rb_node *n)
{
	struct vma *vma = vma_of_node(n);
	uint64_t gap = vma_largest_gap(vma);

	if (vma->link.subtree_gap == gap)
		return false;
	vma->link.subtree_gap = gap;
	return true;
}

RB_INLINE void vma_index_gap_changed(struct vma *vma)
{
	rb_propagate(&vma->link.node, vma_update_subtree_gap);
}

static inline void vma_index_end_changed(struct vma *vma)
{
	(void)vma;
}

/* ---- finding ---- */

RB_INLINE struct vma *vma_index_lookup(const struct mm *mm, uint64_t addr)
{
	struct rb_node *n = mm->index.root.node;

	while (n) {
		struct vma *vma = vma_of_node(n);

		if (addr >= vma->end)
			n = n->right;
		else if (addr < vma->start)
			n = n->left;
		else
			return vma;
	}
	return NULL;
}

struct vma *vma_index_find(const struct mm *mm, uint64_t addr);
struct vma *vma_index_fit(const struct vma *vma, uint64_t len, enum vma_side side);

/* ---- changing: a node is part of its VMA ---- */

static inline void vma_index_init(void)
{
}

static inline int vma_index_reserve(struct mm *mm, unsigned n)
{
	(void)mm;
	(void)n;
	return 0;
}

/* Of two neighbours in address order, one has no child towards the other: the place for a node that
 * comes between them. */
RB_INLINE void vma_index_insert(struct mm *mm, struct vma *vma)
{
	struct rb_node *parent = NULL, **link = &mm->index.root.node;

	if (vma->prev && !vma->prev->link.node.right) {
		parent = &vma->prev->link.node;
		link = &parent->right;
	} else if (vma->next) {
		parent = &vma->next->link.node;
		link = &parent->left;
	}
	rb_insert_augmented(&mm->index.root, parent, link, &vma->link.node, vma_update_subtree_gap);
}

RB_INLINE void vma_index_erase(struct mm *mm, struct vma *vma)
{
	rb_erase_augmented(&mm->index.root, &vma->link.node, vma_update_subtree_gap);
}

static inline void vma_index_clear(struct mm *mm)
{
	mm->index.root.node = NULL;
}

void vma_index_check(const struct mm *mm);

#endif
