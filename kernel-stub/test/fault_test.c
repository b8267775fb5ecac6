/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fault path on the software MMU: each class with the flags that the CPU gives, its verdict,
 * the PTE and the contents afterwards; what happens without memory; what happens when another CPU
 * was first.
 */
#include "test/fault_world.h"

#define U FAULT_USER
#define P FAULT_PRESENT
#define W FAULT_WRITE
#define I FAULT_FETCH

/* ---- the classes of ring 3 that are served ---- */

ATF_TC_WITHOUT_HEAD(anon_zero);
ATF_TC_BODY(anon_zero, tc)
{
	uint64_t va;

	world_open();
	va = map_anon(4, RW);
	CHECK_SERVED(va + 8, HOSTED_READ, U, USER_MINOR_ANON_ZERO);
	ATF_CHECK(page_at(va) == zero_page);
	ATF_CHECK(!pte_write(pte_at(va)) && pte_user(pte_at(va)) && !pte_exec(pte_at(va)));
	ATF_CHECK(page_is_zero(va));
	ATF_CHECK_EQ(mm->rss_anon, 0);
	ATF_CHECK_EQ(zero_page->mapcount, 0);
	CHECK_SERVED(va + PAGE_SIZE, HOSTED_READ, U, USER_MINOR_ANON_ZERO);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_PGFAULT), 2);
	world_close();
}

ATF_TC_WITHOUT_HEAD(anon_alloc);
ATF_TC_BODY(anon_alloc, tc)
{
	struct page *page;
	uint64_t va;

	world_open();
	va = map_anon(4, RW);
	CHECK_SERVED(va + PAGE_SIZE + 123, HOSTED_WRITE, U | W, USER_MINOR_ANON_ALLOC);
	page = page_at(va + PAGE_SIZE);
	ATF_CHECK(pte_write(pte_at(va + PAGE_SIZE)) && pte_dirty(pte_at(va + PAGE_SIZE)));
	ATF_CHECK(page_is_zero(va + PAGE_SIZE));
	ATF_CHECK_EQ(page->mapcount, 1);
	ATF_CHECK_EQ(page->refcount, 1);
	ATF_CHECK(page_flag(page, PG_LRU) && page_is_anon(page));
	ATF_CHECK_EQ(mm->rss_anon, 1);
	ATF_CHECK(pte_none(pte_at(va)) && pte_none(pte_at(va + 2 * PAGE_SIZE)));
	world_close();
}

ATF_TC_WITHOUT_HEAD(anon_exec);
ATF_TC_BODY(anon_exec, tc)
{
	uint64_t va;

	world_open();
	va = map_anon(1, RX);
	CHECK_SERVED(va, HOSTED_EXEC, U | I, USER_MINOR_ANON_ZERO);
	ATF_CHECK(pte_exec(pte_at(va)) && !pte_write(pte_at(va)));
	world_close();
}

/* A page that can only be written or only executed can be read all the same, as on Linux. */
ATF_TC_WITHOUT_HEAD(anon_write_only);
ATF_TC_BODY(anon_write_only, tc)
{
	uint64_t va;

	world_open();
	va = map_anon(1, PROT_WRITE_);
	CHECK_SERVED(va, HOSTED_READ, U, USER_MINOR_ANON_ZERO);
	va = map_at(WORLD_BASE + PMD_SIZE, 1, PROT_EXEC_);
	CHECK_SERVED(va, HOSTED_READ, U, USER_MINOR_ANON_ZERO);
	world_close();
}

ATF_TC_WITHOUT_HEAD(cow_zero);
ATF_TC_BODY(cow_zero, tc)
{
	uint64_t va, flushes;

	world_open();
	va = map_anon(2, RW);
	ATF_CHECK_EQ(read_word(va), 0);
	flushes = hosted_tlb_count().flush_page;
	CHECK_SERVED(va, HOSTED_WRITE, U | W | P, USER_MINOR_COW_ZERO);
	ATF_CHECK_EQ(hosted_tlb_count().flush_page, flushes + 1);
	ATF_CHECK(page_at(va) != zero_page && page_is_anon(page_at(va)));
	ATF_CHECK(pte_write(pte_at(va)));
	ATF_CHECK(page_is_zero(va));
	write_word(va, 42);
	ATF_CHECK_EQ(read_word(va), 42);
	ATF_CHECK_EQ(read_word(va + PAGE_SIZE), 0);
	ATF_CHECK_EQ(mm->rss_anon, 1);
	world_close();
}

ATF_TC_WITHOUT_HEAD(cow_reuse);
ATF_TC_BODY(cow_reuse, tc)
{
	struct page *page;
	uint64_t va;

	world_open();
	va = map_anon(1, RW);
	write_word(va, 42);
	page = page_at(va);
	ATF_REQUIRE_EQ(pte_make_stale(mm, va, 0), 0);
	CHECK_SERVED(va, HOSTED_WRITE, U | W | P, USER_MINOR_COW_REUSE);
	ATF_CHECK(page_at(va) == page && pte_write(pte_at(va)));
	ATF_CHECK_EQ(read_word(va), 42);
	world_close();
}

