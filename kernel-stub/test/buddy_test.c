/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page allocator: against a map of who owns each frame, exhaustively for a tiny memory, with
 * every allocation failing in turn, and what it must refuse.
 */
#include <atf-c.h>
#include <string.h>
#include <sys/mman.h>

#include "mm/base/mm_errno.h"
#include "mm/phys/buddy.h"
#include "port/hosted/hosted.h"
#include "test/random.h"

#define MAX_PAGES 8192u

/* ---- the model: an owner per frame ---- */

static uint16_t owner[MAX_PAGES]; /* 0: free */

/* The frames [first, first + 2^order) change from one owner to another. */
static void change_owner(uint64_t first, unsigned order, uint16_t from, uint16_t to)
{
	ATF_REQUIRE_EQ(first & ((1u << order) - 1), 0);
	for (uint64_t pfn = first; pfn < first + (1u << order); pfn++) {
		ATF_REQUIRE(pfn < hosted_pages);
		ATF_REQUIRE_MSG(owner[pfn] == from, "frame %lu belongs to %u, not to %u", pfn,
				owner[pfn], from);
		owner[pfn] = to;
	}
}

/* Is there an aligned run of 2^order free frames? */
static bool model_has(unsigned order)
{
	for (uint64_t first = 0; first + (1u << order) <= hosted_pages; first += 1u << order) {
		uint64_t pfn = first;

		while (pfn < first + (1u << order) && !owner[pfn])
			pfn++;
		if (pfn == first + (1u << order))
			return true;
	}
	return false;
}

static void set_up(uint64_t pages)
{
	hosted_boot(pages);
	memset(owner, 0, sizeof(owner));
	for (uint64_t pfn = 0; pfn < HOSTED_FIRST_PFN; pfn++)
		owner[pfn] = UINT16_MAX;
}

static uint64_t usable(void)
{
	return hosted_pages - HOSTED_FIRST_PFN;
}

/* The counter shows what is at buddy level, per-CPU lists left out. */
static int64_t on_pcp(void)
{
	int64_t n = 0;

	for (unsigned mt = 0; mt < NR_MIGRATETYPES; mt++)
		n += port_mm_cpu()->pcp[mt].count;
	return n;
}

static void check_counts(uint64_t free)
{
	ATF_REQUIRE_EQ(page_nr_free(), free);
	ATF_REQUIRE_EQ((uint64_t)(hosted_vmstat(FL_VMSTAT_NR_FREE_PAGES) + on_pcp()), free);
	ATF_REQUIRE_EQ(
		(uint64_t)(hosted_vmstat(FL_VMSTAT_PGALLOC) - hosted_vmstat(FL_VMSTAT_PGFREE)),
		usable() - free);
}

/* ---- everything out, everything back ---- */

static struct page *taken[MAX_PAGES];

static void shuffle(struct page **pages, size_t n, uint64_t *seed)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = random_below(seed, i);
		struct page *swap = pages[j];

		pages[j] = pages[i - 1];
		pages[i - 1] = swap;
	}
}

static void exhaust(uint64_t pages, uint64_t *seed)
{
	struct page *page;
	size_t n = 0;

	set_up(pages);
	while ((page = page_alloc_type((enum migratetype)random_below(seed, NR_MIGRATETYPES)))) {
		change_owner(page_to_pfn(page), 0, 0, 1);
		taken[n++] = page;
	}
	ATF_REQUIRE_EQ(n, usable());
	check_counts(0);
	buddy_check();
	shuffle(taken, n, seed);
	while (n > 0)
		page_put(taken[--n]);
	check_counts(usable());
	pcp_drain();
	buddy_check();
	check_counts(usable());
}

/* Once all is merged, the largest blocks are all there: the head and tail excepted. */
static void check_merged(uint64_t pages)
{
	uint64_t whole = pages >> MAX_ORDER;

	if (whole > 0)
		whole--; /* the first has HOSTED_FIRST_PFN in it */
	for (uint64_t i = 0; i < whole; i++)
		ATF_REQUIRE(page_alloc_order(MAX_ORDER, MT_MOVABLE) != NULL);
	ATF_REQUIRE_EQ(page_alloc_order(MAX_ORDER, MT_MOVABLE), NULL);
}

