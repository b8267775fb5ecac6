/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel memory by pages on the software MMU: where areas lie, how an address space comes to know
 * of them, that vfree leaves nothing behind, want of memory at every allocation.
 *
 * Pictures: one letter a page; a, b, c areas, . unmapped.
 */
#include "mm/pgtable/vmalloc.h"
#include "test/fault_world.h"
#include "test/random.h"

#define W FAULT_WRITE
#define LAZY(n) (VMALLOC_START + (n)*VMALLOC_SLOT_SIZE + PAGE_SIZE)

static void kernel_open(void)
{
	hosted_boot(WORLD_FRAMES);
	hosted_kernel_half();
	mm_init();
	ATF_REQUIRE_EQ(vmalloc_init(), 0);
	ATF_REQUIRE_EQ(zero_page_init(), 0);
	mm = mm_create();
	ATF_REQUIRE(mm != NULL);
	port_load_mm(mm);
}

static void kernel_check(void)
{
	vmalloc_check();
	hosted_tlb_check();
	slab_check();
	buddy_check();
}

static void kernel_close(void)
{
	ATF_CHECK_EQ(vmalloc_nr_areas(), 0);
	kernel_check();
	port_load_mm(NULL);
	mm_destroy(mm);
}

/* Frames in use, but for what slabs keep. */
static uint64_t frames_used(void)
{
	return WORLD_FRAMES - page_nr_free() - (uint64_t)hosted_vmstat(FL_VMSTAT_NR_SLAB);
}

static struct hosted_access kernel_access(uint64_t va, enum hosted_access_kind kind)
{
	return hosted_access(mm, va, kind, false);
}

/* The word at va as the kernel reaches it; *faults counts the faults that were served. */
static uint64_t *kernel_word(uint64_t va, unsigned *faults)
{
	for (unsigned tries = 0; tries < 3; tries++) {
		struct hosted_access a = kernel_access(va, HOSTED_WRITE);

		if (a.host)
			return a.host;
		ATF_CHECK_EQ(a.fault, W);
		CHECK_VERDICT(fault(va, a.fault), KERNEL_MINOR_VMALLOC, FAULT_DONE, 0);
		++*faults;
	}
	atf_tc_fail("%lx faults again and again", va);
}

static void check_oops(uint64_t va)
{
	struct hosted_access a = kernel_access(va, HOSTED_READ);

	ATF_REQUIRE(!a.host);
	CHECK_VERDICT(fault(va, a.fault), KERNEL_INVALID_OOPS, FAULT_OOPS, 0);
}

/* ---- the fault ---- */

ATF_TC_WITHOUT_HEAD(one_fault_a_slot);
ATF_TC_BODY(one_fault_a_slot, tc)
{
	unsigned faults = 0;
	uint64_t a, b, c;

	kernel_open();
	a = (uint64_t)vmalloc(3 * PAGE_SIZE);
	b = (uint64_t)vmalloc(1);
	c = (uint64_t)vmalloc_slot(VMALLOC_LAZY_SLOT + 1, PAGE_SIZE);
	*kernel_word(a, &faults) = 1;
	ATF_CHECK_EQ(faults, 1);
	*kernel_word(a + 2 * PAGE_SIZE, &faults) = 2;
	*kernel_word(b, &faults) = 3;
	ATF_CHECK_EQ(faults, 1);
	*kernel_word(c, &faults) = 4;
	ATF_CHECK_EQ(faults, 2);
	ATF_CHECK_EQ(*kernel_word(a, &faults), 1);
	ATF_CHECK_EQ(*kernel_word(b, &faults), 3);
	ATF_CHECK_EQ(faults, 2);
	vfree((void *)a);
	vfree((void *)b);
	vfree((void *)c);
	kernel_close();
}

/* An older and a younger address space; both see the same memory. */
ATF_TC_WITHOUT_HEAD(each_address_space);
ATF_TC_BODY(each_address_space, tc)
{
	struct mm *first, *younger, *forked;
	unsigned faults = 0;
	uint64_t a;

	kernel_open();
	first = mm;
	a = (uint64_t)vmalloc(PAGE_SIZE);
	*kernel_word(a, &faults) = 77;
	younger = mm_create();
	forked = mm_fork(first);
	ATF_REQUIRE(younger && forked);
	for (unsigned i = 0; i < 2; i++) {
		mm = i ? forked : younger;
		port_load_mm(mm);
		faults = 0;
		ATF_CHECK_EQ(*kernel_word(a, &faults), 77 + i);
		ATF_CHECK_EQ(faults, 1);
		*kernel_word(a, &faults) = 77 + i + 1;
	}
	mm = first;
	port_load_mm(mm);
	faults = 0;
	ATF_CHECK_EQ(*kernel_word(a, &faults), 79);
	ATF_CHECK_EQ(faults, 0);
	mm_destroy(younger);
	mm_destroy(forked);
	vfree((void *)a);
	kernel_close();
}

