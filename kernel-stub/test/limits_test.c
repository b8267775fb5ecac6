/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RLIMIT_AS and RLIMIT_DATA on each call that maps more or makes data of what is mapped: at the
 * limit it goes, a page beyond it is refused and nothing has changed; the sums are right
 * (mm_check). What Linux makes of the same is abi_limits'.
 */
#include "mm/vma/vma.h"

#include "test/fault_world.h"

#define AT(page) (WORLD_BASE + (page)*PAGE_SIZE)
#define LEN(pages) ((pages)*PAGE_SIZE)
#define ANON_FIXED (MAP_PRIVATE_ | MAP_ANONYMOUS_ | MAP_FIXED_)

static void limit(uint64_t as, uint64_t data, uint64_t data_max)
{
	mm_set_limits(
		mm, &(struct vm_limits){
			    .as = as, .stack = VM_LIMIT_NONE, .data = data, .data_max = data_max});
}

static int64_t do_mmap(uint64_t page, uint64_t pages, unsigned prot, unsigned flags)
{
	return vm_mmap(mm, AT(page), LEN(pages), prot, ANON_FIXED | flags, NULL, 0, 0);
}

/* ---- the calls: each maps four pages more, all of them data ---- */

static int64_t call_mmap(void)
{
	return do_mmap(100, 4, RW, 0);
}

static int64_t call_mmap_over(void)
{
	return do_mmap(0, 12, RW, 0); /* over eight */
}

static int64_t call_brk(void)
{
	uint64_t brk = mm->brk + LEN(4);

	return vm_brk(mm, brk) == brk ? 0 : -MM_ENOMEM;
}

static int64_t call_mremap_in_place(void)
{
	return vm_mremap(mm, AT(0), LEN(8), LEN(12), 0, 0);
}

static int64_t call_mremap_away(void)
{
	return vm_mremap(mm, AT(0), LEN(4), LEN(8), MREMAP_MAYMOVE_, 0);
}

static int64_t call_mremap_doubled(void)
{
	return vm_mremap(mm, AT(0), LEN(4), LEN(4), MREMAP_MAYMOVE_ | MREMAP_DONTUNMAP_, 0);
}

static const struct {
	const char *what;
	int64_t (*call)(void);
} calls[] = {
	{"mmap", call_mmap},
	{"mmap over something", call_mmap_over},
	{"brk", call_brk},
	{"mremap in place", call_mremap_in_place},
	{"mremap to elsewhere", call_mremap_away},
	{"mremap, twice", call_mremap_doubled},
};

static void open_with_some(void)
{
	world_open();
	mm->start_brk = mm->brk = AT(1000);
	ATF_REQUIRE(do_mmap(0, 8, RW, 0) > 0);
	ATF_REQUIRE(do_mmap(200, 5, RO, 0) > 0);
}

/* With `pages` as the limit of all, or of data. */
static void try_call(unsigned i, uint64_t pages, bool data, bool goes)
{
	uint64_t total, count;

	open_with_some();
	limit(data ? VM_LIMIT_NONE : LEN(pages), data ? LEN(pages) : VM_LIMIT_NONE, VM_LIMIT_NONE);
	total = mm->total_vm;
	count = mm->map_count;
	ATF_CHECK_EQ_MSG(calls[i].call() >= 0, goes, "%s", calls[i].what);
	ATF_CHECK_EQ_MSG(mm->total_vm, total + (goes ? 4 : 0), "%s", calls[i].what);
	if (!goes)
		ATF_CHECK_EQ(mm->map_count, count);
	limit(VM_LIMIT_NONE, VM_LIMIT_NONE, VM_LIMIT_NONE);
	world_close();
}

ATF_TC_WITHOUT_HEAD(each_call);
ATF_TC_BODY(each_call, tc)
{
	for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		try_call(i, 13 + 4, false, true);
		try_call(i, 13 + 3, false, false);
		try_call(i, 8 + 4, true, true);
		try_call(i, 8 + 3, true, false);
		try_call(i, 0, false, false);
	}
}