ATF_TC_WITHOUT_HEAD(exhaustion);
ATF_TC_BODY(exhaustion, tc)
{
	static const uint64_t sizes[] = {2,    3,    17,   33,	 511,  512,  513,
					 1023, 1024, 1025, 1536, 2048, 5000, MAX_PAGES};
	uint64_t seed = 1;

	(void)tc;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		exhaust(sizes[i], &seed);
		check_merged(sizes[i]);
	}
}

/* ---- random, against the model ---- */

struct block {
	struct page *page;
	unsigned order;
};

enum { BLOCKS = 600 };

static struct block blocks[BLOCKS];

static void stamp(const struct block *b, uint64_t v)
{
	*(uint64_t *)page_to_virt(b->page) = v;
	*(uint64_t *)page_to_virt(b->page + (1u << b->order) - 1) = v;
}

static void random_free(unsigned i, uint64_t *free)
{
	struct block *b = &blocks[i];

	ATF_REQUIRE_EQ(*(uint64_t *)page_to_virt(b->page), i);
	ATF_REQUIRE_EQ(*(uint64_t *)page_to_virt(b->page + (1u << b->order) - 1), i);
	change_owner(page_to_pfn(b->page), b->order, (uint16_t)(i + 1), 0);
	if (b->order == 0)
		page_put(b->page);
	else
		page_free_order(b->page, b->order);
	*free += 1u << b->order;
	b->page = NULL;
}

static void random_alloc(unsigned i, uint64_t *free, uint64_t *seed)
{
	struct block *b = &blocks[i];

	/* Small orders are the common ones. */
	b->order = (unsigned)__builtin_ctzll(random_next(seed) | 1u << MAX_ORDER);
	b->page = page_alloc_order(b->order, (enum migratetype)random_below(seed, NR_MIGRATETYPES));
	if (!b->page) {
		ATF_REQUIRE_MSG(!model_has(b->order), "order %u refused", b->order);
		return;
	}
	ATF_REQUIRE_EQ(b->page->refcount, 1);
	ATF_REQUIRE_EQ(b->page->flags, 0);
	ATF_REQUIRE_EQ(b->page->order, b->order);
	change_owner(page_to_pfn(b->page), b->order, 0, (uint16_t)(i + 1));
	stamp(b, i);
	*free -= 1u << b->order;
}

static void run_random(uint64_t pages, unsigned steps, uint64_t seed)
{
	uint64_t free;

	set_up(pages);
	memset(blocks, 0, sizeof(blocks));
	free = usable();
	for (unsigned step = 0; step < steps; step++) {
		unsigned i = (unsigned)random_below(&seed, BLOCKS);

		if (blocks[i].page)
			random_free(i, &free);
		else
			random_alloc(i, &free, &seed);
		check_counts(free);
		if (step % 256 == 0)
			buddy_check();
	}
	for (unsigned i = 0; i < BLOCKS; i++)
		if (blocks[i].page)
			random_free(i, &free);
	pcp_drain();
	buddy_check();
	check_counts(usable());
}

ATF_TC_WITHOUT_HEAD(random_model);
ATF_TC_BODY(random_model, tc)
{
	(void)tc;
	run_random(600, 40000, 1);
	run_random(2500, 40000, 2);
	run_random(MAX_PAGES, 40000, 3);
}

/* ---- exhaustive: 16 frames, every four allocations, freed in every order ---- */

#define TINY_PAGES 16u
#define TINY_DEPTH 4u

static struct block tiny[TINY_DEPTH];

static void check_tiny(void)
{
	uint64_t free = 0;

	for (unsigned pfn = 0; pfn < TINY_PAGES; pfn++)
		free += !owner[pfn];
	buddy_check();
	check_counts(free);
}

static void tiny_alloc(unsigned i, unsigned order, bool drain)
{
	struct block *b = &tiny[i];
	bool fits = model_has(order);

	b->order = order;
	b->page = page_alloc_order(order, i % 2 ? MT_MOVABLE : MT_UNMOVABLE);
	ATF_REQUIRE_EQ(b->page != NULL, fits);
	if (b->page)
		change_owner(page_to_pfn(b->page), order, 0, (uint16_t)(i + 1));
	if (drain)
		pcp_drain();
	check_tiny();
}

static void tiny_free(unsigned i, bool drain)
{
	struct block *b = &tiny[i];

	if (!b->page)
		return;
	change_owner(page_to_pfn(b->page), b->order, (uint16_t)(i + 1), 0);
	page_free_order(b->page, b->order);
	if (drain)
		pcp_drain();
	check_tiny();
}

