/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The slab allocator: contents and counts under random use, every allocation failing in turn,
 * objects that change CPU, and what debug builds must notice. */
#include <atf-c.h>
#include <string.h>

#include "mm/phys/buddy.h"
#include "mm/phys/slab.h"
#include "port/hosted/hosted.h"
#include "test/random.h"

#define PAGES 4096u

static uint64_t free_at_start;

static void set_up(void)
{
	hosted_boot(PAGES);
	free_at_start = page_nr_free();
}

/* Every object is back: once what the CPU holds is drained, so is every page. */
static void check_all_back(void)
{
	slab_check();
	slab_drain();
	slab_check();
	ATF_REQUIRE_EQ(hosted_vmstat(FL_VMSTAT_NR_SLAB), 0);
	ATF_REQUIRE_EQ(page_nr_free(), free_at_start);
	buddy_check();
}

/* ---- random use ---- */

enum { SLOTS = 500 };

static struct slot {
	unsigned char *p;
	size_t size;
	struct kmem_cache *cache; /* NULL: kmalloc */
	unsigned char mark;
} slots[SLOTS];

static void fill(struct slot *s, unsigned char mark)
{
	s->mark = mark;
	memset(s->p, mark, s->size);
}

static void check_fill(const struct slot *s)
{
	for (size_t i = 0; i < s->size; i++)
		ATF_REQUIRE_EQ(s->p[i], s->mark);
}

static void release(struct slot *s)
{
	check_fill(s);
	if (s->cache)
		kmem_cache_free(s->cache, s->p);
	else
		kfree(s->p);
	s->p = NULL;
}

static void obtain(struct slot *s, struct kmem_cache *caches, unsigned nr_caches, uint64_t *seed)
{
	s->cache = random_below(seed, 2) ? &caches[random_below(seed, nr_caches)] : NULL;
	s->size = s->cache ? s->cache->size : 1 + random_below(seed, 3000);
	s->p = s->cache ? kmem_cache_alloc(s->cache) : kmalloc(s->size);
	ATF_REQUIRE(s->p != NULL);
	if (s->cache)
		ATF_REQUIRE_EQ((uintptr_t)s->p % s->cache->align, 0);
	fill(s, (unsigned char)random_below(seed, 100)); /* not what free objects are filled with */
}

/* Objects in use of each cache, as the slots say. */
static void check_counts(const struct kmem_cache *caches, unsigned nr_caches)
{
	int64_t small = 0;

	for (unsigned c = 0; c < nr_caches; c++) {
		int64_t n = 0;

		for (unsigned i = 0; i < SLOTS; i++)
			n += slots[i].p && slots[i].cache == &caches[c];
		ATF_REQUIRE_EQ(kmem_cache_nr_objects(&caches[c]), n);
	}
	for (unsigned i = 0; i < SLOTS; i++)
		small += slots[i].p && !slots[i].cache && slots[i].size <= 2048;
	ATF_REQUIRE_EQ(kmalloc_nr_objects(), small);
}

ATF_TC_WITHOUT_HEAD(random_use);
ATF_TC_BODY(random_use, tc)
{
	static const struct {
		uint32_t size, align;
	} kinds[] = {{8, 8},   {16, 16},  {24, 8},    {40, 64},	 {136, 8},
		     {184, 8}, {200, 32}, {1000, 64}, {1366, 8}, {2048, 64}};
	enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };
	static struct kmem_cache caches[KINDS];
	uint64_t seed = 1;

	(void)tc;
	set_up();
	for (unsigned i = 0; i < KINDS; i++)
		kmem_cache_init(&caches[i], "test", kinds[i].size, kinds[i].align);
	for (unsigned step = 0; step < 40000; step++) {
		struct slot *s = &slots[random_below(&seed, SLOTS)];

		/* Waves: mostly growing, then mostly shrinking. */
		if (s->p && (step / 5000 % 2 || random_below(&seed, 4) == 0))
			release(s);
		else if (!s->p && (step / 5000 % 2 == 0 || random_below(&seed, 4) == 0))
			obtain(s, caches, KINDS, &seed);
		if (step % 500)
			continue;
		slab_check();
		check_counts(caches, KINDS);
	}
	for (unsigned i = 0; i < SLOTS; i++)
		if (slots[i].p)
			release(&slots[i]);
	check_counts(caches, KINDS);
	check_all_back();
}

