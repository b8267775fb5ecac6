/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The buddy allocator (Knuth, "The Art of Computer Programming", vol. 1, 2.5).
 *
 * A free block of order k is 2^k frames, aligned to its size. Its buddy is the block whose frame
 * number differs in bit k alone; two free buddies never exist side by side: freeing merges them, up
 * to MAX_ORDER.
 *
 * A block comes from, in this order:
 *
 * 1. the free lists of the type that is asked for, smallest order first;
 * 2. an untouched range: the next piece is carved off and becomes free blocks;
 * 3. what buddy_settle() set aside, which goes back to the free lists;
 * 4. another type's free lists, largest order first, so that few pageblocks get mixed.
 *
 * Migrate types belong to pageblocks (2^PAGEBLOCK_ORDER frames): a free block is on the lists of
 * its pageblock's type, and a freed page returns there whatever it was used for. In case 4 a block
 * that fills its pageblock converts it; a smaller one is borrowed, and its pageblock stays what it
 * was. Carving (2) gives a whole pageblock the type that is asked for; a pageblock that memory
 * fills only in part becomes unmovable, since no huge page will ever need it.
 *
 * Why carving: putting every page on a list at boot costs instructions for each of them. Here boot
 * stores a pair of frame numbers per range, and a struct page is first written to when its frame is
 * carved. Untouched memory is all zero there: PG_BUDDY is clear, so it is nobody's buddy.
 *
 * One lock, LOCK_BUDDY, for everything in this file, and for order, PG_BUDDY and lru of free pages.
 */
#include "mm/phys/buddy.h"

#include "mm/base/mm_errno.h"

struct untouched {
	uint64_t next, end; /* frames [next, end) were never handed out */
	uint64_t start;	    /* of the range as it was given */
};

static struct {
	struct spinlock lock;
	struct list_node free[MAX_ORDER + 1][NR_MIGRATETYPES];
	struct list_node aside; /* free blocks of any order and type */
	uint64_t nr_free;	/* on the lists and untouched */
	uint64_t max_pfn;	/* every frame is below */
	struct untouched range[BUDDY_RANGES];
	unsigned nr_ranges;
	struct mm_cpu *cpu[MAX_CPUS];
} buddy;

/* ---- set-up ---- */

void pcp_init_cpu(void)
{
	port_mm_cpu()->bit = 1ull << port_cpu_id();
	buddy.cpu[port_cpu_id()] = port_mm_cpu();
}

struct mm_cpu *mm_cpu_of(unsigned cpu)
{
	ASSERT(cpu < MAX_CPUS && buddy.cpu[cpu]);
	return buddy.cpu[cpu];
}

struct mm_cpu *mm_cpu_if_any(unsigned cpu)
{
	return buddy.cpu[cpu];
}

void buddy_init(void)
{
	__builtin_memset(&buddy, 0, sizeof(buddy));
	for (unsigned order = 0; order <= MAX_ORDER; order++)
		for (unsigned mt = 0; mt < NR_MIGRATETYPES; mt++)
			list_init(&buddy.free[order][mt]);
	list_init(&buddy.aside);
	pcp_init_cpu();
}

/* Keeps the level that the books and the counter show together. */
static void count_free(int64_t n)
{
	buddy.nr_free += (uint64_t)n;
	vmstat_add(FL_VMSTAT_NR_FREE_PAGES, n);
}

int buddy_add_range(uint64_t start_pfn, uint64_t end_pfn)
{
	ASSERT(start_pfn < end_pfn && start_pfn >= buddy.max_pfn);
	if (buddy.nr_ranges == BUDDY_RANGES)
		return -MM_ENOMEM;
	buddy.range[buddy.nr_ranges++] =
		(struct untouched){.next = start_pfn, .end = end_pfn, .start = start_pfn};
	buddy.max_pfn = end_pfn;
	count_free((int64_t)(end_pfn - start_pfn));
	return 0;
}

/* ---- blocks and lists ---- */

static uint64_t block_size(unsigned order)
{
	return 1ull << order;
}

/* The type of each pageblock that the block reaches into. */
static void set_block_type(uint64_t pfn, unsigned order, enum migratetype mt)
{
	uint64_t end = pfn + block_size(order);

	for (pfn &= ~(block_size(PAGEBLOCK_ORDER) - 1); pfn < end;
	     pfn += block_size(PAGEBLOCK_ORDER))
		__atomic_store_n(&pfn_to_page(pfn)->migratetype, (uint8_t)mt, __ATOMIC_RELAXED);
}

static void put_on_list(struct page *page, unsigned order)
{
	page_set_flags(page, 1u << PG_BUDDY);
	page->order = (uint8_t)order;
	list_add(&page->lru, &buddy.free[order][page_block_type(page)]);
}

static void take_off_list(struct page *page)
{
	list_del(&page->lru);
	page_set_flags(page, 0);
}

static struct page *first_on_list(unsigned order, enum migratetype mt)
{
	struct list_node *head = &buddy.free[order][mt];

	return list_empty(head) ? NULL : list_entry(head->next, struct page, lru);
}

/* Cuts a block, which is on no list, down to its first 2^to frames; the rest goes on the lists. */
static void split_block(struct page *page, unsigned from, unsigned to)
{
	while (from-- > to)
		put_on_list(page + block_size(from), from);
}

/* Puts a block, which is on no list, on one, merged with every buddy that is free. */
static void merge_block(uint64_t pfn, unsigned order)
{
	for (; order < MAX_ORDER; order++) {
		uint64_t other = pfn ^ block_size(order);
		struct page *page = pfn_to_page(other);

		if (other >= buddy.max_pfn || !page_flag(page, PG_BUDDY) || page->order != order)
			break;
		take_off_list(page);
		pfn &= ~block_size(order);
	}
	if (order > PAGEBLOCK_ORDER)
		set_block_type(pfn, order, page_block_type(pfn_to_page(pfn)));
	put_on_list(pfn_to_page(pfn), order);
}

/* ---- where blocks come from ---- */

/* Case 1. */
static struct page *take_own(unsigned order, enum migratetype mt, unsigned *got)
{
	for (*got = order; *got <= MAX_ORDER; ++*got) {
		struct page *page = first_on_list(*got, mt);

		if (page) {
			take_off_list(page);
			return page;
		}
	}
	return NULL;
}

/* Moves a range's next piece that lies in one aligned block of `order` to the lists: as the largest
 * aligned blocks that fit. */
static void carve_piece(struct untouched *r, unsigned order)
{
	uint64_t end = (r->next | (block_size(order) - 1)) + 1;

	if (end > r->end)
		end = r->end;
	while (r->next < end) {
		unsigned fits = (unsigned)__builtin_ctzll(r->next | block_size(order));

		while (r->next + block_size(fits) > end)
			fits--;
		merge_block(r->next, fits);
		r->next += block_size(fits);
	}
}

/* Needs: the range has untouched frames. */
static void carve_from(struct untouched *r, enum migratetype mt)
{
	uint64_t first = r->next & ~(block_size(MAX_ORDER) - 1);
	unsigned order = MAX_ORDER;

	if (first < r->next || first + block_size(MAX_ORDER) > r->end) {
		order = PAGEBLOCK_ORDER;
		first = r->next & ~(block_size(PAGEBLOCK_ORDER) - 1);
	}
	if (first < r->start || first + block_size(order) > r->end)
		mt = MT_UNMOVABLE;
	set_block_type(first, order, mt);
	carve_piece(r, order);
}

/* Case 2: false if nothing is untouched any more. */
static bool carve(enum migratetype mt)
{
	for (unsigned i = 0; i < BUDDY_RANGES; i++)
		if (buddy.range[i].next != buddy.range[i].end) {
			carve_from(&buddy.range[i], mt);
			return true;
		}
	return false;
}

/* Case 3: false if nothing was set aside. */
static bool bring_back(void)
{
	if (list_empty(&buddy.aside))
		return false;
	while (!list_empty(&buddy.aside)) {
		struct page *page = list_entry(buddy.aside.next, struct page, lru);

		list_del(&page->lru);
		put_on_list(page, page->order);
	}
	return true;
}

void buddy_settle(void)
{
	pcp_drain_all();
	spin_lock(&buddy.lock, LOCK_BUDDY);
	for (struct untouched *r = buddy.range; r < buddy.range + buddy.nr_ranges; r++)
		while (r->next != r->end && r->next & (block_size(MAX_ORDER) - 1))
			carve_from(r, MT_MOVABLE);
	for (unsigned order = 0; order <= MAX_ORDER; order++)
		for (unsigned mt = 0; mt < NR_MIGRATETYPES; mt++)
			list_splice_tail(&buddy.free[order][mt], &buddy.aside);
	spin_unlock(&buddy.lock, LOCK_BUDDY);
}