/* orders and the order of freeing are digits of the two numbers. */
static void tiny_case(unsigned orders, unsigned freeing, bool drain)
{
	bool done[TINY_DEPTH] = {false};

	for (unsigned i = 0; i < TINY_DEPTH; i++, orders /= 4)
		tiny_alloc(i, orders % 4, drain);
	for (unsigned left = TINY_DEPTH; left > 0; left--) {
		unsigned skip = freeing % left, i = 0;

		freeing /= left;
		while (done[i] || skip-- > 0)
			i++;
		done[i] = true;
		tiny_free(i, drain);
	}
	pcp_drain();
	check_tiny();
}

ATF_TC_WITHOUT_HEAD(exhaustive);
ATF_TC_BODY(exhaustive, tc)
{
	enum { ORDERS = 4 * 4 * 4 * 4, FREEINGS = 24 };

	(void)tc;
	set_up(TINY_PAGES);
	for (unsigned i = 0; i < ORDERS * FREEINGS * 2; i++)
		tiny_case(i / 2 / FREEINGS, i / 2 % FREEINGS, i % 2);
}

/* ---- boot, ranges ---- */

/* 16 GiB: adding the range touches no struct page of it. */
ATF_TC_WITHOUT_HEAD(boot_touches_nothing);
ATF_TC_BODY(boot_touches_nothing, tc)
{
	const uint64_t pages = 16ull << 30 >> PAGE_SHIFT, bytes = pages * sizeof(struct page);
	static unsigned char resident[16ull << 30 >> PAGE_SHIFT >> 6];
	uint64_t touched = 0;

	(void)tc;
	hosted_boot(pages);
	ATF_REQUIRE_EQ(page_nr_free(), pages - HOSTED_FIRST_PFN);
	ATF_REQUIRE_EQ(mincore(port_vmemmap(), bytes, resident), 0);
	for (size_t i = 0; i < sizeof(resident); i++)
		touched += resident[i] & 1;
	ATF_REQUIRE_EQ(touched, 1); /* the reserved ones */
	ATF_REQUIRE(page_alloc() != NULL);
	ATF_REQUIRE(page_alloc_order(MAX_ORDER, MT_MOVABLE) != NULL);
	buddy_check();
}

/* Ranges with holes, adjacent, sharing a pageblock, of a single frame. */
ATF_TC_WITHOUT_HEAD(ranges);
ATF_TC_BODY(ranges, tc)
{
	static const struct {
		uint64_t start, end;
	} rows[BUDDY_RANGES] = {{1, 5},	      {7, 8},	    {600, 700},	  {900, 1024},
				{1024, 1536}, {1536, 2048}, {2050, 5000}, {5001, 8000}};
	uint64_t want = 0, got = 0;
	struct page *page;

	(void)tc;
	hosted_init(MAX_PAGES);
	buddy_init();
	memset(owner, 1, sizeof(owner));
	for (unsigned i = 0; i < BUDDY_RANGES; i++) {
		ATF_REQUIRE_EQ(buddy_add_range(rows[i].start, rows[i].end), 0);
		want += rows[i].end - rows[i].start;
		memset(&owner[rows[i].start], 0, 2 * (rows[i].end - rows[i].start));
	}
	ATF_REQUIRE_EQ(buddy_add_range(8100, 8101), -MM_ENOMEM);
	ATF_REQUIRE_EQ(page_nr_free(), want);
	for (unsigned i = 0; (page = page_alloc_type((enum migratetype)(i % 3))); i++, got++) {
		change_owner(page_to_pfn(page), 0, 0, 2);
		buddy_check();
		taken[got] = page;
	}
	ATF_REQUIRE_EQ(got, want);
	while (got > 0)
		page_put(taken[--got]);
	pcp_drain();
	buddy_check();
	ATF_REQUIRE_EQ(page_nr_free(), want);
}

/* ---- migrate types ---- */

static uint64_t pageblock(const struct page *page)
{
	return page_to_pfn(page) >> PAGEBLOCK_ORDER;
}

