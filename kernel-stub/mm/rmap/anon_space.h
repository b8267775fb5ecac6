/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may map an anonymous page, once there is fork: from the page to address spaces.
 *
 * Address spaces that fork made of one another form a tree of struct anon_space:
 *
 *     a ── A          capitals: struct mm; small letters: struct anon_space
 *     ├── b ── B      A forked B and D, B forked C
 *     │   └── c ── C
 *     └── d ── D
 *
 * 1. An anonymous page carries the space of the mm that made it (page->mapping) and its address
 *    (page->index). It reaches another mm only by fork, and there it has the same address. So every
 *    mapping of it is at that address, in an mm of its space or of a space below: a page that B
 *    made is looked for in B and C, never in A or D.
 * 2. A space whose mm has gone stays while there are spaces below it, since pages still name it.
 * 3. So that a chain of forks whose parents exit leaves no chain of empty spaces, a space at depth
 *    ANON_DEPTH_MAX has the mms forked from its own in it too. A page of theirs is looked for in
 *    all of them: more than needed, but still exact.
 * 4. A page that its last owner takes over (cow_reuse) goes to that owner's space.
 *
 * Linux reaches the same pages from each VMA's chain of anon_vmas (mm/rmap.c), which fork copies
 * VMA by VMA: as long as the process has ancestors. Here a fork costs one struct, and mmap, munmap,
 * splits and merges nothing. The price: a page that is moved to another address must not be
 * shared at that time, so mremap copies one that is.
 *
 * Locks: `anon` (rank in lock_class.def) protects the tree and the lists of mms. Which space an mm
 * is in never changes.
 */
#ifndef MM_ANON_SPACE_H
#define MM_ANON_SPACE_H

#include "mm/base/mm_types.h"
#include "mm/pgtable/pgtable.h"

#define ANON_DEPTH_MAX 8

struct anon_space {
	struct anon_space *parent;
	struct list_node sibling; /* in parent->children */
	struct list_node children;
	struct list_node mms; /* struct mm.anon_mms */
	uint32_t depth;
};

#define ANON_PAGE_BIT 1ull /* in page->mapping: an anon_space, not a vm_file */

static inline struct anon_space *anon_space_of(const void *mapping)
{
	return (struct anon_space *)((uintptr_t)mapping & ~ANON_PAGE_BIT);
}

/* Slab cache; by mm_init(). */
void anon_space_init(void);

/* Puts an mm into the tree: below the one that it is forked from, or, if that is NULL, as the root
 * of a tree of its own. 0 or -MM_ENOMEM. */
int anon_space_enter(struct mm *mm, const struct mm *forked_from);

/* Takes an mm out of the tree, and the spaces that nobody needs any more. Needs: no page is mapped
 * in it. */
void anon_space_leave(struct mm *mm);

/* Calls visit(arg, mm, slot) for each PTE that maps an anonymous page; how many. Needs: the PTEs
 * and tables of all mms that may map it at rest. Takes `anon`, also round visit(). */
int anon_space_walk(const struct page *page,
		    void (*visit)(void *arg, struct mm *mm, struct pte_slot slot), void *arg);

#endif