/* Case 4. */
static struct page *steal(unsigned order, enum migratetype mt, unsigned *got)
{
	static const enum migratetype fallback[NR_MIGRATETYPES][NR_MIGRATETYPES - 1] = {
		[MT_UNMOVABLE] = {MT_RECLAIMABLE, MT_MOVABLE},
		[MT_MOVABLE] = {MT_RECLAIMABLE, MT_UNMOVABLE},
		[MT_RECLAIMABLE] = {MT_UNMOVABLE, MT_MOVABLE},
	};
	struct page *page = NULL;

	for (*got = MAX_ORDER + 1; !page && (*got)-- > order;)
		for (unsigned i = 0; !page && i < NR_MIGRATETYPES - 1; i++)
			page = first_on_list(*got, fallback[mt][i]);
	if (!page)
		return NULL;
	take_off_list(page);
	if (*got > PAGEBLOCK_ORDER && order <= PAGEBLOCK_ORDER) {
		split_block(page, *got, PAGEBLOCK_ORDER);
		*got = PAGEBLOCK_ORDER;
	}
	if (*got >= PAGEBLOCK_ORDER)
		set_block_type(page_to_pfn(page), *got, mt);
	return page;
}

/* A block of at least `order`, on no list, of which *got says the order; or NULL. */
static struct page *take_block(unsigned order, enum migratetype mt, unsigned *got)
{
	struct page *page;

	do {
		page = take_own(order, mt, got);
	} while (!page && (carve(mt) || bring_back()));
	return page ? page : steal(order, mt, got);
}

/* ---- blocks for callers ---- */

static struct page *alloc_block(unsigned order, enum migratetype mt)
{
	struct page *page;
	unsigned got;

	spin_lock(&buddy.lock, LOCK_BUDDY);
	page = take_block(order, mt, &got);
	if (page) {
		split_block(page, got, order);
		page->order = (uint8_t)order;
		port_poke64(&page->flags_refcount, PAGE_IN_USE);
		count_free(-(int64_t)block_size(order));
	}
	spin_unlock(&buddy.lock, LOCK_BUDDY);
	return page;
}

struct page *page_alloc_order(unsigned order, enum migratetype mt)
{
	struct page *page;

	ASSERT(order <= MAX_ORDER && mt < NR_MIGRATETYPES);
	if (order == 0)
		return page_alloc_type(mt);
	if (port_should_fail())
		return NULL;
	page = alloc_block(order, mt);
	if (!page) {
		pcp_drain_all();
		page = alloc_block(order, mt);
	}
	if (page)
		vmstat_add(FL_VMSTAT_PGALLOC, (int64_t)block_size(order));
	return page;
}

void page_free_order(struct page *page, unsigned order)
{
	if (page->refcount == 1)
		page->refcount = 0;
	if (page->order != order)
		page_bad(page, "freed with another order than it has");
	if (order == 0) {
		page_free(page);
		return;
	}
	if ((page->flags_refcount & ~PAGE_MAY_BE_FREED) || page->mapcount)
		page_bad(page, "freed while in use, or twice");
	vmstat_add(FL_VMSTAT_PGFREE, (int64_t)block_size(order));
	spin_lock(&buddy.lock, LOCK_BUDDY);
	count_free((int64_t)block_size(order));
	merge_block(page_to_pfn(page), order);
	spin_unlock(&buddy.lock, LOCK_BUDDY);
}

/* ---- the per-CPU lists' side ---- */

/* The first page of the block is popped first. */
static void push_block(struct pcp *pcp, struct page *page, unsigned n)
{
	for (unsigned i = n; i-- > 0;) {
		page_set_flags(&page[i], 1u << PG_PCP);
		page[i].order = 0;
		page[i].next_free = pcp->head;
		pcp->head = &page[i];
	}
	pcp->count += n;
}

/* Whole blocks, cut only where less is wanted. Another type is robbed for the first page alone. */
unsigned buddy_fill(struct pcp *pcp, enum migratetype mt, unsigned want)
{
	unsigned n = 0, got;

	spin_lock(&buddy.lock, LOCK_BUDDY);
	while (n < want) {
		struct page *page = n ? take_own(0, mt, &got) : take_block(0, mt, &got);
		unsigned order = 31u - (unsigned)__builtin_clz(want - n);

		if (!page)
			break;
		if (page_block_type(page) != mt)
			order = 0;
		if (got > order)
			split_block(page, got, order);
		else
			order = got;
		push_block(pcp, page, 1u << order);
		n += 1u << order;
	}
	count_free(-(int64_t)n);
	spin_unlock(&buddy.lock, LOCK_BUDDY);
	return n;
}

