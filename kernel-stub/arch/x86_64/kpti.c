/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel page-table isolation, kpti=on: ring 3 runs on page tables in which the kernel is not, so
 * that a processor that reads ahead of its rights (Meltdown, CVE-2017-5754) finds nothing to read.
 *
 *  1. Each address space has two roots side by side: the kernel's, and behind it ring 3's. The user
 *     halves have the same entries (port_root_set); the tables below are shared.
 *  2. Of the kernel's half ring 3's root has what the processor and the first instructions of an
 *     entry need: the text of kpti.S, the interrupt descriptor table, and of each CPU its struct
 *     cpu (descriptors, task state segment, entry stack) and the stacks of NMI and double fault.
 *     Pointers and counters can be read there, and no memory of anybody's.
 *  3. The ways in are other gates and another entry of system calls, chosen at boot; the ways out,
 *     jumps put in place of `swapgs` (asm.h). So kpti=off costs a fault nothing.
 *  4. No kernel mapping is global. Each way in and out writes CR3, which empties the TLB: there is
 *     no PCID here (neither QEMU's TCG nor kvm_pvm has it), so what kpti=on costs is KPTI's cost on
 *     processors without.
 */
#include "arch/x86_64/cpu.h"

#include "arch/x86_64/idt.h"
#include "kern/kern.h"
#include "mm/phys/buddy.h"

extern char entry_text_start[], entry_text_end[];
extern const char *const kpti_entries[];
extern const struct kpti_site {
	uint8_t *insn;
	const uint8_t *exit;
} kpti_sites_start[], kpti_sites_end[];

static uint64_t *root; /* ring 3's, of an address space without a user half */

void kpti_patch_exits(void)
{
	if (!cpu_features.kpti)
		return;
	for (const struct kpti_site *s = kpti_sites_start; s < kpti_sites_end; s++) {
		int32_t distance = (int32_t)(s->exit - (s->insn + 5));

		s->insn[0] = 0xe9; /* jmp */
		memcpy(s->insn + 1, &distance, sizeof(distance));
	}
}

static uint64_t phys_of(uint64_t va)
{
	if (va >= KERNEL_BASE)
		return va - KERNEL_BASE;
	return port_virt_to_pfn((const void *)va) << PAGE_SHIFT | (va & ~PAGE_MASK);
}

static uint64_t *table_new(void)
{
	struct page *page = page_alloc_kernel();

	if (!page)
		panic("kpti: no memory");
	return page_to_virt(page);
}

/* One page where the kernel has it. */
static void map_page(uint64_t va, uint64_t bits)
{
	uint64_t *table = root;

	for (unsigned shift = 39; shift > PAGE_SHIFT; shift -= 9) {
		uint64_t *entry = &table[va >> shift & 511];

		if (!*entry)
			*entry = phys_of((uint64_t)table_new()) | PTE_P | PTE_W | PTE_A;
		table = port_pfn_to_virt((*entry & PTE_ADDR) >> PAGE_SHIFT);
	}
	table[va >> PAGE_SHIFT & 511] = phys_of(va) | bits;
}

static void map(const void *start, const void *end, uint64_t bits)
{
	for (uint64_t at = (uint64_t)start; at < (uint64_t)end; at += PAGE_SIZE)
		map_page(at, bits);
}

void kpti_map_cpu(struct cpu *cpu, struct ist_stacks *ist)
{
	if (!cpu_features.kpti)
		return;
	map(cpu, cpu + 1, PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX);
	map(ist, ist + 1, PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX);
	cpu->entry_stack_top = (uint64_t)cpu->entry_stack + sizeof(cpu->entry_stack);
	cpu->tss.rsp[0] = cpu->entry_stack_top;
}

void kpti_init(void)
{
	if (!cpu_features.kpti)
		return;
	root = table_new();
	map(entry_text_start, entry_text_end, PTE_P | PTE_A);
	map(idt_page, (const uint8_t *)idt_page + PAGE_SIZE, PTE_P | PTE_A | PTE_NX);
	kpti_map_cpu(&cpu0, &cpu_ist0);
	idt_set_gates(kpti_entries);
}

void port_root_init(void *kernel_root)
{
	if (cpu_features.kpti)
		port_copy_page((uint8_t *)kernel_root + PAGE_SIZE, root);
}
