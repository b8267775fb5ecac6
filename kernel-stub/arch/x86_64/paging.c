/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's own mappings: the direct map, with pages of 1 GiB where the CPU has them and of 2
 * MiB elsewhere, and the kernel image by 4 KiB pages with the rights of its sections. All global,
 * none for ring 3. Made at boot and never changed, so that every address space can share the upper
 * half of the top-level table by copying its entries.
 */
#include "arch/x86_64/cpu.h"

#include "kern/kern.h"

#define PTE_PCD (1ull << 4)
#define PTE_G (1ull << 8)
#define GIB_SHIFT 30
#define GIB (1ull << GIB_SHIFT)
#define STATIC_TABLES 4 /* of 1 GiB each: memory below 4 GiB can be mapped before any is known */

#define DATA_BITS (PTE_P | PTE_W | PTE_A | PTE_D | PTE_G | PTE_NX)

extern uint64_t boot_pml4[], boot_pd_kernel[];
extern char kernel_start[], kernel_text_end[], kernel_rodata[], kernel_data[], kernel_end[];

uint64_t paging_pdpt_direct[512] __attribute__((aligned(4096)));
static uint64_t static_tables[STATIC_TABLES][512] __attribute__((aligned(4096)));
static uint64_t image_table[512] __attribute__((aligned(4096)));

#define LAPIC_SLOT 511u /* of image_table: beyond the image (stub.ld) */

static uint64_t image_phys(const void *p)
{
	return (uint64_t)p - KERNEL_BASE;
}

/* The table of 2 MiB pages for that GiB of the direct map, made if missing. */
static uint64_t *direct_table(uint64_t gib, uint64_t (*alloc_table)(void))
{
	uint64_t *entry = &paging_pdpt_direct[gib];

	if (!*entry)
		*entry = PTE_P | PTE_W |
			 (gib < STATIC_TABLES ? image_phys(static_tables[gib]) : alloc_table());
	if (gib < STATIC_TABLES)
		return static_tables[gib]; /* the direct map may not be there yet */
	return port_pfn_to_virt((*entry & PTE_ADDR) >> PAGE_SHIFT);
}

/* 2 MiB pages for [start, end), which does not cross a GiB. */
static void map_2m(uint64_t *table, uint64_t start, uint64_t end)
{
	uint64_t *entry = &table[start >> PMD_SHIFT & 511];
	const uint64_t *stop = entry + ((end - start + PMD_SIZE - 1) >> PMD_SHIFT);

	for (uint64_t v = start | PTE_PS | DATA_BITS; entry < stop; v += PMD_SIZE)
		*entry++ = v;
}

void paging_map_direct(uint64_t start, uint64_t end, uint64_t (*alloc_table)(void))
{
	for (uint64_t at = start & ~(PMD_SIZE - 1); at < end;) {
		uint64_t gib = at >> GIB_SHIFT, next = (gib + 1) << GIB_SHIFT;

		if (cpu_features.page_1g)
			paging_pdpt_direct[gib] = gib << GIB_SHIFT | PTE_PS | DATA_BITS;
		else
			map_2m(direct_table(gib, alloc_table), at, next < end ? next : end);
		at = next;
	}
}

static void image_map(const char *start, const char *end, uint64_t bits)
{
	for (uint64_t at = image_phys(start); at < image_phys(end); at += PAGE_SIZE)
		image_table[at >> PAGE_SHIFT & 511] = at | bits;
}

void paging_protect_kernel(void)
{
	image_map(kernel_start, kernel_text_end, PTE_P | PTE_A | PTE_G);
	image_map(kernel_rodata, kernel_data, PTE_P | PTE_A | PTE_G | PTE_NX);
	image_map(kernel_data, kernel_end, DATA_BITS);
	boot_pd_kernel[KERNEL_LOAD >> PMD_SHIFT] = image_phys(image_table) | PTE_P | PTE_W;
	boot_pml4[0] = 0;
	write_cr3(read_cr3());
}

volatile uint32_t *paging_map_lapic(uint64_t phys)
{
	image_table[LAPIC_SLOT] = phys | DATA_BITS | PTE_PCD;
	return (volatile uint32_t *)(KERNEL_BASE + KERNEL_LOAD + LAPIC_SLOT * PAGE_SIZE);
}
