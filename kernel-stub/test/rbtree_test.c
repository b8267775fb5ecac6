/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Red-black trees against a sorted array; every shape of small trees; what rb_check must find. */
#include <atf-c.h>
#include <string.h>

#include "mm/base/rbtree.h"
#include "port/hosted/hosted.h"
#include "test/random.h"

#define KEYS 2048u

/* Augmented as VMAs are: the largest value in each subtree. */
struct item {
	struct rb_node rb;
	unsigned key;
	uint64_t value, max;
	bool in;
};

static struct item items[KEYS];

static struct item *item_of(const struct rb_node *n)
{
	return container_of(n, struct item, rb);
}

static uint64_t max_of(const struct rb_node *n)
{
	return n ? item_of(n)->max : 0;
}

static uint64_t right_max(const struct rb_node *n)
{
	uint64_t max = item_of(n)->value;

	for (int i = 0; i < 2; i++)
		if (max_of(n->child[i]) > max)
			max = max_of(n->child[i]);
	return max;
}

static inline bool update_max(struct rb_node *n)
{
	uint64_t before = item_of(n)->max;

	item_of(n)->max = right_max(n);
	return item_of(n)->max != before;
}

static bool less(const struct rb_node *a, const struct rb_node *b)
{
	return item_of(a)->key < item_of(b)->key;
}

static bool max_ok(const struct rb_node *n)
{
	return item_of(n)->max == right_max(n);
}

static struct rb_node **descend(struct rb_root *root, unsigned key, struct rb_node **parent)
{
	struct rb_node **link = &root->node;

	for (*parent = NULL; *link; link = &(*link)->child[key > item_of(*link)->key])
		*parent = *link;
	return link;
}

static void insert(struct rb_root *root, unsigned key, uint64_t value, bool augmented)
{
	struct item *it = &items[key];
	struct rb_node *parent, **link = descend(root, key, &parent);

	*it = (struct item){.key = key, .value = value, .in = true};
	if (augmented)
		rb_insert_augmented(root, parent, link, &it->rb, update_max);
	else
		rb_insert(root, parent, link, &it->rb);
}

static void erase(struct rb_root *root, unsigned key, bool augmented)
{
	items[key].in = false;
	if (augmented)
		rb_erase_augmented(root, &items[key].rb, update_max);
	else
		rb_erase(root, &items[key].rb);
}

/* Forwards and backwards, the tree has the keys that are in, and no other. */
static void check_walk(const struct rb_root *root, unsigned keys)
{
	struct rb_node *n = rb_first(root);

	for (unsigned key = 0; key < keys; key++)
		if (items[key].in) {
			ATF_REQUIRE_EQ(n, &items[key].rb);
			n = rb_next(n);
		}
	ATF_REQUIRE_EQ(n, NULL);
	n = rb_last(root);
	for (unsigned key = keys; key-- > 0;)
		if (items[key].in) {
			ATF_REQUIRE_EQ(n, &items[key].rb);
			n = rb_prev(n);
		}
	ATF_REQUIRE_EQ(n, NULL);
}

static void run_random(unsigned keys, unsigned steps, unsigned check_every, bool augmented)
{
	struct rb_root root = {NULL};
	uint64_t seed = keys + augmented;
	size_t count = 0;

	memset(items, 0, sizeof(items));
	for (unsigned step = 0; step < steps; step++) {
		unsigned key = (unsigned)random_below(&seed, keys);

		if (items[key].in) {
			erase(&root, key, augmented);
			count--;
		} else {
			insert(&root, key, random_below(&seed, 100), augmented);
			count++;
		}
		if (augmented && count && items[key].in && random_below(&seed, 4) == 0) {
			items[key].value = random_below(&seed, 100);
			rb_propagate(&items[key].rb, update_max);
		}
		if (step % check_every)
			continue;
		ATF_REQUIRE_EQ(rb_check(&root, less, augmented ? max_ok : NULL), count);
		check_walk(&root, keys);
	}
}

