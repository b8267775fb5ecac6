/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fork and copy-on-write on the software MMU: what each side sees of the other (nothing), chains
 * and families of forks, the reverse map across them, want of memory at every allocation.
 *
 * Pictures: one letter a page, parent above child; W writable, r read-only and shared, . no PTE.
 */
#include "test/family.h"
#include "test/random.h"

#define U FAULT_USER
#define P FAULT_PRESENT
#define W FAULT_WRITE

typedef void (*page_visitor)(struct page *page, int64_t *sum);

/* Calls visit for each PTE of each mm that maps an anonymous page. */
static int64_t each_anon_pte(page_visitor visit)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < nr_mms; i++)
		for (struct vma *vma = mms[i]->first; vma; vma = vma->next)
			for (uint64_t va = vma->start; va < vma->end; va += PAGE_SIZE) {
				struct pte_slot s = pgtable_find(mms[i], va);

				if (s.pte && !pte_none(*s.pte) &&
				    page_is_anon(pfn_to_page(pte_pfn(*s.pte))))
					visit(pfn_to_page(pte_pfn(*s.pte)), &sum);
			}
	return sum;
}

static void forget(struct page *page, int64_t *sum)
{
	(void)sum;
	page->private = 0;
}

/* Each page once: by its last mapping. */
static void count(struct page *page, int64_t *sum)
{
	*sum += ++page->private == (uint64_t)page->mapcount;
}

/* The invariants of all of them, and the gauges against pages counted by hand. */
static void check_all(void)
{
	int64_t anon, tables = 0;

	check_mms();
	for (unsigned i = 0; i < nr_mms; i++)
		tables += mms[i]->nr_tables + 1;
	each_anon_pte(forget);
	anon = each_anon_pte(count);
	lru_check();
	hosted_tlb_check();
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_ANON_PAGES), anon);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_INACTIVE_ANON), anon);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_PAGE_TABLE_PAGES), tables);
}

/* All but one are gone; that one ends as world_close() says. */
static void family_close(struct mm *last)
{
	family_leave(last);
	world_close();
}

/* A write that must fault and be served as that class. */
#define CHECK_COW(who, va, class_) CHECK_FAULT_AS(who, va, HOSTED_WRITE, U | W | P, class_)

/* ---- one fork ---- */

ATF_TC_WITHOUT_HEAD(isolated);
ATF_TC_BODY(isolated, tc)
{
	struct mm *parent, *child;
	uint64_t a, b;

	family_open();
	parent = mm;
	a = map_anon(4, RW);
	b = a + PAGE_SIZE;
	write_word(a, 1);
	write_word(b, 2);
	/*  WW..  ->  rr..
	 *            rr..  */
	child = fork_mm(parent);
	ATF_CHECK_EQ(child->map_count, parent->map_count);
	ATF_CHECK_EQ(child->rss_anon, 2);
	ATF_CHECK_EQ(page_at(a)->mapcount, 2);
	ATF_CHECK_EQ(read_as(child, a), 1);
	ATF_CHECK_EQ(read_as(parent, a), 1);

	/* The child writes: the parent does not see it. */
	CHECK_COW(child, a, USER_MINOR_COW_COPY);
	write_word(a, 11);
	ATF_CHECK_EQ(read_as(parent, a), 1);
	/* Then the parent, whose page is its own again: nor does the child. */
	CHECK_COW(parent, a, USER_MINOR_COW_REUSE);
	write_word(a, 12);
	ATF_CHECK_EQ(read_as(child, a), 11);

	/* The other page the other way round. */
	CHECK_COW(parent, b, USER_MINOR_COW_COPY);
	write_word(b, 21);
	ATF_CHECK_EQ(read_as(child, b), 2);
	CHECK_COW(child, b, USER_MINOR_COW_REUSE);
	write_word(b, 22);
	ATF_CHECK_EQ(read_as(parent, b), 21);

	/* What neither had is each one's own. */
	write_as(parent, a + 2 * PAGE_SIZE, 31);
	ATF_CHECK_EQ(read_as(child, a + 2 * PAGE_SIZE), 0);
	write_as(child, a + 3 * PAGE_SIZE, 32);
	ATF_CHECK_EQ(read_as(parent, a + 3 * PAGE_SIZE), 0);
	check_all();
	family_close(parent);
}

