/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flushes that concern more than this CPU, or not even it (tlb.h). */
#include "tlb.h"

static void flush_here(struct mm *mm, const uint64_t *va, uint32_t nr)
{
	if (!va) {
		vmstat_inc(FL_VMSTAT_TLB_LOCAL_FLUSH_ALL);
		port_tlb_flush_all(mm);
		return;
	}
	for (uint32_t i = 0; i < nr; i++)
		port_tlb_flush_page(mm, va[i]);
	vmstat_add(FL_VMSTAT_TLB_LOCAL_FLUSH_ONE, nr);
}

void tlb_flush_cpus(struct mm *mm, const uint64_t *va, uint32_t nr, bool tables)
{
	uint64_t here = port_mm_cpu()->bit, cpus;

	port_xadd64(&mm->tlb_gen, 1);
	cpus = __atomic_load_n(&mm->cpus, __ATOMIC_SEQ_CST);
	ASSERT(!cpus || cpus & here);
	if (cpus & here)
		flush_here(mm, va, nr);
	if (cpus & ~here) {
		vmstat_inc(FL_VMSTAT_TLB_REMOTE_FLUSH);
		port_tlb_shootdown(mm, cpus & ~here, va, nr, tables);
	}
}

void tlb_flush_page_cpus(struct mm *mm, uint64_t va, bool tables)
{
	tlb_flush_cpus(mm, &va, 1, tables);
}
