/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Physical memory: a buddy allocator of orders 0..MAX_ORDER with migrate types, and per-CPU lists
 * of single pages in front of it.
 *
 * Memory that was never handed out is not on any list: it lies in up to BUDDY_RANGES "untouched"
 * ranges, from which the allocator carves a block of MAX_ORDER (or what is left) when its lists run
 * dry. So boot costs the same with 64 MiB as with 16 GiB.
 *
 * Locks: `buddy` (rank in lock_class.def); the per-CPU lists belong to their CPU.
 */
#ifndef MM_BUDDY_H
#define MM_BUDDY_H

#include "page.h"

#define MAX_ORDER 10
#define BUDDY_RANGES 8

enum migratetype { MT_UNMOVABLE, MT_MOVABLE, MT_RECLAIMABLE, NR_MIGRATETYPES };

/* Needs: called once, on one CPU, before any other call. Forgets everything (hosted tests restart).
 */
void buddy_init(void);

/* Gives frames [start, end) to the allocator, untouched. 0, or -MM_ENOMEM past BUDDY_RANGES ranges.
 * Ranges are handed in rising order and don't overlap. */
int buddy_add_range(uint64_t start_pfn, uint64_t end_pfn);

/* A block of 2^order frames, refcount of its head 1, contents undefined; NULL if there is none. */
struct page *page_alloc_order(unsigned order, enum migratetype mt);

/* Back to the allocator. Needs: a block from page_alloc_order, refcount 0 or 1, unmapped. */
void page_free_order(struct page *page, unsigned order);

/* One frame by the per-CPU list: the fast path of every fault. As page_alloc_order(0, MT_MOVABLE).
 */
struct page *page_alloc(void);

/* The reverse. Needs: refcount already 0. */
void page_free(struct page *page);

/* The same, of migrate type MT_UNMOVABLE and zeroed: page tables, kernel data. NULL if none. */
struct page *page_alloc_kernel(void);

static inline void page_get(struct page *page)
{
	if (!page_flag(page, PG_RESERVED))
		port_xadd32(&page->refcount, 1);
}

/* Drops a reference; the last one frees. Reserved pages are left alone. */
void page_put(struct page *page);

/* Returns every page on the per-CPU lists of this CPU to the buddy lists. */
void pcp_drain(void);

/* Free frames, untouched ones and per-CPU lists included. */
uint64_t page_nr_free(void);

/* Checks every free list, flag and count. Panics with what is wrong. Slow: tests and debug builds.
 */
void buddy_check(void);

#endif
