/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What mremap does to pages, on the software MMU: they go along without being copied, but for those
 * that fork shared; and want of memory at every allocation changes nothing. Results and VMAs are
 * mmap_test's, against Linux.
 */
#include "test/fault_world.h"

#define TO (MREMAP_MAYMOVE_ | MREMAP_FIXED_)
#define FROM WORLD_BASE
#define PAGES 4u
/* Two lowest-level tables there, none of which is the old place's. */
#define NEW (WORLD_BASE + (1ull << 30) + PMD_SIZE - 2 * PAGE_SIZE)

static uint64_t at(uint64_t start, unsigned page)
{
	return start + page * PAGE_SIZE;
}

static int64_t move(unsigned flags)
{
	return vm_mremap(mm, FROM, PAGES * PAGE_SIZE, PAGES * PAGE_SIZE, flags, NEW);
}

static void check_other(struct mm *who)
{
	mmap_write_lock(who);
	mm_check(who);
	mmap_write_unlock(who);
	lru_check();
	hosted_tlb_check();
}

/* Written, read (the zero page), untouched, written. */
static void fill(void)
{
	map_anon(PAGES, RW);
	write_word(at(FROM, 0), 1);
	read_word(at(FROM, 1));
	write_word(at(FROM, 3), 4);
}

static void check_moved(void)
{
	ATF_CHECK(pte_none(pte_at(FROM)));
	ATF_CHECK_EQ(read_word(at(NEW, 0)), 1);
	ATF_CHECK_EQ(read_word(at(NEW, 3)), 4);
	ATF_CHECK(page_at(at(NEW, 1)) == zero_page);
	ATF_CHECK(pte_none(pte_at(at(NEW, 2))));
}

ATF_TC_WITHOUT_HEAD(pages_move);
ATF_TC_BODY(pages_move, tc)
{
	struct page *first, *last;
	pte_t pte;

	(void)tc;
	world_open();
	fill();
	first = page_at(FROM);
	last = page_at(at(FROM, 3));
	pte = pte_at(FROM);
	ATF_CHECK_EQ(move(TO), (int64_t)NEW);
	world_check();
	check_moved();
	ATF_CHECK(page_at(NEW) == first && page_at(at(NEW, 3)) == last);
	/* The PTE as it was: writable without a fault, and no stale one at the old place. */
	ATF_CHECK_EQ(pte_at(NEW).v, pte.v);
	access_works(NEW, HOSTED_WRITE);
	ATF_CHECK(touch(FROM, HOSTED_READ) == NULL);
	ATF_CHECK_EQ(mm->rss_anon, 2);
	world_close();
}

ATF_TC_WITHOUT_HEAD(left_empty);
ATF_TC_BODY(left_empty, tc)
{
	(void)tc;
	world_open();
	fill();
	ATF_CHECK_EQ(move(TO | MREMAP_DONTUNMAP_), (int64_t)NEW);
	world_check();
	check_moved();
	ATF_CHECK_EQ(read_word(FROM), 0);
	world_close();
}

ATF_TC_WITHOUT_HEAD(file_pages);
ATF_TC_BODY(file_pages, tc)
{
	(void)tc;
	world_open();
	map_file(FROM, PAGES, RW, 1);
	read_word(FROM);
	write_word(at(FROM, 2), 5);
	ATF_CHECK_EQ(move(TO), (int64_t)NEW);
	world_check();
	ATF_CHECK(page_at(NEW) == file_pages[1]);
	ATF_CHECK_EQ(read_word(at(NEW, 1)), file_word(2));
	ATF_CHECK_EQ(read_word(at(NEW, 2)), 5);
	world_close();
}

/* Pages that fork shared are copied when one side moves them; the other side's stay. */
ATF_TC_WITHOUT_HEAD(shared_pages);
ATF_TC_BODY(shared_pages, tc)
{
	struct mm *parent, *child;
	struct page *first;

	(void)tc;
	world_open();
	fill();
	parent = mm;
	first = page_at(FROM);
	child = mm_fork(parent);
	ATF_REQUIRE(child != NULL);
	port_load_mm(child);
	mm = child;
	ATF_CHECK_EQ(move(TO), (int64_t)NEW);
	check_other(child);
	check_other(parent);
	check_moved();
	ATF_CHECK(page_at(NEW) != first);
	ATF_CHECK_EQ(first->refcount, 1);
	write_word(NEW, 11);
	check_other(child);

	port_load_mm(parent);
	mm = parent;
	ATF_CHECK_EQ(read_word(FROM), 1);
	mm_destroy(child);
	world_check();
	ATF_CHECK_EQ(move(TO), (int64_t)NEW);
	ATF_CHECK(page_at(NEW) == first);
	check_moved();
	world_close();
}

/* Shared with a child that has gone, moved, and shared again: found in both. */
ATF_TC_WITHOUT_HEAD(forked_after_move);
ATF_TC_BODY(forked_after_move, tc)
{
	struct mm *parent, *child;

	(void)tc;
	world_open();
	fill();
	parent = mm;
	child = mm_fork(parent);
	ATF_REQUIRE(child != NULL);
	mm_destroy(child);
	ATF_CHECK_EQ(move(TO), (int64_t)NEW);
	child = mm_fork(parent);
	ATF_REQUIRE(child != NULL);
	check_other(child);
	check_other(parent);
	mm_destroy(child);
	check_moved();
	world_close();
}

/* Everything is as it was, however far the call came. */
ATF_TC_WITHOUT_HEAD(no_memory);
ATF_TC_BODY(no_memory, tc)
{
	struct mm *child;
	uint64_t n = 0;

	(void)tc;
	world_open();
	fill();
	child = mm_fork(mm);
	ATF_REQUIRE(child != NULL);
	for (;;) {
		int64_t ret;

		hosted_fail_nth(++n);
		ret = move(TO);
		if (ret > 0)
			break;
		ATF_CHECK_EQ(ret, -MM_ENOMEM);
		ATF_CHECK_EQ(hosted_fail_refused(), 1);
		hosted_fail_none();
		check_other(mm);
		check_other(child);
		ATF_CHECK(touch(NEW, HOSTED_READ) == NULL);
		ATF_CHECK(!pgtable_find(mm, NEW).pte);
		ATF_CHECK_EQ(read_word(FROM), 1);
		ATF_CHECK_EQ(read_word(at(FROM, 3)), 4);
	}
	hosted_fail_none();
	/* Two VMAs, two copies, three tables; a refused call leaves the copies it has made. */
	ATF_CHECK_MSG(n - 1 >= 6, "%lu allocations", n - 1);
	check_moved();
	mm_destroy(child);
	world_close();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, pages_move);
	ATF_TP_ADD_TC(tp, left_empty);
	ATF_TP_ADD_TC(tp, file_pages);
	ATF_TP_ADD_TC(tp, shared_pages);
	ATF_TP_ADD_TC(tp, forked_after_move);
	ATF_TP_ADD_TC(tp, no_memory);
	return atf_no_error();
}