/* While there is untouched memory, no pageblock holds two types. */
ATF_TC_WITHOUT_HEAD(types_apart);
ATF_TC_BODY(types_apart, tc)
{
	static uint8_t seen[MAX_PAGES >> PAGEBLOCK_ORDER];

	(void)tc;
	set_up(MAX_PAGES);
	for (unsigned i = 0; i < 900; i++) {
		struct page *page = page_alloc_type((enum migratetype)(i % NR_MIGRATETYPES));

		ATF_REQUIRE(page != NULL);
		seen[pageblock(page)] |= (uint8_t)(1u << i % NR_MIGRATETYPES);
		ATF_REQUIRE_EQ((unsigned)page_block_type(page), i % NR_MIGRATETYPES);
	}
	for (size_t i = 0; i < sizeof(seen); i++)
		ATF_REQUIRE(!(seen[i] & (seen[i] - 1)));
}

/* All memory movable, one pageblock given back: it is converted, and serves alone. */
ATF_TC_WITHOUT_HEAD(conversion);
ATF_TC_BODY(conversion, tc)
{
	uint64_t converted = 5;
	struct page *page;

	(void)tc;
	set_up(MAX_PAGES);
	while ((page = page_alloc()))
		;
	for (unsigned i = 0; i < 1u << PAGEBLOCK_ORDER; i++)
		page_put(pfn_to_page((converted << PAGEBLOCK_ORDER) + i));
	pcp_drain();
	for (unsigned i = 0; i < 1u << PAGEBLOCK_ORDER; i++) {
		page = page_alloc_type(MT_UNMOVABLE);
		ATF_REQUIRE(page != NULL);
		ATF_REQUIRE_EQ(pageblock(page), converted);
		ATF_REQUIRE_EQ(page_block_type(page), MT_UNMOVABLE);
	}
	ATF_REQUIRE_EQ(page_alloc(), NULL);
	buddy_check();
}

/* Less than a pageblock is borrowed: it stays of the type it was, and the largest is taken first.
 */
ATF_TC_WITHOUT_HEAD(borrowing);
ATF_TC_BODY(borrowing, tc)
{
	struct page *page, *small, *large;

	(void)tc;
	set_up(MAX_PAGES);
	small = pfn_to_page(4096);
	large = pfn_to_page(6144);
	while ((page = page_alloc()))
		;
	for (unsigned i = 0; i < 8; i++)
		page_put(&small[i]);
	for (unsigned i = 0; i < 64; i++)
		page_put(&large[i]);
	pcp_drain();
	page = page_alloc_type(MT_UNMOVABLE);
	ATF_REQUIRE_EQ(page, large);
	ATF_REQUIRE_EQ(page_block_type(page), MT_MOVABLE);
	ATF_REQUIRE_EQ(on_pcp(), 0); /* one page, not a batch */
	buddy_check();
	page_put(page);
	pcp_drain();
	ATF_REQUIRE_EQ(page_alloc_order(6, MT_MOVABLE), large);
	buddy_check();
}

/* ---- per-CPU lists ---- */

ATF_TC_WITHOUT_HEAD(pcp_batches);
ATF_TC_BODY(pcp_batches, tc)
{
	struct page *page;

	(void)tc;
	set_up(MAX_PAGES);
	for (unsigned i = 0; i < 2 * PCP_BATCH + 1; i++)
		ATF_REQUIRE((taken[i] = page_alloc()) != NULL);
	ATF_REQUIRE_EQ(hosted_vmstat(FL_VMSTAT_PCP_REFILL), 3);
	ATF_REQUIRE_EQ(hosted_vmstat(FL_VMSTAT_PCP_DRAIN), 0);
	for (unsigned i = 1; i < PCP_BATCH; i++)
		ATF_REQUIRE_EQ(taken[i], taken[i - 1] + 1);
	page = taken[7];
	page_put(page);
	ATF_REQUIRE_EQ(page_alloc(), page); /* the hot one */
	for (unsigned i = 2 * PCP_BATCH + 1; i < PCP_HIGH + PCP_BATCH; i++)
		ATF_REQUIRE((taken[i] = page_alloc()) != NULL);
	pcp_drain();
	ATF_REQUIRE_EQ(hosted_vmstat(FL_VMSTAT_PCP_DRAIN), 0); /* nothing was there */
	for (unsigned i = 0; i < PCP_HIGH; i++)
		page_put(taken[i]);
	ATF_REQUIRE_EQ(hosted_vmstat(FL_VMSTAT_PCP_DRAIN), 0);
	page_put(taken[PCP_HIGH]);
	ATF_REQUIRE_EQ(hosted_vmstat(FL_VMSTAT_PCP_DRAIN), 1);
	ATF_REQUIRE_EQ(on_pcp(), PCP_HIGH + 1 - PCP_BATCH);
	buddy_check();
}