ATF_TC_WITHOUT_HEAD(eager_slot);
ATF_TC_BODY(eager_slot, tc)
{
	uint64_t a;

	kernel_open();
	a = (uint64_t)vmalloc_slot(VMALLOC_EAGER_SLOT, PAGE_SIZE);
	ATF_CHECK(kernel_access(a, HOSTED_WRITE).host != NULL);
	vfree((void *)a);
	kernel_close();
}

/* Another CPU with the same address space was first. */
ATF_TC_WITHOUT_HEAD(twice_at_once);
ATF_TC_BODY(twice_at_once, tc)
{
	unsigned faults = 0;
	uint64_t a;

	kernel_open();
	a = (uint64_t)vmalloc(PAGE_SIZE);
	kernel_word(a, &faults);
	CHECK_VERDICT(fault(a, 0), KERNEL_MINOR_VMALLOC, FAULT_DONE, 0);
	vfree((void *)a);
	kernel_close();
}

/*   |..aaa.b...|  what lies around, and what is no first access of the kernel's */
ATF_TC_WITHOUT_HEAD(refused);
ATF_TC_BODY(refused, tc)
{
	unsigned faults = 0;
	uint64_t a, b;

	kernel_open();
	a = (uint64_t)vmalloc(3 * PAGE_SIZE);
	b = (uint64_t)vmalloc(PAGE_SIZE);
	ATF_CHECK_EQ(a, LAZY(VMALLOC_LAZY_SLOT));
	ATF_CHECK_EQ(b, a + 4 * PAGE_SIZE);
	check_oops(a - 8);
	check_oops(a + 3 * PAGE_SIZE);
	check_oops(b + PAGE_SIZE);
	check_oops(VMALLOC_START);
	check_oops(VMALLOC_END - 8);
	check_oops(VMALLOC_END);
	for (uint32_t bad = FAULT_PRESENT; bad <= FAULT_UACCESS; bad <<= 1)
		if (bad != FAULT_WRITE)
			ATF_CHECK(fault(a, bad).class != FL_CLASS_KERNEL_MINOR_VMALLOC);
	kernel_word(a, &faults);
	ATF_CHECK_EQ(kernel_access(a, HOSTED_EXEC).fault, FAULT_PRESENT | FAULT_FETCH);
	ATF_CHECK_EQ(hosted_access(mm, a, HOSTED_READ, true).fault, FAULT_PRESENT | FAULT_USER);
	vfree((void *)a);
	vfree((void *)b);
	kernel_close();
}

/* ---- areas ---- */

ATF_TC_WITHOUT_HEAD(nothing_stale);
ATF_TC_BODY(nothing_stale, tc)
{
	static const uint64_t pages[] = {1, 2, 33, 34, 600};
	unsigned faults = 0;

	kernel_open();
	for (unsigned i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
		uint64_t a = (uint64_t)vmalloc(pages[i] * PAGE_SIZE);

		for (uint64_t p = 0; p < pages[i]; p++)
			*kernel_word(a + p * PAGE_SIZE, &faults) = p;
		for (uint64_t p = 0; p < pages[i]; p++)
			ATF_CHECK_EQ(*kernel_word(a + p * PAGE_SIZE, &faults), p);
		kernel_check();
		vfree((void *)a);
		kernel_check();
		check_oops(a);
		check_oops(a + (pages[i] - 1) * PAGE_SIZE);
	}
	ATF_CHECK_EQ(faults, 1);
	kernel_close();
}

/* Another CPU, with an address space of its own, has the area in its TLB. */
ATF_TC_WITHOUT_HEAD(nothing_stale_elsewhere);
ATF_TC_BODY(nothing_stale_elsewhere, tc)
{
	unsigned faults = 0;
	struct mm *here, *there;
	uint64_t a;

	kernel_open();
	here = mm;
	there = mm_create();
	ATF_REQUIRE(there != NULL);
	a = (uint64_t)vmalloc(PAGE_SIZE);
	hosted_set_cpu(1);
	mm = there;
	port_load_mm(mm);
	*kernel_word(a, &faults) = 5;
	hosted_set_cpu(0);
	mm = here;
	ATF_CHECK_EQ(*kernel_word(a, &faults), 5);
	vfree((void *)a);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_TLB_REMOTE_FLUSH), 1);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_TLB_REMOTE_FLUSH_RECEIVED), 1);
	hosted_set_cpu(1);
	mm = there;
	hosted_tlb_check();
	check_oops(a);
	port_load_mm(NULL);
	mm_destroy(there);
	hosted_set_cpu(0);
	mm = here;
	kernel_close();
}

