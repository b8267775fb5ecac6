/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared anonymous memory on the software MMU: one page for all who map it, what stays when PTEs
 * go, the reverse map, ends, want of memory at every allocation; and the tree that holds the pages.
 */
#include <pthread.h>

#include "mm/object/shmem.h"
#include "test/family.h"
#include "test/random.h"

#define U FAULT_USER
#define P FAULT_PRESENT
#define W FAULT_WRITE

static void check_all(void)
{
	int64_t anon = 0;

	check_mms();
	for (unsigned i = 0; i < nr_mms; i++)
		anon += mms[i]->rss_anon;
	lru_check();
	hosted_tlb_check();
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_INACTIVE_ANON),
		     anon + hosted_vmstat(FL_VMSTAT_NR_SHMEM));
}

/* One is left, unmaps everything, and no page of any object stays. */
static void family_close(void)
{
	family_leave(mms[0]);
	ATF_REQUIRE_EQ(vm_munmap(mm, WORLD_BASE, TASK_SIZE - WORLD_BASE), 0);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_SHMEM), 0);
	ATF_CHECK_EQ(mm->rss_shmem, 0);
	world_close();
}

static uint64_t map_shared(uint64_t va, uint64_t pages, unsigned prot)
{
	int64_t r = vm_mmap(mm, va, pages * PAGE_SIZE, prot,
			    MAP_SHARED_ | MAP_ANONYMOUS_ | MAP_FIXED_, NULL, 0, 0);

	ATF_REQUIRE_EQ(r, (int64_t)va);
	return va;
}

static uint64_t page_va(uint64_t page)
{
	return WORLD_BASE + page * PAGE_SIZE;
}

/* ---- faults ---- */

/* The classes, and that one fault is all that a page takes. */
ATF_TC_WITHOUT_HEAD(classes);
ATF_TC_BODY(classes, tc)
{
	struct mm *parent, *child;

	family_open();
	parent = mm;
	map_shared(page_va(0), 4, RW);
	child = fork_mm(parent);
	CHECK_FAULT_AS(parent, page_va(0), HOSTED_READ, U, USER_MINOR_SHMEM_ALLOC);
	ATF_CHECK(page_is_zero(page_va(0)));
	access_works(page_va(0), HOSTED_WRITE);
	CHECK_FAULT_AS(parent, page_va(1), HOSTED_WRITE, U | W, USER_MINOR_SHMEM_ALLOC);
	ATF_CHECK(page_is_zero(page_va(1)));
	CHECK_FAULT_AS(child, page_va(0), HOSTED_READ, U, USER_MINOR_FILE_MAP);
	access_works(page_va(0), HOSTED_WRITE);
	CHECK_FAULT_AS(child, page_va(1), HOSTED_WRITE, U | W, USER_MINOR_FILE_WRITE);
	CHECK_FAULT_AS(child, page_va(2), HOSTED_WRITE, U | W, USER_MINOR_SHMEM_ALLOC);
	CHECK_FAULT_AS(parent, page_va(2), HOSTED_READ, U, USER_MINOR_FILE_MAP);
	ATF_CHECK_EQ(parent->rss_shmem, 3);
	ATF_CHECK_EQ(child->rss_shmem, 3);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_SHMEM), 3);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_FILE_MAPPED), 3);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_ANON_PAGES), 0);
	family_close();
}

/* Writes of each side are the other's; fork takes no right away and brings no PTE. */
ATF_TC_WITHOUT_HEAD(shared);
ATF_TC_BODY(shared, tc)
{
	struct mm *parent, *child, *grandchild;

	family_open();
	parent = mm;
	map_shared(page_va(0), 3, RW);
	write_word(page_va(0), 1);
	child = fork_mm(parent);
	ATF_CHECK(pte_write(pte_at(page_va(0))));
	run_as(child);
	ATF_CHECK(pte_none(pte_at(page_va(0))));
	ATF_CHECK_EQ(child->rss_shmem, 0);
	ATF_CHECK_EQ(read_as(child, page_va(0)), 1);
	write_as(child, page_va(0), 2);
	write_as(child, page_va(1), 3);
	ATF_CHECK_EQ(read_as(parent, page_va(0)), 2);
	ATF_CHECK_EQ(read_as(parent, page_va(1)), 3);
	grandchild = fork_mm(child);
	end_mm(child);
	write_as(grandchild, page_va(2), 4);
	ATF_CHECK_EQ(read_as(parent, page_va(2)), 4);
	end_mm(parent);
	ATF_CHECK_EQ(read_as(grandchild, page_va(0)), 2);
	family_close();
}