ATF_TC_WITHOUT_HEAD(pcp_of_two_cpus);
ATF_TC_BODY(pcp_of_two_cpus, tc)
{
	(void)tc;
	set_up(600);
	for (unsigned i = 0; i < 100; i++)
		taken[i] = page_alloc();
	hosted_set_cpu(1);
	for (unsigned i = 0; i < 100; i++)
		page_put(taken[i]);
	ATF_REQUIRE_EQ(page_nr_free(), usable());
	buddy_check();
	hosted_set_cpu(0);
	pcp_drain();
	ATF_REQUIRE_EQ(page_nr_free(), usable());
	hosted_set_cpu(1);
	pcp_drain();
	buddy_check();
	ATF_REQUIRE_EQ((uint64_t)hosted_vmstat(FL_VMSTAT_NR_FREE_PAGES), usable());
}

/* When memory ends, what the other CPUs have on their lists is memory, for pages and blocks. */
ATF_TC_WITHOUT_HEAD(pcp_of_others);
ATF_TC_BODY(pcp_of_others, tc)
{
	uint64_t n = 0;

	(void)tc;
	set_up(1200);
	for (unsigned i = 0; i < 256; i++)
		ATF_REQUIRE((taken[i] = page_alloc()) != NULL);
	for (unsigned cpu = 1; cpu < 4; cpu++) {
		hosted_set_cpu(cpu);
		for (unsigned i = 64 * cpu; i < 64 * (cpu + 1); i++)
			page_put(taken[i]);
		ATF_REQUIRE_EQ(on_pcp(), 64);
	}
	hosted_set_cpu(0);
	for (n = 64; (taken[n] = page_alloc()); n++)
		;
	ATF_REQUIRE_EQ(n, usable());
	ATF_REQUIRE_EQ(page_nr_free(), 0);
	buddy_check();
	hosted_set_cpu(1);
	for (uint64_t i = 0; i < n; i++)
		page_put(taken[i]);
	hosted_set_cpu(2);
	ATF_REQUIRE(page_alloc_order(9, MT_MOVABLE) != NULL);
	ATF_REQUIRE_EQ(page_nr_free(), usable() - 512);
	buddy_check();
}

/* While a CPU waits to give pages back, another may take them: it gives what there is. */
ATF_TC_WITHOUT_HEAD(pcp_taken_meanwhile);
ATF_TC_BODY(pcp_taken_meanwhile, tc)
{
	struct pcp *pcp;

	(void)tc;
	set_up(64);
	page_put(page_alloc());
	pcp = &port_mm_cpu()->pcp[MT_MOVABLE];
	if (!pcp->count)
		pcp = &port_mm_cpu()->pcp[MT_UNMOVABLE];
	ATF_REQUIRE(pcp->count > 0 && pcp->count <= PCP_BATCH);
	buddy_take_back(pcp, PCP_BATCH + 1);
	ATF_REQUIRE(!pcp->count && !pcp->head);
	buddy_take_back(pcp, PCP_BATCH);
	ATF_REQUIRE(!pcp->count && !pcp->head);
	buddy_check();
	check_counts(usable());
}

ATF_TC_WITHOUT_HEAD(kernel_pages_are_clean);
ATF_TC_BODY(kernel_pages_are_clean, tc)
{
	struct page *page;

	(void)tc;
	set_up(64);
	for (unsigned round = 0; round < 100; round++) {
		const unsigned char *p;

		ATF_REQUIRE((page = page_alloc_kernel()) != NULL);
		ATF_REQUIRE(!page->mapping && !page->index && !page->private && !page->nr_present);
		p = page_to_virt(page);
		for (unsigned i = 0; i < PAGE_SIZE; i++)
			ATF_REQUIRE_EQ(p[i], 0);
		memset(page_to_virt(page), 0xee, PAGE_SIZE);
		page->mapping = page;
		page->index = page->private = round;
		page_put(page);
	}
}

/* ---- failures ---- */

enum { SCENARIO = 100 };