ATF_TC_WITHOUT_HEAD(file_map);
ATF_TC_BODY(file_map, tc)
{
	uint64_t va;

	world_open();
	va = map_file(WORLD_BASE, 4, RW, 3);
	CHECK_SERVED(va + PAGE_SIZE, HOSTED_READ, U, USER_MINOR_FILE_MAP);
	ATF_CHECK(page_at(va + PAGE_SIZE) == file_pages[4]);
	ATF_CHECK(!pte_write(pte_at(va + PAGE_SIZE)));
	ATF_CHECK_EQ(read_word(va + PAGE_SIZE), file_word(4));
	ATF_CHECK_EQ(file_pages[4]->refcount, 2);
	ATF_CHECK_EQ(file_pages[4]->mapcount, 1);
	ATF_CHECK_EQ(mm->rss_file, 1);
	ATF_CHECK_EQ(mm->rss_anon, 0);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_FILE_MAPPED), 1);
	/* The last, partial page is a page of the file too. */
	va = map_file(WORLD_BASE, 1, RX, FILE_PAGES - 1);
	CHECK_SERVED(va, HOSTED_EXEC, U | I, USER_MINOR_FILE_MAP);
	world_close();
}

ATF_TC_WITHOUT_HEAD(file_mapped_twice);
ATF_TC_BODY(file_mapped_twice, tc)
{
	uint64_t a, b;

	world_open();
	a = map_file(WORLD_BASE, 1, RO, 2);
	b = map_file(WORLD_BASE + PMD_SIZE, 1, RO, 2);
	ATF_CHECK_EQ(read_word(a), file_word(2));
	ATF_CHECK_EQ(read_word(b), file_word(2));
	ATF_CHECK_EQ(file_pages[2]->mapcount, 2);
	ATF_CHECK_EQ(mm->rss_file, 2);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_FILE_MAPPED), 1);
	ATF_REQUIRE_EQ(vm_munmap(mm, a, PAGE_SIZE), 0);
	ATF_CHECK_EQ(file_pages[2]->mapcount, 1);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_FILE_MAPPED), 1);
	world_close();
}

/* A write copies; neither the file nor its other mapping sees it. */
ATF_TC_WITHOUT_HEAD(file_cow);
ATF_TC_BODY(file_cow, tc)
{
	uint64_t va, other;

	world_open();
	va = map_file(WORLD_BASE, 4, RW, 0);
	other = map_file(WORLD_BASE + PMD_SIZE, 4, RO, 0);
	ATF_CHECK_EQ(read_word(other), file_word(0));
	CHECK_SERVED(va, HOSTED_WRITE, U | W, USER_MINOR_FILE_COW);
	ATF_CHECK_EQ(read_word(va), file_word(0));
	write_word(va, 42);
	ATF_CHECK_EQ(read_word(other), file_word(0));
	ATF_CHECK(page_is_anon(page_at(va)));
	ATF_CHECK_EQ(file_pages[0]->refcount, 2);
	ATF_CHECK_EQ(mm->rss_anon, 1);
	ATF_CHECK_EQ(mm->rss_file, 1);
	world_close();
}

ATF_TC_WITHOUT_HEAD(file_cow_after_read);
ATF_TC_BODY(file_cow_after_read, tc)
{
	uint64_t va;

	world_open();
	va = map_file(WORLD_BASE, 4, RW, 0);
	ATF_CHECK_EQ(read_word(va), file_word(0));
	CHECK_SERVED(va, HOSTED_WRITE, U | W | P, USER_MINOR_FILE_COW);
	ATF_CHECK_EQ(read_word(va), file_word(0));
	write_word(va, 42);
	ATF_CHECK_EQ(read_word(va), 42);
	ATF_CHECK_EQ(file_pages[0]->refcount, 1);
	ATF_CHECK_EQ(file_pages[0]->mapcount, 0);
	ATF_CHECK_EQ(mm->rss_anon, 1);
	ATF_CHECK_EQ(mm->rss_file, 0);
	world_close();
}

/* A read-only entry in the TLB, a writable one in the table. */
ATF_TC_WITHOUT_HEAD(spurious_stale_tlb);
ATF_TC_BODY(spurious_stale_tlb, tc)
{
	uint64_t va;

	world_open();
	va = map_anon(1, RW);
	write_word(va, 42);
	ATF_REQUIRE_EQ(pte_make_stale(mm, va, 0), 0);
	ATF_CHECK_EQ(read_word(va), 42);
	ATF_REQUIRE_EQ(pte_make_stale(mm, va, 1), 0);
	CHECK_SERVED(va, HOSTED_WRITE, U | W | P, USER_MINOR_SPURIOUS);
	ATF_CHECK_EQ(read_word(va), 42);
	ATF_CHECK_EQ(mm->rss_anon, 1);
	world_close();
}