/* The parent's TLB still holds the right to write when fork takes it away. */
ATF_TC_WITHOUT_HEAD(flushed);
ATF_TC_BODY(flushed, tc)
{
	struct mm *parent, *child;
	uint64_t va, flushes;

	family_open();
	parent = mm;
	va = map_anon(1, RW);
	write_word(va, 1);
	access_works(va, HOSTED_WRITE); /* cached */
	flushes = hosted_tlb_count().flush_all;
	child = fork_mm(parent);
	ATF_CHECK_EQ(hosted_tlb_count().flush_all, flushes + 1);
	CHECK_COW(parent, va, USER_MINOR_COW_COPY);
	write_word(va, 2);
	ATF_CHECK_EQ(read_as(child, va), 1);
	family_close(parent);
}

static pte_t pte_of(struct mm *who, uint64_t va)
{
	return *pgtable_find(who, va).pte;
}

/* What the child has not touched is old there, whatever the parent did with it; dirty stays dirty.
 */
ATF_TC_WITHOUT_HEAD(child_is_old);
ATF_TC_BODY(child_is_old, tc)
{
	struct mm *parent, *child, *grandchild;
	uint64_t va;

	family_open();
	parent = mm;
	va = map_anon(10, RW); /* a whole line of PTEs among them, and some of others */
	for (unsigned i = 0; i < 9; i++)
		write_word(va + i * PAGE_SIZE, i);
	read_word(va + 9 * PAGE_SIZE); /* the zero page */
	child = fork_mm(parent);
	for (unsigned i = 0; i < 10; i++) {
		uint64_t at = va + i * PAGE_SIZE;

		ATF_CHECK(pte_young(pte_of(parent, at)) && !pte_young(pte_of(child, at)));
		ATF_CHECK_EQ(pte_dirty(pte_of(child, at)), i < 9);
	}
	read_as(child, va);
	read_as(child, va + 9 * PAGE_SIZE);
	CHECK_COW(child, va + PAGE_SIZE, USER_MINOR_COW_COPY);
	/* From read-only PTEs too. */
	grandchild = fork_mm(child);
	for (unsigned i = 0; i < 10; i++) {
		uint64_t at = va + i * PAGE_SIZE;

		ATF_CHECK_EQ(pte_young(pte_of(child, at)), i < 2 || i == 9);
		ATF_CHECK(!pte_young(pte_of(grandchild, at)));
	}
	/* Who takes a page over has touched it. */
	end_mm(parent);
	end_mm(child);
	run_as(grandchild);
	CHECK_COW(grandchild, va + 2 * PAGE_SIZE, USER_MINOR_COW_REUSE);
	ATF_CHECK(pte_young(pte_of(grandchild, va + 2 * PAGE_SIZE)));
	family_close(grandchild);
}

/* Whoever is left owns the page. */
ATF_TC_WITHOUT_HEAD(last_owner);
ATF_TC_BODY(last_owner, tc)
{
	struct mm *parent, *child;
	struct page *page;
	uint64_t va;

	family_open();
	parent = mm;
	va = map_anon(2, RW);
	write_word(va, 1);
	write_word(va + PAGE_SIZE, 2);
	page = page_at(va);
	child = fork_mm(parent);
	end_mm(child);
	CHECK_COW(parent, va, USER_MINOR_COW_REUSE);
	ATF_CHECK(page_at(va) == page);
	ATF_CHECK_EQ(read_word(va), 1);

	child = fork_mm(parent);
	run_as(child);
	end_mm(parent);
	CHECK_COW(child, va, USER_MINOR_COW_REUSE);
	ATF_CHECK(page_at(va) == page);
	ATF_CHECK(page->mapping == child->anon_mapping);
	ATF_CHECK_EQ(read_word(va + PAGE_SIZE), 2);
	family_close(child);
}

