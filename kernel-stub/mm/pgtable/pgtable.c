/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page tables: made on the way down, freed when empty.
 *
 *   level 3   the root, one per mm; its upper half is the kernel's and shared by all
 *   level 2   entries of 1 GiB
 *   level 1   entries of 2 MiB
 *   level 0   the PTEs
 *
 * 1. Making (pgtable_make) happens under mm->table_lock, so that two CPUs that miss the same table
 *    make it once. The tables that are missing are made from the lowest up and linked by one store
 *    at the end: nobody sees half of them, and without memory nothing is left behind. So no table
 *    above the lowest level is ever empty.
 * 2. Freeing (pgtable_free_range) goes by the tables' own counts: a table that a neighbouring VMA
 *    still uses has entries and stays. An empty table is unlinked, then what the TLB keeps of upper
 *    levels (paging-structure caches) is dropped, and only then the frames are freed.
 *
 * Lock order: mm->lock, mm->table_lock, buddy.
 */
#include "mm/pgtable/pgtable.h"

#include "mm/base/mm_errno.h"
#include "mm/pgtable/tlb.h"
#include "mm/pgtable/vmalloc.h"
#include "mm/phys/buddy.h"

/* A table that lies in that page. */
static void table_make(struct page *table)
{
	page_set_flags(table, table->flags | 1u << PG_TABLE);
	table->nr_present = 0;
	table->ptl = (struct spinlock){0};
	table->entries = page_to_virt(table);
	table->piece = PGTABLE_NO_PIECE;
	vmstat_inc(FL_VMSTAT_NR_PAGE_TABLE_PAGES);
}

/* An empty table; NULL without memory. */
static struct page *table_alloc(void)
{
	struct page *table = page_alloc_kernel();

	if (table)
		table_make(table);
	return table;
}

/* A root table with the kernel's entries (but vmalloc.h's lazy ones), whose user half is empty;
 * NULL without memory. */
static struct page *root_alloc(void)
{
	uint64_t kernel = port_kernel_root_pfn();
	struct page *root;

	if (!kernel)
		return table_alloc();
	root = page_alloc_order(port_root_order(), MT_UNMOVABLE);
	if (!root)
		return NULL;
	port_copy_page(page_to_virt(root), port_pfn_to_virt(kernel));
	vmalloc_forget(page_to_virt(root));
	port_root_init(page_to_virt(root));
	table_make(root);
	return root;
}

/* The caller counts it out of nr_page_table_pages. */
static void table_free(struct page *table)
{
	ASSERT(table->flags == 1u << PG_TABLE && table->nr_present == 0);
	page_set_flags(table, 0);
	page_put(table);
}

static void root_free(struct page *root)
{
	if (!port_root_order()) {
		table_free(root);
		return;
	}
	ASSERT(root->flags == 1u << PG_TABLE && root->nr_present == 0);
	root->flags = 0;
	page_free_order(root, port_root_order());
}

int pgtable_init(struct mm *mm)
{
	struct page *root = root_alloc();

	if (!root)
		return -MM_ENOMEM;
	mm->root_pfn = page_to_pfn(root);
	mm->last_table = root;
	mm->nr_tables = 0;
	return 0;
}

void pgtable_destroy(struct mm *mm)
{
	ASSERT(mm->nr_tables == 0);
	root_free(pfn_to_page(mm->root_pfn));
	vmstat_add(FL_VMSTAT_NR_PAGE_TABLE_PAGES, -1);
	mm->root_pfn = 0;
}

/* Sets an entry of an upper level. */
static void table_link(pte_t *entry, unsigned level, pte_t e)
{
	if (level == PT_LEVELS - 1)
		port_root_set(entry, e);
	else
		port_pte_xchg(entry, e);
}

/* ---- making ---- */

/* Frees a chain of tables that is linked nowhere yet: each has one entry, for va, but the last. */
static void chain_free(struct page *table, unsigned level, uint64_t va)
{
	for (; table; level--) {
		pte_t *entry = &table->entries[pgtable_index(va, level)];
		struct page *below = level ? pfn_to_page(pte_pfn(*entry)) : NULL;

		port_pte_set(entry, (pte_t){0});
		table->nr_present = 0;
		table_free(table);
		vmstat_add(FL_VMSTAT_NR_PAGE_TABLE_PAGES, -1);
		table = below;
	}
}

/* The tables of levels 0 to `top` for va, the lower ones linked to the upper: the upmost, and the
 * lowest in *lowest. NULL without memory, nothing left behind. */
static struct page *chain_make(uint64_t va, unsigned top, struct page **lowest)
{
	struct page *below = NULL;

	for (unsigned level = 0; level <= top; level++) {
		struct page *table = table_alloc();

		if (!table) {
			if (below)
				chain_free(below, level - 1, va);
			return NULL;
		}
		if (level == 0) {
			table->piece = pgtable_piece(va);
			*lowest = table;
		} else {
			port_pte_set(&table->entries[pgtable_index(va, level)],
				     pte_make_table(page_to_pfn(below)));
			table->nr_present = 1;
		}
		below = table;
	}
	return below;
}

/* The lowest-level table of va, made if it is missing, and those above it; NULL without memory.
 * Apart, so that a walk that finds its table saves no register. */