/*   |.a.b.c...|  ->  |.a...c...|  ->  |.a.d.c...|, |.a...c.ee...| */
ATF_TC_WITHOUT_HEAD(first_fit);
ATF_TC_BODY(first_fit, tc)
{
	uint64_t a, b, c, e;

	kernel_open();
	a = (uint64_t)vmalloc(PAGE_SIZE);
	b = (uint64_t)vmalloc(PAGE_SIZE);
	c = (uint64_t)vmalloc(PAGE_SIZE);
	vfree((void *)b);
	e = (uint64_t)vmalloc(2 * PAGE_SIZE);
	ATF_CHECK_EQ(e, c + 2 * PAGE_SIZE);
	ATF_CHECK_EQ((uint64_t)vmalloc(PAGE_SIZE),
		     e + 3 * PAGE_SIZE); /* the search goes on there */
	vfree((void *)a);
	ATF_CHECK_EQ((uint64_t)vmalloc(3 * PAGE_SIZE), a); /* a and b in one */
	ATF_CHECK(vmalloc_is_area(c) && !vmalloc_is_area(c + 8) && !vmalloc_is_area(0));
	ATF_CHECK(vmalloc_holds(e + 8, 2 * PAGE_SIZE - 8) && !vmalloc_holds(e + 8, 2 * PAGE_SIZE));
	ATF_CHECK(!vmalloc_holds(a - 8, 8) && !vmalloc_holds(0, 8));
	ATF_CHECK(vmalloc(0) == NULL && vmalloc(VMALLOC_MAX + 1) == NULL);
	vmalloc_check();
	vfree((void *)a);
	vfree((void *)c);
	vfree((void *)e);
	vfree((void *)(e + 3 * PAGE_SIZE));
	vfree(NULL);
	kernel_close();
}

#define MAX_AREAS 24

/* Many areas of all sizes, made and freed in any order: each keeps its contents. */
ATF_TC_WITHOUT_HEAD(random_areas);
ATF_TC_BODY(random_areas, tc)
{
	struct {
		uint64_t at, pages;
	} area[MAX_AREAS] = {0};
	uint64_t r = 7;
	unsigned faults = 0;

	kernel_open();
	for (unsigned step = 0; step < 3000; step++) {
		uint64_t i = random_below(&r, MAX_AREAS);

		if (!area[i].at) {
			area[i].pages = 1 + random_below(&r, random_below(&r, 4) ? 8 : 60);
			area[i].at =
				(uint64_t)vmalloc_slot((unsigned)random_below(&r, VMALLOC_SLOTS),
						       area[i].pages * PAGE_SIZE);
			ATF_REQUIRE(area[i].at);
			for (uint64_t p = 0; p < area[i].pages; p++)
				*kernel_word(area[i].at + p * PAGE_SIZE, &faults) = area[i].at + p;
		} else {
			for (uint64_t p = 0; p < area[i].pages; p++)
				ATF_REQUIRE_EQ(*kernel_word(area[i].at + p * PAGE_SIZE, &faults),
					       area[i].at + p);
			vfree((void *)area[i].at);
			area[i].at = 0;
		}
		if (step % 100 == 0)
			kernel_check();
	}
	for (unsigned i = 0; i < MAX_AREAS; i++)
		vfree((void *)area[i].at);
	ATF_CHECK_EQ(faults, VMALLOC_SLOTS - VMALLOC_LAZY_SLOT);
	kernel_close();
}

/* Each allocation fails in turn: NULL, nothing mapped, nothing lost but tables, which stay for the
 * next time. */
ATF_TC_WITHOUT_HEAD(no_memory);
ATF_TC_BODY(no_memory, tc)
{
	uint64_t before, n = 0;
	void *a = NULL;

	kernel_open();
	do {
		hosted_fail_nth(++n);
		a = vmalloc_slot(VMALLOC_LAZY_SLOT + n % 3, 40 * PAGE_SIZE);
		if (hosted_fail_refused())
			ATF_CHECK(a == NULL);
		hosted_fail_none();
		ATF_CHECK_EQ(vmalloc_nr_areas(), a != NULL);
		kernel_check();
	} while (!a);
	ATF_CHECK(n > 41);
	vfree(a);
	before = frames_used();
	for (unsigned slot = VMALLOC_LAZY_SLOT; slot < VMALLOC_LAZY_SLOT + 3; slot++)
		vfree(vmalloc_slot(slot, 40 * PAGE_SIZE));
	ATF_CHECK_EQ(frames_used(), before);
	ATF_CHECK(vmalloc(VMALLOC_MAX) == NULL); /* more than there is */
	kernel_check();
	kernel_close();
}

static void free_inside(void *p)
{
	vfree((char *)p + PAGE_SIZE);
}

ATF_TC_WITHOUT_HEAD(bad_free);
ATF_TC_BODY(bad_free, tc)
{
	void *a;

	kernel_open();
	a = vmalloc(2 * PAGE_SIZE);
	ATF_CHECK(hosted_catch_panic(free_inside, a) != NULL);
	vfree(a);
	ATF_CHECK(hosted_catch_panic(vfree, a) != NULL);
	kernel_close();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, one_fault_a_slot);
	ATF_TP_ADD_TC(tp, each_address_space);
	ATF_TP_ADD_TC(tp, eager_slot);
	ATF_TP_ADD_TC(tp, twice_at_once);
	ATF_TP_ADD_TC(tp, refused);
	ATF_TP_ADD_TC(tp, nothing_stale);
	ATF_TP_ADD_TC(tp, nothing_stale_elsewhere);
	ATF_TP_ADD_TC(tp, first_fit);
	ATF_TP_ADD_TC(tp, random_areas);
	ATF_TP_ADD_TC(tp, no_memory);
	ATF_TP_ADD_TC(tp, bad_free);
	return atf_no_error();
}
