/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page tables of one mm: four levels, freed when empty.
 *
 * Each table is a page with PG_TABLE, and counts its entries in use in page->nr_present (of the
 * root: those of the user half); a lowest-level table says in page->piece which piece of the
 * address space it covers, so that a fault can try the table of the last fault before it walks.
 * Entries of the upper levels change under mm->table_lock; entries of a lowest-level table under
 * its page's ptl. A table is freed only by a holder of mm->lock for writing, so that a fault, which
 * holds it for reading, may keep a pointer into one.
 */
#ifndef MM_PGTABLE_H
#define MM_PGTABLE_H

#include "mm/base/mm_types.h"
#include "mm/phys/page.h"

/* Where a lowest-level entry is. */
struct pte_slot {
	pte_t *pte;
	struct page *table;
};

/* The root table for a new mm, with the kernel's upper half; 0 or -MM_ENOMEM. */
int pgtable_init(struct mm *mm);
void pgtable_destroy(struct mm *mm); /* needs: no user entry left */

/* Bytes that one entry of a table of that level covers, and which entry covers va. */
static inline uint64_t pgtable_span(unsigned level)
{
	return PAGE_SIZE << (9 * level);
}

static inline unsigned pgtable_index(uint64_t va, unsigned level)
{
	return va >> (PAGE_SHIFT + 9 * level) & (PTRS_PER_TABLE - 1);
}

/* The table that an entry of an upper level points to. */
static inline pte_t *pgtable_below(pte_t entry)
{
	return port_pfn_to_virt(pte_pfn(entry));
}

/* The slot of va without making tables; slot.pte NULL if a table on the way is missing.
 * Needs: mm->lock; va < TASK_SIZE. */
static inline struct pte_slot pgtable_find(struct mm *mm, uint64_t va)
{
	const pte_t *top = port_pfn_to_virt(mm->root_pfn);
	pte_t e = port_pte_read(&top[pgtable_index(va, 3)]);

	if (unlikely(pte_none(e)))
		return (struct pte_slot){0};
	e = port_pte_read(&pgtable_below(e)[pgtable_index(va, 2)]);
	if (unlikely(pte_none(e)))
		return (struct pte_slot){0};
	e = port_pte_read(&pgtable_below(e)[pgtable_index(va, 1)]);
	if (unlikely(pte_none(e)))
		return (struct pte_slot){0};
	return (struct pte_slot){&pgtable_below(e)[pgtable_index(va, 0)], pfn_to_page(pte_pfn(e))};
}

/* Which lowest-level table covers va; what page->piece is of a table of another level. */
static inline uint64_t pgtable_piece(uint64_t va)
{
	return va >> PMD_SHIFT;
}
#define PGTABLE_NO_PIECE (~0ull)

/* The lowest-level table of va if it is that of the last fault; NULL if not, which says nothing.
 * Needs: mm->lock; va < TASK_SIZE. */
static inline struct page *pgtable_try(struct mm *mm, uint64_t va)
{
	struct page *table = __atomic_load_n(&mm->last_table, __ATOMIC_ACQUIRE);

	return likely(table->piece == pgtable_piece(va)) ? table : NULL;
}

/* The slot of va in its lowest-level table. */
static inline struct pte_slot pgtable_slot(struct page *table, uint64_t va)
{
	return (struct pte_slot){&table->entries[pgtable_index(va, 0)], table};
}

/* The slow half of pgtable_get(): walks, makes what is missing under mm->table_lock, and remembers
 * the table. */
struct pte_slot pgtable_get_slow(struct mm *mm, uint64_t va);

/* The same as pgtable_find, making the tables that are missing; slot.pte NULL without memory.
 * Needs: mm->lock; va < TASK_SIZE. */
static inline struct pte_slot pgtable_get(struct mm *mm, uint64_t va)
{
	struct page *table = pgtable_try(mm, va);

	return likely(table != NULL) ? pgtable_slot(table, va) : pgtable_get_slow(mm, va);
}

/* The slow half of pgtable_next(). */
struct pte_slot pgtable_next_slow(struct mm *mm, uint64_t *va, uint64_t end);

/* The slot of *va, or, where its table is missing, of the first address after it that has one and
 * is below end: *va moves there. slot.pte NULL and *va >= end if there is none. For walks over a
 * range, a table at a time. Needs: mm->lock; end <= TASK_SIZE. */
static inline struct pte_slot pgtable_next(struct mm *mm, uint64_t *va, uint64_t end)
{
	struct pte_slot slot = {0};
	struct page *table;

	if (*va >= end)
		return slot;
	table = pgtable_try(mm, *va);
	if (table)
		return pgtable_slot(table, *va);
	if (pgtable_piece(*va) != pgtable_piece(end - 1))
		return pgtable_next_slow(mm, va, end);
	slot = pgtable_find(mm, *va);
	if (!slot.pte)
		*va = end;
	return slot;
}

/* Where the lowest-level table that covers va ends, or `end` if that comes first. */
static inline uint64_t pgtable_table_end(uint64_t va, uint64_t end)
{
	uint64_t next = (va & ~(PMD_SIZE - 1)) + PMD_SIZE;

	return next < end ? next : end;
}

/* Frees the tables that cover part of [start, end) and are empty. Needs: mm->lock for writing,
 * nothing mapped there. Drops what this mm's TLB keeps of upper levels, if a table went. */
void pgtable_free_range(struct mm *mm, uint64_t start, uint64_t end);

#endif