/* Blocks of several orders; on a failure everything goes back. True if all came. */
static bool scenario(void)
{
	unsigned n = 0;

	for (; n < SCENARIO; n++) {
		blocks[n].order = n % 4 == 3 ? 3 : 0;
		blocks[n].page =
			n % 3 ? page_alloc_order(blocks[n].order, MT_MOVABLE) : page_alloc_kernel();
		if (n % 3 == 0)
			blocks[n].order = 0;
		if (!blocks[n].page)
			break;
	}
	for (unsigned i = 0; i < n; i++)
		page_free_order(blocks[i].page, blocks[i].order);
	return n == SCENARIO;
}

ATF_TC_WITHOUT_HEAD(each_failing);
ATF_TC_BODY(each_failing, tc)
{
	uint64_t n = 1;

	(void)tc;
	set_up(2048);
	for (;; n++) {
		bool all;

		hosted_fail_nth(n);
		all = scenario();
		ATF_REQUIRE_EQ(page_nr_free(), usable());
		buddy_check();
		ATF_REQUIRE_EQ(all, hosted_fail_refused() == 0);
		if (all)
			break;
	}
	ATF_REQUIRE_EQ(n, SCENARIO + 1);
}

ATF_TC_WITHOUT_HEAD(random_failing);
ATF_TC_BODY(random_failing, tc)
{
	(void)tc;
	set_up(2048);
	for (uint64_t seed = 0; seed < 200; seed++) {
		hosted_fail_random(seed, 100);
		ATF_REQUIRE_EQ(scenario(), hosted_fail_refused() == 0);
		ATF_REQUIRE_EQ(page_nr_free(), usable());
	}
}

/* ---- misuse ---- */

static void free_twice(void *page)
{
	page_put(page);
	page_free(page);
}

static void put_twice(void *page)
{
	page_put(page);
	page_put(page);
}

static void free_held(void *page)
{
	page_get(page);
	page_put(page);
	page_free(page);
}

static void free_on_lru(void *page)
{
	((struct page *)page)->flags |= 1u << PG_LRU;
	page_put(page);
}

static void free_table(void *page)
{
	((struct page *)page)->flags |= 1u << PG_TABLE;
	page_put(page);
}

static void free_mapped(void *page)
{
	((struct page *)page)->mapcount = 1;
	page_put(page);
}

static void free_reserved(void *page)
{
	(void)page;
	page_free(pfn_to_page(0));
}

static void free_wrong_order(void *page)
{
	page_free_order(page, 2);
}

static void free_block_as_page(void *page)
{
	(void)page;
	page_put(page_alloc_order(2, MT_MOVABLE));
}

static void free_block_twice(void *page)
{
	struct page *block = page_alloc_order(2, MT_MOVABLE);

	page_free_order(block, 2);
	page_free_order(block, 2);
	(void)page;
}

static void use_after_free(void *page)
{
	page_put(page);
	((struct page *)page)->mapcount = 1;
	pcp_drain();
}

static void use_after_free_check(void *page)
{
	page_put(page);
	((struct page *)page)->refcount = 1;
	buddy_check();
}

static void order_too_large(void *page)
{
	(void)page;
	page_alloc_order(MAX_ORDER + 1, MT_MOVABLE);
}

ATF_TC_WITHOUT_HEAD(misuse);
ATF_TC_BODY(misuse, tc)
{
	static const struct {
		void (*fn)(void *);
		const char *says;
	} rows[] = {
		{free_twice, "freed while in use, or twice"},
		{put_twice, "a reference dropped that nobody held"},
		{free_held, "freed while in use, or twice"},
		{free_on_lru, "freed while in use, or twice"},
		{free_table, "freed while in use, or twice"},
		{free_mapped, "mapcount == 0"},
		{free_reserved, "freed while in use, or twice"},
		{free_wrong_order, "another order"},
		{free_block_as_page, "order == 0"},
		{free_block_twice, "freed"},
		{use_after_free, "changed while it was free"},
		{use_after_free_check, "on a per-CPU list, but not free"},
		{order_too_large, "mt < NR_MIGRATETYPES"},
	};

	(void)tc;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *message;

		set_up(256);
		message = hosted_catch_panic(rows[i].fn, page_alloc());
		ATF_REQUIRE_MSG(message && strstr(message, rows[i].says), "row %zu: got %s", i,
				message ? message : "no panic");
	}
}

