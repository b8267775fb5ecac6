/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PVH entry: 32-bit protected mode, paging off, %ebx = struct hvm_start_info (Xen's
 * docs/misc/pvh.pandoc). The first page tables are data: the kernel's 2 MiB stand both where they
 * are loaded and where they are linked, writable and executable until paging_protect_kernel().
 */
#include "arch/x86_64/cpu_layout.h"

#define PHYS(sym) (sym - KERNEL_BASE)
#define PTE_TABLE 0x03	  /* present, writable */
#define PTE_LARGE_RWX 0x83 /* the same, 2 MiB */

	.section .note.pvh, "a", @note
	.balign 4
	.long 4, 8, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.quad PHYS(boot_start32)

	.section .text.boot, "ax"
	.code32
	.globl boot_start32
boot_start32:
	cli
	cld
	rdtsc
	movl %eax, %esi
	movl %edx, %edi
	movl %cr4, %eax
	orl $0x20, %eax /* PAE */
	movl %eax, %cr4
	movl $PHYS(boot_pml4), %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx /* EFER: SCE, LME, NXE */
	rdmsr
	orl $0x901, %eax
	wrmsr
	movl $0x80010033, %eax /* PG, WP, NE, ET, MP, PE; no TS, no EM */
	movl %eax, %cr0
	lgdt PHYS(boot_gdtr)
	ljmp $GDT_KERNEL_CODE, $PHYS(boot_start64)

	.code64
boot_start64:
	movq $boot_high, %rax
	jmpq *%rax
boot_high:
	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	movl %eax, %ss
	movq $boot_stack_top, %rsp
	shlq $32, %rdi
	orq %rdi, %rsi /* TSC at entry */
	movl %ebx, %edi /* hvm_start_info */
	xorl %ebp, %ebp
	call kernel_main
	ud2

/*
 * Another CPU's start: in real mode at a page below 1 MiB where smp.c copies the first steps; then,
 * still without paging, here. The tables that map this code where it is loaded are its own, for the
 * few instructions until it runs where it is linked: the kernel's have no identity map any more.
 */
	.section .rodata
	.code16
	.globl boot_other_start, boot_other_end
boot_other_start:
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	lgdtl boot_other_gdtr - boot_other_start
	movl %cr0, %eax
	orl $1, %eax /* PE */
	movl %eax, %cr0
	ljmpl $GDT_BOOT_CODE32, $PHYS(boot_other32)
boot_other_gdtr:
	.word boot_gdt_end - boot_gdt - 1
	.long PHYS(boot_gdt)
boot_other_end:

	.section .text.boot, "ax"
	.code32
boot_other32:
	movl $GDT_KERNEL_DATA, %eax
	movl %eax, %ds
	cmpl $0, PHYS(boot_other_cpu)
	je ticker_main
	movl $0x20, %eax /* PAE */
	movl %eax, %cr4
	movl $PHYS(boot_other_pml4), %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx /* EFER: SCE, LME, NXE */
	rdmsr
	orl $0x901, %eax
	wrmsr
	movl $0x80010033, %eax /* as CPU 0; the caches on, too */
	movl %eax, %cr0
	ljmp $GDT_KERNEL_CODE, $PHYS(boot_other64)

	.code64
boot_other64:
	movq $boot_other_high, %rax
	jmpq *%rax
boot_other_high:
	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	movl %eax, %ss
	movq $PHYS(boot_pml4), %rax
	movq %rax, %cr3
	movq boot_other_cpu(%rip), %rdi
	movq CPU_KERNEL_STACK(%rdi), %rsp
	xorl %ebp, %ebp
	call smp_other_main
	ud2

	.data
	.balign 8
	.globl boot_other_cpu
boot_other_cpu:
	.quad 0 /* struct cpu * of the CPU that starts; NULL: a ticker */

	.balign 16
boot_gdt:
	.quad 0
	.quad 0x00cf9a000000ffff /* GDT_BOOT_CODE32 */
	.quad 0x00af9a000000ffff /* GDT_KERNEL_CODE */
	.quad 0x00cf92000000ffff /* GDT_KERNEL_DATA */
boot_gdt_end:
boot_gdtr:
	.word boot_gdt_end - boot_gdt - 1
	.long PHYS(boot_gdt)

	.balign 8192 /* kpti.S clears bit 12 of any root */
	.globl boot_pml4
boot_pml4:
	.quad PHYS(boot_pdpt_low) + PTE_TABLE
	.fill 272, 8, 0
	.quad PHYS(paging_pdpt_direct) + PTE_TABLE
	.fill 237, 8, 0
	.quad PHYS(boot_pdpt_kernel) + PTE_TABLE
boot_other_pml4:
	.quad PHYS(boot_pdpt_low) + PTE_TABLE
	.fill 510, 8, 0
	.quad PHYS(boot_pdpt_kernel) + PTE_TABLE
boot_pdpt_low:
	.quad PHYS(boot_pd_kernel) + PTE_TABLE
	.fill 511, 8, 0
boot_pdpt_kernel:
	.fill 510, 8, 0
	.quad PHYS(boot_pd_kernel) + PTE_TABLE
	.quad 0
	.globl boot_pd_kernel
boot_pd_kernel:
	.quad 0
	.quad KERNEL_LOAD + PTE_LARGE_RWX
	.fill 510, 8, 0

	.bss
	.balign 4096
	.globl boot_stack, boot_stack_top
boot_stack:
	.skip 16384
boot_stack_top:
