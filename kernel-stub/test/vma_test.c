/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VMAs in pictures (vma_world.h says what the letters mean), and holes against a brute-force
 * search. */
#include <atf-c.h>

#include "mm/base/mm_errno.h"
#include "test/vma_world.h"

#define BASE (1ull << 32)

/* ---- what calls do to pictures ---- */

enum call { MMAP, MUNMAP, MPROTECT, MADVISE };

struct drawing {
	const char *name, *before;
	enum call call;
	unsigned first, count;
	unsigned arg; /* MMAP: the letter; MPROTECT: prot; MADVISE: advice */
	const char *after;
	int64_t error; /* the call's result but for MMAP, whose result is checked by the picture */
	int splits, merges;
};

#define R PROT_READ_
#define RW (PROT_READ_ | PROT_WRITE_)
#define RX (PROT_READ_ | PROT_EXEC_)

static const struct drawing drawings[] = {
	/* mmap: the numbers are vma.c's cases where it has one */
	{"mmap alone", "........", MMAP, 2, 3, 'w', "..www...", 0, 0, 0},
	{"mmap joins below", "ww......", MMAP, 2, 2, 'w', "wwww....", 0, 0, 1},
	{"mmap joins above", "....ww..", MMAP, 2, 2, 'w', "..wwww..", 0, 0, 1},
	{"mmap joins both", "ww..ww..", MMAP, 2, 2, 'w', "wwwwww..", 0, 0, 2},
	{"mmap with other rights", "ww..ww..", MMAP, 2, 2, 'r', "ww|rr|ww..", 0, 0, 0},
	{"mmap one page off", "ww..ww..", MMAP, 3, 1, 'w', "ww.www..", 0, 0, 1},
	{"mmap in place of the middle", "wwwwww..", MMAP, 2, 2, 'r', "ww|rr|ww..", 0, 1, 0},
	{"mmap in place of the same", "wwwwww..", MMAP, 2, 2, 'w', "wwwwww..", 0, 1, 2},
	{"mmap in place of the head", "wwwwww..", MMAP, 0, 2, 'r', "rr|wwww..", 0, 0, 0},
	{"mmap in place of the tail", "wwwwww..", MMAP, 4, 2, 'r', "wwww|rr..", 0, 0, 0},
	{"mmap over the end", "wwww....", MMAP, 3, 3, 'w', "wwwwww..", 0, 0, 1},
	{"mmap over many", "w.r|w.x..", MMAP, 0, 8, 'n', "nnnnnnnn", 0, 0, 0},
	{"mmap over edges", "www.rrr.", MMAP, 2, 3, 'x', "ww|xxx|rr.", 0, 0, 0},
	{"mmap of a file joins its page before", "aa......", MMAP, 2, 2, 'a', "aaaa....", 0, 0, 1},
	{"mmap of a file joins its page after", "....aa..", MMAP, 2, 2, 'a', "..aaaa..", 0, 0, 1},
	{"mmap of another file", "aa......", MMAP, 2, 2, 'b', "aa|bb....", 0, 0, 0},
	{"mmap of another part of the file", "aa......", MMAP, 2, 2, 'c', "aa|cc....", 0, 0, 0},
	{"mmap of memory beside a file", "aa......", MMAP, 2, 2, 'r', "aa|rr....", 0, 0, 0},
	{"mmap of a file between its parts", "aa..aa..", MMAP, 2, 2, 'a', "aaaaaa..", 0, 0, 2},

	{"munmap all", "..wwww..", MUNMAP, 2, 4, 0, "........", 0, 0, 0},
	{"munmap more than all", "..wwww..", MUNMAP, 0, 8, 0, "........", 0, 0, 0},
	{"munmap the head", "..wwww..", MUNMAP, 0, 4, 0, "....ww..", 0, 0, 0},
	{"munmap the tail", "..wwww..", MUNMAP, 4, 4, 0, "..ww....", 0, 0, 0},
	{"munmap the middle", "..wwww..", MUNMAP, 3, 2, 0, "..w..w..", 0, 1, 0},
	{"munmap nothing", "ww....ww", MUNMAP, 2, 4, 0, "ww....ww", 0, 0, 0},
	{"munmap several", "ww|rr.xx.", MUNMAP, 1, 5, 0, "w.....x.", 0, 0, 0},
	{"munmap the head of a file", "aaaa....", MUNMAP, 0, 2, 0, "..aa....", 0, 0, 0},
	{"munmap the middle of a file", "aaaaaa..", MUNMAP, 2, 2, 0, "aa..aa..", 0, 1, 0},

	{"mprotect case 3", "ww|rr|ww..", MPROTECT, 2, 2, RW, "wwwwww..", 0, 0, 2},
	{"mprotect all", "..wwww..", MPROTECT, 2, 4, R, "..rrrr..", 0, 0, 0},
	{"mprotect to the same", "..wwww..", MPROTECT, 3, 2, RW, "..wwww..", 0, 0, 0},
	{"mprotect case 9: the middle", "..wwww..", MPROTECT, 3, 2, R, "..w|rr|w..", 0, 2, 0},
	{"mprotect case 8: the head", "..wwww..", MPROTECT, 2, 2, R, "..rr|ww..", 0, 1, 0},
	{"mprotect case 8: the tail", "..wwww..", MPROTECT, 4, 2, R, "..ww|rr..", 0, 1, 0},
	{"mprotect to none", "..wwww..", MPROTECT, 3, 2, 0, "..w|nn|w..", 0, 2, 0},
	{"mprotect one that ends in a hole", "..ww....", MPROTECT, 2, 4, R, "..rr....", -MM_ENOMEM,
	 0, 0},
	{"mprotect one that begins in a hole", "..ww....", MPROTECT, 0, 4, R, "..ww....",
	 -MM_ENOMEM, 0, 0},
	{"mprotect over a hole", "ww..ww..", MPROTECT, 1, 4, R, "w|r..ww..", -MM_ENOMEM, 1, 0},
	{"mprotect over several", "ww|rr|xx..", MPROTECT, 1, 4, 0, "w|nnnn|x..", 0, 1, 2},
	{"mprotect of part of a file", "aaaa....", MPROTECT, 1, 2, 0, "a|AA|a....", 0, 2, 0},

	{"advice splits", "..wwww..", MADVISE, 3, 2, MADV_SEQUENTIAL_, "..w|ss|w..", 0, 2, 0},
	{"advice taken back merges", "..w|ss|w..", MADVISE, 3, 2, MADV_NORMAL_, "..wwww..", 0, 0,
	 2},
	{"advice moves a border down", "..ss|ww..", MADVISE, 4, 1, MADV_SEQUENTIAL_, "..sss|w..", 0,
	 0, 1},
	{"advice moves a border up", "..ww|ss..", MADVISE, 3, 1, MADV_SEQUENTIAL_, "..w|sss..", 0,
	 0, 1},
	{"advice whole, alike below", "..ss|ww|qq", MADVISE, 4, 2, MADV_SEQUENTIAL_, "..ssss|qq", 0,
	 0, 1},
	{"advice whole, alike above", "..qq|ww|ss", MADVISE, 4, 2, MADV_SEQUENTIAL_, "..qq|ssss", 0,
	 0, 1},
	{"advice over holes", "ww..ww..", MADVISE, 0, 8, MADV_RANDOM_, "qq..qq..", -MM_ENOMEM, 0,
	 0},
	{"advice to read in", "..ww....", MADVISE, 2, 2, MADV_WILLNEED_, "..ww....", 0, 0, 0},
	{"advice to drop", "..ww....", MADVISE, 1, 2, MADV_DONTNEED_, "..ww....", -MM_ENOMEM, 0, 0},
};

static int64_t draw_call(const struct drawing *d)
{
	uint64_t va = BASE + d->first * PAGE_SIZE, len = d->count * PAGE_SIZE;

	switch (d->call) {
	case MMAP:
		return map_letter(BASE, d->first, d->count, (char)d->arg);
	case MUNMAP:
		return vm_munmap(world_mm, va, len);
	case MPROTECT:
		return vm_mprotect(world_mm, va, len, d->arg);
	default:
		return vm_madvise(world_mm, va, len, (int)d->arg);
	}
}

static void check_drawing(const struct drawing *d)
{
	unsigned n = picture_pages(d->before);
	char buf[PICTURE_MAX];
	int64_t splits, merges, got;

	world_open();
	picture_make(BASE, d->before);
	ATF_REQUIRE_STREQ_MSG(picture_draw(buf, BASE, n), d->before, "%s: before: %s, not %s",
			      d->name, buf, d->before);
	splits = hosted_vmstat(FL_VMSTAT_VMA_SPLIT);
	merges = hosted_vmstat(FL_VMSTAT_VMA_MERGE);
	got = draw_call(d);
	ATF_CHECK_EQ_MSG(d->call == MMAP ? (int64_t)(BASE + d->first * PAGE_SIZE) : d->error, got,
			 "%s: %ld", d->name, (long)got);
	ATF_CHECK_STREQ_MSG(picture_draw(buf, BASE, n), d->after, "%s: %s -> %s, not %s", d->name,
			    d->before, buf, d->after);
	splits = hosted_vmstat(FL_VMSTAT_VMA_SPLIT) - splits;
	merges = hosted_vmstat(FL_VMSTAT_VMA_MERGE) - merges;
	ATF_CHECK_EQ_MSG(d->splits, splits, "%s: %ld splits", d->name, (long)splits);
	ATF_CHECK_EQ_MSG(d->merges, merges, "%s: %ld merges", d->name, (long)merges);
	world_close();
}

ATF_TC_WITHOUT_HEAD(pictures);
ATF_TC_BODY(pictures, tc)
{
	(void)tc;
	for (size_t i = 0; i < sizeof(drawings) / sizeof(*drawings); i++)
		check_drawing(&drawings[i]);
}

/* Each allocation of each drawing's call fails in turn: the picture stays, the error is right. */
static unsigned refuse_each(const struct drawing *d)
{
	unsigned n = picture_pages(d->before), nth = 0;
	char buf[PICTURE_MAX];
	bool refused = true;

	while (refused) {
		int64_t got;

		world_open();
		picture_make(BASE, d->before);
		hosted_fail_nth(++nth);
		got = draw_call(d);
		refused = hosted_fail_refused();
		hosted_fail_none();
		if (refused) {
			ATF_CHECK_EQ_MSG(d->call == MADVISE ? -MM_EAGAIN : -MM_ENOMEM, got,
					 "%s: allocation %u refused: %ld", d->name, nth, (long)got);
			ATF_CHECK_STREQ_MSG(picture_draw(buf, BASE, n), d->before,
					    "%s: allocation %u refused: %s", d->name, nth, buf);
		}
		world_close();
	}
	return nth - 1;
}

ATF_TC_WITHOUT_HEAD(each_allocation_fails);
ATF_TC_BODY(each_allocation_fails, tc)
{
	unsigned refused = 0;

	(void)tc;
	for (size_t i = 0; i < sizeof(drawings) / sizeof(*drawings); i++)
		refused += refuse_each(&drawings[i]);
	ATF_CHECK_MSG(refused >= 20, "only %u allocations refused", refused);
}

/* ---- mprotect and back ---- */

/* wwwwww -> ww|rr|ww -> wwwwww (case 3), and by parts (cases 4 to 7). */
ATF_TC_WITHOUT_HEAD(mprotect_back);
ATF_TC_BODY(mprotect_back, tc)
{
	static const struct {
		unsigned first, count, prot;
		const char *after;
	} steps[] = {
		{2, 2, R, "ww|rr|ww"},						      /* 9 */
		{2, 2, RW, "wwwwww"},						      /* 3 */
		{2, 3, R, "ww|rrr|w"},						      /* 9 */
		{2, 1, RW, "www|rr|w"},						      /* 5 */
		{4, 1, RW, "www|r|ww"},						      /* 7 */
		{3, 1, RX, "www|x|ww"}, {0, 3, R, "rrr|x|ww"},	{3, 1, R, "rrrr|ww"}, /* 4 */
		{3, 1, RX, "rrr|x|ww"},						      /* 8 */
		{4, 2, R, "rrr|x|rr"},	{0, 3, RW, "www|x|rr"}, {3, 1, R, "www|rrr"}, /* 6 */
		{0, 6, 0, "nnnnnn"},
	};
	char buf[PICTURE_MAX];

	(void)tc;
	world_open();
	picture_make(BASE, "wwwwww");
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		ATF_REQUIRE_EQ(0, vm_mprotect(world_mm, BASE + steps[i].first * PAGE_SIZE,
					      steps[i].count * PAGE_SIZE, steps[i].prot));
		ATF_CHECK_STREQ_MSG(picture_draw(buf, BASE, 6), steps[i].after, "step %zu: %s", i,
				    buf);
		world_check();
	}
	world_close();
}

/* ---- anon_root ---- */

static struct anon_root *root_at(unsigned page)
{
	return vma_find(world_mm, BASE + page * PAGE_SIZE)->anon;
}

static void write_page(unsigned page)
{
	ATF_REQUIRE(world_touch(BASE + page * PAGE_SIZE, HOSTED_WRITE));
}

static void expect(const char *picture)
{
	char buf[PICTURE_MAX];

	ATF_CHECK_STREQ(picture_draw(buf, BASE, picture_pages(picture)), picture);
	world_check();
}

/* Two VMAs that got their roots apart never merge; a third one without joins the lower. */
ATF_TC_WITHOUT_HEAD(roots_that_differ);
ATF_TC_BODY(roots_that_differ, tc)
{
	(void)tc;
	world_open();
	picture_make(BASE, "ww.ww");
	write_page(0);
	write_page(3);
	ATF_CHECK(root_at(0) && root_at(3) && root_at(0) != root_at(3));
	map_letter(BASE, 2, 1, 'w');
	expect("www|ww");
	ATF_CHECK_EQ(0, vm_mprotect(world_mm, BASE + 2 * PAGE_SIZE, PAGE_SIZE, R));
	expect("ww|r|ww");
	ATF_CHECK_EQ(0, vm_mprotect(world_mm, BASE + 2 * PAGE_SIZE, PAGE_SIZE, RW));
	expect("www|ww");
	ATF_CHECK_EQ(0, vm_munmap(world_mm, BASE, 3 * PAGE_SIZE));
	map_letter(BASE, 0, 3, 'w');
	expect("wwwww");
	ATF_CHECK(root_at(0));
	world_close();
}

/* A VMA without a root takes that of a neighbour that differs in rights alone, so that the two can
 * merge later. */
ATF_TC_WITHOUT_HEAD(roots_of_neighbours);
ATF_TC_BODY(roots_of_neighbours, tc)
{
	(void)tc;
	world_open();
	picture_make(BASE, "wwwwww");
	ATF_CHECK_EQ(0, vm_mprotect(world_mm, BASE + 2 * PAGE_SIZE, 2 * PAGE_SIZE, R));
	expect("ww|rr|ww");
	write_page(5);
	write_page(0);
	ATF_CHECK(root_at(0) && root_at(5) && root_at(0) != root_at(5) && !root_at(2));
	ATF_CHECK_EQ(0, vm_mprotect(world_mm, BASE + 3 * PAGE_SIZE, PAGE_SIZE, RW));
	expect("ww|r|www");
	ATF_CHECK_EQ(0, vm_mprotect(world_mm, BASE, 2 * PAGE_SIZE, RX | RW));
	ATF_CHECK_EQ(0, vm_mprotect(world_mm, BASE + 2 * PAGE_SIZE, PAGE_SIZE, RX | RW));
	expect("eee|www");
	map_letter(BASE, 6, 1, 'e');
	expect("eee|www|e");
	write_page(6);
	ATF_CHECK_EQ(root_at(5), root_at(6));
	ATF_CHECK_EQ(0, vm_mprotect(world_mm, BASE + 6 * PAGE_SIZE, PAGE_SIZE, RW));
	expect("eee|wwww");
	world_close();
}