/* The frame is the same for all, and stays while it is unmapped. */
ATF_TC_WITHOUT_HEAD(contents_stay);
ATF_TC_BODY(contents_stay, tc)
{
	struct mm *parent, *child;
	struct page *page;

	family_open();
	parent = mm;
	map_shared(page_va(0), 2, RW);
	write_word(page_va(0), 7);
	page = page_at(page_va(0));
	ATF_CHECK_EQ(page->refcount, 2);
	ATF_CHECK_EQ(page->mapcount, 1);
	ATF_REQUIRE_EQ(vm_madvise(mm, page_va(0), 2 * PAGE_SIZE, MADV_DONTNEED_), 0);
	ATF_CHECK_EQ(mm->rss_shmem, 0);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_SHMEM), 1);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_FILE_MAPPED), 0);
	ATF_CHECK_EQ(page->refcount, 1);
	CHECK_FAULT_AS(parent, page_va(0), HOSTED_READ, U, USER_MINOR_FILE_MAP);
	ATF_CHECK_EQ(read_word(page_va(0)), 7);
	ATF_CHECK(page_at(page_va(0)) == page);
	child = fork_mm(parent);
	ATF_REQUIRE_EQ(vm_munmap(parent, page_va(0), 2 * PAGE_SIZE), 0);
	check_all();
	ATF_CHECK_EQ(page->mapcount, 0);
	ATF_CHECK_EQ(read_as(child, page_va(0)), 7);
	ATF_CHECK(page_at(page_va(0)) == page);
	/* The same place, another object. */
	run_as(parent);
	map_shared(page_va(0), 2, RW);
	ATF_CHECK_EQ(read_word(page_va(0)), 0);
	ATF_CHECK(page_at(page_va(0)) != page);
	family_close();
}

/* Rights come and go without a fault more. */
ATF_TC_WITHOUT_HEAD(rights);
ATF_TC_BODY(rights, tc)
{
	struct mm *only;

	family_open();
	only = mm;
	map_shared(page_va(0), 3, RO);
	CHECK_FAULT_AS(only, page_va(0), HOSTED_READ, U, USER_MINOR_SHMEM_ALLOC);
	CHECK_REFUSED(page_va(0), HOSTED_WRITE, U | W | P, USER_INVALID_ACCERR, FAULT_SIGNAL,
		      SEGV_ACCERR_);
	ATF_REQUIRE_EQ(vm_mprotect(mm, page_va(0), 3 * PAGE_SIZE, RW), 0);
	ATF_CHECK(pte_write(pte_at(page_va(0))));
	*(uint64_t *)touch(page_va(0), HOSTED_WRITE) = 5;
	ATF_REQUIRE_EQ(vm_mprotect(mm, page_va(1), PAGE_SIZE, 0), 0);
	CHECK_REFUSED(page_va(1), HOSTED_READ, U, USER_INVALID_ACCERR, FAULT_SIGNAL, SEGV_ACCERR_);
	ATF_REQUIRE_EQ(vm_mprotect(mm, page_va(0), 2 * PAGE_SIZE, RO), 0);
	ATF_CHECK(!pte_write(pte_at(page_va(0))));
	check_all();
	ATF_REQUIRE_EQ(vm_mprotect(mm, page_va(0), 2 * PAGE_SIZE, RW), 0);
	ATF_CHECK_EQ(mm->map_count, 1);
	ATF_CHECK_EQ(read_word(page_va(0)), 5);
	/* What stubctl leaves behind is served as a first write. */
	ATF_REQUIRE_EQ(pte_make_stale(mm, page_va(0), 0), 0);
	CHECK_FAULT_AS(only, page_va(0), HOSTED_WRITE, U | W | P, USER_MINOR_FILE_WRITE);
	ATF_REQUIRE_EQ(pte_make_stale(mm, page_va(0), 0), 0);
	access_works(page_va(0), HOSTED_READ);
	ATF_REQUIRE_EQ(pte_make_stale(mm, page_va(0), 1), 0);
	CHECK_FAULT_AS(only, page_va(0), HOSTED_WRITE, U | W | P, USER_MINOR_SPURIOUS);
	family_close();
}

/* ---- ends ---- */

