/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Per-CPU lists of single free pages: a stack per migrate type, so that the page freed last, still
 * in the cache, is used first. Only its own CPU touches a list, with interrupts that allocate
 * nothing: no lock. The fast paths stand in buddy.h; this is what happens when a stack is empty
 * (PCP_BATCH pages come from the buddy lists under one lock) or too high (PCP_BATCH go back).
 *
 * A page on a list has PG_PCP and no reference; page_alloc stores both words of flags and refcount
 * at once, and page_free tests both at once, so that freeing twice is caught by the same test as
 * freeing what is in use.
 */
#include "buddy.h"

_Noreturn void page_bad(const struct page *page, const char *why)
{
	port_panic("bad page %lx: %s (flags %x, refcount %u, mapcount %d, order %u)",
		   page_to_pfn(page), why, page->flags, page->refcount, page->mapcount,
		   (unsigned)page->order);
}

/* The last resort before there is no memory: what this CPU hoards on its other lists may be of use
 * to anybody once it is back. */
struct page *page_alloc_slow(enum migratetype mt)
{
	struct pcp *pcp = &port_mm_cpu()->pcp[mt];

	if (!buddy_fill(pcp, mt, PCP_BATCH)) {
		pcp_drain();
		if (!buddy_fill(pcp, mt, PCP_BATCH))
			return NULL;
	}
	vmstat_inc(FL_VMSTAT_PCP_REFILL);
	return pcp_pop(mt);
}

struct page *page_alloc_kernel(void)
{
	struct page *page = page_alloc_type(MT_UNMOVABLE);

	if (!page)
		return NULL;
	page->mapping = NULL;
	page->index = 0;
	page->private = 0;
	page->nr_present = 0;
	port_clear_page(page_to_virt(page));
	return page;
}

void pcp_trim(struct pcp *pcp)
{
	vmstat_inc(FL_VMSTAT_PCP_DRAIN);
	buddy_take_back(pcp, PCP_BATCH);
}

void pcp_drain(void)
{
	struct mm_cpu *cpu = port_mm_cpu();

	for (unsigned mt = 0; mt < NR_MIGRATETYPES; mt++)
		if (cpu->pcp[mt].count) {
			vmstat_inc(FL_VMSTAT_PCP_DRAIN);
			buddy_take_back(&cpu->pcp[mt], cpu->pcp[mt].count);
		}
}