/* munmap and DONTNEED on one side leave the other alone. */
ATF_TC_WITHOUT_HEAD(unmapped);
ATF_TC_BODY(unmapped, tc)
{
	struct mm *parent, *child;
	uint64_t va;

	family_open();
	parent = mm;
	va = map_anon(3, RW);
	for (unsigned i = 0; i < 3; i++)
		write_word(va + i * PAGE_SIZE, i + 1);
	child = fork_mm(parent);
	ATF_REQUIRE_EQ(vm_munmap(parent, va, PAGE_SIZE), 0);
	run_as(child);
	ATF_REQUIRE_EQ(vm_madvise(child, va + PAGE_SIZE, PAGE_SIZE, MADV_DONTNEED_), 0);
	check_all();
	ATF_CHECK_EQ(read_as(child, va), 1);
	ATF_CHECK_EQ(read_as(child, va + PAGE_SIZE), 0);
	ATF_CHECK_EQ(read_as(parent, va + PAGE_SIZE), 2);
	CHECK_COW(child, va, USER_MINOR_COW_REUSE);
	CHECK_COW(parent, va + PAGE_SIZE, USER_MINOR_COW_REUSE);
	CHECK_COW(parent, va + 2 * PAGE_SIZE, USER_MINOR_COW_COPY);
	family_close(parent);
}

/* mprotect gives no right to write to a page that is shared. */
ATF_TC_WITHOUT_HEAD(mprotected);
ATF_TC_BODY(mprotected, tc)
{
	struct mm *parent, *child;
	uint64_t va;

	family_open();
	parent = mm;
	va = map_anon(2, RW);
	write_word(va, 1);
	child = fork_mm(parent);
	ATF_REQUIRE_EQ(vm_mprotect(parent, va, 2 * PAGE_SIZE, RO), 0);
	check_all();
	ATF_REQUIRE_EQ(vm_mprotect(parent, va, 2 * PAGE_SIZE, RW), 0);
	check_all();
	CHECK_COW(parent, va, USER_MINOR_COW_COPY);
	write_word(va, 2);
	ATF_CHECK_EQ(read_as(child, va), 1);
	/* Now the page is the child's alone, and mprotect says so at once. */
	ATF_REQUIRE_EQ(vm_mprotect(child, va, 2 * PAGE_SIZE, RO), 0);
	ATF_REQUIRE_EQ(vm_mprotect(child, va, 2 * PAGE_SIZE, RW), 0);
	run_as(child);
	ATF_CHECK(pte_write(pte_at(va)));
	check_all();

	/* PROT_NONE keeps its pages through a fork. */
	ATF_REQUIRE_EQ(vm_mprotect(parent, va, PAGE_SIZE, 0), 0);
	child = fork_mm(parent);
	ATF_REQUIRE_EQ(vm_mprotect(child, va, PAGE_SIZE, RO), 0);
	ATF_CHECK_EQ(read_as(child, va), 2);
	family_close(parent);
}

/* ---- what is copied ---- */

/* Private file memory: without a page of its own the child faults anew; with one, everything that
 * is mapped comes along. */