/* Two CPUs miss the same page; the second finds it there. */
ATF_TC_WITHOUT_HEAD(spurious_other_cpu_first);
ATF_TC_BODY(spurious_other_cpu_first, tc)
{
	struct hosted_access second;
	struct page *page;
	uint64_t va;

	world_open();
	va = map_anon(1, RW);
	second = hosted_access(mm, va, HOSTED_WRITE, true);
	hosted_set_cpu(1);
	port_load_mm(mm);
	write_word(va, 42);
	page = page_at(va);
	port_load_mm(NULL);
	hosted_set_cpu(0);
	CHECK_VERDICT(fault(va, second.fault), USER_MINOR_SPURIOUS, FAULT_DONE, 0);
	ATF_CHECK(page_at(va) == page);
	ATF_CHECK_EQ(*(uint64_t *)access_works(va, HOSTED_WRITE), 42);
	CHECK_VERDICT(fault(va, U), USER_MINOR_SPURIOUS, FAULT_DONE, 0);
	world_close();
}

/* ---- the classes of ring 3 that are refused ---- */

ATF_TC_WITHOUT_HEAD(maperr);
ATF_TC_BODY(maperr, tc)
{
	uint64_t va;

	world_open();
	va = map_anon(2, RW);
	CHECK_REFUSED(va - 1, HOSTED_READ, U, USER_INVALID_MAPERR, FAULT_SIGNAL, SEGV_MAPERR_);
	CHECK_REFUSED(va + 2 * PAGE_SIZE, HOSTED_WRITE, U | W, USER_INVALID_MAPERR, FAULT_SIGNAL,
		      SEGV_MAPERR_);
	CHECK_REFUSED(0, HOSTED_EXEC, U | I, USER_INVALID_MAPERR, FAULT_SIGNAL, SEGV_MAPERR_);
	CHECK_REFUSED(TASK_SIZE - 1, HOSTED_READ, U, USER_INVALID_MAPERR, FAULT_SIGNAL,
		      SEGV_MAPERR_);
	ATF_CHECK_EQ(mm->nr_tables, 0);
	world_close();
}

/*
 * Far from the VMA that the last lookup found, a:
 *
 *     0   l    b    a            top
 *     ?   RR ? RR ? RR     ?     RR ?
 */
ATF_TC_WITHOUT_HEAD(maperr_far);
ATF_TC_BODY(maperr_far, tc)
{
	const uint64_t l = MMAP_MIN_ADDR, b = WORLD_BASE, a = b + 64 * PAGE_SIZE;
	const uint64_t holes[] = {0,
				  l - 1,
				  l + 2 * PAGE_SIZE,
				  b - 1,
				  b + 2 * PAGE_SIZE,
				  a - 1,
				  a + 2 * PAGE_SIZE,
				  TASK_SIZE - 2 * PAGE_SIZE - 1,
				  TASK_SIZE - 1};

	world_open();
	map_at(l, 2, RW);
	map_at(b, 2, RW);
	map_at(a, 2, RW);
	map_at(TASK_SIZE - 2 * PAGE_SIZE, 1, RW);
	for (unsigned i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
		write_word(a, 1);
		CHECK_REFUSED(holes[i], HOSTED_READ, U, USER_INVALID_MAPERR, FAULT_SIGNAL,
			      SEGV_MAPERR_);
		CHECK_VERDICT(fault(holes[i], FAULT_UACCESS), KERNEL_INVALID_UACCESS, FAULT_FIXUP,
			      0);
	}
	write_word(TASK_SIZE - 2 * PAGE_SIZE, 1);
	CHECK_REFUSED(TASK_SIZE, HOSTED_READ, U, USER_INVALID_KERNEL_ADDR, FAULT_SIGNAL,
		      SEGV_MAPERR_);
	CHECK_REFUSED(0, HOSTED_WRITE, U | W, USER_INVALID_MAPERR, FAULT_SIGNAL, SEGV_MAPERR_);
	world_close();
}

/* Nothing is said of the lowest VMA by the others: it may hold page 0, or grow down. */
ATF_TC_WITHOUT_HEAD(lowest);
ATF_TC_BODY(lowest, tc)
{
	const uint64_t low = 1ull << 20;

	world_open();
	map_at(WORLD_BASE, 1, RW);
	map_at(WORLD_BASE + PMD_SIZE, 1, RW);
	map_at(0, 1, RW);
	write_word(WORLD_BASE + PMD_SIZE, 1);
	CHECK_SERVED(0, HOSTED_WRITE, U | W, USER_MINOR_ANON_ALLOC);
	ATF_REQUIRE_EQ(vm_munmap(mm, 0, PAGE_SIZE), 0);
	ATF_REQUIRE_EQ(vm_mmap(mm, low, PAGE_SIZE, RW, MAP_PRIVATE_ | MAP_FIXED_ | MAP_GROWSDOWN_,
			       NULL, 0, 0),
		       (int64_t)low);
	write_word(WORLD_BASE + PMD_SIZE, 1);
	CHECK_SERVED(low - 1, HOSTED_WRITE, U | W, USER_MINOR_STACK_GROW);
	ATF_REQUIRE_EQ(vm_munmap(mm, low - PAGE_SIZE, 2 * PAGE_SIZE), 0);
	world_close();
}