ATF_TC_WITHOUT_HEAD(beyond_the_end);
ATF_TC_BODY(beyond_the_end, tc)
{
	uint64_t va;

	family_open();
	va = map_shared(page_va(0), 2, RW);
	write_word(va + PAGE_SIZE, 9);
	ATF_REQUIRE_EQ(vm_mremap(mm, va, 2 * PAGE_SIZE, 4 * PAGE_SIZE, 0, 0), (int64_t)va);
	ATF_CHECK_EQ(read_word(va + PAGE_SIZE), 9);
	CHECK_REFUSED(va + 2 * PAGE_SIZE, HOSTED_READ, U, USER_INVALID_BUS, FAULT_BUS, 0);
	CHECK_REFUSED(va + 3 * PAGE_SIZE, HOSTED_WRITE, U | W, USER_INVALID_BUS, FAULT_BUS, 0);
	ATF_CHECK_EQ(vm_populate_advice(mm, va + 2 * PAGE_SIZE, va + 3 * PAGE_SIZE, false),
		     -MM_EFAULT);
	family_close();
}

ATF_TC_WITHOUT_HEAD(mapped_twice);
ATF_TC_BODY(mapped_twice, tc)
{
	uint64_t a, b = WORLD_BASE + PMD_SIZE - 2 * PAGE_SIZE;

	family_open();
	a = map_shared(page_va(0), 4, RW);
	write_word(a + PAGE_SIZE, 1);
	ATF_REQUIRE_EQ(vm_mremap(mm, a, 0, 4 * PAGE_SIZE, MREMAP_MAYMOVE_ | MREMAP_FIXED_, b),
		       (int64_t)b);
	check_all();
	ATF_CHECK_EQ(read_word(b + PAGE_SIZE), 1);
	ATF_CHECK(page_at(a + PAGE_SIZE) == page_at(b + PAGE_SIZE));
	ATF_CHECK_EQ(page_at(a + PAGE_SIZE)->mapcount, 2);
	write_word(b + 2 * PAGE_SIZE, 2);
	ATF_CHECK_EQ(read_word(a + 2 * PAGE_SIZE), 2);
	ATF_CHECK_EQ(mm->rss_shmem, 4);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_FILE_MAPPED), 2);
	/* The pages go along when it moves. */
	ATF_REQUIRE_EQ(vm_mremap(mm, b, 4 * PAGE_SIZE, 4 * PAGE_SIZE,
				 MREMAP_MAYMOVE_ | MREMAP_FIXED_, b + PMD_SIZE),
		       (int64_t)(b + PMD_SIZE));
	check_all();
	ATF_CHECK(page_at(a + PAGE_SIZE) == page_at(b + PMD_SIZE + PAGE_SIZE));
	ATF_REQUIRE_EQ(vm_munmap(mm, a, 4 * PAGE_SIZE), 0);
	ATF_CHECK_EQ(read_word(b + PMD_SIZE + PAGE_SIZE), 1);
	/* An empty range of private memory is nothing to map twice. */
	map_at(a, 1, RW);
	ATF_CHECK_EQ(vm_mremap(mm, a, 0, PAGE_SIZE, MREMAP_MAYMOVE_, 0), -MM_EINVAL);
	family_close();
}

/* ---- /dev/zero and files ---- */

static void zero_release(struct vm_file *zero)
{
	(void)zero;
	atf_tc_fail("/dev/zero lost its last reference");
}

ATF_TC_WITHOUT_HEAD(dev_zero);
ATF_TC_BODY(dev_zero, tc)
{
	struct vm_file zero = {
		.path = "/dev/zero", .refcount = 1, .release = zero_release, .kind = VM_FILE_ZERO};
	const unsigned private = MAP_PRIVATE_ | MAP_FIXED_, both = MAP_SHARED_ | MAP_FIXED_;
	uint64_t va = WORLD_BASE;

	family_open();
	ATF_REQUIRE_EQ(vm_mmap(mm, va, 2 * PAGE_SIZE, RW, private, &zero, 5, 0), (int64_t)va);
	CHECK_FAULT_AS(mm, va, HOSTED_READ, U, USER_MINOR_ANON_ZERO);
	CHECK_FAULT_AS(mm, va, HOSTED_WRITE, U | W | P, USER_MINOR_COW_ZERO);
	CHECK_FAULT_AS(mm, va + PAGE_SIZE, HOSTED_WRITE, U | W, USER_MINOR_ANON_ALLOC);
	ATF_CHECK_EQ(mm->rss_anon, 2);
	ATF_CHECK_EQ(mm->first->pgoff, 5);
	ATF_REQUIRE_EQ(vm_mmap(mm, va, 2 * PAGE_SIZE, RW, both, &zero, 1, 0), (int64_t)va);
	CHECK_FAULT_AS(mm, va, HOSTED_WRITE, U | W, USER_MINOR_SHMEM_ALLOC);
	CHECK_REFUSED(va + PAGE_SIZE, HOSTED_READ, U, USER_INVALID_BUS, FAULT_BUS, 0);
	zero.read_only = true;
	ATF_CHECK_EQ(vm_mmap(mm, va, PAGE_SIZE, RW, both, &zero, 0, 0), -MM_EACCES);
	ATF_REQUIRE_EQ(vm_mmap(mm, va, PAGE_SIZE, RO, both, &zero, 0, 0), (int64_t)va);
	CHECK_FAULT_AS(mm, va, HOSTED_READ, U, USER_MINOR_ANON_ZERO);
	ATF_CHECK_EQ(vm_mprotect(mm, va, PAGE_SIZE, RW), -MM_EACCES);
	ATF_REQUIRE_EQ(vm_munmap(mm, va, 2 * PAGE_SIZE), 0);
	ATF_CHECK_EQ(zero.refcount, 1);
	family_close();
}

