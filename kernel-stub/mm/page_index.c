/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The radix tree of an object's pages: see page_index.h. */
#include "page_index.h"

#include "slab.h"

#define NODE_ALIGN 64u
#define HEIGHT_MASK ((uintptr_t)NODE_ALIGN - 1)

struct page_node {
	union {
		struct page_node *child[PAGE_INDEX_SLOTS]; /* height > 1 */
		struct page *page[PAGE_INDEX_SLOTS];	   /* height 1 */
	};
};

static struct kmem_cache node_cache;

void page_index_init(void)
{
	kmem_cache_init(&node_cache, "page_node", sizeof(struct page_node), NODE_ALIGN);
}

static struct page_node *node_alloc(void)
{
	struct page_node *node = kmem_cache_alloc(&node_cache);

	if (node)
		*node = (struct page_node){0};
	return node;
}

/* ---- the root ---- */

static struct page_node *root_node(uintptr_t root)
{
	return (struct page_node *)(root & ~HEIGHT_MASK);
}

static unsigned root_height(uintptr_t root)
{
	return (unsigned)(root & HEIGHT_MASK);
}

/* Does a tree of that height have a place for the index? An empty one (height 0) has none. */
static bool height_suffices(unsigned height, uint64_t index)
{
	return height && !(index >> (PAGE_INDEX_BITS * height));
}

static unsigned slot_number(uint64_t index, unsigned height)
{
	return index >> (PAGE_INDEX_BITS * (height - 1)) & (PAGE_INDEX_SLOTS - 1);
}

/* A root one higher than this one, or the first, just high enough; 0 without memory. */
static uintptr_t root_above(uintptr_t root, uint64_t index)
{
	struct page_node *node = node_alloc();
	unsigned height = root_height(root) + 1;

	if (!node)
		return 0;
	node->child[0] = root_node(root);
	while (!root && !height_suffices(height, index))
		height++;
	return (uintptr_t)node | height;
}

/* The root, high enough for the index; 0 without memory. */
static uintptr_t root_for(struct page_index *tree, uint64_t index)
{
	uintptr_t root = __atomic_load_n(&tree->root, __ATOMIC_ACQUIRE);

	while (!height_suffices(root_height(root), index)) {
		uintptr_t above = root_above(root, index);

		if (!above)
			return 0;
		if (__atomic_compare_exchange_n(&tree->root, &root, above, false, __ATOMIC_SEQ_CST,
						__ATOMIC_ACQUIRE))
			return root_for(tree, index);
		kmem_cache_free(&node_cache, root_node(above)); /* another CPU was first */
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
	struct page_node *node = root_node(root);

	for (unsigned height = root_height(root); node && height > 1; height--)
		node = child_of(&node->child[slot_number(index, height)]);
	return node ? &node->page[slot_number(index, 1)] : NULL;
}

struct page *page_index_find(const struct page_index *tree, uint64_t index)
{
	uintptr_t root = __atomic_load_n(&tree->root, __ATOMIC_ACQUIRE);
	unsigned height = root_height(root);
	const struct page_node *node = root_node(root);

	if (!height_suffices(height, index))
		return NULL;
	for (; node && height > 1; height--)
		node = __atomic_load_n(&node->child[slot_number(index, height)], __ATOMIC_ACQUIRE);
	return node ? page_index_load(&node->page[slot_number(index, 1)]) : NULL;
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

/* The pages of a node of height 1, moved to its front. */
static unsigned pack_pages(struct page_node *node)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PAGE_INDEX_SLOTS; i++)
		if (node->page[i])
			node->page[n++] = node->page[i];
	return n;
}

/* Calls itself once for each level below. */
static void destroy_node(struct page_node *node, unsigned height,
			 void (*drop)(void *arg, struct page **pages, unsigned n), void *arg)
{
	unsigned n = height > 1 ? 0 : pack_pages(node);

	for (unsigned i = 0; height > 1 && i < PAGE_INDEX_SLOTS; i++)
		if (node->child[i])
			destroy_node(node->child[i], height - 1, drop, arg);
	if (n)
		drop(arg, node->page, n);
	kmem_cache_free(&node_cache, node);
}

void page_index_destroy(struct page_index *tree,
			void (*drop)(void *arg, struct page **pages, unsigned n), void *arg)
{
	if (tree->root)
		destroy_node(root_node(tree->root), root_height(tree->root), drop, arg);
	tree->root = 0;
}