ATF_TC_WITHOUT_HEAD(accerr);
ATF_TC_BODY(accerr, tc)
{
	uint64_t va;

	world_open();
	va = map_anon(1, RO);
	CHECK_REFUSED(va, HOSTED_WRITE, U | W, USER_INVALID_ACCERR, FAULT_SIGNAL, SEGV_ACCERR_);
	ATF_CHECK_EQ(read_word(va), 0);
	CHECK_REFUSED(va, HOSTED_WRITE, U | W | P, USER_INVALID_ACCERR, FAULT_SIGNAL, SEGV_ACCERR_);
	va = map_at(WORLD_BASE + PMD_SIZE, 1, 0);
	CHECK_REFUSED(va, HOSTED_READ, U, USER_INVALID_ACCERR, FAULT_SIGNAL, SEGV_ACCERR_);
	world_close();
}

/* A page that was there when its VMA became PROT_NONE is out of everybody's reach, and comes back
 * with its contents. */
ATF_TC_WITHOUT_HEAD(accerr_prot_none);
ATF_TC_BODY(accerr_prot_none, tc)
{
	uint64_t va;

	world_open();
	va = map_anon(1, RW);
	write_word(va, 42);
	ATF_REQUIRE_EQ(vm_mprotect(mm, va, PAGE_SIZE, 0), 0);
	CHECK_REFUSED(va, HOSTED_READ, U, USER_INVALID_ACCERR, FAULT_SIGNAL, SEGV_ACCERR_);
	ATF_CHECK(hosted_access(mm, va, HOSTED_READ, false).host == NULL);
	CHECK_VERDICT(fault(va, FAULT_UACCESS), KERNEL_INVALID_UACCESS, FAULT_FIXUP, 0);
	ATF_REQUIRE_EQ(vm_mprotect(mm, va, PAGE_SIZE, RW), 0);
	ATF_CHECK_EQ(*(uint64_t *)access_works(va, HOSTED_WRITE), 42);
	world_close();
}

ATF_TC_WITHOUT_HEAD(exec);
ATF_TC_BODY(exec, tc)
{
	uint64_t va;

	world_open();
	va = map_anon(1, RW);
	CHECK_REFUSED(va, HOSTED_EXEC, U | I, USER_INVALID_EXEC, FAULT_SIGNAL, SEGV_ACCERR_);
	write_word(va, 1);
	CHECK_REFUSED(va, HOSTED_EXEC, U | I | P, USER_INVALID_EXEC, FAULT_SIGNAL, SEGV_ACCERR_);
	world_close();
}

ATF_TC_WITHOUT_HEAD(kernel_addr);
ATF_TC_BODY(kernel_addr, tc)
{
	const uint64_t kernel[] = {TASK_SIZE, 0xffff800000000000ull, UINT64_MAX};

	world_open();
	for (unsigned i = 0; i < 3; i++) {
		CHECK_REFUSED(kernel[i], HOSTED_READ, U, USER_INVALID_KERNEL_ADDR, FAULT_SIGNAL,
			      SEGV_MAPERR_);
		CHECK_VERDICT(fault(kernel[i], U | W | P), USER_INVALID_KERNEL_ADDR, FAULT_SIGNAL,
			      SEGV_MAPERR_);
	}
	world_close();
}

ATF_TC_WITHOUT_HEAD(rsvd);
ATF_TC_BODY(rsvd, tc)
{
	struct page *page;
	uint64_t va;

	world_open();
	va = map_anon(2, RW);
	ATF_CHECK_EQ(pte_corrupt(mm, va), -MM_EFAULT);
	ATF_CHECK_EQ(pte_corrupt(mm, va - PAGE_SIZE), -MM_EFAULT);
	write_word(va, 42);
	page = page_at(va);
	ATF_REQUIRE_EQ(pte_corrupt(mm, va), 0);
	CHECK_REFUSED(va, HOSTED_READ, U | P | FAULT_RSVD, USER_INVALID_RSVD, FAULT_OOPS, 0);
	CHECK_REFUSED(va, HOSTED_WRITE, U | W | P | FAULT_RSVD, USER_INVALID_RSVD, FAULT_OOPS, 0);
	CHECK_VERDICT(fault(va, P | FAULT_RSVD | FAULT_UACCESS), KERNEL_INVALID_OOPS, FAULT_OOPS,
		      0);
	ATF_CHECK(page_at(va) == page);
	world_close();
}

