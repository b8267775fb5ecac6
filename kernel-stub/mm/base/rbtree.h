/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Red-black trees with an embedded node and an optional augmentation (a summary of each subtree
 * kept up to date on every change). The owner's lock protects a tree.
 *
 * The caller descends by itself, to the empty link where the node belongs, and hands that link in.
 * The algorithms are those of Cormen et al., "Introduction to Algorithms", chapter 13 (insert 13.3,
 * delete 13.4), without a sentinel; left and right are child[0] and child[1], so that each mirrored
 * pair of cases is written once.
 *
 * An augmented tree gives an `update` function: recompute the node's summary from the node and its
 * two children (whose summaries are right), and return whether it changed. The augmented operations
 * are inlined into their caller, so a constant `update` costs no indirect call.
 *
 * Rules that hold between operations (rb_check verifies them): the root is black; a red node has no
 * red child; every path from the root to an empty link has the same number of black nodes.
 */
#ifndef MM_RBTREE_H
#define MM_RBTREE_H

#include "port/port.h"

struct rb_node {
	union {
		struct {
			struct rb_node *left, *right;
		};
		struct rb_node *child[2];
	};
	uintptr_t parent_color; /* parent pointer | colour in bit 0 (1 = black) */
};

struct rb_root {
	struct rb_node *node;
};

typedef bool rb_update_fn(struct rb_node *node);

#define RB_BLACK 1ull
#define RB_INLINE static inline __attribute__((always_inline))

static inline struct rb_node *rb_parent(const struct rb_node *n)
{
	return (struct rb_node *)(n->parent_color & ~RB_BLACK);
}

static inline bool rb_is_red(const struct rb_node *n)
{
	return n && !(n->parent_color & RB_BLACK);
}

static inline void rb_set_parent(struct rb_node *n, struct rb_node *parent)
{
	n->parent_color = (uintptr_t)parent | (n->parent_color & RB_BLACK);
}

static inline void rb_set_black(struct rb_node *n)
{
	n->parent_color |= RB_BLACK;
}

static inline void rb_set_red(struct rb_node *n)
{
	n->parent_color &= ~RB_BLACK;
}

/* In order of the tree; NULL at the end. */
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *n);
struct rb_node *rb_prev(const struct rb_node *n);

/* Puts `node` at the empty link `link` of `parent` (NULL: link is &root->node). */
void rb_insert(struct rb_root *root, struct rb_node *parent, struct rb_node **link,
	       struct rb_node *node);

/* Takes `node`, which is in the tree, out of it. */
void rb_erase(struct rb_root *root, struct rb_node *node);

/*
 * Panics unless the rules above, the parent pointers and the order hold. less(a, b): a belongs
 * before b. summary_ok, if given, says whether one node's summary is right, its children's being
 * so. Returns the number of nodes.
 */
size_t rb_check(const struct rb_root *root,
		bool (*less)(const struct rb_node *a, const struct rb_node *b),
		bool (*summary_ok)(const struct rb_node *n));

/* ---- the augmented operations ---- */

/* Brings the summaries of n and its ancestors up to date after n's own contribution changed. */
RB_INLINE void rb_propagate(struct rb_node *n, rb_update_fn *update)
{
	while (n && update(n))
		n = rb_parent(n);
}

/* Makes `parent`, or the root if it is NULL, point to `now` where it pointed to `old`. */
static inline void rb_replace_child(struct rb_root *root, struct rb_node *parent,
				    const struct rb_node *old, struct rb_node *now)
{
	if (!parent)
		root->node = now;
	else
		parent->child[parent->right == old] = now;
}

/*
 *      n                up
 *     / \              /  \
 *    a   up    -->    n    c      dir = 0; mirrored for dir = 1
 *       /  \         / \
 *      b    c       a   b
 */
RB_INLINE void rb_rotate(struct rb_root *root, struct rb_node *n, int dir, rb_update_fn *update)
{
	struct rb_node *up = n->child[!dir], *b = up->child[dir], *parent = rb_parent(n);

	n->child[!dir] = b;
	if (b)
		rb_set_parent(b, n);
	up->child[dir] = n;
	rb_set_parent(up, parent);
	rb_replace_child(root, parent, n, up);
	rb_set_parent(n, up);
	update(n);
	update(up);
}

