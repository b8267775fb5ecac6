/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page tables by themselves: making, finding, walking a range, freeing what is empty. Entries are
 * written by hand, so most of these address spaces have no VMA.
 */
#include "mm/walk/pgtable_check.h"
#include "test/fault_world.h"

#define GIB (1ull << 30)
#define TIB512 (1ull << 39) /* one entry of the root */

/* Marks an entry as in use, as a fault does; any frame will do. */
static void use(uint64_t va)
{
	struct pte_slot slot = pgtable_get(mm, va);

	ATF_REQUIRE(slot.pte != NULL);
	ATF_REQUIRE(pte_none(*slot.pte));
	port_pte_set(slot.pte, pte_make(page_to_pfn(zero_page), PTE_PROT_USER));
	slot.table->nr_present++;
}

static void unuse(uint64_t va)
{
	struct pte_slot slot = pgtable_find(mm, va);

	ATF_REQUIRE(slot.pte != NULL);
	port_pte_set(slot.pte, (pte_t){0});
	slot.table->nr_present--;
}

static void free_tables(uint64_t start, uint64_t end)
{
	mmap_write_lock(mm);
	pgtable_free_range(mm, start, end);
	mmap_write_unlock(mm);
}

ATF_TC_WITHOUT_HEAD(find_makes_nothing);
ATF_TC_BODY(find_makes_nothing, tc)
{
	const uint64_t before = (world_open(), page_nr_free());

	ATF_CHECK(pgtable_find(mm, 0).pte == NULL);
	ATF_CHECK(pgtable_find(mm, TASK_SIZE - 1).pte == NULL);
	ATF_CHECK_EQ(page_nr_free(), before);
	ATF_CHECK_EQ(mm->nr_tables, 0);
	world_close();
}

/* Every level's boundary: the tables that two addresses share, and the slots in them. */
ATF_TC_WITHOUT_HEAD(get_shares_tables);
ATF_TC_BODY(get_shares_tables, tc)
{
	static const struct {
		uint64_t va;
		int64_t tables; /* there are so many after it */
	} steps[] = {
		{0, 3},
		{PAGE_SIZE, 3},
		{PMD_SIZE - PAGE_SIZE, 3},
		{PMD_SIZE, 4},
		{GIB - PAGE_SIZE, 5},
		{GIB, 7},
		{TIB512 - PAGE_SIZE, 9},
		{TIB512, 12},
		{TASK_SIZE - PAGE_SIZE, 15},
		{PMD_SIZE + PAGE_SIZE, 15},
	};

	world_open();
	for (unsigned i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct pte_slot slot = pgtable_get(mm, steps[i].va), again;

		ATF_REQUIRE(slot.pte != NULL);
		ATF_CHECK_EQ(mm->nr_tables, steps[i].tables);
		ATF_CHECK_EQ(slot.pte, (pte_t *)page_to_virt(slot.table) +
					       (steps[i].va >> PAGE_SHIFT) % PTRS_PER_TABLE);
		ATF_CHECK_EQ(slot.table->piece, steps[i].va >> PMD_SHIFT);
		again = pgtable_find(mm, steps[i].va + PAGE_SIZE - 1);
		ATF_CHECK(again.pte == slot.pte && again.table == slot.table);
		again = pgtable_get(mm, steps[i].va);
		ATF_CHECK(again.pte == slot.pte && again.table == slot.table);
	}
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_PAGE_TABLE_PAGES), 16);
	world_check();
	free_tables(0, TASK_SIZE);
	ATF_CHECK_EQ(mm->nr_tables, 0);
	world_close();
}

/* The table of the last fault is a hint only: another table's address walks, a freed table is
 * forgotten. */
ATF_TC_WITHOUT_HEAD(hint);
ATF_TC_BODY(hint, tc)
{
	struct page *first, *second;

	world_open();
	first = pgtable_get(mm, PMD_SIZE).table;
	second = pgtable_get(mm, 2 * PMD_SIZE).table;
	ATF_CHECK(first != second);
	ATF_CHECK(pgtable_get(mm, PMD_SIZE + PAGE_SIZE).table == first);
	ATF_CHECK(mm->last_table == first);
	free_tables(PMD_SIZE, 2 * PMD_SIZE);
	ATF_CHECK(mm->last_table != first);
	ATF_CHECK(pgtable_find(mm, PMD_SIZE).pte == NULL);
	ATF_CHECK(pgtable_get(mm, PMD_SIZE).pte != NULL);
	ATF_CHECK_EQ(mm->nr_tables, 4);
	free_tables(0, TASK_SIZE);
	world_close();
}

