/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VMA index as a B-tree of ranges: nodes of four cache lines with up to ten entries, all leaves
 * at one depth. An entry is a VMA in a leaf, else a node, and carries where its last VMA ends and
 * its largest gap, so that a search reads the nodes on its way and nothing else.
 *
 *                   | ..30 | ..90 |                    level 1: where each entry ends
 *                   /             \
 *        | 10 | 20 | 30 |     | 50 | 80 | 90 |         level 0: where each VMA ends
 *
 * Every node but the root has VMA_NODE_MIN entries at least, the root of more than one level two.
 *
 *   1. An insert into a full node splits it; the new node comes into the parent, which may be full
 *      in turn, and a root that is split gets a new one above it. Who adds at an end, as a program
 *      that maps one region after another does, leaves a node almost full behind rather than half.
 *   2. An erase that leaves too few entries takes all of a neighbour's, whose node goes, so that
 *      the parent loses an entry in turn; or, if those are too many for one node, evens out. A root
 *      with a single node gives way to it.
 *
 * Nodes come from a reserve in struct vma_index that vma_index_reserve() fills before the address
 * space changes, and go back to it as long as a call may need them: most calls get none. The bounds
 * of a node's entry in its parent follow its own entries upwards until nothing changes.
 */
#include "mm/vma/vma_index.h"

#include "mm/phys/slab.h"
#include "mm/vma/vma.h"

static struct kmem_cache node_cache;

void vma_index_init(void)
{
	kmem_cache_init(&node_cache, "vma_node", sizeof(struct vma_node), 64);
}

/* ---- the reserve ---- */

int vma_index_refill(struct vma_index *index, uint32_t need)
{
	while (index->nr_free < need) {
		struct vma_node *node = kmem_cache_alloc(&node_cache);

		if (!node)
			return -1;
		node->parent = index->free;
		index->free = node;
		index->nr_free++;
	}
	return 0;
}

static struct vma_node *node_get(struct vma_index *index, uint32_t level)
{
	struct vma_node *node = index->free;

	ASSERT(node);
	index->free = node->parent;
	index->nr_free--;
	node->parent = NULL;
	node->level = level;
	node->n = 0;
	return node;
}

static void node_put(struct vma_index *index, struct vma_node *node)
{
	if (index->nr_free >= VMA_SPARE_MAX * (index->height + 1)) {
		kmem_cache_free(&node_cache, node);
		return;
	}
	node->parent = index->free;
	index->free = node;
	index->nr_free++;
}

/* ---- entries ---- */

/* Which entry of the node is that? Needs: it is one. */
static uint32_t slot_of(const struct vma_node *node, const void *child)
{
	uint32_t i = 0;

	while (node->child[i] != child)
		i++;
	return i;
}

static uint64_t largest_gap(const struct vma_node *node)
{
	uint64_t gap = 0;

	for (uint32_t i = 0; i < node->n; i++)
		gap = node->gap[i] > gap ? node->gap[i] : gap;
	return gap;
}

/* Tells the child in entry i where it is. */
static void adopt(struct vma_node *node, uint32_t i)
{
	if (node->level)
		node->node[i]->parent = node;
	else
		node->vma[i]->link.leaf = node;
}

/* Entry i of `from` becomes entry `at` of `to`. Of the same node: the child knows. */
static void copy_entry(struct vma_node *to, uint32_t at, const struct vma_node *from, uint32_t i)
{
	to->end[at] = from->end[i];
	to->gap[at] = from->gap[i];
	to->child[at] = from->child[i];
}

static void take_entry(struct vma_node *node, uint32_t at)
{
	for (node->n--; at < node->n; at++)
		copy_entry(node, at, node, at + 1);
}

/* Makes room for an entry `at`, of a node that is not full. */
static void make_room(struct vma_node *node, uint32_t at)
{
	for (uint32_t i = node->n++; i > at; i--)
		copy_entry(node, i, node, i - 1);
}

/* The entries of `from` from `first` on are appended to `to`, the node before it. */
static void append_entries(struct vma_node *to, struct vma_node *from, uint32_t first)
{
	for (; first < from->n; first++) {
		copy_entry(to, to->n, from, first);
		adopt(to, to->n++);
	}
}

/* Entry i sums up the node below it anew. */
static void sum_up_entry(struct vma_node *node, uint32_t i)
{
	const struct vma_node *child = node->node[i];

	node->end[i] = child->end[child->n - 1];
	node->gap[i] = largest_gap(child);
}

