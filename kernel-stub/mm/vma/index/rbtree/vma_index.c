/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VMA index as a red-black tree: searches and the check. */
#include "mm/vma/vma_index.h"

struct vma *vma_index_find(const struct mm *mm, uint64_t addr)
{
	struct rb_node *n = mm->index.root.node;
	struct vma *found = NULL;

	while (n) {
		struct vma *vma = vma_of_node(n);

		if (addr >= vma->end) {
			n = n->right;
		} else {
			found = vma;
			if (addr >= vma->start)
				break;
			n = n->left;
		}
	}
	return found;
}

/* The VMA with a gap of at least len, nearest to `side` in the subtree. Needs: it has one. */
static struct vma *fit_in_subtree(struct rb_node *n, uint64_t len, enum vma_side side)
{
	for (;;) {
		if (vma_subtree_gap(n->child[side]) >= len)
			n = n->child[side];
		else if (vma_of_node(n)->gap >= len)
			return vma_of_node(n);
		else
			n = n->child[!side];
	}
}

struct vma *vma_index_fit(const struct vma *vma, uint64_t len, enum vma_side side)
{
	const struct rb_node *n = &vma->link.node, *parent;

	if (vma_subtree_gap(n->child[side]) >= len)
		return fit_in_subtree(n->child[side], len, !side);
	for (; (parent = rb_parent(n)); n = parent) {
		if (parent->child[!side] != n)
			continue;
		if (vma_of_node(parent)->gap >= len)
			return vma_of_node(parent);
		if (vma_subtree_gap(parent->child[side]) >= len)
			return fit_in_subtree(parent->child[side], len, !side);
	}
	return NULL;
}

/* ---- checking ---- */

/* rb_check's */
static bool starts_before(const struct rb_node *a, const struct rb_node *b)
{
	return vma_of_node(a)->start < vma_of_node(b)->start;
}

/* rb_check's */
static bool summary_right(const struct rb_node *n)
{
	return vma_subtree_gap(n) == vma_largest_gap(vma_of_node(n));
}

void vma_index_check(const struct mm *mm)
{
	for (const struct vma *vma = mm->first; vma; vma = vma->next)
		ASSERT(rb_prev(&vma->link.node) == (vma->prev ? &vma->prev->link.node : NULL));
	ASSERT(rb_check(&mm->index.root, starts_before, summary_right) == mm->map_count);
}