ATF_TC_WITHOUT_HEAD(file_pages_shared);
ATF_TC_BODY(file_pages_shared, tc)
{
	struct mm *parent, *child;
	uint64_t text, data;

	family_open();
	parent = mm;
	text = map_file(WORLD_BASE, 2, RX, 0);
	data = map_file(WORLD_BASE + PMD_SIZE, 3, RW, 2);
	ATF_CHECK_EQ(read_word(text), file_word(0));
	ATF_CHECK_EQ(read_word(data), file_word(2));
	write_word(data + PAGE_SIZE, 5);
	child = fork_mm(parent);
	ATF_CHECK_EQ(child->rss_file, 1);
	ATF_CHECK_EQ(child->rss_anon, 1);
	ATF_CHECK_EQ(file_pages[0]->mapcount, 1);
	ATF_CHECK_EQ(file_pages[2]->mapcount, 2);
	ATF_CHECK_EQ(file_pages[2]->refcount, 3);
	run_as(child);
	access_works(data, HOSTED_READ);
	ATF_CHECK_EQ(access_faults(text, HOSTED_EXEC).v.class, FL_CLASS_USER_MINOR_FILE_MAP);
	CHECK_COW(child, data, USER_MINOR_FILE_COW);
	CHECK_COW(child, data + PAGE_SIZE, USER_MINOR_COW_COPY);
	write_word(data, 7);
	write_word(data + PAGE_SIZE, 8);
	ATF_CHECK_EQ(read_as(parent, data), file_word(2));
	ATF_CHECK_EQ(read_as(parent, data + PAGE_SIZE), 5);
	family_close(parent);
}

ATF_TC_WITHOUT_HEAD(zero_page_shared);
ATF_TC_BODY(zero_page_shared, tc)
{
	struct mm *parent, *child;
	uint64_t va;

	family_open();
	parent = mm;
	va = map_anon(2, RW);
	ATF_CHECK_EQ(read_word(va), 0);
	/* No page of its own: nothing is copied. */
	child = fork_mm(parent);
	ATF_CHECK_EQ(child->nr_tables, 0);
	end_mm(child);
	write_word(va + PAGE_SIZE, 1);
	child = fork_mm(parent);
	run_as(child);
	ATF_CHECK(page_at(va) == zero_page);
	ATF_CHECK_EQ(child->rss_anon, 1);
	CHECK_COW(child, va, USER_MINOR_COW_ZERO);
	write_word(va, 3);
	ATF_CHECK_EQ(read_as(parent, va), 0);
	family_close(parent);
}

/* More than one table, with holes. */
ATF_TC_WITHOUT_HEAD(many_tables);
ATF_TC_BODY(many_tables, tc)
{
	enum { PAGES = 3 * PTRS_PER_TABLE };
	struct mm *parent, *child;
	uint64_t va;

	family_open();
	parent = mm;
	va = map_anon(PAGES, RW);
	for (uint64_t i = 0; i < PAGES; i += 37)
		write_word(va + i * PAGE_SIZE, i + 1);
	child = fork_mm(parent);
	ATF_CHECK_EQ(child->nr_tables, parent->nr_tables);
	ATF_CHECK_EQ(child->rss_anon, parent->rss_anon);
	for (uint64_t i = 0; i < PAGES; i += 37) {
		ATF_CHECK_EQ(read_as(child, va + i * PAGE_SIZE), i + 1);
		write_as(i & 1 ? child : parent, va + i * PAGE_SIZE, ~i);
		ATF_CHECK_EQ(read_as(i & 1 ? parent : child, va + i * PAGE_SIZE), i + 1);
	}
	check_all();
	family_close(child);
}

