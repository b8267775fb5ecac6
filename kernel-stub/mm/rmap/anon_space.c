/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree of address spaces that fork made of one another: see anon_space.h. */
#include "mm/rmap/anon_space.h"

#include "mm/base/mm_errno.h"
#include "mm/phys/slab.h"

static struct kmem_cache anon_space_cache;
static struct spinlock anon_lock; /* LOCK_ANON */

void anon_space_init(void)
{
	kmem_cache_init(&anon_space_cache, "anon_space", sizeof(struct anon_space), 8);
	anon_lock = (struct spinlock){0};
}

static struct anon_space *space_alloc(struct anon_space *parent)
{
	struct anon_space *space = kmem_cache_alloc(&anon_space_cache);

	if (!space)
		return NULL;
	space->parent = parent;
	list_init(&space->children);
	list_init(&space->mms);
	space->depth = parent ? parent->depth + 1 : 0;
	return space;
}

int anon_space_enter(struct mm *mm, const struct mm *forked_from)
{
	struct anon_space *above = forked_from ? anon_space_of(forked_from->anon_mapping) : NULL;
	bool share = above && above->depth == ANON_DEPTH_MAX;
	struct anon_space *space = share ? above : space_alloc(above);

	if (!space)
		return -MM_ENOMEM;
	mm->anon_mapping = (void *)((uintptr_t)space | ANON_PAGE_BIT);
	spin_lock(&anon_lock, LOCK_ANON);
	if (above && !share)
		list_add(&space->sibling, &above->children);
	list_add(&mm->anon_mms, &space->mms);
	spin_unlock(&anon_lock, LOCK_ANON);
	return 0;
}

void anon_space_leave(struct mm *mm)
{
	struct anon_space *space = anon_space_of(mm->anon_mapping);

	spin_lock(&anon_lock, LOCK_ANON);
	list_del(&mm->anon_mms);
	while (space && list_empty(&space->mms) && list_empty(&space->children)) {
		struct anon_space *parent = space->parent;

		if (parent)
			list_del(&space->sibling);
		kmem_cache_free(&anon_space_cache, space);
		space = parent;
	}
	spin_unlock(&anon_lock, LOCK_ANON);
}

/* The next space at or below `top` after this one, parents before children; NULL after the last. */
static struct anon_space *space_next(const struct anon_space *space, const struct anon_space *top)
{
	if (!list_empty(&space->children))
		return list_entry(space->children.next, struct anon_space, sibling);
	for (; space != top; space = space->parent)
		if (space->sibling.next != &space->parent->children)
			return list_entry(space->sibling.next, struct anon_space, sibling);
	return NULL;
}

int anon_space_walk(const struct page *page,
		    void (*visit)(void *arg, struct mm *mm, struct pte_slot slot), void *arg)
{
	const struct anon_space *top = anon_space_of(page->mapping), *space;
	uint64_t pfn = page_to_pfn(page);
	int found = 0;

	spin_lock(&anon_lock, LOCK_ANON);
	for (space = top; space; space = space_next(space, top)) {
		list_for_each (n, &space->mms) {
			struct mm *mm = list_entry(n, struct mm, anon_mms);
			struct pte_slot slot = pgtable_find(mm, page->index << PAGE_SHIFT);
			pte_t pte = slot.pte ? port_pte_read(slot.pte) : (pte_t){0};

			if (pte_none(pte) || pte_pfn(pte) != pfn)
				continue;
			visit(arg, mm, slot);
			found++;
		}
	}
	spin_unlock(&anon_lock, LOCK_ANON);
	return found;
}