ATF_TC_WITHOUT_HEAD(random_small);
ATF_TC_BODY(random_small, tc)
{
	(void)tc;
	for (unsigned keys = 1; keys <= 32; keys++) {
		run_random(keys, 5000, 1, true);
		run_random(keys, 1000, 1, false);
	}
}

ATF_TC_WITHOUT_HEAD(random_large);
ATF_TC_BODY(random_large, tc)
{
	(void)tc;
	run_random(KEYS, 200000, 499, true);
	run_random(KEYS, 100000, 499, false);
}

/* The permutation of 0..n-1 with that number (factorial number system). */
static void permutation(unsigned number, unsigned n, unsigned *order)
{
	for (unsigned i = 0; i < n; i++)
		order[i] = i;
	for (unsigned i = n; i > 1; i--) {
		unsigned j = number % i, swap = order[j];

		number /= i;
		order[j] = order[i - 1];
		order[i - 1] = swap;
	}
}

static void build(struct rb_root *root, const unsigned *order, unsigned n)
{
	root->node = NULL;
	for (unsigned i = 0; i < n; i++) {
		insert(root, order[i], (order[i] * 5 + 3) % 7, true);
		ATF_REQUIRE_EQ(rb_check(root, less, max_ok), i + 1);
	}
}

/* Every order of insertion of 7 keys, and from each tree every key erased, then all the others. */
ATF_TC_WITHOUT_HEAD(exhaustive);
ATF_TC_BODY(exhaustive, tc)
{
	enum { N = 7, FACTORIAL = 5040 };
	struct rb_root root;
	unsigned order[N];

	(void)tc;
	for (unsigned number = 0; number < FACTORIAL; number++) {
		permutation(number, N, order);
		for (unsigned first = 0; first < N; first++) {
			build(&root, order, N);
			for (unsigned i = 0; i < N; i++) {
				erase(&root, (first + i) % N, true);
				ATF_REQUIRE_EQ(rb_check(&root, less, max_ok), N - 1 - i);
			}
			ATF_REQUIRE_EQ(root.node, NULL);
		}
	}
}

/*
 * ---- rb_check finds what is wrong, in this tree (r: red):
 *
 *         1
 *       /   \
 *      0     3r
 *           /  \
 *          2    4
 *                \
 *                 5r
 */

static void check_tree(void *root)
{
	rb_check(root, less, max_ok);
}

static void break_root(struct rb_root *root)
{
	rb_set_red(root->node);
}

static void break_red(struct rb_root *root)
{
	rb_set_red(root->node->right->right);
}

static void break_black_depth(struct rb_root *root)
{
	rb_set_black(rb_last(root));
}

static void break_order(struct rb_root *root)
{
	item_of(rb_first(root))->key = 100;
}

static void break_summary(struct rb_root *root)
{
	item_of(root->node->right)->max++;
}

static void break_parent(struct rb_root *root)
{
	rb_set_parent(root->node->left, root->node->right);
}

ATF_TC_WITHOUT_HEAD(check_finds);
ATF_TC_BODY(check_finds, tc)
{
	static const struct {
		void (*harm)(struct rb_root *);
		const char *says;
	} rows[] = {
		{break_root, "the root is red"},    {break_red, "has a red child"},
		{break_black_depth, "black depth"}, {break_order, "out of order"},
		{break_summary, "stale summary"},   {break_parent, "wrong parent"},
	};
	struct rb_root root;

	(void)tc;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *message;

		root.node = NULL;
		for (unsigned key = 0; key < 6; key++)
			insert(&root, key, key, true);
		ATF_REQUIRE_EQ(hosted_catch_panic(check_tree, &root), NULL);
		rows[i].harm(&root);
		message = hosted_catch_panic(check_tree, &root);
		ATF_REQUIRE_MSG(message && strstr(message, rows[i].says), "%s: got %s",
				rows[i].says, message ? message : "no panic");
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, random_small);
	ATF_TP_ADD_TC(tp, random_large);
	ATF_TP_ADD_TC(tp, exhaustive);
	ATF_TP_ADD_TC(tp, check_finds);
	return atf_no_error();
}