ATF_TC_WITHOUT_HEAD(next);
ATF_TC_BODY(next, tc)
{
	static const uint64_t with_table[] = {PMD_SIZE, 5 * PMD_SIZE, GIB, TIB512 + 3 * GIB,
					      TASK_SIZE - PAGE_SIZE};
	const unsigned n = sizeof(with_table) / sizeof(*with_table);
	struct pte_slot slot;
	unsigned found = 0;

	world_open();
	for (unsigned i = 0; i < n; i++)
		ATF_REQUIRE(pgtable_get(mm, with_table[i]).pte != NULL);
	for (uint64_t va = 0; (slot = pgtable_next(mm, &va, TASK_SIZE)).pte != NULL; found++) {
		ATF_REQUIRE(found < n);
		ATF_CHECK_EQ(va, with_table[found] & ~(PMD_SIZE - 1));
		ATF_CHECK(slot.pte == pgtable_find(mm, va).pte);
		va = pgtable_table_end(va, TASK_SIZE);
	}
	ATF_CHECK_EQ(found, n);

	/* From inside a table: that very slot. Up to a table: none. */
	for (uint64_t va = 5 * PMD_SIZE + 7 * PAGE_SIZE, at = va; at == va; at = 0)
		ATF_CHECK(pgtable_next(mm, &va, GIB).pte == pgtable_find(mm, at).pte);
	for (uint64_t va = 6 * PMD_SIZE; va < GIB;) {
		ATF_CHECK(pgtable_next(mm, &va, GIB).pte == NULL);
		ATF_CHECK(va >= GIB);
	}
	free_tables(0, TASK_SIZE);
	world_close();
}

/*
 * 2 MiB pieces, u = an entry in use; [ ) what is freed:
 *
 *        |u      |      u|u      |
 *            [               )
 */
ATF_TC_WITHOUT_HEAD(free_keeps_what_is_used);
ATF_TC_BODY(free_keeps_what_is_used, tc)
{
	const uint64_t a = GIB, b = a + 2 * PMD_SIZE - PAGE_SIZE, c = a + 2 * PMD_SIZE;

	world_open();
	use(a);
	use(b);
	use(c);
	ATF_CHECK_EQ(mm->nr_tables, 5);
	free_tables(a + PMD_SIZE / 2, c + PMD_SIZE / 2);
	ATF_CHECK_EQ(mm->nr_tables, 5);
	unuse(b);
	free_tables(a + PMD_SIZE / 2, c + PAGE_SIZE);
	ATF_CHECK_EQ(mm->nr_tables, 4);
	ATF_CHECK(pgtable_find(mm, b).pte == NULL);
	ATF_CHECK(!pte_none(pte_at(a)) && !pte_none(pte_at(c)));

	/* An empty table outside the range stays; the range need not be that of a whole table. */
	unuse(a);
	unuse(c);
	free_tables(c + 5 * PAGE_SIZE, c + 6 * PAGE_SIZE);
	ATF_CHECK_EQ(mm->nr_tables, 3);
	ATF_CHECK(pgtable_find(mm, a).pte != NULL);
	free_tables(a, a + PAGE_SIZE);
	ATF_CHECK_EQ(mm->nr_tables, 0);
	world_close();
}

/* Upper levels go when their last table went, and only then; an empty range frees nothing. */
ATF_TC_WITHOUT_HEAD(free_goes_up);
ATF_TC_BODY(free_goes_up, tc)
{
	world_open();
	use(0);
	use(GIB);
	use(TIB512);
	ATF_CHECK_EQ(mm->nr_tables, 3 + 2 + 3);
	unuse(GIB);
	free_tables(GIB, GIB);
	ATF_CHECK_EQ(mm->nr_tables, 8);
	free_tables(GIB, GIB + PAGE_SIZE);
	ATF_CHECK_EQ(mm->nr_tables, 6);
	unuse(0);
	free_tables(0, PAGE_SIZE);
	ATF_CHECK_EQ(mm->nr_tables, 3);
	ATF_CHECK_EQ(pfn_to_page(mm->root_pfn)->nr_present, 1);
	unuse(TIB512);
	free_tables(0, TASK_SIZE);
	ATF_CHECK_EQ(mm->nr_tables, 0);
	world_close();
}

/* What the CPU remembers of upper levels goes with a table, and nothing is flushed without one. */
ATF_TC_WITHOUT_HEAD(free_flushes);
ATF_TC_BODY(free_flushes, tc)
{
	uint64_t before, va;

	world_open();
	va = map_anon(1, RW);
	write_word(va, 1); /* the walk fills the paging-structure caches */
	before = hosted_tlb_count().flush_page;
	free_tables(0, TASK_SIZE);
	ATF_CHECK_EQ(hosted_tlb_count().flush_page, before);
	ATF_REQUIRE_EQ(vm_munmap(mm, va, PAGE_SIZE), 0);
	ATF_CHECK_EQ(mm->nr_tables, 0);
	ATF_CHECK_EQ(hosted_tlb_count().flush_page, before + 2);
	hosted_tlb_check();
	map_anon(1, RW);
	ATF_CHECK_EQ(read_word(va), 0);
	world_close();
}