ATF_TC_WITHOUT_HEAD(bus);
ATF_TC_BODY(bus, tc)
{
	uint64_t va;

	world_open();
	va = map_file(WORLD_BASE, 2, RW, FILE_PAGES - 1) + PAGE_SIZE;
	CHECK_REFUSED(va, HOSTED_READ, U, USER_INVALID_BUS, FAULT_BUS, 0);
	CHECK_REFUSED(va, HOSTED_WRITE, U | W, USER_INVALID_BUS, FAULT_BUS, 0);
	CHECK_VERDICT(fault(va, FAULT_UACCESS), KERNEL_INVALID_UACCESS, FAULT_FIXUP, 0);
	world_close();
}

/* ---- ring 0 ---- */

ATF_TC_WITHOUT_HEAD(uaccess_served);
ATF_TC_BODY(uaccess_served, tc)
{
	struct hosted_access a;
	uint64_t va, f;

	world_open();
	va = map_anon(4, RW);
	f = map_file(WORLD_BASE + PMD_SIZE, 1, RW, 1);
	a = hosted_access(mm, va, HOSTED_WRITE, false);
	ATF_CHECK_EQ(a.fault, (uint32_t)W);
	CHECK_VERDICT(fault(va, a.fault | FAULT_UACCESS), KERNEL_MINOR_UACCESS, FAULT_DONE, 0);
	ATF_CHECK(page_is_anon(page_at(va)));
	CHECK_VERDICT(fault(va + PAGE_SIZE, FAULT_UACCESS), KERNEL_MINOR_UACCESS, FAULT_DONE, 0);
	ATF_CHECK(page_at(va + PAGE_SIZE) == zero_page);
	CHECK_VERDICT(fault(va + PAGE_SIZE, FAULT_UACCESS | W | P), KERNEL_MINOR_UACCESS,
		      FAULT_DONE, 0);
	ATF_CHECK(page_is_anon(page_at(va + PAGE_SIZE)));
	CHECK_VERDICT(fault(va + PAGE_SIZE, FAULT_UACCESS | W), KERNEL_MINOR_UACCESS, FAULT_DONE,
		      0);
	CHECK_VERDICT(fault(f, FAULT_UACCESS), KERNEL_MINOR_UACCESS, FAULT_DONE, 0);
	CHECK_VERDICT(fault(f, FAULT_UACCESS | W | P), KERNEL_MINOR_UACCESS, FAULT_DONE, 0);
	world_close();
}

ATF_TC_WITHOUT_HEAD(uaccess_bad);
ATF_TC_BODY(uaccess_bad, tc)
{
	uint64_t va;

	world_open();
	va = map_anon(1, RO);
	CHECK_VERDICT(fault(0, FAULT_UACCESS), KERNEL_INVALID_UACCESS, FAULT_FIXUP, 0);
	CHECK_VERDICT(fault(va, FAULT_UACCESS | W), KERNEL_INVALID_UACCESS, FAULT_FIXUP, 0);
	CHECK_VERDICT(fault(TASK_SIZE, FAULT_UACCESS), KERNEL_INVALID_UACCESS, FAULT_FIXUP, 0);
	world_check();
	world_close();
}

/* Ring 0 by itself, and any fault without an address space: an oops, and no lock is touched. */
ATF_TC_WITHOUT_HEAD(oops);
ATF_TC_BODY(oops, tc)
{
	struct fault_access kernel_task = {WORLD_BASE, U | W};
	uint64_t va;

	world_open();
	va = map_anon(1, RW);
	mmap_write_lock(mm); /* a fault that took it would hang */
	CHECK_VERDICT(fault(va, W), KERNEL_INVALID_OOPS, FAULT_OOPS, 0);
	CHECK_VERDICT(fault(0, 0), KERNEL_INVALID_OOPS, FAULT_OOPS, 0);
	CHECK_VERDICT(fault(UINT64_MAX, P), KERNEL_INVALID_OOPS, FAULT_OOPS, 0);
	CHECK_VERDICT(fault(va, I), KERNEL_INVALID_OOPS, FAULT_OOPS, 0);
	CHECK_VERDICT(fault(va, I | FAULT_UACCESS), KERNEL_INVALID_OOPS, FAULT_OOPS, 0);
	CHECK_VERDICT(vm_fault(NULL, &kernel_task), KERNEL_INVALID_OOPS, FAULT_OOPS, 0);
	mmap_write_unlock(mm);
	world_close();
}

/* ---- no memory ---- */

/* Frames that are free, or in places where they may stay: empty tables, slabs. */
static uint64_t frames(void)
{
	return page_nr_free() + (uint64_t)mm->nr_tables +
	       (uint64_t)hosted_vmstat(FL_VMSTAT_NR_SLAB);
}