/* Memory that was writable and has pages still counts as committed, and so it does not merge with
 * memory that never was. */
ATF_TC_WITHOUT_HEAD(commitment);
ATF_TC_BODY(commitment, tc)
{
	(void)tc;
	world_open();
	picture_make(BASE, "rr|wwww|rr");
	write_page(5);
	ATF_CHECK_EQ(0, vm_mprotect(world_mm, BASE + 2 * PAGE_SIZE, 2 * PAGE_SIZE, R));
	expect("rr|rr|ww|rr");
	ATF_CHECK_EQ(0, vm_munmap(world_mm, BASE + 5 * PAGE_SIZE, PAGE_SIZE));
	map_letter(BASE, 4, 2, 'w');
	expect("rr|rr|ww|rr");
	ATF_CHECK_EQ(0, vm_mprotect(world_mm, BASE + 4 * PAGE_SIZE, 2 * PAGE_SIZE, R));
	expect("rr|rr|rrrr");
	world_close();
}

/* Reading maps the zero page, which belongs to nobody. */
ATF_TC_WITHOUT_HEAD(no_root_for_reads);
ATF_TC_BODY(no_root_for_reads, tc)
{
	(void)tc;
	world_open();
	picture_make(BASE, "ww");
	ATF_REQUIRE(world_touch(BASE, HOSTED_READ));
	ATF_CHECK(!root_at(0));
	write_page(0);
	ATF_CHECK(root_at(0));
	world_close();
}

/* ---- rights ---- */

ATF_TC_WITHOUT_HEAD(prot);
ATF_TC_BODY(prot, tc)
{
	(void)tc;
	ATF_CHECK_EQ(0u, vma_prot(0));
	ATF_CHECK_EQ(0u, vma_prot(MAY_ALL | VM_GROWSDOWN | VM_ACCOUNT));
	ATF_CHECK_EQ((unsigned)PTE_PROT_USER, vma_prot(VM_READ));
	ATF_CHECK_EQ((unsigned)(PTE_PROT_USER | PTE_PROT_WRITE), vma_prot(VM_WRITE));
	ATF_CHECK_EQ((unsigned)(PTE_PROT_USER | PTE_PROT_WRITE), vma_prot(VM_READ | VM_WRITE));
	ATF_CHECK_EQ((unsigned)(PTE_PROT_USER | PTE_PROT_EXEC), vma_prot(VM_EXEC));
	ATF_CHECK_EQ((unsigned)(PTE_PROT_USER | PTE_PROT_EXEC), vma_prot(VM_READ | VM_EXEC));
	ATF_CHECK_EQ((unsigned)(PTE_PROT_USER | PTE_PROT_WRITE | PTE_PROT_EXEC),
		     vma_prot(VM_ACCESS_FLAGS));
}

/* ---- holes ---- */

static uint64_t random_state = 1;

static uint64_t random_below(uint64_t n)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (random_state >> 33) % n;
}

/* The holes as the list of VMAs has them; dir 0: the highest that fits, 1: the lowest. */
static uint64_t brute_hole(uint64_t len, uint64_t low, uint64_t high, int dir)
{
	uint64_t from = 0, best = 0;

	for (const struct vma *vma = world_mm->first;; vma = vma->next) {
		uint64_t start = from > low ? from : low;
		uint64_t end = vma ? vma_start_gap(vma) : TASK_SIZE;

		end = end < high ? end : high;
		if (end > start && end - start >= len && (dir == 0 || !best))
			best = dir == 0 ? end - len : start;
		if (!vma)
			return best;
		from = vma->end;
	}
}