ATF_TC_WITHOUT_HEAD(no_memory);
ATF_TC_BODY(no_memory, tc)
{
	world_open();
	for (uint64_t n = 1; n <= 3; n++) {
		uint64_t before = page_nr_free();

		hosted_fail_nth(n);
		ATF_CHECK(pgtable_get(mm, GIB).pte == NULL);
		ATF_CHECK_EQ(hosted_fail_refused(), 1);
		hosted_fail_none();
		ATF_CHECK_EQ(mm->nr_tables, 0);
		ATF_CHECK_EQ(page_nr_free(), before);
		world_check();
	}
	ATF_CHECK(pgtable_get(mm, GIB).pte != NULL);
	hosted_fail_nth(1);
	ATF_CHECK(pgtable_get(mm, GIB + PMD_SIZE).pte == NULL);
	hosted_fail_none();
	ATF_CHECK_EQ(mm->nr_tables, 3);
	free_tables(GIB, GIB + PAGE_SIZE);
	ATF_CHECK_EQ(mm->nr_tables, 0);
	hosted_fail_nth(1);
	ATF_CHECK(mm_create() == NULL);
	hosted_fail_none();
	world_close();
}

static void check_mm(void *arg)
{
	(void)arg;
	pgtable_check(mm);
}

/* pgtable_check finds what it promises to find. */
ATF_TC_WITHOUT_HEAD(check_finds);
ATF_TC_BODY(check_finds, tc)
{
	uint64_t va, right;
	struct pte_slot slot;
	pte_t good;

	world_open();
	va = map_at(WORLD_BASE, 2, RO);
	ATF_CHECK_EQ(read_word(va), 0);
	right = map_at(WORLD_BASE + PMD_SIZE, 1, RW);
	write_word(right, 1);
	ATF_CHECK(hosted_catch_panic(check_mm, NULL) == NULL);

	slot = pgtable_find(mm, va);
	good = *slot.pte;
	*slot.pte = pte_set_prot(good, PTE_PROT_USER | PTE_PROT_WRITE);
	ATF_CHECK_MSG(hosted_catch_panic(check_mm, NULL), "a writable zero page");
	*slot.pte = pte_set_prot(good, PTE_PROT_USER | PTE_PROT_EXEC);
	ATF_CHECK_MSG(hosted_catch_panic(check_mm, NULL), "a right that the VMA lacks");
	*slot.pte = (pte_t){0};
	ATF_CHECK_MSG(hosted_catch_panic(check_mm, NULL), "a wrong nr_present");
	*slot.pte = good;

	slot.pte[2] = good;
	slot.table->nr_present++;
	ATF_CHECK_MSG(hosted_catch_panic(check_mm, NULL), "a page outside of every VMA");
	slot.pte[2] = (pte_t){0};
	slot.table->nr_present--;

	*(char *)page_to_virt(zero_page) = 1;
	ATF_CHECK_MSG(hosted_catch_panic(check_mm, NULL), "a written zero page");
	*(char *)page_to_virt(zero_page) = 0;
	mm->rss_anon++;
	ATF_CHECK_MSG(hosted_catch_panic(check_mm, NULL), "a wrong rss_anon");
	mm->rss_anon--;
	mm->nr_tables++;
	ATF_CHECK_MSG(hosted_catch_panic(check_mm, NULL), "a wrong nr_tables");
	mm->nr_tables--;
	page_at(right)->mapcount++;
	ATF_CHECK_MSG(hosted_catch_panic(check_mm, NULL), "a wrong mapcount");
	page_at(right)->mapcount--;
	page_at(right)->index++;
	ATF_CHECK_MSG(hosted_catch_panic(check_mm, NULL), "a wrong index");
	page_at(right)->index--;
	ATF_CHECK(hosted_catch_panic(check_mm, NULL) == NULL);
	world_close();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, find_makes_nothing);
	ATF_TP_ADD_TC(tp, get_shares_tables);
	ATF_TP_ADD_TC(tp, hint);
	ATF_TP_ADD_TC(tp, next);
	ATF_TP_ADD_TC(tp, free_keeps_what_is_used);
	ATF_TP_ADD_TC(tp, free_goes_up);
	ATF_TP_ADD_TC(tp, free_flushes);
	ATF_TP_ADD_TC(tp, no_memory);
	ATF_TP_ADD_TC(tp, check_finds);
	return atf_no_error();
}
