/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the guest's port that look into mm/'s structures. */
#include "port/port.h"

#include "arch/x86_64/cpu.h"
#include "mm/mm.h"

extern uint64_t boot_pml4[];
unsigned guest_root_order;

uint64_t port_kernel_root_pfn(void)
{
	return ((uint64_t)boot_pml4 - KERNEL_BASE) >> PAGE_SHIFT;
}

void port_load_mm(struct mm *mm)
{
	struct cpu *cpu = this_cpu();
	struct mm *old = cpu->loaded_mm;

	if (mm) {
		port_set_bits64(&mm->cpus, cpu->mm.bit);
		cpu->tlb_gen = __atomic_load_n(&mm->tlb_gen, __ATOMIC_RELAXED);
	}
	cpu->loaded_mm = mm;
	__atomic_store_n(&cpu->lazy, 0, __ATOMIC_RELAXED);
	write_cr3((mm ? mm->root_pfn : port_kernel_root_pfn()) << PAGE_SHIFT);
	if (old && old != mm)
		port_clear_bits64(&old->cpus, cpu->mm.bit);
}

uint64_t port_other_cpus(void)
{
	return smp_others();
}

void port_tlb_shootdown(struct mm *mm, uint64_t cpus, const uint64_t *va, uint32_t nr, bool tables)
{
	struct cpu_request r = {.what = CPU_FLUSH, .mm = mm, .va = va, .nr = nr};

	if (!tables)
		cpus &= ~smp_lazy_cpus(cpus);
	if (cpus)
		smp_request(cpus, &r);
}

void port_pcp_take(unsigned cpu, struct pcp *to)
{
	smp_request(1ull << cpu, &(struct cpu_request){.what = CPU_PCP, .pcp = to});
}