static void compare_holes(uint64_t span)
{
	uint64_t len = (1 + random_below(12)) * PAGE_SIZE;
	uint64_t low = MMAP_MIN_ADDR + random_below(span) * PAGE_SIZE;
	uint64_t high = low + random_below(span) * PAGE_SIZE;

	ATF_REQUIRE_EQ(brute_hole(len, low, high, 0),
		       vma_hole_topdown(world_mm, len, low, high).start);
	ATF_REQUIRE_EQ(brute_hole(len, low, high, 1),
		       vma_hole_bottomup(world_mm, len, low, high).start);
	ATF_REQUIRE_EQ(brute_hole(len, MMAP_MIN_ADDR, TASK_SIZE, 0),
		       vma_hole_topdown(world_mm, len, MMAP_MIN_ADDR, TASK_SIZE).start);
	ATF_REQUIRE_EQ(brute_hole(len, MMAP_MIN_ADDR, TASK_SIZE, 1),
		       vma_hole_bottomup(world_mm, len, MMAP_MIN_ADDR, TASK_SIZE).start);
}

/* Rights that change from page to page keep VMAs apart; now and then a stack with its guard gap;
 * also below MMAP_MIN_ADDR, where only MAP_FIXED gets. */
static void holes_among(uint64_t span, unsigned rounds)
{
	world_open();
	for (unsigned i = 0; i < rounds; i++) {
		uint64_t va = random_below(span) * PAGE_SIZE;
		uint64_t len = (1 + random_below(8)) * PAGE_SIZE;
		unsigned grows = random_below(64) ? 0 : MAP_GROWSDOWN_;

		if (random_below(2))
			ATF_REQUIRE(vm_mmap(world_mm, va, len, (unsigned)random_below(8),
					    MAP_PRIVATE_ | MAP_FIXED_ | grows, NULL, 0, 0) >= 0);
		else
			ATF_REQUIRE_EQ(0, vm_munmap(world_mm, va, len));
		compare_holes(span);
		if (i % 16 == 0)
			world_check();
	}
	world_close();
}

ATF_TC_WITHOUT_HEAD(holes);
ATF_TC_BODY(holes, tc)
{
	(void)tc;
	holes_among(40, 4000);
	holes_among(300, 4000);
	holes_among(5000, 4000);
}

/* The whole of a hole, and one page more; the guard gap of a stack is none. */
ATF_TC_WITHOUT_HEAD(hole_edges);
ATF_TC_BODY(hole_edges, tc)
{
	const uint64_t guard = STACK_GUARD_GAP, low = MMAP_MIN_ADDR, high = 1ull << 30;

	(void)tc;
	world_open();
	ATF_CHECK_EQ(low, vma_hole_topdown(world_mm, high - low, low, high).start);
	ATF_CHECK_EQ(0u, vma_hole_topdown(world_mm, high - low + PAGE_SIZE, low, high).start);
	ATF_CHECK_EQ(0u, vma_hole_topdown(world_mm, PAGE_SIZE, high, low).start);
	map_letter(high - 4 * PAGE_SIZE, 0, 4, 'S');
	ATF_CHECK_EQ(high - 4 * PAGE_SIZE - guard - PAGE_SIZE,
		     vma_hole_topdown(world_mm, PAGE_SIZE, low, high).start);
	ATF_CHECK_EQ(
		low,
		vma_hole_bottomup(world_mm, high - low - 4 * PAGE_SIZE - guard, low, high).start);
	ATF_CHECK_EQ(
		0u,
		vma_hole_bottomup(world_mm, high - low - 3 * PAGE_SIZE - guard, low, high).start);
	world_close();
}

static uint64_t highest_hole(unsigned pages)
{
	return vma_hole_topdown(world_mm, pages * PAGE_SIZE, MMAP_MIN_ADDR, world_mm->mmap_base)
		.start;
}

/* What a search found out is forgotten when a wider hole appears, and when the widest gap is
 * another one. */
