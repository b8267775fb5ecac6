/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Red-black trees: walking, the operations without augmentation, and the check. See rbtree.h. */
#include "mm/base/rbtree.h"

static inline bool no_summary(struct rb_node *n)
{
	(void)n;
	return false;
}

void rb_insert(struct rb_root *root, struct rb_node *parent, struct rb_node **link,
	       struct rb_node *node)
{
	rb_insert_augmented(root, parent, link, node, no_summary);
}

void rb_erase(struct rb_root *root, struct rb_node *node)
{
	rb_erase_augmented(root, node, no_summary);
}

/* The outermost node of the subtree n on one side. */
static struct rb_node *outermost(struct rb_node *n, int dir)
{
	while (n && n->child[dir])
		n = n->child[dir];
	return n;
}

static struct rb_node *neighbour(const struct rb_node *n, int dir)
{
	struct rb_node *parent;

	if (n->child[dir])
		return outermost(n->child[dir], !dir);
	while ((parent = rb_parent(n)) && parent->child[dir] == n)
		n = parent;
	return parent;
}

struct rb_node *rb_first(const struct rb_root *root)
{
	return outermost(root->node, 0);
}

struct rb_node *rb_last(const struct rb_root *root)
{
	return outermost(root->node, 1);
}

struct rb_node *rb_next(const struct rb_node *n)
{
	return neighbour(n, 1);
}

struct rb_node *rb_prev(const struct rb_node *n)
{
	return neighbour(n, 0);
}

static void check_node(const struct rb_node *n, bool (*summary_ok)(const struct rb_node *))
{
	for (int dir = 0; dir < 2; dir++) {
		const struct rb_node *child = n->child[dir];

		if (child && rb_parent(child) != n)
			port_panic("rbtree: node %p has the wrong parent", (const void *)child);
		if (rb_is_red(n) && rb_is_red(child))
			port_panic("rbtree: red node %p has a red child", (const void *)n);
	}
	if (summary_ok && !summary_ok(n))
		port_panic("rbtree: node %p has a stale summary", (const void *)n);
}

struct check {
	bool (*less)(const struct rb_node *a, const struct rb_node *b);
	bool (*summary_ok)(const struct rb_node *n);
	const struct rb_node *before; /* the last node in order so far */
	size_t count;
	unsigned depth; /* black nodes on the first path that ended; 0: none yet */
};

/* In order; `blacks` are above n. By children only, so that a wrong parent is found, not followed;
 * a cycle cannot arise, since each node has the parent that it was reached from. */
static void check_subtree(struct check *c, const struct rb_node *n, unsigned blacks)
{
	if (!n) {
		blacks++;
		if (c->depth && c->depth != blacks)
			port_panic("rbtree: wrong black depth next to node %p",
				   (const void *)c->before);
		c->depth = blacks;
		return;
	}
	check_node(n, c->summary_ok);
	blacks += !rb_is_red(n);
	check_subtree(c, n->left, blacks);
	if (c->before && !c->less(c->before, n))
		port_panic("rbtree: node %p is out of order", (const void *)n);
	c->before = n;
	c->count++;
	check_subtree(c, n->right, blacks);
}

size_t rb_check(const struct rb_root *root,
		bool (*less)(const struct rb_node *a, const struct rb_node *b),
		bool (*summary_ok)(const struct rb_node *n))
{
	struct check c = {.less = less, .summary_ok = summary_ok};

	if (root->node && (rb_is_red(root->node) || rb_parent(root->node)))
		port_panic("rbtree: the root is red or has a parent");
	check_subtree(&c, root->node, 0);
	return c.count;
}
