/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From boot.S to the first program. */
#include "kern/boot/boot.h"

#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpu.h"
#include "kern/kern.h"
#include "kern/lib/str.h"
#include "kern/task/kern_sched.h"
#include "mm/mm.h"
#include "mm/pgtable/vmalloc.h"
#include "mm/phys/slab.h"
#include "mm/phys/zero_page.h"

/* The address spaces as the command line wants them. */
static void configure_mm(void)
{
	char index[16];

	if (cmdline_get("vma_index", index, sizeof(index)) && !str_equal(index, VMA_INDEX_NAME))
		panic("boot: vma_index=%s on the command line, but this stub is built with %s",
		      index, VMA_INDEX_NAME);
	mm_map_max = (uint32_t)cmdline_u64("map_max", MAP_COUNT_MAX);
}

void kernel_main(uint64_t start_info_phys, uint64_t tsc_entry)
{
	cpu_init_early();
	boot_memory_read(start_info_phys);
	cpu_init();
	telemetry_tsc_entry(tsc_entry);
	boot_memory_init();
	paging_protect_kernel();
	slab_init();
	mm_init();
	configure_mm();
	if (vmalloc_init())
		panic("boot: no memory for the kernel's tables");
	if (zero_page_init())
		panic("boot: no memory for the zero page");
	printk("Faultline kernel-stub: %lu MiB\n", boot_info.ram_bytes >> 20);
	kpti_init();
	sched_init();
	arch_start_cpus();
	task_run_first();
}