/* n is red, and so may its parent be: the only rule that may be broken. */
RB_INLINE void rb_insert_fixup(struct rb_root *root, struct rb_node *n, rb_update_fn *update)
{
	struct rb_node *parent, *grand, *uncle;

	while (rb_is_red(parent = rb_parent(n))) {
		int dir = (grand = rb_parent(parent))->right == parent;

		uncle = grand->child[!dir];
		if (rb_is_red(uncle)) {
			rb_set_black(uncle);
			rb_set_black(parent);
			rb_set_red(grand);
			n = grand;
			continue;
		}
		if (parent->child[!dir] == n) {
			rb_rotate(root, parent, dir, update);
			parent = n;
		}
		rb_set_black(parent);
		rb_set_red(grand);
		rb_rotate(root, grand, !dir, update);
		return;
	}
	if (!parent)
		rb_set_black(n);
}

RB_INLINE void rb_insert_augmented(struct rb_root *root, struct rb_node *parent,
				   struct rb_node **link, struct rb_node *node,
				   rb_update_fn *update)
{
	node->left = node->right = NULL;
	node->parent_color = (uintptr_t)parent;
	update(node);
	*link = node;
	rb_propagate(parent, update);
	rb_insert_fixup(root, node, update);
}

/* Every path through `n` (which may be NULL), a child of `parent`, lacks one black node. */
RB_INLINE void rb_erase_fixup(struct rb_root *root, struct rb_node *n, struct rb_node *parent,
			      rb_update_fn *update)
{
	while (parent && !rb_is_red(n)) {
		int dir = parent->left != n;
		struct rb_node *sibling = parent->child[!dir];

		if (rb_is_red(sibling)) {
			rb_set_black(sibling);
			rb_set_red(parent);
			rb_rotate(root, parent, dir, update);
			sibling = parent->child[!dir];
		}
		if (!rb_is_red(sibling->left) && !rb_is_red(sibling->right)) {
			rb_set_red(sibling);
			n = parent;
			parent = rb_parent(n);
			continue;
		}
		if (!rb_is_red(sibling->child[!dir])) {
			rb_set_black(sibling->child[dir]);
			rb_set_red(sibling);
			rb_rotate(root, sibling, !dir, update);
			sibling = parent->child[!dir];
		}
		sibling->parent_color =
			(uintptr_t)rb_parent(sibling) | (parent->parent_color & RB_BLACK);
		rb_set_black(parent);
		rb_set_black(sibling->child[!dir]);
		rb_rotate(root, parent, dir, update);
		return;
	}
	if (n)
		rb_set_black(n);
}

/*
 * A node with two children gives its place and colour to its successor; what is taken out of the
 * tree's shape is then the successor's old place, which has at most one child.
 */
RB_INLINE void rb_erase_augmented(struct rb_root *root, struct rb_node *node, rb_update_fn *update)
{
	struct rb_node *next = NULL, *child, *parent;
	bool was_black;

	if (!node->left || !node->right) {
		child = node->left ? node->left : node->right;
		parent = rb_parent(node);
		was_black = !rb_is_red(node);
		rb_replace_child(root, parent, node, child);
	} else {
		for (next = node->right; next->left; next = next->left)
			;
		child = next->right;
		parent = rb_parent(next);
		was_black = !rb_is_red(next);
		if (parent == node) {
			parent = next;
		} else {
			parent->left = child;
			next->right = node->right;
			rb_set_parent(next->right, next);
		}
		next->left = node->left;
		rb_set_parent(next->left, next);
		rb_replace_child(root, rb_parent(node), node, next);
		next->parent_color = node->parent_color;
	}
	if (child)
		rb_set_parent(child, parent);
	rb_propagate(parent, update);
	if (next) {
		/* Its summary dates from its old place: unchanged does not mean that the
		 * ancestors are right. */
		update(next);
		rb_propagate(rb_parent(next), update);
	}
	if (was_black)
		rb_erase_fixup(root, child, parent, update);
}

#endif
