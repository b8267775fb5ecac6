/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unmapping and protecting ranges: what goes and what stays at the edges of tables, which flush is
 * chosen, who keeps a page alive. The last cases leave out the flush, to show that this is seen.
 */
#include "mm/fault/fault_ctx.h"
#include "mm/walk/protect.h"
#include "mm/walk/zap.h"

/* zap_range and protect_range without their flush: the same source, with that one call taken out.
 */
static void zap_range_unflushed(struct mm *mm, uint64_t start, uint64_t end);
void zap_range_shared_unflushed(struct mm *mm, uint64_t start, uint64_t end);
void zap_page_if_unflushed(struct mm *mm, struct pte_slot slot, uint64_t va, pte_t old);
static void protect_range_unflushed(struct mm *mm, struct vma *vma, uint64_t start, uint64_t end);

/* What another CPU does where the flush would be, once. */
static void (*meanwhile)(void);

static void left_out(void)
{
	void (*fn)(void) = meanwhile;

	meanwhile = NULL;
	if (fn)
		fn();
}

#define zap_range zap_range_unflushed
#define zap_range_shared zap_range_shared_unflushed
#define zap_page_if zap_page_if_unflushed
#define protect_range protect_range_unflushed
#define tlb_batch_flush(batch, of) ((void)(of), (batch)->nr = 0, left_out())
#define tlb_flush_page(of, va) ((void)(of), (void)(va), left_out())
#include "mm/walk/zap.c"
#include "mm/walk/protect.c"
#undef zap_range
#undef zap_range_shared
#undef zap_page_if
#undef protect_range
#undef tlb_batch_flush
#undef tlb_flush_page

#include "mm/vma/vma.h"

#include "test/fault_world.h"

static void fill(uint64_t va, unsigned pages)
{
	for (unsigned i = 0; i < pages; i++)
		write_word(va + i * PAGE_SIZE, va + i);
}

static void zap(uint64_t start, uint64_t end)
{
	mmap_read_lock(mm);
	zap_range_shared(mm, start, end);
	mmap_read_unlock(mm);
}

/* ---- zap ---- */

/* Any piece of a range that spans four tables: exactly the pages inside go. */
ATF_TC_WITHOUT_HEAD(zap_edges);
ATF_TC_BODY(zap_edges, tc)
{
	enum { PAGES = 1100, FIRST = 30 }; /* FIRST pages in the first table */
	const uint64_t va = WORLD_BASE + PMD_SIZE - FIRST * PAGE_SIZE;
	static const struct {
		unsigned from, to;
	} ranges[] = {{0, 1},
		      {FIRST - 1, FIRST},
		      {FIRST, FIRST + 1},
		      {FIRST - 1, FIRST + 1},
		      {5, FIRST + 512 + 3},
		      {FIRST, FIRST + 512},
		      {PAGES - 1, PAGES},
		      {7, 7},
		      {0, PAGES},
		      {100, 100 + 128},
		      {100, 100 + 129},
		      {100, 100 + 257}};

	for (unsigned i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		unsigned n = ranges[i].to - ranges[i].from;

		world_open();
		map_at(va, PAGES, RW);
		fill(va, PAGES);
		zap(va + ranges[i].from * PAGE_SIZE, va + ranges[i].to * PAGE_SIZE);
		ATF_CHECK_EQ(mm->rss_anon, PAGES - (int64_t)n);
		for (unsigned p = 0; p < PAGES; p++) {
			bool inside = p >= ranges[i].from && p < ranges[i].to;

			ATF_CHECK_EQ(pte_none(pte_at(va + p * PAGE_SIZE)), inside);
		}
		world_check();
		ATF_CHECK_EQ(mm->nr_tables, 2 + 4);
		for (unsigned p = ranges[i].from; p < ranges[i].to; p++)
			ATF_CHECK_EQ(read_word(va + p * PAGE_SIZE), 0);
		world_close();
	}
}