/* The address space itself: break, stack, limits, tree and gaps. */
ATF_TC_WITHOUT_HEAD(places);
ATF_TC_BODY(places, tc)
{
	struct mm *parent, *child;
	int64_t a, b;

	family_open();
	parent = mm;
	for (unsigned i = 0; i < 50; i++)
		map_at(WORLD_BASE + 3 * i * PAGE_SIZE, 1 + i % 2, i % 3 ? RW : RO);
	parent->start_brk = parent->brk = 0x20000000;
	ATF_CHECK_EQ(vm_brk(parent, 0x20005000), 0x20005000);
	parent->start_stack = 0x30000000;
	parent->map_max = 1000;
	child = fork_mm(parent);
	ATF_CHECK_EQ(child->map_count, parent->map_count);
	ATF_CHECK_EQ(child->total_vm, parent->total_vm);
	ATF_CHECK_EQ(child->brk, parent->brk);
	ATF_CHECK_EQ(child->start_brk, parent->start_brk);
	ATF_CHECK_EQ(child->start_stack, parent->start_stack);
	ATF_CHECK_EQ(child->map_max, parent->map_max);
	ATF_CHECK_EQ(child->mmap_base, parent->mmap_base);
	a = vm_mmap(parent, 0, 5 * PAGE_SIZE, RW, MAP_PRIVATE_ | MAP_ANONYMOUS_, NULL, 0, 0);
	b = vm_mmap(child, 0, 5 * PAGE_SIZE, RW, MAP_PRIVATE_ | MAP_ANONYMOUS_, NULL, 0, 0);
	ATF_CHECK_EQ(a, b);
	ATF_CHECK_EQ(vm_brk(child, 0x20009000), 0x20009000);
	ATF_CHECK_EQ(parent->brk, 0x20005000);
	check_all();
	family_close(parent);
}

/* ---- advice ---- */

ATF_TC_WITHOUT_HEAD(dontfork);
ATF_TC_BODY(dontfork, tc)
{
	struct mm *parent, *child;
	uint64_t va;

	family_open();
	parent = mm;
	va = map_anon(3, RW);
	for (unsigned i = 0; i < 3; i++)
		write_word(va + i * PAGE_SIZE, i + 1);
	/*  aaa -> ada  */
	ATF_REQUIRE_EQ(vm_madvise(parent, va + PAGE_SIZE, PAGE_SIZE, MADV_DONTFORK_), 0);
	ATF_CHECK_EQ(parent->map_count, 3);
	child = fork_mm(parent);
	ATF_CHECK_EQ(child->map_count, 2);
	run_as(child);
	ATF_CHECK_EQ(access_faults(va + PAGE_SIZE, HOSTED_READ).v.class,
		     FL_CLASS_USER_INVALID_MAPERR);
	ATF_CHECK_EQ(read_word(va + 2 * PAGE_SIZE), 3);
	run_as(parent);
	ATF_CHECK(pte_write(pte_at(va + PAGE_SIZE)));
	end_mm(child);
	ATF_REQUIRE_EQ(vm_madvise(parent, va, 3 * PAGE_SIZE, MADV_DOFORK_), 0);
	ATF_CHECK_EQ(parent->map_count, 1);
	child = fork_mm(parent);
	ATF_CHECK_EQ(read_as(child, va + PAGE_SIZE), 2);
	family_close(parent);
}

ATF_TC_WITHOUT_HEAD(wipeonfork);
ATF_TC_BODY(wipeonfork, tc)
{
	struct mm *parent, *child, *grandchild;
	uint64_t va;

	family_open();
	parent = mm;
	va = map_anon(2, RW);
	write_word(va, 1);
	write_word(va + PAGE_SIZE, 2);
	ATF_REQUIRE_EQ(vm_madvise(parent, va, PAGE_SIZE, MADV_WIPEONFORK_), 0);
	child = fork_mm(parent);
	ATF_CHECK_EQ(child->rss_anon, 1);
	ATF_CHECK_EQ(read_as(child, va), 0);
	ATF_CHECK_EQ(read_as(child, va + PAGE_SIZE), 2);
	ATF_CHECK_EQ(read_as(parent, va), 1);
	/* The advice is inherited. */
	write_as(child, va, 5);
	grandchild = fork_mm(child);
	ATF_CHECK_EQ(read_as(grandchild, va), 0);
	ATF_CHECK_EQ(read_as(child, va), 5);
	ATF_REQUIRE_EQ(vm_madvise(child, va, PAGE_SIZE, MADV_KEEPONFORK_), 0);
	grandchild = fork_mm(child);
	ATF_CHECK_EQ(read_as(grandchild, va), 5);

	map_file(WORLD_BASE + PMD_SIZE, 1, RW, 0);
	ATF_CHECK_EQ(vm_madvise(mm, WORLD_BASE + PMD_SIZE, PAGE_SIZE, MADV_WIPEONFORK_),
		     -MM_EINVAL);
	family_close(parent);
}