void buddy_take_back(struct pcp *pcp, unsigned n)
{
	spin_lock(&buddy.lock, LOCK_BUDDY);
	if (n > pcp->count) /* while this CPU waited, another took them */
		n = pcp->count;
	count_free(n);
	for (pcp->count -= n; n > 0; n--) {
		struct page *page = pcp->head;

		if (page->mapcount || page->flags_refcount != 1u << PG_PCP)
			page_bad(page, "changed while it was free");
		pcp->head = page->next_free;
		page_set_flags(page, 0);
		merge_block(page_to_pfn(page), 0);
	}
	spin_unlock(&buddy.lock, LOCK_BUDDY);
}

uint64_t page_nr_free(void)
{
	uint64_t n;

	spin_lock(&buddy.lock, LOCK_BUDDY);
	n = buddy.nr_free;
	spin_unlock(&buddy.lock, LOCK_BUDDY);
	for (unsigned i = 0; i < MAX_CPUS; i++)
		for (unsigned mt = 0; buddy.cpu[i] && mt < NR_MIGRATETYPES; mt++)
			n += buddy.cpu[i]->pcp[mt].count;
	return n;
}

/* ---- checking ---- */

static void check_block(struct page *page, unsigned order, enum migratetype mt)
{
	uint64_t pfn = page_to_pfn(page), other = pfn ^ block_size(order);

	if (page->flags_refcount != 1u << PG_BUDDY || page->order != order || page->mapcount)
		page_bad(page, "on a free list, but not as a free block of its order");
	if (pfn & (block_size(order) - 1))
		page_bad(page, "a free block that is not aligned");
	for (uint64_t i = 0; i < block_size(order); i += block_size(PAGEBLOCK_ORDER))
		if (page_block_type(&page[i]) != mt)
			page_bad(&page[i], "on the list of another migrate type");
	if (order < MAX_ORDER && other < buddy.max_pfn && page_flag(pfn_to_page(other), PG_BUDDY) &&
	    pfn_to_page(other)->order == order)
		page_bad(page, "free, and so is its buddy");
	for (uint64_t i = 1; i < block_size(order); i++)
		if (page[i].flags_refcount || page[i].mapcount)
			page_bad(&page[i], "in use inside a free block");
}

static uint64_t check_lists(void)
{
	uint64_t n = 0;

	list_for_each (node, &buddy.aside) {
		struct page *page = list_entry(node, struct page, lru);

		check_block(page, page->order, page_block_type(page));
		n += block_size(page->order);
	}
	for (unsigned order = 0; order <= MAX_ORDER; order++)
		for (unsigned mt = 0; mt < NR_MIGRATETYPES; mt++)
			list_for_each (node, &buddy.free[order][mt]) {
				check_block(list_entry(node, struct page, lru), order,
					    (enum migratetype)mt);
				n += block_size(order);
			}
	return n;
}

static void check_pcp(const struct pcp *pcp)
{
	uint32_t n = 0;

	for (const struct page *page = pcp->head; page && n <= pcp->count; page = page->next_free) {
		if (page->flags_refcount != 1u << PG_PCP || page->mapcount || page->order)
			page_bad(page, "on a per-CPU list, but not free");
		n++;
	}
	if (n != pcp->count)
		port_panic("buddy: a per-CPU list of %u pages says %u", n, pcp->count);
}

void buddy_check(void)
{
	uint64_t n;

	spin_lock(&buddy.lock, LOCK_BUDDY);
	n = check_lists();
	for (unsigned i = 0; i < buddy.nr_ranges; i++)
		n += buddy.range[i].end - buddy.range[i].next;
	if (n != buddy.nr_free)
		port_panic("buddy: %lu pages are free, the count is %lu", n, buddy.nr_free);
	spin_unlock(&buddy.lock, LOCK_BUDDY);
	for (unsigned i = 0; i < MAX_CPUS; i++)
		for (unsigned mt = 0; buddy.cpu[i] && mt < NR_MIGRATETYPES; mt++)
			check_pcp(&buddy.cpu[i]->pcp[mt]);
}