ATF_TC_WITHOUT_HEAD(zap_sparse);
ATF_TC_BODY(zap_sparse, tc)
{
	const uint64_t far = 1ull << 40;

	world_open();
	map_at(WORLD_BASE, 1, RW);
	map_at(far, 600, RW);
	write_word(WORLD_BASE, 1);
	write_word(far + 511 * PAGE_SIZE, 1);
	write_word(far + 512 * PAGE_SIZE, 1);
	zap(0, TASK_SIZE);
	ATF_CHECK_EQ(mm->rss_anon, 0);
	zap(0, TASK_SIZE);
	world_close();
}

/* Up to 33 pages go from the TLB one by one, more with all the rest. */
ATF_TC_WITHOUT_HEAD(zap_chooses_flush);
ATF_TC_BODY(zap_chooses_flush, tc)
{
	for (unsigned n = 0; n <= TLB_FLUSH_CEILING + 1; n++) {
		struct hosted_tlb_count before, after;
		uint64_t va;

		world_open();
		va = map_anon(100, RW);
		fill(va, n);
		before = hosted_tlb_count();
		zap(va, va + 100 * PAGE_SIZE);
		after = hosted_tlb_count();
		ATF_CHECK_EQ(after.flush_page - before.flush_page, n <= TLB_FLUSH_CEILING ? n : 0);
		ATF_CHECK_EQ(after.flush_all - before.flush_all, n > TLB_FLUSH_CEILING);
		ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_TLB_LOCAL_FLUSH_ONE),
			     (int64_t)after.flush_page);
		ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_TLB_LOCAL_FLUSH_ALL),
			     (int64_t)after.flush_all);
		world_close();
	}
}

/* The zero page, a page of a file and one of our own. */
ATF_TC_WITHOUT_HEAD(zap_kinds);
ATF_TC_BODY(zap_kinds, tc)
{
	uint64_t va, f;

	world_open();
	va = map_anon(2, RW);
	f = map_file(va + 2 * PAGE_SIZE, 2, RW, 0);
	ATF_CHECK_EQ(read_word(va), 0);
	write_word(va + PAGE_SIZE, 1);
	ATF_CHECK_EQ(read_word(f), file_word(0));
	write_word(f + PAGE_SIZE, 1);
	ATF_CHECK_EQ(mm->rss_anon, 2);
	ATF_CHECK_EQ(mm->rss_file, 1);
	zap(va, f + 2 * PAGE_SIZE);
	ATF_CHECK_EQ(mm->rss_anon, 0);
	ATF_CHECK_EQ(mm->rss_file, 0);
	ATF_CHECK_EQ(file_pages[0]->refcount, 1);
	ATF_CHECK_EQ(file_pages[0]->mapcount, 0);
	world_check();
	ATF_CHECK_EQ(read_word(f + PAGE_SIZE), file_word(1));
	world_close();
}

/* The same, a page at a time, and one that is not there. */
ATF_TC_WITHOUT_HEAD(zap_kinds_single);
ATF_TC_BODY(zap_kinds_single, tc)
{
	uint64_t va;

	world_open();
	va = map_anon(3, RW);
	map_file(va + 3 * PAGE_SIZE, 2, RW, 0);
	ATF_CHECK_EQ(read_word(va), 0);
	write_word(va + PAGE_SIZE, 1);
	ATF_CHECK_EQ(read_word(va + 3 * PAGE_SIZE), file_word(0));
	write_word(va + 4 * PAGE_SIZE, 1);
	for (unsigned i = 0; i < 5; i++) {
		uint64_t flushes = hosted_tlb_count().flush_page;

		zap(va + i * PAGE_SIZE, va + (i + 1) * PAGE_SIZE);
		ATF_CHECK_EQ(hosted_tlb_count().flush_page - flushes, i != 2);
		ATF_CHECK(pte_none(pte_at(va + i * PAGE_SIZE)));
		world_check();
	}
	ATF_CHECK_EQ(mm->rss_anon, 0);
	ATF_CHECK_EQ(mm->rss_file, 0);
	ATF_CHECK_EQ(file_pages[0]->mapcount, 0);
	world_close();
}