/* The node's entries changed: so may its own in the parent, and so on upwards. */
static void sum_up(struct vma_node *node)
{
	for (struct vma_node *parent; (parent = node->parent); node = parent) {
		uint32_t i = slot_of(parent, node);
		uint64_t end = parent->end[i], gap = parent->gap[i];

		sum_up_entry(parent, i);
		if (parent->end[i] == end && parent->gap[i] == gap)
			return;
	}
}

/* ---- holes ---- */

/* The entry of the node nearest to `from`, from there on away from it on that side, with a gap of
 * at least len; -1: none. */
static int fitting_entry(const struct vma_node *node, int from, uint64_t len, enum vma_side side)
{
	int step = side == VMA_BELOW ? -1 : 1;

	for (; from >= 0 && from < (int)node->n; from += step)
		if (node->gap[from] >= len)
			return from;
	return -1;
}

/* The VMA that fits, nearest to where the search came from. Needs: the entry has one. */
static struct vma *fit_below_entry(const struct vma_node *node, int i, uint64_t len,
				   enum vma_side side)
{
	while (node->level) {
		node = node->node[i];
		i = fitting_entry(node, side == VMA_BELOW ? (int)node->n - 1 : 0, len, side);
	}
	return node->vma[i];
}

struct vma *vma_index_fit(const struct vma *vma, uint64_t len, enum vma_side side)
{
	const void *child = vma;

	for (const struct vma_node *node = vma->link.leaf; node; node = node->parent) {
		int from = (int)slot_of(node, child) + (side == VMA_BELOW ? -1 : 1);
		int i = fitting_entry(node, from, len, side);

		if (i >= 0)
			return fit_below_entry(node, i, len, side);
		child = node;
	}
	return NULL;
}

/* ---- inserting ---- */

/* Puts a child in as entry `at` of a node that is not full. */
static void put_entry(struct vma_node *node, uint32_t at, void *child)
{
	make_room(node, at);
	node->child[at] = child;
	adopt(node, at);
	if (node->level) {
		sum_up_entry(node, at);
	} else {
		node->end[at] = node->vma[at]->end;
		node->gap[at] = node->vma[at]->gap;
	}
}

/* How many entries stay in a full node into which another one comes at `at`. */
static uint32_t split_at(uint32_t at)
{
	if (at == VMA_NODE_MAX)
		return VMA_NODE_MAX - VMA_NODE_MIN + 1;
	return at ? VMA_NODE_MAX / 2 : VMA_NODE_MIN - 1;
}

/* A root above the node, which was the root. */
static void grow(struct vma_index *index, struct vma_node *node)
{
	struct vma_node *root = node_get(index, node->level + 1);

	put_entry(root, 0, node);
	index->root = root;
	index->height++;
}

static void insert_at(struct vma_index *index, struct vma_node *node, uint32_t at, void *child);

/* Case 1: the upper entries get a node of their own, which is returned. */
static struct vma_node *split(struct vma_index *index, struct vma_node *node, uint32_t keep)
{
	struct vma_node *upper = node_get(index, node->level);
	uint32_t i;

	if (!node->parent)
		grow(index, node);
	append_entries(upper, node, keep);
	node->n = keep;
	i = slot_of(node->parent, node);
	sum_up_entry(node->parent, i);
	insert_at(index, node->parent, i + 1, upper);
	return upper;
}

/* The child, a VMA or a node, becomes entry `at` of the node. */
static void insert_at(struct vma_index *index, struct vma_node *node, uint32_t at, void *child)
{
	if (node->n == VMA_NODE_MAX) {
		uint32_t keep = split_at(at);
		struct vma_node *upper = split(index, node, keep);

		if (at > keep) {
			node = upper;
			at -= keep;
		}
	}
	put_entry(node, at, child);
	sum_up(node);
}

void vma_index_insert(struct mm *mm, struct vma *vma)
{
	struct vma_index *index = &mm->index;

	if (vma->prev) {
		struct vma_node *leaf = vma->prev->link.leaf;

		insert_at(index, leaf, slot_of(leaf, vma->prev) + 1, vma);
	} else if (vma->next) {
		insert_at(index, vma->next->link.leaf, 0, vma);
	} else {
		index->root = node_get(index, 0);
		index->height = 1;
		insert_at(index, index->root, 0, vma);
	}
}

/* ---- erasing ---- */

