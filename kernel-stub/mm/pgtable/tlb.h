/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLB flushes, counted, on every CPU that may hold the translations. Which entries must go is
 * decided where a PTE changes (zap.c, protect.c, the fault path); how they go is the port's.
 *
 * 1. Whom a flush concerns is mm->cpus. A CPU sets its bit there before it loads the page tables,
 *    and whoever flushes has changed the entry by a locked operation before it reads the mask. So a
 *    CPU that is missing in the mask has read, or will read, the entry as it is now.
 * 2. While this CPU is the only one in the mask, a flush is the local instruction and no more.
 * 3. Otherwise mm->tlb_gen is counted up, then the others are asked, and waited for
 *    (port_tlb_shootdown). A CPU that is idle with the mm loaded may be left alone: it compares
 *    tlb_gen when it takes the mm up again (Linux's lazy TLB).
 * 4. A right that is gained needs no flush anywhere. This CPU's entry went with the fault (SDM
 *    vol. 3, 4.10.4.1: a page fault invalidates the TLB entries of its address); another CPU's
 *    causes a fault there that finds nothing left to do (user.minor.spurious). So a page that is
 *    taken over by its last owner costs no flush, as on Linux (x86's ptep_set_access_flags).
 * 5. A page that takes another's place must not be seen by one CPU while another still reads the
 *    old one: the entry is cleared, everybody flushes, and only then the new one is set
 *    (tlb_clear_flush, under the ptl).
 *
 * A waiting CPU answers the requests of others (port_cpu_relax), so these may be called with spin
 * locks held.
 */
#ifndef MM_TLB_H
#define MM_TLB_H

#include "mm/base/mm_types.h"
#include "mm/phys/vmstat.h"

/* Up to so many pages are flushed one by one; more empty the TLB. Linux's default of
 * tlb_single_page_flush_ceiling (arch/x86/mm/tlb.c), where its measurement is told. */
#define TLB_FLUSH_CEILING 33

/* The slow halves of those below: mm->cpus is not just this CPU. va NULL: everything; tables: page
 * tables are about to be freed. */
void tlb_flush_cpus(struct mm *mm, const uint64_t *va, uint32_t nr, bool tables);
void tlb_flush_page_cpus(struct mm *mm, uint64_t va, bool tables);

/* Is this CPU the only one with translations of the mm? Needs: what changed the entry was a locked
 * operation (point 1). */
static inline bool tlb_alone(const struct mm *mm)
{
	return likely(port_peek64(&mm->cpus) == port_cpu_bit());
}

/* All of these return once no CPU uses the translations any more. Need: if mm is loaded anywhere,
 * then here too. */
static inline void tlb_flush_page(struct mm *mm, uint64_t va)
{
	if (!tlb_alone(mm)) {
		tlb_flush_page_cpus(mm, va, false);
		return;
	}
	vmstat_inc(FL_VMSTAT_TLB_LOCAL_FLUSH_ONE);
	port_tlb_flush_page(mm, va);
}

static inline void tlb_flush_all(struct mm *mm)
{
	if (!tlb_alone(mm)) {
		tlb_flush_cpus(mm, NULL, 0, false);
		return;
	}
	vmstat_inc(FL_VMSTAT_TLB_LOCAL_FLUSH_ALL);
	port_tlb_flush_all(mm);
}

/* Before page tables are freed that were unlinked and hold no entry: va is an address that one of
 * them covered. One page suffices: INVLPG drops every paging-structure-cache entry of the address
 * space, whatever its operand (SDM vol. 3, 4.10.4.1), and no leaf is cached any more. */
static inline void tlb_flush_tables(struct mm *mm, uint64_t va)
{
	if (!tlb_alone(mm)) {
		tlb_flush_page_cpus(mm, va, true);
		return;
	}
	vmstat_inc(FL_VMSTAT_TLB_LOCAL_FLUSH_ONE);
	port_tlb_flush_page(mm, va);
}

/* Point 5: takes the PTE of va out and makes every CPU forget it. Needs: its ptl. */
static inline void tlb_clear_flush(struct mm *mm, pte_t *pte, uint64_t va)
{
	port_pte_xchg(pte, (pte_t){0});
	tlb_flush_page(mm, va);
}

/* The translations of [start, end) of the kernel's half, on every CPU, whatever address space it
 * has loaded. What is kept of upper levels may stay: tables of the kernel's half are never freed.
 */
void tlb_flush_kernel(uint64_t start, uint64_t end);

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
	else if (b->nr && !tlb_alone(mm))
		tlb_flush_cpus(mm, b->va, b->nr, false);
	else
		for (uint32_t i = 0; i < b->nr; i++) {
			vmstat_inc(FL_VMSTAT_TLB_LOCAL_FLUSH_ONE);
			port_tlb_flush_page(mm, b->va[i]);
		}
	b->nr = 0;
}

#endif
