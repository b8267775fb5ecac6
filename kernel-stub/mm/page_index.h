/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages of an object by their index: a radix tree, 64 slots a node.
 *
 *     root ──> height 2 [ . . . | . ]         the root says how high its tree is
 *                         │     └──> height 1 [ page . . page ]
 *                         └──> height 1 [ . page . . ]
 *
 * Nobody takes a lock. A slot goes from empty to a node or a page by one compare-and-exchange, so
 * of two CPUs that bring a page for the same index one finds the other's there. A tree that is too
 * low for an index gets a new root above the old one, which stays what it was. Nodes are not freed
 * before the whole tree is, so a pointer to a slot stays good; nor is a page taken out before, so
 * that whoever keeps the object keeps its pages.
 */
#ifndef MM_PAGE_INDEX_H
#define MM_PAGE_INDEX_H

#include "port.h"

#define PAGE_INDEX_BITS 6
#define PAGE_INDEX_SLOTS (1u << PAGE_INDEX_BITS)

struct page;

struct page_index {
	uintptr_t root; /* the highest node | its height; 0: no node yet */
};

/* Slab cache; by mm_init(). */
void page_index_init(void);

/* The page at that index, or NULL. */
struct page *page_index_find(const struct page_index *tree, uint64_t index);

/* The slot of that index, made if need be; NULL without memory. It stays until
 * page_index_destroy(). Needs: index < 2^52. */
struct page **page_index_slot(struct page_index *tree, uint64_t index);

/* What is in a slot, or NULL. */
static inline struct page *page_index_load(struct page *const *slot)
{
	return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
}

/* Puts a page into a slot, unless there is one: then that one is returned, else this. The tree
 * takes the caller's reference if it takes the page. */
struct page *page_index_add(struct page **slot, struct page *page);

/* Frees the tree, and gives its pages to drop(arg, pages, n), up to PAGE_INDEX_SLOTS at a time. The
 * array is drop's to write to. Needs: nobody else has the tree. */
void page_index_destroy(struct page_index *tree,
			void (*drop)(void *arg, struct page **pages, unsigned n), void *arg);

#endif
