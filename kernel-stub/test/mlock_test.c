/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mlock, and the advice that lets pages age, on the software MMU: what is counted and present, what
 * want of memory does, dirty bits and TLB. Results as Linux's are abi_mlock's.
 */
#include "mm/walk/age.h"
#include "test/fault_world.h"

#define AT(page) (WORLD_BASE + (page)*PAGE_SIZE)
#define LEN(pages) ((pages)*PAGE_SIZE)

static unsigned present(uint64_t page, uint64_t pages)
{
	unsigned n = 0;

	for (uint64_t i = page; i < page + pages; i++)
		n += !pte_none(pte_at(AT(i)));
	return n;
}

ATF_TC_WITHOUT_HEAD(counts);
ATF_TC_BODY(counts, tc)
{
	world_open();
	map_anon(600, RW);
	ATF_CHECK_EQ(vm_mlock(mm, AT(100) + 1, LEN(500) - 2, 0), 0);
	ATF_CHECK_EQ(mm->locked_vm, 500);
	ATF_CHECK_EQ(mm->map_count, 2);
	ATF_CHECK_EQ(present(0, 600), 500);
	world_check();
	ATF_CHECK_EQ(vm_mlock(mm, AT(0), LEN(200), MLOCK_ONFAULT_), 0);
	ATF_CHECK_EQ(mm->locked_vm, 600);
	ATF_CHECK_EQ(present(0, 100), 0);
	world_check();
	ATF_CHECK_EQ(vm_munlock(mm, AT(150), LEN(100)), 0);
	ATF_CHECK_EQ(mm->locked_vm, 500);
	ATF_CHECK_EQ(vm_madvise(mm, AT(400), PAGE_SIZE, MADV_DONTNEED_), -MM_EINVAL);
	ATF_CHECK_EQ(vm_madvise(mm, AT(400), PAGE_SIZE, MADV_DONTNEED_LOCKED_), 0);
	ATF_CHECK_EQ(vm_munmap(mm, AT(300), LEN(100)), 0);
	ATF_CHECK_EQ(mm->locked_vm, 400);
	world_check();
	ATF_CHECK_EQ(vm_munlockall(mm), 0);
	ATF_CHECK_EQ(mm->locked_vm, 0);
	ATF_CHECK_EQ(mm->map_count, 2);
	world_close();
}

ATF_TC_WITHOUT_HEAD(future);
ATF_TC_BODY(future, tc)
{
	struct mm *child;

	world_open();
	map_anon(4, RW);
	ATF_CHECK_EQ(vm_mlockall(mm, MCL_CURRENT_ | MCL_FUTURE_), 0);
	ATF_CHECK_EQ(mm->locked_vm, 4);
	ATF_CHECK_EQ(present(0, 4), 4);
	ATF_CHECK(vm_mmap(mm, AT(10), LEN(4), RO, MAP_PRIVATE_ | MAP_FIXED_, NULL, 0,
			  mm->def_flags) > 0);
	ATF_CHECK_EQ(mm->locked_vm, 8);
	mm->start_brk = mm->brk = AT(100);
	ATF_CHECK_EQ(vm_brk(mm, AT(103)), AT(103));
	ATF_CHECK_EQ(present(100, 3), 3);
	ATF_CHECK_EQ(mm->locked_vm, 11);
	ATF_CHECK_EQ(vm_mprotect(mm, AT(10), LEN(2), RW), 0);
	ATF_CHECK_EQ(present(10, 2), 2);
	ATF_CHECK_EQ(vm_mremap(mm, AT(0), LEN(4), LEN(6), 0, 0), (int64_t)AT(0));
	ATF_CHECK_EQ(present(0, 6), 6);
	ATF_CHECK(vm_mremap(mm, AT(0), LEN(2), LEN(2), MREMAP_MAYMOVE_ | MREMAP_DONTUNMAP_, 0) > 0);
	world_check();
	child = mm_fork(mm);
	ATF_REQUIRE(child != NULL);
	ATF_CHECK(!child->locked_vm && !child->def_flags);
	mm_destroy(child);
	world_close();
}

/* mprotect brings in what it has made writable, not what lies beyond the hole that stops it. */
ATF_TC_WITHOUT_HEAD(mprotect_stops);
ATF_TC_BODY(mprotect_stops, tc)
{
	world_open();
	map_anon(8, RO);
	ATF_CHECK_EQ(vm_mlock(mm, AT(0), LEN(8), 0), 0);
	ATF_CHECK_EQ(vm_madvise(mm, AT(0), LEN(8), MADV_DONTNEED_LOCKED_), 0);
	ATF_CHECK_EQ(vm_munmap(mm, AT(4), LEN(2)), 0);
	ATF_CHECK_EQ(vm_mprotect(mm, AT(0), LEN(8), RW), -MM_ENOMEM);
	ATF_CHECK_EQ(present(0, 4), 4);
	ATF_CHECK_EQ(present(6, 2), 0);
	world_check();
	world_close();
}

/* What mprotect brings in below a VMA that has a root of its own keeps apart from it; without
 * memory for a root the two may be one. */
