/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways between ring 3's page tables and the kernel's (kpti.c): all that runs with ring 3's.
 *
 * The two roots of an address space lie side by side, ring 3's behind the kernel's: bit 12 of CR3
 * tells them apart. An exception or interrupt from ring 3 comes on the CPU's small entry stack, which
 * both map. From there to the kernel's tables and the task's stack, with what the processor pushed;
 * then the usual entry goes on as if it had been the first. From ring 0 the usual entry is all.
 */
#include "arch/x86_64/asm.h"

#define ROOT_BIT 4096

	ENTRY_TEXT

/* An iretq that faults does so with ring 3's tables and %gs, on the entry stack, in ring 0. It is
 * treated as if from ring 3, and gets the address by which the rest of the kernel knows it. */
.macro KPTI_ENTRY name, target:vararg
FUNC(kpti_entry_\name)
	pushq $0
	KPTI_WAY 0, \target
END(kpti_entry_\name)
.endm

.macro KPTI_ENTRY_ERROR name, target:vararg
FUNC(kpti_entry_\name)
	KPTI_WAY 8, \target
END(kpti_entry_\name)
.endm

/* On the stack: an error code, or a 0 in its place, which goes again. */
.macro KPTI_WAY error, target:vararg
	testb $3, 16(%rsp)
	jz 2f
1:	pushq %rax
	movq %cr3, %rax
	andq $~ROOT_BIT, %rax
	movq %rax, %cr3
	swapgs
	movq %rsp, %rax
	movq %gs:CPU_KERNEL_STACK, %rsp
	addq $8, %rsp
	pushq 48(%rax)
	pushq 40(%rax)
	pushq 32(%rax)
	pushq 24(%rax)
	pushq 16(%rax)
.if \error
	pushq 8(%rax)
.endif
	movq (%rax), %rax
	swapgs
	jmp \target
2:	cmpq $kpti_iretq, 8(%rsp)
	je 3f
	addq $(8 - \error), %rsp
	jmp \target
3:	movq $trap_iretq, 8(%rsp)
	jmp 1b
.endm

	KPTI_ENTRY 0, trap_entry_0
	KPTI_ENTRY 1, trap_entry_1
	KPTI_ENTRY 3, trap_entry_3
	KPTI_ENTRY 4, trap_entry_4
	KPTI_ENTRY 5, trap_entry_5
	KPTI_ENTRY 6, trap_entry_6
	KPTI_ENTRY 7, trap_entry_7
	KPTI_ENTRY 9, trap_entry_9
	KPTI_ENTRY_ERROR 10, trap_entry_10
	KPTI_ENTRY_ERROR 11, trap_entry_11
	KPTI_ENTRY_ERROR 12, trap_entry_12
	KPTI_ENTRY_ERROR 13, trap_entry_13
	KPTI_ENTRY_ERROR page_fault, *idt_page_fault_first(%rip)
	KPTI_ENTRY 15, trap_entry_15
	KPTI_ENTRY 16, trap_entry_16
	KPTI_ENTRY_ERROR 17, trap_entry_17
	KPTI_ENTRY 18, trap_entry_18
	KPTI_ENTRY 19, trap_entry_19
	KPTI_ENTRY 20, trap_entry_20
	KPTI_ENTRY_ERROR 21, trap_entry_21
	KPTI_ENTRY timer, trap_entry_timer
	KPTI_ENTRY reschedule, trap_entry_reschedule
	KPTI_ENTRY request, trap_entry_request

/* A double fault has a stack of its own, which both map; whatever tables it finds, it takes the
 * kernel's. */
FUNC(kpti_entry_8)
	pushq %rax
	movq %cr3, %rax
	andq $~ROOT_BIT, %rax
	movq %rax, %cr3
	popq %rax
	jmp trap_entry_8
END(kpti_entry_8)

FUNC(kpti_entry_syscall)
	swapgs
	movq %rsp, %gs:CPU_USER_RSP
	movq %cr3, %rsp
	andq $~ROOT_BIT, %rsp
	movq %rsp, %cr3
	jmp syscall_entry_mapped
END(kpti_entry_syscall)

/* In place of swapgs; sysretq. */
FUNC(kpti_exit_sysretq)
	movq %rax, %gs:CPU_SCRATCH
	movq %cr3, %rax
	orq $ROOT_BIT, %rax
	movq %rax, %cr3
	movq %gs:CPU_SCRATCH, %rax
	swapgs
	sysretq
END(kpti_exit_sysretq)

/* In place of swapgs; iretq. */
FUNC(kpti_exit_iretq)
	movq %rax, %gs:CPU_SCRATCH
	movq %rsp, %rax
	movq %gs:CPU_ENTRY_STACK, %rsp
	pushq 32(%rax)
	pushq 24(%rax)
	pushq 16(%rax)
	pushq 8(%rax)
	pushq (%rax)
	movq %cr3, %rax
	orq $ROOT_BIT, %rax
	movq %rax, %cr3
	movq %gs:CPU_SCRATCH, %rax
	swapgs
kpti_iretq:
	iretq
END(kpti_exit_iretq)

	.section .rodata
	.balign 8
	.globl kpti_entries
kpti_entries: /* by vector: idt_set_gates() */
	.quad kpti_entry_0, kpti_entry_1, trap_entry_2, kpti_entry_3
	.quad kpti_entry_4, kpti_entry_5, kpti_entry_6, kpti_entry_7
	.quad kpti_entry_8, kpti_entry_9, kpti_entry_10, kpti_entry_11
	.quad kpti_entry_12, kpti_entry_13, kpti_entry_page_fault, kpti_entry_15
	.quad kpti_entry_16, kpti_entry_17, kpti_entry_18, kpti_entry_19
	.quad kpti_entry_20, kpti_entry_21, 0, 0
	.fill 8, 8, 0
	.quad kpti_entry_timer, kpti_entry_reschedule, kpti_entry_request
	.fill 12, 8, 0
	.quad trap_entry_spurious
