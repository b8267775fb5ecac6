/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The radix tree of an object's pages: see page_index.h. */
#include "mm/object/page_index.h"

#include "mm/phys/slab.h"

static struct kmem_cache node_cache;

void page_index_init(void)
{
	kmem_cache_init(&node_cache, "page_node", sizeof(struct page_node), PAGE_NODE_ALIGN);
}

static struct page_node *node_alloc(void)
{
	struct page_node *node = kmem_cache_alloc(&node_cache);

	if (node)
		*node = (struct page_node){0};
	return node;
}

/* ---- the root ---- */

/* Does a tree of that many bits have a place for the index? An empty one (no bits) has none. */
static bool bits_suffice(unsigned bits, uint64_t index)
{
	return bits && !(index >> bits);
}

/* A root one higher than this one, or the first, just high enough; 0 without memory. */
static uintptr_t root_above(uintptr_t root, uint64_t index)
{
	struct page_node *node = node_alloc();
	unsigned bits = page_index_bits(root) + PAGE_INDEX_BITS;

	if (!node)
		return 0;
	node->child[0] = page_index_root(root);
	while (!root && !bits_suffice(bits, index))
		bits += PAGE_INDEX_BITS;
	return (uintptr_t)node | bits;
}

/* The root, high enough for the index; 0 without memory. */
static uintptr_t root_for(struct page_index *tree, uint64_t index)
{
	uintptr_t root = __atomic_load_n(&tree->root, __ATOMIC_ACQUIRE);

	while (!bits_suffice(page_index_bits(root), index)) {
		uintptr_t above = root_above(root, index);

		if (!above)
			return 0;
		if (__atomic_compare_exchange_n(&tree->root, &root, above, false, __ATOMIC_SEQ_CST,
						__ATOMIC_ACQUIRE))
			return root_for(tree, index);
		kmem_cache_free(&node_cache, page_index_root(above)); /* another CPU was first */
	}
	return root;
}

/* ---- down the tree ---- */

/* The node below a slot, made if need be; NULL without memory. */
static struct page_node *child_of(struct page_node **slot)
{
	struct page_node *child = __atomic_load_n(slot, __ATOMIC_ACQUIRE), *fresh;

	if (likely(child != NULL))
		return child;
	fresh = node_alloc();
	if (!fresh)
		return NULL;
	if (__atomic_compare_exchange_n(slot, &child, fresh, false, __ATOMIC_SEQ_CST,
					__ATOMIC_ACQUIRE))
		return fresh;
	kmem_cache_free(&node_cache, fresh);
	return child;
}

struct page **page_index_slot(struct page_index *tree, uint64_t index)
{
	uintptr_t root = root_for(tree, index);
	struct page_node *node = page_index_root(root);
	unsigned bits = page_index_bits(root);

	for (; node && bits > PAGE_INDEX_BITS; bits -= PAGE_INDEX_BITS)
		node = child_of(&node->child[page_index_place(index, bits)]);
	return node ? &node->page[page_index_place(index, PAGE_INDEX_BITS)] : NULL;
}

struct page *page_index_add(struct page **slot, struct page *page)
{
	struct page *there = NULL;

	return __atomic_compare_exchange_n(slot, &there, page, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_ACQUIRE)
		       ? page
		       : there;
}

/* ---- the end ---- */

/* The pages of a lowest node, moved to its front. */
static unsigned pack_pages(struct page_node *node)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PAGE_INDEX_SLOTS; i++)
		if (node->page[i])
			node->page[n++] = node->page[i];
	return n;
}

/* Calls itself once for each level below. */
static void destroy_node(struct page_node *node, unsigned bits,
			 void (*drop)(void *arg, struct page **pages, unsigned n), void *arg)
{
	unsigned n = bits > PAGE_INDEX_BITS ? 0 : pack_pages(node);

	for (unsigned i = 0; bits > PAGE_INDEX_BITS && i < PAGE_INDEX_SLOTS; i++)
		if (node->child[i])
			destroy_node(node->child[i], bits - PAGE_INDEX_BITS, drop, arg);
	if (n)
		drop(arg, node->page, n);
	kmem_cache_free(&node_cache, node);
}

void page_index_destroy(struct page_index *tree,
			void (*drop)(void *arg, struct page **pages, unsigned n), void *arg)
{
	if (tree->root)
		destroy_node(page_index_root(tree->root), page_index_bits(tree->root), drop, arg);
	tree->root = 0;
}