ATF_TC_WITHOUT_HEAD(mprotect_roots);
ATF_TC_BODY(mprotect_roots, tc)
{
	uint64_t n = 1, refused;
	int64_t ret;

	do {
		world_open();
		map_at(AT(4), 1, RW);
		write_word(AT(4), 1);
		map_at(AT(0), 1, RO);
		map_at(AT(1), 3, 0);
		ATF_CHECK_EQ(vm_mlock(mm, AT(0), LEN(5), 0), -MM_ENOMEM);
		ATF_CHECK_EQ(vm_mprotect(mm, AT(4), LEN(1), RX), 0);
		ATF_CHECK_EQ(mm->map_count, 3);
		hosted_fail_nth(n++);
		ret = vm_mprotect(mm, AT(0), LEN(5), RW);
		refused = hosted_fail_refused();
		hosted_fail_none();
		ATF_CHECK(ret == 0 || (ret == -MM_ENOMEM && refused));
		if (!refused)
			ATF_CHECK_EQ(mm->map_count, 2);
		ATF_CHECK_EQ(mm->locked_vm, 5);
		world_check();
		world_close();
	} while (refused);
	ATF_CHECK(n > 3);
}

/* Each allocation fails in turn: an error, and everything that was counted is true. */
ATF_TC_WITHOUT_HEAD(no_memory);
ATF_TC_BODY(no_memory, tc)
{
	uint64_t n = 1, refused;
	int64_t ret;

	do {
		world_open();
		map_anon(8, RW);
		hosted_fail_nth(n);
		ret = vm_mlock(mm, AT(2), LEN(4), 0);
		refused = hosted_fail_refused();
		hosted_fail_none();
		ATF_CHECK(ret == 0 || ret == -MM_ENOMEM || ret == -MM_EAGAIN);
		ATF_CHECK_EQ(ret == 0, !refused);
		ATF_CHECK_EQ(mm->locked_vm, ret == -MM_ENOMEM ? 0 : 4);
		world_check();
		ATF_CHECK_EQ(vm_mlock(mm, AT(2), LEN(4), 0), 0);
		world_close();
		n++;
	} while (refused);
	ATF_CHECK(n > 5);
}

/* A map count at its limit lets nothing split. */
ATF_TC_WITHOUT_HEAD(map_count);
ATF_TC_BODY(map_count, tc)
{
	world_open();
	map_anon(8, RW);
	mm->map_max = 2;
	ATF_CHECK_EQ(vm_mlock(mm, AT(2), LEN(4), 0), -MM_ENOMEM);
	ATF_CHECK_EQ(vm_mlock(mm, AT(4), LEN(4), 0), 0);
	ATF_CHECK_EQ(vm_mlock(mm, AT(2), LEN(4), 0), 0);
	ATF_CHECK_EQ(mm->locked_vm, 6);
	world_close();
}

/* MADV_FREE takes the dirty bit, past the TLB; a write brings it back; what has none can go. */
ATF_TC_WITHOUT_HEAD(lazyfree);
ATF_TC_BODY(lazyfree, tc)
{
	world_open();
	map_anon(8, RW);
	for (uint64_t i = 0; i < 4; i++)
		write_word(AT(i), i + 1);
	read_word(AT(5));
	ATF_CHECK_EQ(vm_madvise(mm, AT(0), LEN(8), MADV_FREE_), 0);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_PGLAZYFREE), 4);
	for (uint64_t i = 0; i < 4; i++)
		ATF_CHECK(!pte_dirty(pte_at(AT(i))) && !pte_young(pte_at(AT(i))) &&
			  page_lazyfree(pte_at(AT(i)), page_at(AT(i))));
	write_word(AT(1), 42);
	ATF_CHECK(pte_dirty(pte_at(AT(1))) && !page_lazyfree(pte_at(AT(1)), page_at(AT(1))));
	ATF_CHECK_EQ(read_word(AT(2)), 3);
	world_check();
	ATF_CHECK_EQ(vm_madvise(mm, AT(0), LEN(3), MADV_PAGEOUT_), 0);
	ATF_CHECK_EQ(present(0, 4), 2);
	ATF_CHECK_EQ(read_word(AT(0)), 0);
	ATF_CHECK_EQ(read_word(AT(1)), 42);
	ATF_CHECK_EQ(read_word(AT(2)), 0);
	ATF_CHECK_EQ(read_word(AT(3)), 4);
	world_close();
}

ATF_TC_WITHOUT_HEAD(cold);
ATF_TC_BODY(cold, tc)
{
	world_open();
	map_anon(2, RW);
	write_word(AT(0), 1);
	read_word(AT(1));
	ATF_CHECK_EQ(vm_madvise(mm, AT(0), LEN(2), MADV_COLD_), 0);
	ATF_CHECK(!pte_young(pte_at(AT(0))) && pte_dirty(pte_at(AT(0))));
	ATF_CHECK_EQ(read_word(AT(0)), 1);
	ATF_CHECK(pte_young(pte_at(AT(0))));
	ATF_CHECK_EQ(vm_madvise(mm, AT(0), LEN(2), MADV_PAGEOUT_), 0);
	ATF_CHECK_EQ(read_word(AT(0)), 1);
	map_file(AT(8), 2, RW, 0);
	ATF_CHECK_EQ(vm_madvise(mm, AT(8), LEN(2), MADV_FREE_), -MM_EINVAL);
	ATF_CHECK_EQ(vm_madvise(mm, AT(8), LEN(2), MADV_COLD_), 0);
	world_close();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, counts);
	ATF_TP_ADD_TC(tp, future);
	ATF_TP_ADD_TC(tp, mprotect_stops);
	ATF_TP_ADD_TC(tp, mprotect_roots);
	ATF_TP_ADD_TC(tp, no_memory);
	ATF_TP_ADD_TC(tp, map_count);
	ATF_TP_ADD_TC(tp, lazyfree);
	ATF_TP_ADD_TC(tp, cold);
	return atf_no_error();
}
