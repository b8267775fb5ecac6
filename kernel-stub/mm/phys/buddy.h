/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Physical memory: a buddy allocator of orders 0..MAX_ORDER with migrate types (buddy.c), and
 * per-CPU lists of single pages in front of it (pcp.c; the fast paths are here, inline).
 *
 * Memory that was never handed out is not on any list: it lies in up to BUDDY_RANGES "untouched"
 * ranges, from which the allocator carves when its lists run dry. So boot costs the same with
 * 64 MiB as with 16 GiB.
 *
 * Locks: `buddy` (rank in lock_class.def); the per-CPU lists belong to their CPU.
 */
#ifndef MM_BUDDY_H
#define MM_BUDDY_H

#include "mm/phys/mm_cpu.h"
#include "mm/phys/page.h"
#include "mm/phys/vmstat.h"
#include "page_debug.h"

#define MAX_ORDER 10
#define BUDDY_RANGES 8

/* Migrate types are kept for aligned groups of this many frames: what a huge page needs. */
#define PAGEBLOCK_ORDER 9

/* Needs: called once, on one CPU, before any other call. Forgets everything (hosted tests restart).
 */
void buddy_init(void);

/* Gives frames [start, end) to the allocator, untouched. 0, or -MM_ENOMEM past BUDDY_RANGES ranges.
 * Ranges are handed in rising order and don't overlap. Needs: port_vmemmap() reaches down to the
 * start of the pageblock that `start` is in. */
int buddy_add_range(uint64_t start_pfn, uint64_t end_pfn);

/* Fills in this CPU's struct mm_cpu, and makes its lists known to page_nr_free and buddy_check.
 * Needs: once on each CPU but the one of buddy_init, before it loads an mm. */
void pcp_init_cpu(void);

/* A block of 2^order frames, refcount of its head 1, flags and mapcount 0, contents undefined; NULL
 * if there is none. */
struct page *page_alloc_order(unsigned order, enum migratetype mt);

/* Back to the allocator. Needs: a block from page_alloc_order of that order, refcount 0 or 1,
 * unmapped, its flags as page_free wants them. */
void page_free_order(struct page *page, unsigned order);

/* One frame of MT_UNMOVABLE, zeroed, and mapping, index, private and nr_present too: page tables,
 * kernel data. NULL if none. */
struct page *page_alloc_kernel(void);

/* Returns every page on the per-CPU lists of this CPU to the buddy lists. */
void pcp_drain(void);

/* The same of every CPU: the last resort before there is no memory. Needs: no lock that somebody
 * takes without answering meanwhile (port_cpu_relax); not from where requests are answered. */
void pcp_drain_all(void);

/* Allocations from here on come from blocks of MAX_ORDER that were never handed out, whatever was
 * allocated before: what is free in pieces is set aside until nothing else is left. Needs: as
 * pcp_drain_all. */
void buddy_settle(void);

/* The CPU's lists change hands: to[] has what was on them. Needs: on that CPU where it answers
 * requests, or that CPU at rest. (port_pcp_take) */
void pcp_give(struct mm_cpu *cpu, struct pcp to[NR_MIGRATETYPES]);

/* Free frames, untouched ones and per-CPU lists included. */
uint64_t page_nr_free(void);

/* Checks every free list, flag and count. Panics with what is wrong. Slow: tests and debug builds.
 * Needs: the other CPUs' lists at rest. */
void buddy_check(void);

/* ---- between pcp.c and buddy.c ---- */

/* Moves up to `want` single pages of that type to the list; how many came (0: no memory). */
unsigned buddy_fill(struct pcp *pcp, enum migratetype mt, unsigned want);
/* Moves the `n` newest pages of the list to the free lists, or all if there are fewer. */
void buddy_take_back(struct pcp *pcp, unsigned n);

/* ---- the fast paths: see pcp.c ---- */

struct page *page_alloc_slow(enum migratetype mt);
void pcp_trim(struct pcp *pcp);
_Noreturn void page_bad(const struct page *page, const char *why);

#define PAGE_IN_USE (1ull << 32) /* flags_refcount: no flag, one reference */

/* A page with any other flag, or with a reference, must not be freed. (The constant is one
 * sign-extended 32-bit immediate.) */
#define PAGE_MAY_BE_FREED                                                                          \
	((uint64_t)(1u << PG_ACTIVE | 1u << PG_SWAPBACKED | 1u << PG_SHMEM | 1u << PG_DIRTY))

/* The migrate type of the pageblock that a page is in. A hint without the buddy lock. */
static inline enum migratetype page_block_type(const struct page *page)
{
	struct page *first = pfn_to_page(page_to_pfn(page) & ~((1ull << PAGEBLOCK_ORDER) - 1));

	return (enum migratetype)__atomic_load_n(&first->migratetype, __ATOMIC_RELAXED);
}

/* One frame off this CPU's list; NULL if that is empty. */
static inline struct page *pcp_pop(enum migratetype mt)
{
	struct mm_cpu *cpu = port_mm_cpu();
	struct pcp *pcp = &cpu->pcp[mt];
	struct page *page = pcp->head;

	if (unlikely(!page))
		return NULL;
	pcp->head = page->next_free;
	pcp->count--;
	port_poke64(&page->flags_refcount, PAGE_IN_USE);
	cpu->vmstat[FL_VMSTAT_PGALLOC]++;
	return page;
}

/* One frame by the per-CPU list, as page_alloc_order(0, mt). */
static inline struct page *page_alloc_type(enum migratetype mt)
{
	struct page *page;

	if (unlikely(port_should_fail()))
		return NULL;
	page = pcp_pop(mt);
	return likely(page != NULL) ? page : page_alloc_slow(mt);
}

/* The same of MT_MOVABLE: user memory, in the path of every fault. */
static inline struct page *page_alloc(void)
{
	return page_alloc_type(MT_MOVABLE);
}

/* The reverse, for a single page of any type. Needs: refcount already 0, unmapped, no flag but
 * PG_ACTIVE, PG_SWAPBACKED, PG_SHMEM, PG_DIRTY. */
static inline void page_free(struct page *page)
{
	struct mm_cpu *cpu = port_mm_cpu();
	struct pcp *pcp = &cpu->pcp[page_block_type(page)];

	if (unlikely(page->flags_refcount & ~PAGE_MAY_BE_FREED))
		page_bad(page, "freed while in use, or twice");
	page_debug_free(page);
	page_set_flags(page, 1u << PG_PCP);
	page->next_free = pcp->head;
	pcp->head = page;
	cpu->vmstat[FL_VMSTAT_PGFREE]++;
	if (unlikely(++pcp->count > PCP_HIGH))
		pcp_trim(pcp);
}

static inline void page_get(struct page *page)
{
	if (!page_flag(page, PG_RESERVED))
		port_xadd32(&page->refcount, 1);
}

/* Drops a reference; the last one frees. Reserved pages are left alone. */
static inline void page_put(struct page *page)
{
	uint32_t before;

	if (page_flag(page, PG_RESERVED))
		return;
	before = port_xadd32(&page->refcount, -1u);
	if (before == 1)
		page_free(page);
	else if (unlikely(before == 0))
		page_bad(page, "a reference dropped that nobody held");
}

#endif