/* One access in a fresh world, prepared by `prepare`, with each of its allocations failing in turn:
 * refused each time, nothing left behind but empty tables, and served at last. */
static void fail_each(void (*prepare)(uint64_t va), enum hosted_access_kind kind, unsigned class,
		      unsigned at_least)
{
	uint64_t va = WORLD_BASE, n;

	for (n = 1;; n++) {
		struct hosted_access a;
		struct fault_verdict v;
		uint64_t before;

		world_open();
		prepare(va);
		pcp_drain();
		before = frames();
		a = hosted_access(mm, va, kind, true);
		hosted_fail_nth(n);
		v = fault(va, a.fault);
		if (!hosted_fail_refused()) {
			ATF_CHECK_EQ(v.class, class);
			break;
		}
		hosted_fail_none();
		CHECK_VERDICT(v, USER_INVALID_OOM, FAULT_OOM, 0);
		world_check();
		ATF_CHECK_EQ(frames(), before);
		v = fault(va, a.fault & ~(uint32_t)FAULT_USER);
		ATF_CHECK_EQ(v.class, FL_CLASS_KERNEL_INVALID_OOPS);
		hosted_fail_nth(1);
		v = fault(va, (a.fault & ~(uint32_t)FAULT_USER) | FAULT_UACCESS);
		if (hosted_fail_refused())
			CHECK_VERDICT(v, KERNEL_INVALID_UACCESS, FAULT_FIXUP, 0);
		hosted_fail_none();
		ATF_CHECK(touch(va, kind) != NULL);
		world_close();
	}
	hosted_fail_none();
	ATF_CHECK_MSG(n > at_least, "only %lu allocations", n - 1);
	world_close();
}

static void prepare_anon(uint64_t va)
{
	map_at(va, 2, RW);
}

static void prepare_zero(uint64_t va)
{
	map_at(va, 2, RW);
	ATF_CHECK_EQ(read_word(va), 0);
}

static void prepare_file(uint64_t va)
{
	map_file(va, 2, RW, 1);
}

static void prepare_file_read(uint64_t va)
{
	map_file(va, 2, RW, 1);
	ATF_CHECK_EQ(read_word(va), file_word(1));
}

ATF_TC_WITHOUT_HEAD(no_memory);
ATF_TC_BODY(no_memory, tc)
{
	/* three tables, the anon_root, the page */
	fail_each(prepare_anon, HOSTED_WRITE, FL_CLASS_USER_MINOR_ANON_ALLOC, 5);
	fail_each(prepare_anon, HOSTED_READ, FL_CLASS_USER_MINOR_ANON_ZERO, 3);
	fail_each(prepare_zero, HOSTED_WRITE, FL_CLASS_USER_MINOR_COW_ZERO, 2);
	/* three tables, the file's page; anon_root and page for the copy */
	fail_each(prepare_file, HOSTED_READ, FL_CLASS_USER_MINOR_FILE_MAP, 4);
	fail_each(prepare_file, HOSTED_WRITE, FL_CLASS_USER_MINOR_FILE_COW, 6);
	fail_each(prepare_file_read, HOSTED_WRITE, FL_CLASS_USER_MINOR_FILE_COW, 2);
}

/* ---- another CPU was first ---- */

/* The state of a fault at va that was read before another CPU changed the PTE. */
static struct fault_ctx ctx_at(uint64_t va, uint32_t flags, pte_t old)
{
	struct fault_ctx c = {.mm = mm, .addr = va, .flags = flags, .old = old};

	c.vma = vma_lookup(mm, va);
	c.slot = pgtable_get(mm, va);
	return c;
}

/* The path must ask for a restart and leave page, PTE and counts alone. */
static void check_restarts(unsigned (*path)(struct fault_ctx *), uint64_t va, uint32_t flags,
			   pte_t old)
{
	struct fault_ctx c;
	uint64_t before = page_nr_free();
	pte_t now = pte_at(va);

	mmap_read_lock(mm);
	c = ctx_at(va, flags, old);
	ATF_CHECK_EQ(path(&c), (unsigned)FAULT_RESTART);
	mmap_read_unlock(mm);
	ATF_CHECK_EQ(pte_at(va).v, now.v);
	ATF_CHECK_EQ(page_nr_free(), before);
	world_check();
}

