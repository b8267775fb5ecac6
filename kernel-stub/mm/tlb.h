/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLB flushes, counted. Which entries must go is decided where a PTE changes (zap.c, protect.c, the
 * fault path); how they go is the port's. */
#ifndef MM_TLB_H
#define MM_TLB_H

#include "vmstat.h"

/* Up to so many pages are flushed one by one; more empty the TLB. Linux's default of
 * tlb_single_page_flush_ceiling (arch/x86/mm/tlb.c), where its measurement is told. */
#define TLB_FLUSH_CEILING 33

static inline void tlb_flush_page(struct mm *mm, uint64_t va)
{
	vmstat_inc(FL_VMSTAT_TLB_LOCAL_FLUSH_ONE);
	port_tlb_flush_page(mm, va);
}

static inline void tlb_flush_all(struct mm *mm)
{
	vmstat_inc(FL_VMSTAT_TLB_LOCAL_FLUSH_ALL);
	port_tlb_flush_all(mm);
}

/* The pages whose translations an operation on a range has changed: remembered one by one up to
 * TLB_FLUSH_CEILING, then only counted. */
struct tlb_batch {
	uint32_t nr;
	uint64_t va[TLB_FLUSH_CEILING];
};

static inline void tlb_batch_add(struct tlb_batch *b, uint64_t va)
{
	if (b->nr < TLB_FLUSH_CEILING)
		b->va[b->nr] = va;
	b->nr++;
}

/* Flushes what was added and empties the batch. */
static inline void tlb_batch_flush(struct tlb_batch *b, struct mm *mm)
{
	if (b->nr > TLB_FLUSH_CEILING)
		tlb_flush_all(mm);
	else
		for (uint32_t i = 0; i < b->nr; i++)
			tlb_flush_page(mm, b->va[i]);
	b->nr = 0;
}

#endif