/* ---- merging: an inherited VMA is not made one with what came later ---- */

ATF_TC_WITHOUT_HEAD(merging);
ATF_TC_BODY(merging, tc)
{
	struct mm *parent, *child;
	uint64_t va;

	family_open();
	parent = mm;
	va = map_anon(3, RW);
	write_word(va, 1);
	child = fork_mm(parent);
	run_as(child);
	map_at(va + 3 * PAGE_SIZE, 1, RW);
	ATF_CHECK_EQ(child->map_count, 2);
	write_word(va + 3 * PAGE_SIZE, 2); /* its root is its own */
	check_all();
	run_as(parent);
	map_at(va + 3 * PAGE_SIZE, 1, RW);
	ATF_CHECK_EQ(parent->map_count, 1);
	/* But its own parts become one again. */
	ATF_REQUIRE_EQ(vm_mprotect(child, va + PAGE_SIZE, PAGE_SIZE, RO), 0);
	ATF_CHECK_EQ(child->map_count, 4);
	ATF_REQUIRE_EQ(vm_mprotect(child, va + PAGE_SIZE, PAGE_SIZE, RW), 0);
	ATF_CHECK_EQ(child->map_count, 2);
	check_all();
	family_close(parent);
}

/* ---- families ---- */

/* Longer than ANON_DEPTH_MAX; each writes its own page and one that all share. */
ATF_TC_WITHOUT_HEAD(chain);
ATF_TC_BODY(chain, tc)
{
	enum { LENGTH = ANON_DEPTH_MAX + 5 };
	struct mm *line[LENGTH];
	uint64_t va;

	family_open();
	line[0] = mm;
	va = map_anon(LENGTH + 1, RW);
	write_word(va + LENGTH * PAGE_SIZE, 99);
	for (unsigned i = 0; i < LENGTH; i++) {
		if (i)
			line[i] = fork_mm(line[i - 1]);
		write_as(line[i], va + i * PAGE_SIZE, i + 1);
		check_all();
	}
	for (unsigned i = 0; i < LENGTH; i++)
		for (unsigned j = 0; j < LENGTH; j++)
			ATF_CHECK_EQ(read_as(line[i], va + j * PAGE_SIZE), j <= i ? j + 1 : 0);
	run_as(line[0]);
	ATF_CHECK_EQ(page_at(va + LENGTH * PAGE_SIZE)->mapcount, LENGTH);
	/* The middle goes first, then the elders. */
	for (unsigned i = LENGTH / 2; i < LENGTH - 1; i++)
		end_mm(line[i]);
	for (unsigned i = 0; i < LENGTH / 2; i++)
		end_mm(line[i]);
	CHECK_COW(line[LENGTH - 1], va + LENGTH * PAGE_SIZE, USER_MINOR_COW_REUSE);
	for (unsigned j = 0; j < LENGTH; j++)
		ATF_CHECK_EQ(read_word(va + j * PAGE_SIZE), j + 1);
	family_close(line[LENGTH - 1]);
}

/* Each forks the next and exits: the tree of address spaces does not grow. */
ATF_TC_WITHOUT_HEAD(relay);
ATF_TC_BODY(relay, tc)
{
	struct mm *runner, *next;
	int64_t objects = 0;
	uint64_t va;

	family_open();
	runner = mm;
	va = map_anon(1, RW);
	write_word(va, 0);
	for (uint64_t i = 0; i < 100; i++) {
		next = fork_mm(runner);
		write_as(next, va, i);
		end_mm(runner);
		runner = next;
		if (i == 20) {
			slab_drain();
			objects = hosted_vmstat(FL_VMSTAT_NR_SLAB);
		}
	}
	slab_drain();
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_SLAB), objects);
	family_close(runner);
}

