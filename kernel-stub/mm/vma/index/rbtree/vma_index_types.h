/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VMA index as a red-black tree by address, augmented with the largest gap of each subtree. */
#ifndef MM_VMA_INDEX_TYPES_H
#define MM_VMA_INDEX_TYPES_H

#include "mm/base/rbtree.h"

#define VMA_INDEX_NAME "rbtree"

struct vma_index {
	struct rb_root root;
};

struct vma_link {
	struct rb_node node;
	uint64_t subtree_gap; /* the largest gap in this subtree */
};

#endif