/* A file's own pages, shared by all for reading. */
ATF_TC_WITHOUT_HEAD(file_shared);
ATF_TC_BODY(file_shared, tc)
{
	uint64_t va = WORLD_BASE;

	family_open();
	ATF_REQUIRE_EQ(vm_mmap(mm, va, 2 * PAGE_SIZE, RO, MAP_SHARED_ | MAP_FIXED_, &file, 1, 0),
		       (int64_t)va);
	CHECK_FAULT_AS(mm, va, HOSTED_READ, U, USER_MINOR_FILE_MAP);
	ATF_CHECK(page_at(va) == file_pages[1]);
	ATF_CHECK_EQ(mm->rss_file, 1);
	ATF_CHECK_EQ(vm_mprotect(mm, va, PAGE_SIZE, RW), -MM_EACCES);
	CHECK_REFUSED(va, HOSTED_WRITE, U | W | P, USER_INVALID_ACCERR, FAULT_SIGNAL, SEGV_ACCERR_);
	family_close();
}

/* ---- keys ---- */

ATF_TC_WITHOUT_HEAD(keys);
ATF_TC_BODY(keys, tc)
{
	uint64_t a, b = page_va(100), private = page_va(200);
	struct vm_key x, y, z;
	struct mm *parent, *child;

	family_open();
	parent = mm;
	a = map_shared(page_va(0), 4, RW);
	map_at(private, 1, RW);
	ATF_REQUIRE_EQ(
		vm_mremap(mm, a + PAGE_SIZE, 0, 2 * PAGE_SIZE, MREMAP_MAYMOVE_ | MREMAP_FIXED_, b),
		(int64_t)b);
	ATF_REQUIRE_EQ(vm_shared_key(mm, a + PAGE_SIZE + 12, false, &x), 0);
	ATF_REQUIRE_EQ(vm_shared_key(mm, b + 12, false, &y), 0);
	ATF_CHECK(vm_key_equal(&x, &y) && x.shared && x.index == 1 && x.offset == 12);
	ATF_REQUIRE_EQ(vm_shared_key(mm, b + 16, false, &y), 0);
	ATF_CHECK(!vm_key_equal(&x, &y));
	ATF_REQUIRE_EQ(vm_shared_key(mm, a + 12, false, &y), 0);
	ATF_CHECK(!vm_key_equal(&x, &y));
	ATF_REQUIRE_EQ(vm_shared_key(mm, private, false, &z), 0);
	ATF_CHECK(!z.shared && z.offset == 0);
	ATF_CHECK_EQ(vm_shared_key(mm, page_va(300), false, &y), -MM_EFAULT);
	ATF_CHECK_EQ(vm_shared_key(mm, ~0ull, false, &y), -MM_EFAULT);
	ATF_REQUIRE_EQ(vm_madvise(mm, private, PAGE_SIZE, MADV_DONTNEED_), 0);
	child = fork_mm(parent);
	run_as(child);
	ATF_REQUIRE_EQ(vm_shared_key(child, a + PAGE_SIZE + 12, false, &y), 0);
	ATF_CHECK(vm_key_equal(&x, &y));
	ATF_REQUIRE_EQ(vm_shared_key(child, private, false, &y), 0);
	ATF_CHECK(!vm_key_equal(&z, &y));
	map_shared(a, 4, RW);
	ATF_REQUIRE_EQ(vm_shared_key(child, a + PAGE_SIZE + 12, false, &y), 0);
	ATF_CHECK(!vm_key_equal(&x, &y));
	family_close();
}

/* A key asks the page, which is brought in, and what the VMA allows (abi_futex_key.c has all of
 * it). */