static __attribute__((noinline)) struct page *pgtable_make(struct mm *mm, uint64_t va)
{
	struct page *table = pfn_to_page(mm->root_pfn), *lowest = NULL, *chain;
	unsigned level = PT_LEVELS - 1;
	pte_t *entry, e;

	ASSERT(va < TASK_SIZE);
	spin_lock(&mm->table_lock, LOCK_PTL_UPPER);
	for (;; level--) {
		entry = &table->entries[pgtable_index(va, level)];
		e = port_pte_read(entry); /* a CPU may set its accessed bit meanwhile */
		if (pte_none(e))
			break;
		lowest = table = pfn_to_page(pte_pfn(e));
		if (level == 1)
			goto out; /* another CPU made it meanwhile */
	}
	chain = chain_make(va, level - 1, &lowest);
	if (chain) {
		table->nr_present++;
		mm->nr_tables += level;
		table_link(entry, level, pte_make_table(page_to_pfn(chain)));
	} else {
		lowest = NULL;
	}
out:
	spin_unlock(&mm->table_lock, LOCK_PTL_UPPER);
	return lowest;
}

struct pte_slot pgtable_get_slow(struct mm *mm, uint64_t va)
{
	struct page *table = pgtable_find(mm, va).table;

	if (!table)
		table = pgtable_make(mm, va);
	if (!table)
		return (struct pte_slot){0};
	__atomic_store_n(&mm->last_table, table, __ATOMIC_RELEASE);
	return pgtable_slot(table, va);
}

/* ---- walking a range ---- */

/* From the entry of *va on, the first in this table that is in use; moves *va to where it begins,
 * or to the end of the table (or past `end`) and returns none. */
static pte_t table_scan(const pte_t *table, unsigned level, uint64_t *va, uint64_t end)
{
	uint64_t span = pgtable_span(level);
	unsigned i = pgtable_index(*va, level);

	for (;;) {
		pte_t e = port_pte_read(&table[i]);

		if (!pte_none(e))
			return e;
		*va = (*va & ~(span - 1)) + span;
		if (++i == PTRS_PER_TABLE || *va >= end)
			return e;
	}
}

struct pte_slot pgtable_next_slow(struct mm *mm, uint64_t *va, uint64_t end)
{
	while (*va < end) {
		const pte_t *table = port_pfn_to_virt(mm->root_pfn);
		pte_t e = {0};

		for (unsigned level = PT_LEVELS - 1; level > 0; level--) {
			e = port_pte_read(&table[pgtable_index(*va, level)]);
			if (pte_none(e))
				e = table_scan(table, level, va, end);
			if (pte_none(e))
				break;
			table = pgtable_below(e);
		}
		if (!pte_none(e))
			return pgtable_slot(pfn_to_page(pte_pfn(e)), *va);
	}
	return (struct pte_slot){0};
}

/* ---- freeing ---- */

/* Unlinks the lowest-level table of va, which is empty, and the tables above it that become so, in
 * front of the chain `gone` through page->next_free. */
static struct page *table_prune(struct mm *mm, uint64_t va, struct page *gone)
{
	struct page *path[PT_LEVELS];

	path[PT_LEVELS - 1] = pfn_to_page(mm->root_pfn);
	for (unsigned level = PT_LEVELS - 1; level > 0; level--)
		path[level - 1] = pfn_to_page(
			pte_pfn(port_pte_read(&path[level]->entries[pgtable_index(va, level)])));
	for (unsigned level = 1; level < PT_LEVELS && !path[level - 1]->nr_present; level++) {
		table_link(&path[level]->entries[pgtable_index(va, level)], level, (pte_t){0});
		path[level]->nr_present--;
		path[level - 1]->next_free = gone;
		gone = path[level - 1];
	}
	return gone;
}

/* Frees a chain of unlinked tables; va is an address that one of them covered. */
static __attribute__((noinline)) void chain_release(struct mm *mm, uint64_t va, struct page *gone)
{
	int64_t freed = 0;

	tlb_flush_tables(mm, va);
	mm->last_table = pfn_to_page(mm->root_pfn);
	for (struct page *next; gone; gone = next, freed++) {
		next = gone->next_free;
		table_free(gone);
	}
	mm->nr_tables -= freed;
	vmstat_add(FL_VMSTAT_NR_PAGE_TABLE_PAGES, -freed);
}

/* The whole of pgtable_free_range from its first table on. */
static __attribute__((noinline)) void free_tables(struct mm *mm, struct pte_slot slot, uint64_t va,
						  uint64_t end)
{
	struct page *gone = NULL;
	uint64_t first = va;

	do {
		if (!slot.table->nr_present)
			gone = table_prune(mm, va, gone);
		va = pgtable_table_end(va, end);
		slot = pgtable_next(mm, &va, end);
	} while (slot.pte);
	if (gone)
		chain_release(mm, first, gone);
}

void pgtable_free_range(struct mm *mm, uint64_t start, uint64_t end)
{
	struct pte_slot slot;

	ASSERT(start <= end && end <= TASK_SIZE);
	slot = pgtable_next(mm, &start, end);
	if (!slot.pte || (slot.table->nr_present && pgtable_piece(start) == pgtable_piece(end - 1)))
		return;
	free_tables(mm, slot, start, end);
}