/* ---- sizes ---- */

ATF_TC_WITHOUT_HEAD(kmalloc_sizes);
ATF_TC_BODY(kmalloc_sizes, tc)
{
	static const struct {
		size_t size;
		uint32_t room; /* of the object that it gets; 0: pages */
		uint64_t pages;
	} rows[] = {
		{1, 8, 1},	 {7, 8, 1},	  {8, 8, 1},	     {9, 16, 1},
		{16, 16, 1},	 {17, 32, 1},	  {64, 64, 1},	     {65, 128, 1},
		{1024, 1024, 1}, {1025, 2048, 1}, {2047, 2048, 1},   {2048, 2048, 1},
		{2049, 0, 1},	 {4095, 0, 1},	  {4096, 0, 1},	     {4097, 0, 2},
		{8192, 0, 2},	 {8193, 0, 4},	  {1 << 20, 0, 256}, {4 << 20, 0, 1024},
	};

	(void)tc;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct page *page;
		unsigned char *p;

		set_up();
		ATF_REQUIRE((p = kmalloc(rows[i].size)) != NULL);
		memset(p, 1, rows[i].size);
		page = virt_to_page(p);
		ATF_REQUIRE_EQ(page_flag(page, PG_SLAB), rows[i].room != 0);
		if (rows[i].room)
			ATF_REQUIRE_EQ(page->slab_cache->size, rows[i].room);
		else
			ATF_REQUIRE_EQ(1ull << page->order, rows[i].pages);
		ATF_REQUIRE_EQ((uint64_t)((char *)p - (char *)hosted_arena) %
				       (rows[i].room ? rows[i].room : rows[i].pages << PAGE_SHIFT),
			       0);
		ATF_REQUIRE_EQ(page_nr_free(), free_at_start - rows[i].pages);
		kfree(p);
		check_all_back();
	}
}

ATF_TC_WITHOUT_HEAD(kmalloc_refused);
ATF_TC_BODY(kmalloc_refused, tc)
{
	static const size_t sizes[] = {0, (4u << 20) + 1, 1ull << 40, SIZE_MAX};

	(void)tc;
	set_up();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ATF_REQUIRE_EQ(kmalloc(sizes[i]), NULL);
		ATF_REQUIRE_EQ(kzalloc(sizes[i]), NULL);
	}
	kfree(NULL);
	check_all_back();
}

ATF_TC_WITHOUT_HEAD(kzalloc_zeroes);
ATF_TC_BODY(kzalloc_zeroes, tc)
{
	(void)tc;
	set_up();
	for (size_t size = 1; size < 10000; size = size * 3 / 2 + 1) {
		unsigned char *p = kzalloc(size);

		ATF_REQUIRE(p != NULL);
		for (size_t i = 0; i < size; i++)
			ATF_REQUIRE_EQ(p[i], 0);
		memset(p, 0xff, size);
		kfree(p);
	}
	check_all_back();
}

/* ---- memory runs out, allocations fail ---- */

ATF_TC_WITHOUT_HEAD(exhaustion);
ATF_TC_BODY(exhaustion, tc)
{
	void *chain = NULL, *p;
	unsigned n = 0;

	(void)tc;
	hosted_boot(64);
	free_at_start = page_nr_free();
	for (; (p = kmalloc(512)); n++) {
		*(void **)p = chain;
		chain = p;
	}
	ATF_REQUIRE_EQ(n, 63 * 8);
	slab_check();
	for (; chain; chain = p) {
		p = *(void **)chain;
		kfree(chain);
	}
	check_all_back();
}

static bool scenario(void)
{
	unsigned n = 0;

	for (; n < 60; n++) {
		slots[n].p = kmalloc(n % 5 == 4 ? 5000 : 100 + 40 * n);
		if (!slots[n].p)
			break;
	}
	for (unsigned i = 0; i < n; i++)
		kfree(slots[i].p);
	return n == 60;
}

ATF_TC_WITHOUT_HEAD(each_failing);
ATF_TC_BODY(each_failing, tc)
{
	bool all = false;

	(void)tc;
	for (uint64_t n = 1; !all; n++) {
		set_up();
		hosted_fail_nth(n);
		all = scenario();
		ATF_REQUIRE_EQ(all, hosted_fail_refused() == 0);
		if (all)
			ATF_REQUIRE(n > 60 && hosted_fail_asked() == n - 1);
		check_all_back();
	}
}