ATF_TC_WITHOUT_HEAD(keys_of_pages);
ATF_TC_BODY(keys_of_pages, tc)
{
	uint64_t shared, private = page_va(10);
	struct vm_key key;

	family_open();
	shared = map_shared(page_va(0), 2, RW);
	map_at(private, 2, RW);
	ATF_CHECK_EQ(vm_shared_key(mm, private, false, &key), 0);
	ATF_CHECK_EQ(mm->rss_anon, 1);
	ATF_CHECK_EQ(vm_shared_key(mm, shared, true, &key), 0);
	ATF_CHECK_EQ(mm->rss_shmem, 1);
	for (unsigned prot = 0; prot <= PROT_READ_; prot += PROT_READ_) {
		ATF_REQUIRE_EQ(vm_mprotect(mm, private, 2 * PAGE_SIZE, prot), 0);
		ATF_REQUIRE_EQ(vm_mprotect(mm, shared, 2 * PAGE_SIZE, prot), 0);
		for (uint64_t at = 0; at < 2 * PAGE_SIZE; at += PAGE_SIZE) {
			ATF_CHECK_EQ(vm_shared_key(mm, private + at, false, &key), -MM_EFAULT);
			ATF_CHECK_EQ(vm_shared_key(mm, shared + at, true, &key), -MM_EFAULT);
			ATF_CHECK_EQ(vm_shared_key(mm, shared + at, false, &key),
				     prot ? 0 : -MM_EFAULT);
		}
	}
	ATF_CHECK(key.shared && key.index == 1);
	ATF_REQUIRE_EQ(vm_mprotect(mm, private, 2 * PAGE_SIZE, RW), 0);
	hosted_fail_nth(1);
	ATF_CHECK_EQ(vm_shared_key(mm, private + PAGE_SIZE, false, &key), -MM_ENOMEM);
	hosted_fail_none();
	check_all();
	family_close();
}

/* ---- without memory ---- */

static int64_t try_map(void)
{
	return vm_mmap(mm, page_va(0), 8 * PAGE_SIZE, RW, MAP_SHARED_ | MAP_ANONYMOUS_ | MAP_FIXED_,
		       NULL, 0, 0);
}

/* Each allocation of mmap fails in turn, over what is there and over nothing. */
ATF_TC_WITHOUT_HEAD(no_memory_to_map);
ATF_TC_BODY(no_memory_to_map, tc)
{
	family_open();
	for (unsigned over = 0; over < 2; over++) {
		uint64_t n = 0;

		ATF_REQUIRE_EQ(vm_munmap(mm, WORLD_BASE, 64 * PAGE_SIZE), 0);
		if (over)
			write_word(map_at(page_va(0), 20, RW), 3);
		for (;;) {
			hosted_fail_nth(++n);
			if (try_map() >= 0)
				break;
			ATF_CHECK_EQ(hosted_fail_refused(), 1);
			hosted_fail_none();
			ATF_CHECK_EQ(mm->map_count, over);
			check_all();
			if (over)
				ATF_CHECK_EQ(read_word(page_va(0)), 3);
		}
		hosted_fail_none();
		ATF_CHECK_MSG(n - 1 >= 2, "%lu allocations", n - 1);
		write_word(page_va(1), 1);
		check_all();
	}
	family_close();
}

/* Each allocation of a fault: page, nodes of the tree, page tables. A fault that fails leaves those
 * before it behind, so that the next one begins where it ended: its second one fails. */
/* A fault far from the first one, with its nth allocation refused; false if it needs fewer. */
static bool fault_refused(unsigned n)
{
	const uint64_t pages = 1u << 20, last = page_va(pages - 1);
	struct fault_verdict v;
	bool refused;

	family_open();
	map_shared(page_va(0), pages, RW);
	write_word(page_va(0), 1);
	hosted_fail_nth(n);
	v = fault(last, hosted_access(mm, last, HOSTED_WRITE, true).fault);
	refused = hosted_fail_refused();
	hosted_fail_none();
	if (refused)
		CHECK_VERDICT(v, USER_INVALID_OOM, FAULT_OOM, 0);
	else
		ATF_CHECK_EQ(v.outcome, FAULT_DONE);
	check_all();
	ATF_CHECK_EQ(read_word(page_va(0)), 1);
	ATF_CHECK_EQ(read_word(last), 0);
	family_close();
	return refused;
}

ATF_TC_WITHOUT_HEAD(no_memory_to_fault);
ATF_TC_BODY(no_memory_to_fault, tc)
{
	unsigned n = 1;

	while (fault_refused(n))
		n++;
	/* Two tables, three roots above the first node, three nodes below, the page. */
	ATF_CHECK_MSG(n - 1 >= 9, "%u allocations", n - 1);
}

