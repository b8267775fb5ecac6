/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Red-black trees with an embedded node and an optional augmentation (a summary of each subtree
 * kept up to date on every change). The owner's lock protects a tree. */
#ifndef MM_RBTREE_H
#define MM_RBTREE_H

#include "port.h"

struct rb_node {
	struct rb_node *left, *right;
	uintptr_t parent_color; /* parent pointer | colour in bit 0 (1 = black) */
};

struct rb_root {
	struct rb_node *node;
};

#endif