/* Random forks, ends, writes and discards by up to MAX_MMS processes, against a flat model of what
 * each must read. */
ATF_TC_WITHOUT_HEAD(random_family);
ATF_TC_BODY(random_family, tc)
{
	enum { PAGES = 24, STEPS = 6000 };
	uint64_t model[MAX_MMS][PAGES];
	uint64_t va, state = 7;

	family_open();
	va = map_at(WORLD_BASE + PMD_SIZE - PAGES / 2 * PAGE_SIZE, PAGES, RW); /* two tables */
	memset(model, 0, sizeof model);
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned who = (unsigned)(random_next(&state) % nr_mms);
		unsigned page = (unsigned)(random_next(&state) % PAGES);
		uint64_t at = va + page * PAGE_SIZE;

		switch (random_next(&state) % 16) {
		case 0:
			if (nr_mms == MAX_MMS)
				break;
			memcpy(model[nr_mms], model[who], sizeof model[who]);
			fork_mm(mms[who]);
			break;
		case 1:
			if (nr_mms == 1)
				break;
			memcpy(model[who], model[nr_mms - 1], sizeof model[who]);
			end_mm(mms[who]);
			break;
		case 2:
			run_as(mms[who]);
			ATF_REQUIRE_EQ(vm_madvise(mms[who], at, PAGE_SIZE, MADV_DONTNEED_), 0);
			model[who][page] = 0;
			break;
		case 3:
			ATF_REQUIRE_EQ(vm_mprotect(mms[who], at, PAGE_SIZE, RO), 0);
			ATF_REQUIRE_EQ(vm_mprotect(mms[who], at, PAGE_SIZE, RW), 0);
			break;
		case 4 ... 9:
			write_as(mms[who], at, step + 1);
			model[who][page] = step + 1;
			break;
		default:
			ATF_REQUIRE_EQ(read_as(mms[who], at), model[who][page]);
		}
		if (step % 64 == 0)
			check_all();
	}
	for (unsigned i = 0; i < nr_mms; i++)
		for (unsigned j = 0; j < PAGES; j++)
			ATF_CHECK_EQ(read_as(mms[i], va + j * PAGE_SIZE), model[i][j]);
	check_all();
	family_close(mms[0]);
}

/* ---- the reverse map ---- */

struct seen {
	struct mm *mm[MAX_MMS];
	unsigned n;
};

static void see(void *arg, struct mm *who, struct pte_slot slot)
{
	struct seen *seen = arg;

	(void)slot;
	seen->mm[seen->n++] = who;
}

static bool saw(const struct seen *seen, const struct mm *who)
{
	for (unsigned i = 0; i < seen->n; i++)
		if (seen->mm[i] == who)
			return true;
	return false;
}

/*  a forks b and d, b forks c  */
ATF_TC_WITHOUT_HEAD(reverse_map);
ATF_TC_BODY(reverse_map, tc)
{
	struct mm *a, *b, *c, *d;
	struct seen seen = {.n = 0};
	uint64_t va;

	family_open();
	a = mm;
	va = map_anon(2, RW);
	write_word(va, 1);
	b = fork_mm(a);
	write_as(b, va + PAGE_SIZE, 2);
	c = fork_mm(b);
	d = fork_mm(a);
	run_as(a);
	ATF_CHECK_EQ(anon_space_walk(page_at(va), see, &seen), 4);
	ATF_CHECK(saw(&seen, a) && saw(&seen, b) && saw(&seen, c) && saw(&seen, d));
	seen.n = 0;
	run_as(b);
	ATF_CHECK_EQ(anon_space_walk(page_at(va + PAGE_SIZE), see, &seen), 2);
	ATF_CHECK(saw(&seen, b) && saw(&seen, c));
	/* Its maker gone, a page is still found. */
	end_mm(a);
	write_as(b, va, 3);
	seen.n = 0;
	run_as(c);
	ATF_CHECK_EQ(anon_space_walk(page_at(va), see, &seen), 2);
	ATF_CHECK(saw(&seen, c) && saw(&seen, d));
	family_close(d);
}