ATF_TC_WITHOUT_HEAD(no_memory_to_fork);
ATF_TC_BODY(no_memory_to_fork, tc)
{
	struct mm *child;
	uint64_t n = 0;

	family_open();
	map_shared(page_va(0), 4, RW);
	write_word(page_va(0), 1);
	for (;;) {
		hosted_fail_nth(++n);
		child = mm_fork(mm);
		if (child)
			break;
		hosted_fail_none();
		check_all();
		ATF_CHECK_EQ(mm->first->file->refcount, 1);
	}
	hosted_fail_none();
	mms[nr_mms++] = child;
	check_all();
	family_close();
}

/* ---- everything at random ---- */

enum { PAGES = 24, STEPS = 8000, OBJECTS = 3, VIEWS = 6 };

/* Where an address space maps which part of which object. */
struct view {
	bool mapped;
	unsigned object, first, count; /* pages of the object */
};

static uint64_t model[OBJECTS][PAGES];
static struct view views[MAX_MMS][VIEWS];

static uint64_t view_va(unsigned view, unsigned page)
{
	return WORLD_BASE + view * PMD_SIZE + PMD_SIZE / 2 + page * PAGE_SIZE;
}

/* Copies a part of a view of the same address space over another. */
static void duplicate(unsigned who, unsigned from, unsigned to, uint64_t *state)
{
	struct view *v = &views[who][from], part;
	unsigned skip, n;

	if (!v->mapped || from == to)
		return;
	skip = (unsigned)(random_next(state) % v->count);
	n = 1 + (unsigned)(random_next(state) % (v->count - skip));
	part = (struct view){true, v->object, v->first + skip, n};
	run_as(mms[who]);
	ATF_REQUIRE_EQ(vm_munmap(mm, view_va(to, 0), PAGES * PAGE_SIZE), 0);
	ATF_REQUIRE_EQ(vm_mremap(mm, view_va(from, skip), 0, n * PAGE_SIZE,
				 MREMAP_MAYMOVE_ | MREMAP_FIXED_, view_va(to, 0)),
		       (int64_t)view_va(to, 0));
	views[who][to] = part;
}

static void access_view(unsigned who, unsigned view, uint64_t step, uint64_t *state)
{
	const struct view *v = &views[who][view];
	unsigned page = (unsigned)(random_next(state) % PAGES);

	if (!v->mapped || page >= v->count)
		return;
	if (random_next(state) % 2) {
		write_as(mms[who], view_va(view, page), step);
		model[v->object][v->first + page] = step;
	} else {
		ATF_REQUIRE_EQ(read_as(mms[who], view_va(view, page)),
			       model[v->object][v->first + page]);
	}
}

static void random_step(uint64_t step, uint64_t *state)
{
	unsigned who = (unsigned)(random_next(state) % nr_mms);
	unsigned view = (unsigned)(random_next(state) % VIEWS);
	struct view *v = &views[who][view];

	run_as(mms[who]);
	switch (random_next(state) % 16) {
	case 0:
		if (nr_mms == MAX_MMS)
			break;
		memcpy(views[nr_mms], views[who], sizeof views[who]);
		fork_mm(mms[who]);
		break;
	case 1:
		if (nr_mms == 1)
			break;
		memcpy(views[who], views[nr_mms - 1], sizeof views[who]);
		end_mm(mms[who]);
		break;
	case 2:
		ATF_REQUIRE_EQ(vm_munmap(mm, view_va(view, 0), PAGES * PAGE_SIZE), 0);
		v->mapped = false;
		break;
	case 3:
		duplicate(who, view, (unsigned)(random_next(state) % VIEWS), state);
		break;
	case 4:
		if (v->mapped)
			ATF_REQUIRE_EQ(vm_madvise(mm, view_va(view, 0), v->count * PAGE_SIZE,
						  MADV_DONTNEED_),
				       0);
		break;
	case 5:
		if (!v->mapped)
			break;
		ATF_REQUIRE_EQ(vm_mprotect(mm, view_va(view, 0), PAGE_SIZE, RO), 0);
		ATF_REQUIRE_EQ(vm_mprotect(mm, view_va(view, 0), PAGE_SIZE, RW), 0);
		break;
	default:
		access_view(who, view, step, state);
	}
}

ATF_TC_WITHOUT_HEAD(random_family);
ATF_TC_BODY(random_family, tc)
{
	uint64_t state = 3;

	family_open();
	for (unsigned i = 0; i < OBJECTS; i++) {
		map_shared(view_va(i, 0), PAGES, RW);
		views[0][i] = (struct view){true, i, 0, PAGES};
	}
	for (uint64_t step = 1; step <= STEPS; step++) {
		random_step(step, &state);
		if (step % 32 == 0)
			check_all();
	}
	family_close();
}