ATF_TC_WITHOUT_HEAD(hole_bound);
ATF_TC_BODY(hole_bound, tc)
{
	(void)tc;
	world_open();
	world_mm->mmap_base = BASE + 10 * PAGE_SIZE;
	picture_make(BASE, "w.w.w.w.ww");
	ATF_CHECK_EQ(BASE - 2 * PAGE_SIZE, highest_hole(2));
	ATF_CHECK_EQ(2 * PAGE_SIZE - 1, world_mm->hole_bound);
	ATF_CHECK_EQ(BASE + 7 * PAGE_SIZE, highest_hole(1));
	ATF_CHECK_EQ(0, vm_munmap(world_mm, BASE + 4 * PAGE_SIZE, PAGE_SIZE));
	ATF_CHECK_EQ(BASE + 4 * PAGE_SIZE, highest_hole(2));
	ATF_CHECK_EQ(BASE - 4 * PAGE_SIZE, highest_hole(4));
	world_check();
	/* One far below: the widest gap is not the lowest any more. */
	map_letter(MMAP_MIN_ADDR + 8 * PAGE_SIZE, 0, 1, 'w');
	ATF_CHECK_EQ(BASE - 4 * PAGE_SIZE, highest_hole(4));
	ATF_CHECK_EQ(0, vm_munmap(world_mm, BASE, PAGE_SIZE));
	ATF_CHECK_EQ(BASE + 4 * PAGE_SIZE, highest_hole(2));
	ATF_CHECK_EQ(BASE - 2 * PAGE_SIZE, highest_hole(4));
	world_check();
	world_close();
}

/* ---- finding ---- */

ATF_TC_WITHOUT_HEAD(find);
ATF_TC_BODY(find, tc)
{
	const struct vma *w, *r;

	(void)tc;
	world_open();
	ATF_CHECK(!vma_find(world_mm, 0) && !vma_lookup(world_mm, 0));
	picture_make(BASE, ".ww..r");
	w = world_mm->first;
	r = world_mm->last;
	ATF_CHECK_EQ(w, vma_find(world_mm, 0));
	ATF_CHECK(!vma_lookup(world_mm, BASE + PAGE_SIZE - 1));
	ATF_CHECK_EQ(w, vma_lookup(world_mm, BASE + PAGE_SIZE));
	ATF_CHECK_EQ(w, world_mm->last_hit);
	ATF_CHECK_EQ(w, vma_lookup(world_mm, BASE + 3 * PAGE_SIZE - 1));
	ATF_CHECK(!vma_lookup(world_mm, BASE + 3 * PAGE_SIZE));
	ATF_CHECK_EQ(r, vma_find(world_mm, BASE + 3 * PAGE_SIZE));
	ATF_CHECK_EQ(r, vma_lookup(world_mm, BASE + 5 * PAGE_SIZE));
	ATF_CHECK(!vma_find(world_mm, BASE + 6 * PAGE_SIZE));
	ATF_CHECK_EQ(0, vm_munmap(world_mm, BASE + 5 * PAGE_SIZE, PAGE_SIZE));
	ATF_CHECK(!world_mm->last_hit);
	ATF_CHECK(!vma_lookup(world_mm, BASE + 5 * PAGE_SIZE));
	world_close();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, pictures);
	ATF_TP_ADD_TC(tp, each_allocation_fails);
	ATF_TP_ADD_TC(tp, mprotect_back);
	ATF_TP_ADD_TC(tp, roots_that_differ);
	ATF_TP_ADD_TC(tp, roots_of_neighbours);
	ATF_TP_ADD_TC(tp, commitment);
	ATF_TP_ADD_TC(tp, no_root_for_reads);
	ATF_TP_ADD_TC(tp, prot);
	ATF_TP_ADD_TC(tp, holes);
	ATF_TP_ADD_TC(tp, hole_edges);
	ATF_TP_ADD_TC(tp, hole_bound);
	ATF_TP_ADD_TC(tp, find);
	return atf_no_error();
}
