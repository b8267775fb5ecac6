/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the guest's port that look into mm/'s structures. */
#include "port.h"

#include "cpu.h"
#include "mm.h"

extern uint64_t boot_pml4[];

uint64_t port_kernel_root_pfn(void)
{
	return ((uint64_t)boot_pml4 - KERNEL_BASE) >> PAGE_SHIFT;
}

void port_load_mm(struct mm *mm)
{
	this_cpu()->loaded_mm = mm;
	write_cr3((mm ? mm->root_pfn : port_kernel_root_pfn()) << PAGE_SHIFT);
}