/* ---- the tree of pages ---- */

static const uint64_t indices[] = {
	0,	1,	63,	  64,	    65,		4095,	    4096,	4097,
	262143, 262144, 16777215, 16777216, 1ull << 30, 1ull << 36, 1ull << 42, (1ull << 52) - 1};
#define NR_INDICES (sizeof indices / sizeof *indices)

static unsigned dropped;

static void drop_pages(void *arg, struct page **pages, unsigned n)
{
	(void)arg;
	dropped += n;
	for (unsigned i = 0; i < n; i++)
		page_put(pages[i]);
}

ATF_TC_WITHOUT_HEAD(tree);
ATF_TC_BODY(tree, tc)
{
	struct page_index t = {0};
	struct page *pages[NR_INDICES];

	world_open();
	dropped = 0;
	for (unsigned i = 0; i < NR_INDICES; i++) {
		struct page **slot;

		ATF_CHECK(!page_index_find(&t, indices[i]));
		slot = page_index_slot(&t, indices[i]);
		ATF_REQUIRE(slot != NULL && !page_index_load(slot));
		pages[i] = page_alloc();
		ATF_CHECK(page_index_add(slot, pages[i]) == pages[i]);
		ATF_CHECK(page_index_add(slot, pages[0]) == pages[i]);
		for (unsigned j = 0; j <= i; j++)
			ATF_CHECK(page_index_find(&t, indices[j]) == pages[j]);
		ATF_CHECK(page_index_slot(&t, indices[0]) != slot || i == 0);
	}
	ATF_CHECK(!page_index_find(&t, 2));
	ATF_CHECK(!page_index_find(&t, 1ull << 51));
	page_index_destroy(&t, drop_pages, NULL);
	ATF_CHECK_EQ(dropped, NR_INDICES);
	ATF_CHECK(!page_index_find(&t, 0));
	slab_drain();
	world_close();
}

/* The highest index first: no low tree is there to grow. */
ATF_TC_WITHOUT_HEAD(tree_from_above);
ATF_TC_BODY(tree_from_above, tc)
{
	world_open();
	for (unsigned i = 0; i < NR_INDICES; i++) {
		struct page_index t = {0};
		struct page *page = page_alloc();

		dropped = 0;
		page_index_add(page_index_slot(&t, indices[i]), page);
		ATF_CHECK(page_index_find(&t, indices[i]) == page);
		ATF_CHECK(i == 0 || !page_index_find(&t, 0));
		page_index_destroy(&t, drop_pages, NULL);
		ATF_CHECK_EQ(dropped, 1);
	}
	world_close();
}

/* ---- two CPUs ---- */

enum { RACERS = 4, RACE_PAGES = 600 };

static struct vm_file *race_file;
static struct page *race_seen[RACERS][RACE_PAGES];
static unsigned race_fresh[RACERS];
static pthread_barrier_t race_start;

/* Each asks for every page, in an order of its own. */
static void *racer(void *arg)
{
	unsigned cpu = (unsigned)(uintptr_t)arg;
	bool fresh;

	hosted_set_cpu(cpu);
	if (cpu)
		pcp_init_cpu();
	pthread_barrier_wait(&race_start);
	for (unsigned i = 0; i < RACE_PAGES; i++) {
		unsigned index = cpu & 1 ? RACE_PAGES - 1 - i : i;

		race_seen[cpu][index] = shmem_get_page(race_file, index * 7, &fresh);
		race_fresh[cpu] += fresh;
	}
	pcp_drain();
	slab_drain();
	return NULL;
}

ATF_TC_WITHOUT_HEAD(one_page_for_all);
ATF_TC_BODY(one_page_for_all, tc)
{
	pthread_t threads[RACERS];
	unsigned fresh = 0;

	world_open();
	race_file = shmem_create(RACE_PAGES * 7);
	ATF_REQUIRE(race_file != NULL);
	pthread_barrier_init(&race_start, NULL, RACERS);
	for (unsigned i = 1; i < RACERS; i++)
		ATF_REQUIRE_EQ(pthread_create(&threads[i], NULL, racer, (void *)(uintptr_t)i), 0);
	racer((void *)0);
	for (unsigned i = 1; i < RACERS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < RACERS; i++)
		fresh += race_fresh[i];
	ATF_CHECK_EQ(fresh, RACE_PAGES);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_SHMEM), RACE_PAGES);
	for (unsigned i = 0; i < RACE_PAGES; i++) {
		ATF_REQUIRE(race_seen[0][i] != NULL);
		ATF_CHECK_EQ(race_seen[0][i]->refcount, 1);
		for (unsigned cpu = 1; cpu < RACERS; cpu++)
			ATF_CHECK(race_seen[cpu][i] == race_seen[0][i]);
	}
	lru_check();
	vm_file_put(race_file);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_SHMEM), 0);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_INACTIVE_ANON), 0);
	world_close();
}

