/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Growth of VM_GROWSDOWN VMAs by faults on the software MMU: class, limits, guard gap, rights, want
 * of memory. What Linux makes of the same is abi_stack_grow's.
 */
#include "mm/vma/vma.h"
#include "test/fault_world.h"

#define U FAULT_USER
#define W FAULT_WRITE
#define AT(page) (WORLD_BASE + (page)*PAGE_SIZE)
#define GAP (STACK_GUARD_GAP >> PAGE_SHIFT)

static void map_flags(uint64_t page, uint64_t pages, unsigned prot, unsigned flags)
{
	ATF_REQUIRE_EQ(vm_mmap(mm, AT(page), pages * PAGE_SIZE, prot,
			       MAP_PRIVATE_ | MAP_ANONYMOUS_ | MAP_FIXED_ | flags, NULL, 0, 0),
		       (int64_t)AT(page));
}

static void map_stack(uint64_t page, uint64_t pages)
{
	map_flags(page, pages, RW, MAP_GROWSDOWN_);
}

/* Where the VMA starts that holds the page, or 0. */
static uint64_t start_page(uint64_t page)
{
	const struct vma *vma = vma_lookup(mm, AT(page));

	return vma ? (vma->start - WORLD_BASE) >> PAGE_SHIFT : 0;
}

ATF_TC_WITHOUT_HEAD(grows);
ATF_TC_BODY(grows, tc)
{
	world_open();
	map_stack(1000, 2);
	CHECK_SERVED(AT(999), HOSTED_WRITE, U | W, USER_MINOR_STACK_GROW);
	ATF_CHECK_EQ(start_page(1000), 999);
	CHECK_SERVED(AT(900) + 5, HOSTED_READ, U, USER_MINOR_STACK_GROW);
	ATF_CHECK_EQ(start_page(1001), 900);
	ATF_CHECK(page_at(AT(900)) == zero_page);
	CHECK_SERVED(AT(950), HOSTED_WRITE, U | W, USER_MINOR_ANON_ALLOC);
	ATF_CHECK_EQ(mm->total_vm, 102);
	ATF_CHECK_EQ(mm->map_count, 1);
	world_close();
}

/* Whether it may be accessed is asked of the VMA that has grown. */
ATF_TC_WITHOUT_HEAD(grows_and_refuses);
ATF_TC_BODY(grows_and_refuses, tc)
{
	world_open();
	map_flags(1000, 1, RO, MAP_GROWSDOWN_);
	CHECK_REFUSED(AT(990), HOSTED_WRITE, U | W, USER_INVALID_ACCERR, FAULT_SIGNAL,
		      SEGV_ACCERR_);
	ATF_CHECK_EQ(start_page(1000), 990);
	map_flags(2000, 1, 0, MAP_GROWSDOWN_);
	CHECK_REFUSED(AT(1990), HOSTED_READ, U, USER_INVALID_ACCERR, FAULT_SIGNAL, SEGV_ACCERR_);
	ATF_CHECK_EQ(start_page(2000), 1990);
	world_close();
}

/* ring 0's copy_to_user below a stack, found by either way into the fault path. */
ATF_TC_WITHOUT_HEAD(uaccess);
ATF_TC_BODY(uaccess, tc)
{
	struct fault_access access = {AT(999), FAULT_UACCESS | FAULT_WRITE};

	world_open();
	map_stack(1000, 1);
	CHECK_VERDICT(vm_fault_uaccess(mm, &access), KERNEL_MINOR_UACCESS, FAULT_DONE, 0);
	ATF_CHECK_EQ(start_page(1000), 999);
	access.addr = AT(998);
	CHECK_VERDICT(vm_fault(mm, &access), KERNEL_MINOR_UACCESS, FAULT_DONE, 0);
	map_flags(996, 1, RO, 0);
	access.addr = AT(997);
	CHECK_VERDICT(vm_fault_uaccess(mm, &access), KERNEL_INVALID_UACCESS, FAULT_FIXUP, 0);
	ATF_CHECK_EQ(start_page(1000), 998);
	world_close();
}

static const struct {
	const char *what;
	unsigned prot, flags;
	uint64_t lowest; /* page that can be reached above two such pages at 400 */
} below[] = {
	{"writable", RW, 0, 402 + GAP},
	{"readable", RO, 0, 402 + GAP},
	{"executable", PROT_EXEC_, 0, 402 + GAP},
	{"a guard by itself", 0, 0, 402},
	{"another stack", RW, MAP_GROWSDOWN_, 402},
	{"another stack without rights", 0, MAP_GROWSDOWN_, 402},
};

ATF_TC_WITHOUT_HEAD(guard_gap);
ATF_TC_BODY(guard_gap, tc)
{
	for (unsigned i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		world_open();
		map_flags(400, 2, below[i].prot, below[i].flags);
		map_stack(1000, 1);
		if (below[i].lowest > 402)
			CHECK_REFUSED(AT(below[i].lowest - 1), HOSTED_WRITE, U | W,
				      USER_INVALID_MAPERR, FAULT_SIGNAL, SEGV_MAPERR_);
		ATF_CHECK_EQ_MSG(start_page(1000), 1000, "%s", below[i].what);
		CHECK_SERVED(AT(below[i].lowest), HOSTED_WRITE, U | W, USER_MINOR_STACK_GROW);
		ATF_CHECK_EQ_MSG(start_page(1000), below[i].lowest, "%s", below[i].what);
		world_close();
	}
}