/* What is not data is not RLIMIT_DATA's, until mprotect makes it data. */
ATF_TC_WITHOUT_HEAD(data);
ATF_TC_BODY(data, tc)
{
	open_with_some();
	limit(VM_LIMIT_NONE, LEN(10), VM_LIMIT_NONE);
	ATF_CHECK(do_mmap(300, 50, RO, 0) > 0);
	ATF_CHECK(do_mmap(400, 50, RW, MAP_GROWSDOWN_) > 0);
	ATF_CHECK_EQ(mm->stack_vm, 50);
	ATF_CHECK_EQ(mm_data_vm(mm), 8);
	ATF_CHECK_EQ(vm_mprotect(mm, AT(300), LEN(3), RW), -MM_ENOMEM);
	ATF_CHECK_EQ(vm_mprotect(mm, AT(200), LEN(5), RW), -MM_ENOMEM);
	ATF_CHECK_EQ(vm_mprotect(mm, AT(300), LEN(2), RW), 0);
	ATF_CHECK_EQ(mm_data_vm(mm), 10);
	ATF_CHECK_EQ(vm_mprotect(mm, AT(300), LEN(2), RO), 0);
	ATF_CHECK_EQ(vm_mprotect(mm, AT(0), LEN(8), 0), 0);
	ATF_CHECK_EQ(mm_data_vm(mm), 0);
	ATF_CHECK_EQ(vm_mprotect(mm, AT(200), LEN(5), RW), 0);
	world_close();
}

/* brk asks for bytes, too; and a soft limit of 0 is brk's alone. */
ATF_TC_WITHOUT_HEAD(heap);
ATF_TC_BODY(heap, tc)
{
	open_with_some();
	mm->data_size = 1000;
	limit(VM_LIMIT_NONE, LEN(20), VM_LIMIT_NONE);
	ATF_CHECK_EQ(vm_brk(mm, mm->start_brk + LEN(20) - 999), mm->start_brk);
	ATF_CHECK_EQ(vm_brk(mm, mm->start_brk + LEN(12)), mm->start_brk + LEN(12));
	limit(VM_LIMIT_NONE, 0, VM_LIMIT_NONE);
	ATF_CHECK_EQ(vm_brk(mm, mm->start_brk), mm->start_brk + LEN(12));
	ATF_CHECK(do_mmap(100, 4, RW, 0) > 0);
	limit(VM_LIMIT_NONE, 0, 0);
	ATF_CHECK_EQ(do_mmap(500, 4, RW, 0), -MM_ENOMEM);
	ATF_CHECK(do_mmap(500, 4, RO, 0) > 0);
	world_close();
}

ATF_TC_WITHOUT_HEAD(stack);
ATF_TC_BODY(stack, tc)
{
	world_open();
	ATF_REQUIRE(do_mmap(1000, 2, RW, MAP_GROWSDOWN_) > 0);
	limit(LEN(5), 0, 0);
	ATF_CHECK(!touch(AT(996), HOSTED_WRITE));
	ATF_CHECK(touch(AT(997), HOSTED_WRITE) != NULL);
	ATF_CHECK_EQ(mm->stack_vm, 5);
	world_close();
}

/* mmap_base as Linux reckons it. */
ATF_TC_WITHOUT_HEAD(mmap_base);
ATF_TC_BODY(mmap_base, tc)
{
	ATF_CHECK_EQ(mm_mmap_base(8ull << 20), TASK_SIZE - (128ull << 20));
	ATF_CHECK_EQ(mm_mmap_base(0), TASK_SIZE - (128ull << 20));
	ATF_CHECK_EQ(mm_mmap_base(1ull << 30), TASK_SIZE - (1ull << 30) - STACK_GUARD_GAP);
	ATF_CHECK_EQ(mm_mmap_base(VM_LIMIT_NONE), page_align(TASK_SIZE - TASK_SIZE / 6 * 5));
}

/* fork takes limits and sums along. */
ATF_TC_WITHOUT_HEAD(forked);
ATF_TC_BODY(forked, tc)
{
	struct mm *child;

	open_with_some();
	ATF_REQUIRE(do_mmap(300, 3, RW, MAP_GROWSDOWN_) > 0);
	limit(LEN(17), LEN(9), VM_LIMIT_NONE);
	child = mm_fork(mm);
	ATF_REQUIRE(child != NULL);
	ATF_CHECK_EQ(child->total_vm, 16);
	ATF_CHECK_EQ(mm_data_vm(child), 8);
	ATF_CHECK_EQ(child->stack_vm, 3);
	ATF_CHECK_EQ(vm_mmap(child, AT(500), LEN(2), RO, ANON_FIXED, NULL, 0, 0), -MM_ENOMEM);
	ATF_CHECK(vm_mmap(child, AT(500), LEN(1), RW, ANON_FIXED, NULL, 0, 0) > 0);
	mm_destroy(child);
	world_close();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, each_call);
	ATF_TP_ADD_TC(tp, data);
	ATF_TP_ADD_TC(tp, heap);
	ATF_TP_ADD_TC(tp, stack);
	ATF_TP_ADD_TC(tp, mmap_base);
	ATF_TP_ADD_TC(tp, forked);
	return atf_no_error();
}