/* Reserved pages are shared by all and never freed: the zero page, the initrd's. */
ATF_TC_WITHOUT_HEAD(reserved);
ATF_TC_BODY(reserved, tc)
{
	struct page *page;

	(void)tc;
	set_up(64);
	page = pfn_to_page(0);
	for (unsigned i = 0; i < 3; i++)
		page_put(page);
	page_get(page);
	ATF_REQUIRE_EQ(page->refcount, 0);
	check_counts(usable());
}

/* ---- settling: what is allocated next does not hang on what was ---- */

enum { AFTERWARDS = 300 };

/* What an allocation costs: its frame, counted from the first, and whether a batch had to come. */
struct cost {
	int64_t frame, refills;
};

static void costs_after(unsigned before, bool settle, struct cost costs[AFTERWARDS])
{
	int64_t refills, first = 0;

	set_up(8192);
	for (unsigned i = 0; i < before; i++) {
		struct page *page = page_alloc_type(i % 5 ? MT_MOVABLE : MT_UNMOVABLE);

		if (i % 3 == 0)
			page_put(page);
	}
	if (settle)
		buddy_settle();
	buddy_check();
	refills = hosted_vmstat(FL_VMSTAT_PCP_REFILL);
	for (unsigned i = 0; i < AFTERWARDS; i++) {
		int64_t frame = (int64_t)page_to_pfn(page_alloc_type(MT_MOVABLE));

		first = i ? first : frame;
		costs[i].frame = frame - first;
		costs[i].refills = hosted_vmstat(FL_VMSTAT_PCP_REFILL) - refills;
	}
}

ATF_TC_WITHOUT_HEAD(settled);
ATF_TC_BODY(settled, tc)
{
	static struct cost first[AFTERWARDS], other[AFTERWARDS];
	bool differs = false;

	(void)tc;
	costs_after(0, true, first);
	for (unsigned before = 1; before < 1200; before += 37) {
		costs_after(before, true, other);
		ATF_REQUIRE_MSG(!memcmp(first, other, sizeof(first)), "after %u pages", before);
		costs_after(before, false, other);
		differs |= memcmp(first, other, sizeof(first)) != 0;
	}
	ATF_REQUIRE(differs);
}

/* What was set aside is the last to go, and none of it is lost; a buddy that becomes free merges.
 */
ATF_TC_WITHOUT_HEAD(settled_comes_back);
ATF_TC_BODY(settled_comes_back, tc)
{
	struct page *early, *page;
	size_t n = 0;

	(void)tc;
	set_up(4096);
	early = page_alloc_type(MT_MOVABLE);
	buddy_settle();
	buddy_settle();
	check_counts(usable() - 1);
	while ((page = page_alloc_type(MT_MOVABLE)))
		taken[n++] = page;
	ATF_REQUIRE_EQ(n, usable() - 1);
	ATF_REQUIRE_EQ(page_to_pfn(taken[0]) & ((1u << MAX_ORDER) - 1), 0);
	while (n > 0)
		page_put(taken[--n]);
	buddy_settle();
	page_put(early);
	pcp_drain();
	buddy_check();
	check_counts(usable());
	check_merged(4096);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, exhaustion);
	ATF_TP_ADD_TC(tp, random_model);
	ATF_TP_ADD_TC(tp, exhaustive);
	ATF_TP_ADD_TC(tp, boot_touches_nothing);
	ATF_TP_ADD_TC(tp, ranges);
	ATF_TP_ADD_TC(tp, types_apart);
	ATF_TP_ADD_TC(tp, conversion);
	ATF_TP_ADD_TC(tp, borrowing);
	ATF_TP_ADD_TC(tp, pcp_batches);
	ATF_TP_ADD_TC(tp, pcp_of_two_cpus);
	ATF_TP_ADD_TC(tp, pcp_of_others);
	ATF_TP_ADD_TC(tp, pcp_taken_meanwhile);
	ATF_TP_ADD_TC(tp, kernel_pages_are_clean);
	ATF_TP_ADD_TC(tp, each_failing);
	ATF_TP_ADD_TC(tp, random_failing);
	ATF_TP_ADD_TC(tp, misuse);
	ATF_TP_ADD_TC(tp, reserved);
	ATF_TP_ADD_TC(tp, settled);
	ATF_TP_ADD_TC(tp, settled_comes_back);
	return atf_no_error();
}