/* ---- without memory ---- */

/* Every allocation of a fork fails in turn: no child, nothing lost, the parent as before. */
ATF_TC_WITHOUT_HEAD(no_memory);
ATF_TC_BODY(no_memory, tc)
{
	struct mm *parent, *child;
	uint64_t va, n = 0, free_before, file_at;

	family_open();
	parent = mm;
	va = map_anon(4, RW);
	file_at = map_file(WORLD_BASE + 2 * PMD_SIZE, 2, RW, 1);
	map_at(WORLD_BASE + (1ull << 30), 1, RW);
	write_word(va, 1);
	write_word(WORLD_BASE + (1ull << 30), 3);
	write_word(file_at, 2);
	read_word(file_at + PAGE_SIZE);
	for (;;) {
		/* What CPUs and slabs keep does not count as lost. */
		slab_drain();
		free_before = page_nr_free();
		hosted_fail_nth(++n);
		child = mm_fork(parent);
		if (child)
			break;
		ATF_CHECK_EQ(hosted_fail_refused(), 1);
		hosted_fail_none();
		slab_drain();
		ATF_CHECK_EQ(page_nr_free(), free_before);
		check_all();
		ATF_CHECK_EQ(parent->rss_anon, 3);
		ATF_CHECK_EQ(read_word(va), 1);
		ATF_CHECK_EQ(read_word(file_at), 2);
		write_word(va, 1);
		ATF_CHECK(page_at(va)->refcount == 1 && page_at(file_at)->refcount == 1);
	}
	hosted_fail_none();
	/* At least: mm, its root table, its space; three VMAs and their anon_roots; six tables. */
	ATF_CHECK_MSG(n - 1 >= 15, "%lu allocations", n - 1);
	mms[nr_mms++] = child;
	check_all();
	family_close(parent);
}

/* A copy that finds no memory kills nobody else. */
ATF_TC_WITHOUT_HEAD(no_memory_to_copy);
ATF_TC_BODY(no_memory_to_copy, tc)
{
	struct mm *parent, *child;
	struct faulted f;
	uint64_t va;

	family_open();
	parent = mm;
	va = map_anon(1, RW);
	write_word(va, 1);
	child = fork_mm(parent);
	run_as(child);
	hosted_fail_nth(1);
	f = access_faults(va, HOSTED_WRITE);
	hosted_fail_none();
	CHECK_VERDICT(f.v, USER_INVALID_OOM, FAULT_OOM, 0);
	check_all();
	ATF_CHECK_EQ(read_word(va), 1);
	end_mm(child);
	CHECK_COW(parent, va, USER_MINOR_COW_REUSE);
	family_close(parent);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, isolated);
	ATF_TP_ADD_TC(tp, flushed);
	ATF_TP_ADD_TC(tp, child_is_old);
	ATF_TP_ADD_TC(tp, last_owner);
	ATF_TP_ADD_TC(tp, unmapped);
	ATF_TP_ADD_TC(tp, mprotected);
	ATF_TP_ADD_TC(tp, file_pages_shared);
	ATF_TP_ADD_TC(tp, zero_page_shared);
	ATF_TP_ADD_TC(tp, many_tables);
	ATF_TP_ADD_TC(tp, places);
	ATF_TP_ADD_TC(tp, dontfork);
	ATF_TP_ADD_TC(tp, wipeonfork);
	ATF_TP_ADD_TC(tp, merging);
	ATF_TP_ADD_TC(tp, chain);
	ATF_TP_ADD_TC(tp, relay);
	ATF_TP_ADD_TC(tp, random_family);
	ATF_TP_ADD_TC(tp, reverse_map);
	ATF_TP_ADD_TC(tp, no_memory);
	ATF_TP_ADD_TC(tp, no_memory_to_copy);
	return atf_no_error();
}