ATF_TC_WITHOUT_HEAD(limits);
ATF_TC_BODY(limits, tc)
{
	struct fault_access low = {MMAP_MIN_ADDR - 1, U | W};

	world_open();
	mm->stack_limit = 10;
	map_stack(1000, 2);
	CHECK_REFUSED(AT(991), HOSTED_WRITE, U | W, USER_INVALID_MAPERR, FAULT_SIGNAL,
		      SEGV_MAPERR_);
	CHECK_SERVED(AT(992), HOSTED_WRITE, U | W, USER_MINOR_STACK_GROW);
	mm->stack_limit = 0;
	map_stack(3000, 4);
	CHECK_REFUSED(AT(2999), HOSTED_WRITE, U | W, USER_INVALID_MAPERR, FAULT_SIGNAL,
		      SEGV_MAPERR_);
	mm->stack_limit = UINT64_MAX >> PAGE_SHIFT;
	ATF_REQUIRE_EQ(vm_mmap(mm, MMAP_MIN_ADDR, PAGE_SIZE, RW,
			       MAP_PRIVATE_ | MAP_FIXED_ | MAP_GROWSDOWN_, NULL, 0, 0),
		       (int64_t)MMAP_MIN_ADDR);
	CHECK_VERDICT(vm_fault(mm, &low), USER_INVALID_MAPERR, FAULT_SIGNAL, SEGV_MAPERR_);
	ATF_REQUIRE_EQ(vm_munmap(mm, MMAP_MIN_ADDR, PAGE_SIZE), 0);
	world_close();
}

/* mremap takes pgoff along, which must not wrap below 0. */
ATF_TC_WITHOUT_HEAD(moved);
ATF_TC_BODY(moved, tc)
{
	uint64_t low = 0x20000, to = AT(1000);

	world_open();
	ATF_REQUIRE_EQ(vm_mmap(mm, low, PAGE_SIZE, RW, MAP_PRIVATE_ | MAP_FIXED_ | MAP_GROWSDOWN_,
			       NULL, 0, 0),
		       (int64_t)low);
	write_word(low, 42);
	ATF_REQUIRE_EQ(
		vm_mremap(mm, low, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE_ | MREMAP_FIXED_, to),
		(int64_t)to);
	CHECK_REFUSED(to - 33 * PAGE_SIZE, HOSTED_WRITE, U | W, USER_INVALID_MAPERR, FAULT_SIGNAL,
		      SEGV_MAPERR_);
	CHECK_SERVED(to - 32 * PAGE_SIZE, HOSTED_WRITE, U | W, USER_MINOR_STACK_GROW);
	ATF_CHECK_EQ(read_word(to), 42);
	world_close();
}

/* Nothing above grows, or there is nothing; and the room is another VMA's by now. */
ATF_TC_WITHOUT_HEAD(nothing_grows);
ATF_TC_BODY(nothing_grows, tc)
{
	world_open();
	map_stack(1000, 1);
	map_at(AT(500), 1, RW);
	CHECK_REFUSED(AT(499), HOSTED_WRITE, U | W, USER_INVALID_MAPERR, FAULT_SIGNAL,
		      SEGV_MAPERR_);
	CHECK_REFUSED(AT(1001), HOSTED_WRITE, U | W, USER_INVALID_MAPERR, FAULT_SIGNAL,
		      SEGV_MAPERR_);
	mmap_write_lock(mm);
	ATF_CHECK_EQ(stack_grow(mm, AT(499)), -MM_EFAULT);
	ATF_CHECK_EQ(stack_grow(mm, AT(1001)), -MM_EFAULT);
	ATF_CHECK_EQ(stack_grow(mm, AT(1000)), 0);
	ATF_CHECK_EQ(stack_grow(mm, 0), -MM_EFAULT);
	mmap_write_unlock(mm);
	world_close();
}

/* Each allocation of a growing fault fails in turn: a signal or a killed task, all counts right. */
ATF_TC_WITHOUT_HEAD(no_memory);
ATF_TC_BODY(no_memory, tc)
{
	struct fault_access access = {AT(999), U | W};
	struct fault_verdict v;
	uint64_t n = 1, before;

	do {
		world_open();
		map_stack(1000, 1);
		hosted_fail_nth(n);
		v = vm_fault(mm, &access);
		before = hosted_fail_refused();
		hosted_fail_none();
		if (before)
			ATF_CHECK(v.outcome == FAULT_OOM ||
				  (v.outcome == FAULT_SIGNAL && start_page(1000) == 1000));
		world_check();
		write_word(AT(999), n);
		ATF_CHECK_EQ(read_word(AT(999)), n);
		world_close();
		n++;
	} while (before);
	ATF_CHECK(n > 5); /* the root, three tables, the page */
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, grows);
	ATF_TP_ADD_TC(tp, grows_and_refuses);
	ATF_TP_ADD_TC(tp, uaccess);
	ATF_TP_ADD_TC(tp, guard_gap);
	ATF_TP_ADD_TC(tp, limits);
	ATF_TP_ADD_TC(tp, moved);
	ATF_TP_ADD_TC(tp, nothing_grows);
	ATF_TP_ADD_TC(tp, no_memory);
	return atf_no_error();
}