/* Somebody else's reference keeps the page, unmapped, with its contents. */
ATF_TC_WITHOUT_HEAD(zap_leaves_referenced);
ATF_TC_BODY(zap_leaves_referenced, tc)
{
	struct page *page;
	uint64_t va;

	world_open();
	va = map_file(WORLD_BASE, 1, RO, 0);
	ATF_CHECK_EQ(read_word(va), file_word(0));
	page = page_at(va);
	page_get(page);
	zap(va, va + PAGE_SIZE);
	ATF_CHECK_EQ(page->refcount, 2);
	ATF_CHECK_EQ(page->mapcount, 0);
	page_put(page);
	world_close();
}

/* ---- protect ---- */

/* Rights of each kind of page after mprotect from RW to each set of rights and back. */
ATF_TC_WITHOUT_HEAD(protect_rights_table);
ATF_TC_BODY(protect_rights_table, tc)
{
	enum { OURS, ZERO, FILES, COPIED, NKINDS };

	for (unsigned prot = 0; prot < 8; prot++) {
		uint64_t va;

		world_open();
		va = map_anon(2, RW);
		map_file(va + FILES * PAGE_SIZE, 2, RW, 0);
		write_word(va + OURS * PAGE_SIZE, 1);
		ATF_CHECK_EQ(read_word(va + ZERO * PAGE_SIZE), 0);
		ATF_CHECK_EQ(read_word(va + FILES * PAGE_SIZE), file_word(0));
		write_word(va + COPIED * PAGE_SIZE, 1);
		ATF_REQUIRE_EQ(vm_mprotect(mm, va, NKINDS * PAGE_SIZE, prot), 0);
		world_check();
		for (unsigned k = 0; k < NKINDS; k++) {
			pte_t pte = pte_at(va + k * PAGE_SIZE);
			bool own = k == OURS || k == COPIED;

			ATF_CHECK(!pte_none(pte));
			ATF_CHECK_EQ(pte_user(pte), prot != 0);
			ATF_CHECK_EQ(pte_write(pte), own && prot & PROT_WRITE_);
			ATF_CHECK_EQ(pte_user(pte) && pte_exec(pte), (prot & PROT_EXEC_) != 0);
		}
		ATF_REQUIRE_EQ(vm_mprotect(mm, va, NKINDS * PAGE_SIZE, RW), 0);
		world_check();
		ATF_CHECK(pte_write(pte_at(va)));
		ATF_CHECK(!pte_write(pte_at(va + ZERO * PAGE_SIZE)));
		ATF_CHECK(!pte_write(pte_at(va + FILES * PAGE_SIZE)));
		ATF_CHECK(pte_write(pte_at(va + COPIED * PAGE_SIZE)));
		ATF_CHECK_EQ(*(uint64_t *)access_works(va, HOSTED_WRITE), 1);
		world_close();
	}
}

/* Only a right that is lost is flushed. */
ATF_TC_WITHOUT_HEAD(protect_flushes_losses);
ATF_TC_BODY(protect_flushes_losses, tc)
{
	static const struct {
		unsigned from, to;
		bool flush;
	} changes[] = {
		{RW, RO, true}, {RO, RW, false}, {RW, RW, false},
		{RX, RO, true}, {RO, RX, false}, {RO, 0, true},
		{0, RW, false}, {RW, RX, true},	 {RW, RW | PROT_EXEC_, false},
	};

	for (unsigned i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		uint64_t va, before;

		world_open();
		va = map_anon(3, RW);
		fill(va, 3);
		ATF_REQUIRE_EQ(vm_mprotect(mm, va, 3 * PAGE_SIZE, changes[i].from), 0);
		before = hosted_tlb_count().flush_page;
		ATF_REQUIRE_EQ(vm_mprotect(mm, va, 3 * PAGE_SIZE, changes[i].to), 0);
		ATF_CHECK_EQ_MSG(hosted_tlb_count().flush_page - before, changes[i].flush ? 3 : 0,
				 "change %u", i);
		world_check();
		world_close();
	}
}