ATF_TC_WITHOUT_HEAD(restart);
ATF_TC_BODY(restart, tc)
{
	const pte_t none = {0};
	pte_t old;
	uint64_t va, f;

	world_open();
	va = map_anon(2, RW);
	f = map_file(WORLD_BASE + PMD_SIZE, 2, RW, 0);

	ATF_CHECK_EQ(read_word(va), 0);
	ATF_CHECK_EQ(read_word(f), file_word(0));
	write_word(va + PAGE_SIZE, 1); /* so that the VMAs have their roots */
	write_word(f + PAGE_SIZE, 1);
	check_restarts(fault_anon_zero, va, U, none);
	check_restarts(fault_anon_alloc, va, U | W, none);
	check_restarts(fault_file, f, U, none);
	check_restarts(fault_file, f, U | W, none);

	old = pte_at(va);
	write_word(va, 1);
	check_restarts(fault_cow, va, U | W | P, old);
	old = pte_at(f);
	write_word(f, 1);
	check_restarts(fault_cow, f, U | W | P, old);
	ATF_REQUIRE_EQ(pte_make_stale(mm, va, 0), 0);
	old = pte_at(va);
	ATF_REQUIRE_EQ(pte_make_stale(mm, va, 1), 0);
	check_restarts(fault_cow, va, U | W | P, old);
	world_close();
}

/* While CPU 0 waits for the file's page, CPU 1 reads or writes the same one. */
static void other_cpu(uint32_t flags, unsigned class)
{
	hosted_set_cpu(1);
	port_load_mm(mm);
	ATF_CHECK_EQ(fault(WORLD_BASE, flags).class, class);
	port_load_mm(NULL);
	hosted_set_cpu(0);
}

static void other_cpu_reads(void)
{
	other_cpu(U, FL_CLASS_USER_MINOR_FILE_MAP);
}

static void other_cpu_writes(void)
{
	other_cpu(U | W, FL_CLASS_USER_MINOR_FILE_COW);
}

ATF_TC_WITHOUT_HEAD(restart_ends);
ATF_TC_BODY(restart_ends, tc)
{
	static const struct {
		void (*hook)(void);
		uint32_t flags;
		unsigned class;
	} cases[] = {
		{other_cpu_reads, U, FL_CLASS_USER_MINOR_SPURIOUS},
		{other_cpu_reads, U | W, FL_CLASS_USER_MINOR_FILE_COW}, /* of what it mapped */
		{other_cpu_writes, U, FL_CLASS_USER_MINOR_SPURIOUS},
		{other_cpu_writes, U | W, FL_CLASS_USER_MINOR_SPURIOUS},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		world_open();
		map_file(WORLD_BASE, 1, RW, 0);
		file_hook = cases[i].hook;
		ATF_CHECK_EQ_MSG(fault(WORLD_BASE, cases[i].flags).class, cases[i].class, "case %u",
				 i);
		ATF_CHECK(file_hook == NULL);
		ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_PGFAULT), 2);
		world_close();
	}
}

/* ---- injection ---- */

ATF_TC_WITHOUT_HEAD(make_stale_refuses);
ATF_TC_BODY(make_stale_refuses, tc)
{
	uint64_t va, f;

	world_open();
	va = map_anon(3, RW);
	f = map_file(WORLD_BASE + PMD_SIZE, 1, RW, 0);
	for (int step = 0; step < 2; step++) {
		ATF_CHECK_EQ(pte_make_stale(mm, va - PAGE_SIZE, step), -MM_EFAULT);
		ATF_CHECK_EQ(pte_make_stale(mm, va, step), -MM_EFAULT);
		ATF_CHECK_EQ(read_word(va + PAGE_SIZE), 0);
		ATF_CHECK_EQ(pte_make_stale(mm, va + PAGE_SIZE, step), -MM_EFAULT);
		ATF_CHECK_EQ(read_word(f), file_word(0));
		ATF_CHECK_EQ(pte_make_stale(mm, f, step), -MM_EFAULT);
	}
	write_word(va, 1);
	ATF_REQUIRE_EQ(vm_mprotect(mm, va, PAGE_SIZE, RO), 0);
	ATF_CHECK_EQ(pte_make_stale(mm, va, 0), -MM_EFAULT);
	ATF_CHECK_EQ(pte_make_stale(mm, va, 1), -MM_EFAULT);
	world_close();
}

/* ---- random sequences against a flat model ---- */

#define MODEL_PAGES 1200u /* over three lowest-level tables */
#define MODEL_BASE (WORLD_BASE + PMD_SIZE - 40 * PAGE_SIZE)

static struct {
	bool mapped;
	unsigned prot;
	uint64_t word; /* the first of the page */
} model[MODEL_PAGES];

static uint64_t rng;

static uint64_t pick(uint64_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (rng >> 11) % n;
}

static void model_set(unsigned from, unsigned n, bool mapped, unsigned prot)
{
	for (unsigned i = from; i < from + n; i++) {
		model[i].mapped = mapped;
		model[i].prot = prot;
		model[i].word = 0;
	}
}

static bool model_all_mapped(unsigned from, unsigned n)
{
	for (unsigned i = from; i < from + n; i++)
		if (!model[i].mapped)
			return false;
	return true;
}