/* ---- CPUs ---- */

ATF_TC_WITHOUT_HEAD(freed_elsewhere);
ATF_TC_BODY(freed_elsewhere, tc)
{
	(void)tc;
	set_up();
	for (unsigned i = 0; i < SLOTS; i++)
		ATF_REQUIRE((slots[i].p = kmalloc(64)) != NULL);
	hosted_set_cpu(1);
	for (unsigned i = 0; i < SLOTS; i++)
		kfree(slots[i].p);
	ATF_REQUIRE_EQ(kmalloc_nr_objects(), 0);
	slab_check();
	slab_drain();
	hosted_set_cpu(0);
	check_all_back();
}

/* ---- misuse ---- */

static void free_twice(void *p)
{
	kfree(p);
	kfree(p);
}

static void free_inside(void *p)
{
	kfree((char *)p + 8);
}

static void free_to_other_cache(void *p)
{
	static struct kmem_cache other;

	kmem_cache_init(&other, "other", 64, 8);
	kmem_cache_free(&other, p);
}

static void write_after_free(void *p)
{
	kfree(p);
	((char *)p)[20] = 1;
	kmalloc(64);
}

static void write_after_free_check(void *p)
{
	kfree(p);
	((char *)p)[63] = 1;
	slab_check();
}

static void break_count(void *p)
{
	virt_to_page(p)->slab_cache->cpu[0].count++;
	slab_check();
}

static void leak_count(void *p)
{
	virt_to_page(p)->slab_cache->cpu[0].nr_objects--;
	slab_check();
}

static void cache_too_large(void *p)
{
	static struct kmem_cache large;

	kmem_cache_init(&large, "large", 2049, 8);
	(void)p;
}

ATF_TC_WITHOUT_HEAD(misuse);
ATF_TC_BODY(misuse, tc)
{
	static const struct {
		void (*fn)(void *);
		const char *says;
	} rows[] = {
		{free_twice, "freed twice"},
		{free_inside, "inside an object"},
		{free_to_other_cache, "which is in no slab of it"},
		{write_after_free, "written to after it was freed"},
		{write_after_free_check, "written to after it was freed"},
		{break_count, "free objects in a chain of"},
		{leak_count, "in use, in"},
		{cache_too_large, "size <="},
	};

	(void)tc;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *message;

		set_up();
		message = hosted_catch_panic(rows[i].fn, kmalloc(64));
		ATF_REQUIRE_MSG(message && strstr(message, rows[i].says), "%s: got %s",
				rows[i].says, message ? message : "no panic");
	}
}

/* Where in its slab the first object is that a settled cache gives: the same whatever was before;
 * the free objects of before are used again once there are no pages. */
ATF_TC_WITHOUT_HEAD(settled);
ATF_TC_BODY(settled, tc)
{
	enum { SIZE = 200 };
	static struct kmem_cache cache;
	size_t n = 0;
	void *p;

	(void)tc;
	set_up();
	kmem_cache_init(&cache, "test", SIZE, 8);
	for (unsigned before = 0; before < 100; before++) {
		for (unsigned i = 0; i < before; i++)
			ATF_REQUIRE(kmem_cache_alloc(&cache) != NULL);
		slab_settle();
		slab_check();
		p = kmem_cache_alloc(&cache);
		/* a refill pushes a whole batch: the last of it is on top */
		ATF_REQUIRE_EQ((uintptr_t)p & ~PAGE_MASK, (SLAB_BATCH - 1) * SIZE);
	}
	while (kmem_cache_alloc(&cache))
		n++;
	ATF_REQUIRE(n > 0);
	slab_check();
	ATF_REQUIRE_EQ((uint64_t)kmem_cache_nr_objects(&cache),
		       (uint64_t)cache.nr_slabs * cache.per_slab);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, random_use);
	ATF_TP_ADD_TC(tp, kmalloc_sizes);
	ATF_TP_ADD_TC(tp, kmalloc_refused);
	ATF_TP_ADD_TC(tp, kzalloc_zeroes);
	ATF_TP_ADD_TC(tp, exhaustion);
	ATF_TP_ADD_TC(tp, each_failing);
	ATF_TP_ADD_TC(tp, freed_elsewhere);
	ATF_TP_ADD_TC(tp, misuse);
	ATF_TP_ADD_TC(tp, settled);
	return atf_no_error();
}