/* mprotect of a middle that spans a boundary of tables leaves both neighbours alone. */
ATF_TC_WITHOUT_HEAD(protect_edges);
ATF_TC_BODY(protect_edges, tc)
{
	const uint64_t va = WORLD_BASE + PMD_SIZE - 3 * PAGE_SIZE;

	world_open();
	map_at(va, 6, RW);
	fill(va, 6);
	ATF_REQUIRE_EQ(vm_mprotect(mm, va + 2 * PAGE_SIZE, 2 * PAGE_SIZE, RO), 0);
	world_check();
	for (unsigned i = 0; i < 6; i++) {
		ATF_CHECK_EQ(pte_write(pte_at(va + i * PAGE_SIZE)), i != 2 && i != 3);
		ATF_CHECK_EQ(read_word(va + i * PAGE_SIZE), va + i);
	}
	ATF_CHECK_EQ(access_faults(va + 2 * PAGE_SIZE, HOSTED_WRITE).v.class,
		     FL_CLASS_USER_INVALID_ACCERR);
	world_close();
}

/* ---- a flush left out ---- */

static void check_tlb(void *arg)
{
	(void)arg;
	hosted_tlb_check();
}

static void read_first(void *arg)
{
	hosted_access(mm, *(uint64_t *)arg, HOSTED_READ, true);
}

ATF_TC_WITHOUT_HEAD(zap_without_flush_is_seen);
ATF_TC_BODY(zap_without_flush_is_seen, tc)
{
	for (unsigned pages = 1; pages <= 2; pages++) {
		uint64_t va;

		world_open();
		va = map_anon(pages, RW);
		write_word(va, 1);
		zap_range_unflushed(mm, va, va + pages * PAGE_SIZE);
		ATF_CHECK(hosted_catch_panic(check_tlb, NULL) != NULL);
		ATF_CHECK(hosted_catch_panic(read_first, &va) != NULL);
		port_tlb_flush_all(mm);
		world_close();
	}
}

ATF_TC_WITHOUT_HEAD(protect_without_flush_is_seen);
ATF_TC_BODY(protect_without_flush_is_seen, tc)
{
	struct vma *vma;
	uint64_t va;

	world_open();
	va = map_anon(1, RW);
	write_word(va, 1);
	vma = vma_lookup(mm, va);
	vma->flags &= ~(uint32_t)VM_WRITE;
	vma->prot &= ~(uint32_t)PTE_PROT_WRITE;
	protect_range_unflushed(mm, vma, va, va + PAGE_SIZE);
	ATF_CHECK(hosted_catch_panic(check_tlb, NULL) != NULL);
	port_tlb_flush_all(mm);
	vma_set_flags(vma, vma->flags | VM_WRITE); /* as it is counted */
	world_close();
}

/* ---- two at once ---- */

/* The page that CPU 1 drops while CPU 0 has taken it out and not flushed it. */
static uint64_t dropped_twice;

static void drop_on_cpu1(void)
{
	hosted_set_cpu(1);
	ATF_REQUIRE_EQ(vm_madvise(mm, dropped_twice, PAGE_SIZE, MADV_DONTNEED_), 0);
	ATF_CHECK_EQ_MSG(read_word(dropped_twice), 0, "CPU 1 reads what it has dropped");
	hosted_set_cpu(0);
}