/* Two address spaces, two CPUs in each: every page is made once and mapped once in each. */
static unsigned race_classes[RACERS][FL_NR_CLASSES];

static void *fault_racer(void *arg)
{
	unsigned cpu = (unsigned)(uintptr_t)arg;
	struct mm *mine = mms[cpu / 2];

	hosted_set_cpu(cpu);
	if (cpu)
		pcp_init_cpu();
	port_load_mm(mine);
	pthread_barrier_wait(&race_start);
	for (unsigned i = 0; i < RACE_PAGES; i++) {
		unsigned index = cpu & 1 ? RACE_PAGES - 1 - i : i;
		struct fault_access access = {page_va(index),
					      FAULT_USER | (i & 1 ? FAULT_WRITE : 0)};
		struct fault_verdict v = vm_fault(mine, &access);

		ASSERT(v.outcome == FAULT_DONE);
		race_classes[cpu][v.class]++;
	}
	pthread_barrier_wait(&race_start);
	port_load_mm(NULL);
	pcp_drain();
	slab_drain();
	return NULL;
}

static unsigned race_sum(unsigned class)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < RACERS; i++)
		sum += race_classes[i][class];
	return sum;
}

ATF_TC_WITHOUT_HEAD(faults_of_many_cpus);
ATF_TC_BODY(faults_of_many_cpus, tc)
{
	pthread_t threads[RACERS];

	family_open();
	map_shared(page_va(0), RACE_PAGES, RW);
	fork_mm(mm);
	pthread_barrier_init(&race_start, NULL, RACERS);
	for (unsigned i = 1; i < RACERS; i++)
		ATF_REQUIRE_EQ(pthread_create(&threads[i], NULL, fault_racer, (void *)(uintptr_t)i),
			       0);
	fault_racer((void *)0);
	for (unsigned i = 1; i < RACERS; i++)
		pthread_join(threads[i], NULL);
	port_load_mm(mm);
	check_all();
	ATF_CHECK_EQ(mms[0]->rss_shmem, RACE_PAGES);
	ATF_CHECK_EQ(mms[1]->rss_shmem, RACE_PAGES);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_SHMEM), RACE_PAGES);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_FILE_MAPPED), RACE_PAGES);
	/* A page that a fault made, and that another CPU mapped there before it, makes that fault
	 * spurious. */
	ATF_CHECK(race_sum(FL_CLASS_USER_MINOR_SHMEM_ALLOC) <= RACE_PAGES);
	ATF_CHECK_EQ(race_sum(FL_CLASS_USER_MINOR_SHMEM_ALLOC) +
			     race_sum(FL_CLASS_USER_MINOR_FILE_MAP) +
			     race_sum(FL_CLASS_USER_MINOR_FILE_WRITE),
		     2 * RACE_PAGES);
	ATF_CHECK_EQ(race_sum(FL_CLASS_USER_MINOR_SPURIOUS), 2 * RACE_PAGES);
	for (unsigned i = 0; i < RACE_PAGES; i++)
		ATF_CHECK_EQ(page_at(page_va(i))->mapcount, 2);
	family_close();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, classes);
	ATF_TP_ADD_TC(tp, shared);
	ATF_TP_ADD_TC(tp, contents_stay);
	ATF_TP_ADD_TC(tp, rights);
	ATF_TP_ADD_TC(tp, beyond_the_end);
	ATF_TP_ADD_TC(tp, mapped_twice);
	ATF_TP_ADD_TC(tp, dev_zero);
	ATF_TP_ADD_TC(tp, file_shared);
	ATF_TP_ADD_TC(tp, keys);
	ATF_TP_ADD_TC(tp, keys_of_pages);
	ATF_TP_ADD_TC(tp, no_memory_to_map);
	ATF_TP_ADD_TC(tp, no_memory_to_fault);
	ATF_TP_ADD_TC(tp, no_memory_to_fork);
	ATF_TP_ADD_TC(tp, random_family);
	ATF_TP_ADD_TC(tp, tree);
	ATF_TP_ADD_TC(tp, tree_from_above);
	ATF_TP_ADD_TC(tp, one_page_for_all);
	ATF_TP_ADD_TC(tp, faults_of_many_cpus);
	return atf_no_error();
}
