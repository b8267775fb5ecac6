/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Populating on the software MMU: what is there afterwards needs no fault; want of memory; what
 * mincore makes of it. Results as Linux's are abi_populate's. */
#include "test/fault_world.h"

#define PAGES 600u /* more than a table */

static void populate(uint64_t pages)
{
	vm_populate(mm, WORLD_BASE, WORLD_BASE + pages * PAGE_SIZE);
}

static int64_t advise(uint64_t pages, int advice)
{
	return vm_madvise(mm, WORLD_BASE, pages * PAGE_SIZE, advice);
}

ATF_TC_WITHOUT_HEAD(no_fault_after);
ATF_TC_BODY(no_fault_after, tc)
{
	int64_t faults;

	(void)tc;
	world_open();
	map_anon(PAGES, RW);
	write_word(WORLD_BASE + PAGE_SIZE, 7);
	faults = hosted_vmstat(FL_VMSTAT_PGFAULT);
	populate(PAGES);
	world_check();
	ATF_CHECK_EQ(mm->rss_anon, PAGES);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_PGFAULT), faults + PAGES - 1);
	for (uint64_t i = 0; i < PAGES; i++)
		access_works(WORLD_BASE + i * PAGE_SIZE, HOSTED_WRITE);
	ATF_CHECK_EQ(read_word(WORLD_BASE + PAGE_SIZE), 7);
	populate(PAGES);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_PGFAULT), faults + PAGES - 1);
	world_close();
}

ATF_TC_WITHOUT_HEAD(advised);
ATF_TC_BODY(advised, tc)
{
	unsigned char vec[6];

	(void)tc;
	world_open();
	map_anon(4, RW);
	map_at(WORLD_BASE + 4 * PAGE_SIZE, 2, RO);
	ATF_CHECK_EQ(advise(3, MADV_POPULATE_READ_), 0);
	ATF_CHECK_EQ(mm->rss_anon, 0);
	ATF_CHECK(page_at(WORLD_BASE + 2 * PAGE_SIZE) == zero_page);
	ATF_CHECK_EQ(vm_mincore(mm, WORLD_BASE, 6, vec), 4);
	ATF_CHECK(vec[0] && vec[1] && vec[2] && !vec[3]);
	ATF_CHECK_EQ(advise(6, MADV_POPULATE_WRITE_), -MM_EINVAL);
	ATF_CHECK_EQ(mm->rss_anon, 4);
	ATF_CHECK_EQ(advise(7, MADV_POPULATE_READ_), -MM_ENOMEM);
	ATF_CHECK_EQ(vm_mincore(mm, WORLD_BASE + 4 * PAGE_SIZE, 6, vec), 2);
	ATF_CHECK(vec[0] && vec[1]);
	ATF_CHECK_EQ(vm_mincore(mm, WORLD_BASE + 6 * PAGE_SIZE, 1, vec), -MM_ENOMEM);
	world_check();
	world_close();
}

/* Each allocation fails once; what was populated before it stays. */
ATF_TC_WITHOUT_HEAD(no_memory);
ATF_TC_BODY(no_memory, tc)
{
	uint64_t n = 0;

	(void)tc;
	world_open();
	map_anon(4, RW);
	for (;;) {
		int64_t ret;

		hosted_fail_nth(++n);
		ret = advise(4, MADV_POPULATE_WRITE_);
		hosted_fail_none();
		world_check();
		if (!ret)
			break;
		ATF_CHECK_EQ(ret, -MM_ENOMEM);
		ATF_REQUIRE_EQ(vm_munmap(mm, WORLD_BASE, 4 * PAGE_SIZE), 0);
		map_anon(4, RW);
		hosted_fail_nth(n);
		populate(4);
		hosted_fail_none();
		world_check();
		ATF_REQUIRE_EQ(vm_munmap(mm, WORLD_BASE, 4 * PAGE_SIZE), 0);
		map_anon(4, RW);
	}
	/* Three tables, four pages; the anon_root. */
	ATF_CHECK_MSG(n - 1 >= 7, "%lu allocations", n - 1);
	ATF_CHECK_EQ(mm->rss_anon, 4);
	world_close();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, no_fault_after);
	ATF_TP_ADD_TC(tp, advised);
	ATF_TP_ADD_TC(tp, no_memory);
	return atf_no_error();
}