/* One call on a random range. */
static void random_call(void)
{
	static const unsigned prots[] = {0, RO, RW, RW, RX, RW | PROT_EXEC_, PROT_WRITE_};
	unsigned from = (unsigned)pick(MODEL_PAGES), n = 1 + (unsigned)pick(pick(8) ? 20 : 700);
	unsigned prot = prots[pick(7)];
	uint64_t va, len;

	if (n > MODEL_PAGES - from)
		n = MODEL_PAGES - from;
	va = MODEL_BASE + from * PAGE_SIZE;
	len = n * PAGE_SIZE;
	switch (pick(5)) {
	case 0:
		map_at(va, n, prot);
		model_set(from, n, true, prot);
		break;
	case 1:
		if (n > FILE_PAGES)
			n = FILE_PAGES;
		map_file(va, n, prot, FILE_PAGES - n);
		model_set(from, n, true, prot);
		for (unsigned i = 0; i < n; i++)
			model[from + i].word = file_word(FILE_PAGES - n + i);
		break;
	case 2:
		ATF_REQUIRE_EQ(vm_munmap(mm, va, len), 0);
		model_set(from, n, false, 0);
		break;
	default:
		if (!model_all_mapped(from, n))
			break;
		ATF_REQUIRE_EQ(vm_mprotect(mm, va, len, prot), 0);
		for (unsigned i = from; i < from + n; i++)
			model[i].prot = prot;
		break;
	}
}

/* One access; allowed or refused, and read as the model says. */
static void random_access(unsigned i)
{
	static const unsigned needs[] = {RW | PROT_EXEC_, PROT_WRITE_, PROT_EXEC_};
	enum hosted_access_kind kind = (enum hosted_access_kind)pick(3);
	uint64_t va = MODEL_BASE + i * PAGE_SIZE;
	uint64_t *word = touch(va, kind);

	ATF_REQUIRE_EQ(word != NULL, model[i].mapped && model[i].prot & needs[kind]);
	if (!word)
		return;
	ATF_REQUIRE_EQ(*word, model[i].word);
	if (kind == HOSTED_WRITE)
		model[i].word = *word = rng;
}

/* As random_access, in a storm of failing allocations: what is refused for that is tried again. */
static void random_access_without_memory(unsigned i)
{
	uint64_t va = MODEL_BASE + i * PAGE_SIZE;
	struct hosted_access a = hosted_access(mm, va, HOSTED_WRITE, true);

	if (a.host)
		return;
	hosted_fail_random(rng, 2);
	if (fault(va, a.fault).outcome == FAULT_OOM)
		ATF_REQUIRE(hosted_fail_refused());
	hosted_fail_none();
}

ATF_TC_WITHOUT_HEAD(random_sequences);
ATF_TC_BODY(random_sequences, tc)
{
	for (uint64_t seed = 1; seed <= 4; seed++) {
		rng = seed * 0x9e3779b97f4a7c15ull;
		model_set(0, MODEL_PAGES, false, 0);
		world_open();
		for (unsigned step = 0; step < 12000; step++) {
			unsigned i = (unsigned)pick(MODEL_PAGES);

			if (pick(10) == 0)
				random_call();
			else if (pick(10) == 0)
				random_access_without_memory(i);
			else
				random_access(i);
			if (step % 16 == 0)
				world_check();
		}
		world_close();
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, anon_zero);
	ATF_TP_ADD_TC(tp, anon_alloc);
	ATF_TP_ADD_TC(tp, anon_exec);
	ATF_TP_ADD_TC(tp, anon_write_only);
	ATF_TP_ADD_TC(tp, cow_zero);
	ATF_TP_ADD_TC(tp, cow_reuse);
	ATF_TP_ADD_TC(tp, file_map);
	ATF_TP_ADD_TC(tp, file_mapped_twice);
	ATF_TP_ADD_TC(tp, file_cow);
	ATF_TP_ADD_TC(tp, file_cow_after_read);
	ATF_TP_ADD_TC(tp, spurious_stale_tlb);
	ATF_TP_ADD_TC(tp, spurious_other_cpu_first);
	ATF_TP_ADD_TC(tp, maperr);
	ATF_TP_ADD_TC(tp, maperr_far);
	ATF_TP_ADD_TC(tp, lowest);
	ATF_TP_ADD_TC(tp, accerr);
	ATF_TP_ADD_TC(tp, accerr_prot_none);
	ATF_TP_ADD_TC(tp, exec);
	ATF_TP_ADD_TC(tp, kernel_addr);
	ATF_TP_ADD_TC(tp, rsvd);
	ATF_TP_ADD_TC(tp, bus);
	ATF_TP_ADD_TC(tp, uaccess_served);
	ATF_TP_ADD_TC(tp, uaccess_bad);
	ATF_TP_ADD_TC(tp, oops);
	ATF_TP_ADD_TC(tp, no_memory);
	ATF_TP_ADD_TC(tp, restart);
	ATF_TP_ADD_TC(tp, restart_ends);
	ATF_TP_ADD_TC(tp, make_stale_refuses);
	ATF_TP_ADD_TC(tp, random_sequences);
	return atf_no_error();
}
