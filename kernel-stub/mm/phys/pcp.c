/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Per-CPU lists of single free pages: a stack per migrate type, so that the page freed last, still
 * in the cache, is used first. Only its own CPU touches a list, with interrupts that allocate
 * nothing: no lock. The fast paths stand in buddy.h; this is what happens when a stack is empty
 * (PCP_BATCH pages come from the buddy lists under one lock) or too high (PCP_BATCH go back).
 *
 * When there is no memory left, what all CPUs have on their lists goes back: a CPU asks each other
 * one that has any for all of it (port_pcp_take). The other takes no lock for that, it hands its
 * stacks over as they are (pcp_give), and whoever asked puts them on the buddy lists. It does so
 * where it answers requests: in ring 3, idle, or in port_cpu_relax(). So it is never amid a change
 * of a stack, since nothing waits there: spin_lock(LOCK_BUDDY) comes before the first look at it,
 * and under that lock, the last in the order, nobody waits. What was known of a stack before the
 * lock may have changed: buddy_take_back() asks again how many pages there are. For the asker it is
 * as with a TLB flush: it may hold locks, since who waits for one answers.
 *
 * A page on a list has PG_PCP and no reference; page_alloc stores both words of flags and refcount
 * at once, and page_free tests both at once, so that freeing twice is caught by the same test as
 * freeing what is in use.
 */
#include "mm/phys/buddy.h"

_Noreturn void page_bad(const struct page *page, const char *why)
{
	port_panic("bad page %lx: %s (flags %x, refcount %u, mapcount %d, order %u)",
		   page_to_pfn(page), why, page->flags, page->refcount, page->mapcount,
		   (unsigned)page->order);
}

struct page *page_alloc_slow(enum migratetype mt)
{
	struct pcp *pcp = &port_mm_cpu()->pcp[mt];

	if (!buddy_fill(pcp, mt, PCP_BATCH)) {
		pcp_drain_all();
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

static void drain(struct pcp pcp[NR_MIGRATETYPES])
{
	for (unsigned mt = 0; mt < NR_MIGRATETYPES; mt++)
		if (pcp[mt].count) {
			vmstat_inc(FL_VMSTAT_PCP_DRAIN);
			buddy_take_back(&pcp[mt], pcp[mt].count);
		}
}

void pcp_drain(void)
{
	drain(port_mm_cpu()->pcp);
}

void pcp_give(struct mm_cpu *cpu, struct pcp to[NR_MIGRATETYPES])
{
	for (unsigned mt = 0; mt < NR_MIGRATETYPES; mt++) {
		to[mt] = cpu->pcp[mt];
		cpu->pcp[mt] = (struct pcp){0};
	}
}

/* A hint: that CPU goes on meanwhile. */
static bool hoards(const struct mm_cpu *cpu)
{
	uint32_t n = 0;

	for (unsigned mt = 0; mt < NR_MIGRATETYPES; mt++)
		n |= __atomic_load_n(&cpu->pcp[mt].count, __ATOMIC_RELAXED);
	return n;
}

void pcp_drain_all(void)
{
	struct pcp taken[NR_MIGRATETYPES];

	pcp_drain();
	for (unsigned id = 0; id < MAX_CPUS; id++) {
		const struct mm_cpu *cpu = mm_cpu_if_any(id);

		if (!cpu || cpu == port_mm_cpu() || !hoards(cpu))
			continue;
		port_pcp_take(id, taken);
		drain(taken);
	}
}