/* The root lost an entry: it may be one too many. */
static void shrink(struct vma_index *index, struct vma_node *root)
{
	if (root->n > 1 || (root->n && !root->level))
		return;
	index->root = root->n ? root->node[0] : NULL;
	index->height--;
	if (index->root)
		index->root->parent = NULL;
	node_put(index, root);
}

/* Both get half of their entries, of which there are more than one node holds. */
static void even_out(struct vma_node *left, struct vma_node *right)
{
	uint32_t half = (left->n + right->n) / 2;

	for (; left->n < half; take_entry(right, 0)) {
		copy_entry(left, left->n, right, 0);
		adopt(left, left->n++);
	}
	for (; left->n > half; left->n--) {
		make_room(right, 0);
		copy_entry(right, 0, left, left->n - 1);
		adopt(right, 0);
	}
}

static void erase_at(struct vma_index *index, struct vma_node *node, uint32_t at);

/* Case 2: the node, which is not the root, has too few entries. */
static void refill(struct vma_index *index, struct vma_node *node)
{
	struct vma_node *parent = node->parent, *left, *right;
	uint32_t i = slot_of(parent, node);

	i -= i > 0;
	left = parent->node[i];
	right = parent->node[i + 1];
	if (left->n + right->n <= VMA_NODE_MAX) {
		append_entries(left, right, 0);
		node_put(index, right);
		sum_up_entry(parent, i);
		erase_at(index, parent, i + 1);
		return;
	}
	even_out(left, right);
	sum_up_entry(parent, i);
	sum_up_entry(parent, i + 1);
	sum_up(parent);
}

static void erase_at(struct vma_index *index, struct vma_node *node, uint32_t at)
{
	take_entry(node, at);
	if (!node->parent)
		shrink(index, node);
	else if (node->n < VMA_NODE_MIN)
		refill(index, node);
	else
		sum_up(node);
}

void vma_index_erase(struct mm *mm, struct vma *vma)
{
	struct vma_node *leaf = vma->link.leaf;

	erase_at(&mm->index, leaf, slot_of(leaf, vma));
}

/* ---- changing ---- */

void vma_index_gap_changed(struct vma *vma)
{
	struct vma_node *leaf = vma->link.leaf;

	leaf->gap[slot_of(leaf, vma)] = vma->gap;
	sum_up(leaf);
}

void vma_index_end_changed(struct vma *vma)
{
	struct vma_node *leaf = vma->link.leaf;
	uint32_t i = slot_of(leaf, vma);

	leaf->end[i] = vma->end;
	if (i == leaf->n - 1)
		sum_up(leaf);
}

/* ---- the end ---- */

static void free_nodes(struct vma_node *node)
{
	for (uint32_t i = 0; node->level && i < node->n; i++)
		free_nodes(node->node[i]);
	kmem_cache_free(&node_cache, node);
}

void vma_index_clear(struct mm *mm)
{
	struct vma_node *node, *next;

	if (mm->index.root)
		free_nodes(mm->index.root);
	for (node = mm->index.free; node; node = next) {
		next = node->parent;
		kmem_cache_free(&node_cache, node);
	}
	mm->index = (struct vma_index){0};
}

/* ---- checking ---- */

/* The nodes below hold the VMAs of the list from `vma` on; the first that they do not is returned.
 */
static const struct vma *check_node(const struct vma_node *node, uint32_t level,
				    const struct vma *vma)
{
	ASSERT(node->level == level && node->n <= VMA_NODE_MAX);
	ASSERT(node->n >= (node->parent ? VMA_NODE_MIN : level ? 2 : 1));
	for (uint32_t i = 0; i < node->n; i++) {
		if (level) {
			const struct vma_node *child = node->node[i];

			ASSERT(child->parent == node);
			vma = check_node(child, level - 1, vma);
			ASSERT(node->end[i] == child->end[child->n - 1]);
			ASSERT(node->gap[i] == largest_gap(child));
		} else {
			ASSERT(vma && node->vma[i] == vma && vma->link.leaf == node);
			ASSERT(node->end[i] == vma->end && node->gap[i] == vma->gap);
			vma = vma->next;
		}
	}
	return vma;
}

void vma_index_check(const struct mm *mm)
{
	const struct vma_index *index = &mm->index;
	uint32_t nr_free = 0;

	ASSERT(!index->root == !mm->first && !index->root == !index->height);
	if (index->root) {
		ASSERT(!index->root->parent);
		ASSERT(!check_node(index->root, index->height - 1, mm->first));
	}
	for (const struct vma_node *node = index->free; node; node = node->parent)
		nr_free++;
	ASSERT(nr_free == index->nr_free);
}
