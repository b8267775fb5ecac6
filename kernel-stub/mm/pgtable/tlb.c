/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flushes that concern more than this CPU, or not even it (tlb.h). */
#include "mm/pgtable/tlb.h"

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
	uint64_t here = port_cpu_bit(), cpus;

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

static void flush_kernel_here(uint64_t start, uint64_t end)
{
	uint64_t pages = (end - start) >> PAGE_SHIFT;

	if (pages > TLB_FLUSH_CEILING) {
		vmstat_inc(FL_VMSTAT_TLB_LOCAL_FLUSH_ALL);
		port_tlb_flush_kernel_all();
		return;
	}
	vmstat_add(FL_VMSTAT_TLB_LOCAL_FLUSH_ONE, (int64_t)pages);
	for (; start < end; start += PAGE_SIZE)
		port_tlb_flush_kernel_page(start);
}

/* The others are asked for everything: this is rare, and they may be in any address space. */
void tlb_flush_kernel(uint64_t start, uint64_t end)
{
	uint64_t others = port_other_cpus();

	flush_kernel_here(start, end);
	if (others) {
		vmstat_inc(FL_VMSTAT_TLB_REMOTE_FLUSH);
		port_tlb_shootdown(NULL, others, NULL, 0, true);
	}
}
