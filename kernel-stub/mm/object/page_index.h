/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages of an object by their index: a radix tree, 64 slots a node.
 *
 *     root ──> 12 bits [ . . . | . ]          the root says how many bits of an index its tree
 *                        │     └──> 6 bits [ page . . page ]       takes: 6 for each level
 *                        └──> 6 bits [ . page . . ]
 *
 * Nobody takes a lock. A slot goes from empty to a node or a page by one compare-and-exchange, so
 * of two CPUs that bring a page for the same index one finds the other's there. A tree that is too
 * low for an index gets a new root above the old one, which stays what it was. Nodes are not freed
 * before the whole tree is, so a pointer to a slot stays good; nor is a page taken out before, so
 * that whoever keeps the object keeps its pages.
 */
#ifndef MM_PAGE_INDEX_H
#define MM_PAGE_INDEX_H

#include "port/port.h"

#define PAGE_INDEX_BITS 6
#define PAGE_INDEX_SLOTS (1u << PAGE_INDEX_BITS)

struct page;

#define PAGE_NODE_ALIGN 64u /* more than the bits of any tree */

struct page_node {
	union {
		struct page_node *child[PAGE_INDEX_SLOTS];
		struct page *page[PAGE_INDEX_SLOTS]; /* at the lowest level */
	};
};

struct page_index {
	uintptr_t root; /* the highest node | bits of the tree; 0: no node yet */
};

/* The two parts of a root. */
static inline struct page_node *page_index_root(uintptr_t root)
{
	return (struct page_node *)(root & ~((uintptr_t)PAGE_NODE_ALIGN - 1));
}

static inline unsigned page_index_bits(uintptr_t root)
{
	return (unsigned)(root & (PAGE_NODE_ALIGN - 1));
}

/* Which slot of a node is the index's, `bits` being those of the tree from that node down. */
static inline unsigned page_index_place(uint64_t index, unsigned bits)
{
	return index >> (bits - PAGE_INDEX_BITS) & (PAGE_INDEX_SLOTS - 1);
}

/* Slab cache; by mm_init(). */
void page_index_init(void);

/* The slot of that index, made if need be; NULL without memory. It stays until
 * page_index_destroy(). Needs: index < 2^52. */
struct page **page_index_slot(struct page_index *tree, uint64_t index);

/* What is in a slot, or NULL. */
static inline struct page *page_index_load(struct page *const *slot)
{
	return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
}

/* The page at that index, or NULL. In each fault on shared memory, hence inline. */
static inline struct page *page_index_find(const struct page_index *tree, uint64_t index)
{
	uintptr_t root = __atomic_load_n(&tree->root, __ATOMIC_ACQUIRE);
	const struct page_node *node = page_index_root(root);
	unsigned bits = page_index_bits(root);

	if (unlikely(!node || index >> bits))
		return NULL;
	for (; unlikely(bits > PAGE_INDEX_BITS); bits -= PAGE_INDEX_BITS) {
		node = __atomic_load_n(&node->child[page_index_place(index, bits)],
				       __ATOMIC_ACQUIRE);
		if (unlikely(!node))
			return NULL;
	}
	return page_index_load(&node->page[page_index_place(index, PAGE_INDEX_BITS)]);
}

/* Puts a page into a slot, unless there is one: then that one is returned, else this. The tree
 * takes the caller's reference if it takes the page. */
struct page *page_index_add(struct page **slot, struct page *page);

/* Frees the tree, and gives its pages to drop(arg, pages, n), up to PAGE_INDEX_SLOTS at a time. The
 * array is drop's to write to. Needs: nobody else has the tree. */
void page_index_destroy(struct page_index *tree,
			void (*drop)(void *arg, struct page **pages, unsigned n), void *arg);

#endif