/* CPU 0 drops `pages` at va, amid which CPU 1 drops one of them. */
static void drop_twice(uint64_t va, unsigned pages, unsigned one)
{
	world_open();
	map_at(va, pages, RW);
	fill(va, pages);
	dropped_twice = va + one * PAGE_SIZE;
	hosted_set_cpu(1);
	port_load_mm(mm);
	ATF_CHECK_EQ(read_word(dropped_twice), va + one);
	hosted_set_cpu(0);
	meanwhile = drop_on_cpu1;
	mmap_read_lock(mm);
	zap_range_shared_unflushed(mm, va, va + pages * PAGE_SIZE);
	mmap_read_unlock(mm);
	ATF_CHECK(!meanwhile && !port_mm_cpu()->zapping);
	tlb_flush_all(mm);
	hosted_set_cpu(1);
	ATF_CHECK(!port_mm_cpu()->zapping);
	port_load_mm(NULL);
	hosted_set_cpu(0);
	world_close();
}

ATF_TC_WITHOUT_HEAD(dropped_by_two);
ATF_TC_BODY(dropped_by_two, tc)
{
	drop_twice(WORLD_BASE, 1, 0);
	drop_twice(WORLD_BASE, 2, 1);
	drop_twice(WORLD_BASE + PMD_SIZE - PAGE_SIZE, 2, 0);
	drop_twice(WORLD_BASE, 100, 50);
}

/* Of pages that MADV_FREE left and nobody wrote to since: MADV_PAGEOUT drops them. */
ATF_TC_WITHOUT_HEAD(dropped_by_pageout);
ATF_TC_BODY(dropped_by_pageout, tc)
{
	struct pte_slot slot;

	world_open();
	dropped_twice = map_anon(1, RW);
	write_word(dropped_twice, 42);
	hosted_set_cpu(1);
	port_load_mm(mm);
	ATF_CHECK_EQ(read_word(dropped_twice), 42);
	hosted_set_cpu(0);
	slot = pgtable_find(mm, dropped_twice);
	meanwhile = drop_on_cpu1;
	mmap_read_lock(mm);
	zap_page_if_unflushed(mm, slot, dropped_twice, port_pte_read(slot.pte));
	mmap_read_unlock(mm);
	ATF_CHECK(!meanwhile && !port_mm_cpu()->zapping);
	tlb_flush_all(mm);
	hosted_set_cpu(1);
	port_load_mm(NULL);
	hosted_set_cpu(0);
	world_close();
}

/* One that finds nothing to do, and nobody at work, asks no other CPU for anything. */
ATF_TC_WITHOUT_HEAD(dropped_before);
ATF_TC_BODY(dropped_before, tc)
{
	uint64_t va, before;

	world_open();
	va = map_anon(2, RW);
	fill(va, 2);
	hosted_set_cpu(1);
	port_load_mm(mm);
	hosted_set_cpu(0);
	zap(va, va + 2 * PAGE_SIZE);
	before = (uint64_t)hosted_vmstat(FL_VMSTAT_TLB_REMOTE_FLUSH);
	zap(va, va + 2 * PAGE_SIZE);
	zap(va, va + PAGE_SIZE);
	ATF_CHECK_EQ((uint64_t)hosted_vmstat(FL_VMSTAT_TLB_REMOTE_FLUSH), before);
	hosted_set_cpu(1);
	port_load_mm(NULL);
	hosted_set_cpu(0);
	world_close();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, zap_edges);
	ATF_TP_ADD_TC(tp, zap_sparse);
	ATF_TP_ADD_TC(tp, zap_chooses_flush);
	ATF_TP_ADD_TC(tp, zap_kinds);
	ATF_TP_ADD_TC(tp, zap_kinds_single);
	ATF_TP_ADD_TC(tp, zap_leaves_referenced);
	ATF_TP_ADD_TC(tp, protect_rights_table);
	ATF_TP_ADD_TC(tp, protect_flushes_losses);
	ATF_TP_ADD_TC(tp, protect_edges);
	ATF_TP_ADD_TC(tp, zap_without_flush_is_seen);
	ATF_TP_ADD_TC(tp, protect_without_flush_is_seen);
	ATF_TP_ADD_TC(tp, dropped_by_two);
	ATF_TP_ADD_TC(tp, dropped_by_pageout);
	ATF_TP_ADD_TC(tp, dropped_before);
	return atf_no_error();
}
