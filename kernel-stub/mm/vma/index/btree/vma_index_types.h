/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VMA index as a B-tree of ranges. See vma_index.c. */
#ifndef MM_VMA_INDEX_TYPES_H
#define MM_VMA_INDEX_TYPES_H

#include <stdint.h>

#define VMA_INDEX_NAME "btree"

struct vma;

#define VMA_NODE_MAX 10u /* entries of a node: it fills four cache lines */
#define VMA_NODE_MIN 3u	 /* but for the root */

/* Entries in address order. Those of a leaf are VMAs, the others' are nodes one level below. */
struct vma_node {
	struct vma_node *parent; /* in a list of free nodes: the next */
	uint32_t level;		 /* 0: leaf */
	uint32_t n;
	uint64_t end[VMA_NODE_MAX]; /* where the entry's last VMA ends */
	uint64_t gap[VMA_NODE_MAX]; /* the largest gap in the entry */
	union {
		struct vma_node *node[VMA_NODE_MAX];
		struct vma *vma[VMA_NODE_MAX];
		void *child[VMA_NODE_MAX];
	};
};

_Static_assert(sizeof(struct vma_node) == 256, "a node fills four cache lines");

struct vma_index {
	struct vma_node *root; /* NULL: empty */
	struct vma_node *free; /* nodes in reserve */
	uint32_t nr_free;
	uint32_t height; /* levels; 0: empty */
};

struct vma_link {
	struct vma_node *leaf;
};

#endif
