/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a ticker does (ticker.c): 32-bit code, paging off, a stack for the NMI alone.
 * Registers:
 *     %esi which of the tickers it is    %edi what its timer is to count from, in its round
 *     %ebx 1: it counts; 0: it is off   %edx the round that it has seen
 */
#define PHYS(sym) (sym - KERNEL_BASE)
#define LAPIC 0xfee00000

#include "arch/x86_64/cpu_layout.h"

	.section .text.boot, "ax"
	.code32
	.globl ticker_main, ticker_nmi
ticker_main:
	movl $GDT_KERNEL_DATA, %eax
	movl %eax, %ss
	movl LAPIC + 0x20, %esi /* the APIC id, << 24 */
	shrl $24, %esi
	subl PHYS(ticker_first), %esi
	leal PHYS(ticker_stacks + 16)(, %esi, 8), %esp
	leal (%esp, %esi, 8), %esp
	lidtl PHYS(ticker_idtr)
	movl $0x1ff, LAPIC + 0xf0    /* on */
	movl $0xb, LAPIC + 0x3e0     /* divide by 1 */
	movl $0x20020, LAPIC + 0x320 /* the timer: periodic */

/* Here it begins, and begins again after each NMI. */
look_at_count:
	xorl %ebx, %ebx
	movl %ebx, LAPIC + 0x380
	movl $1, PHYS(ticker_up)
	movl PHYS(ticker_count), %edi
	testl %edi, %edi
	jz 1f
	cmpl $0, PHYS(ticker_last)
	jne share
	movl %edi, LAPIC + 0x380
1:	hlt
	jmp 1b

ticker_nmi:
	movl $PHYS(look_at_count), (%esp)
	iretl

/* One of several. */
share:
	movl %esi, %eax
	imull PHYS(ticker_step), %eax
	subl %eax, %edi
round:
	pause
	testl %esi, %esi
	jnz look
next:
	decl PHYS(ticker_round)
look:
	movl PHYS(ticker_round), %edx
	movl PHYS(ticker_last), %eax
	andl %edx, %eax
	cmpl %eax, %esi
	je mine
	testl %ebx, %ebx
	jz round
	cmpl PHYS(ticker_armed), %esi
	je again
	xorl %ebx, %ebx
	movl %ebx, LAPIC + 0x380
	jmp round

/* A write that makes this the first of all deadlines ends the turn: what follows it is the next one. */
mine:
	movl %edi, LAPIC + 0x380
	movl $1, %ebx
	movl %esi, PHYS(ticker_armed)
	cmpl PHYS(ticker_round), %edx
	je round
	jmp look

/* The one whose round it is comes behind this one, or was kept from setting its timer. */
again:
	movl %edi, LAPIC + 0x380
	testl %esi, %esi
	jz next
	cmpl PHYS(ticker_round), %edx
	je round
	jmp look

	.data
	.balign 4
	.globl ticker_idt
ticker_idtr:
	.word 3 * 8 - 1
	.long PHYS(ticker_idt)
	.balign 8
ticker_idt:
	.quad 0, 0, 0 /* the third is for NMI */

	.bss
	.balign 4
	.globl ticker_count, ticker_last, ticker_first, ticker_step, ticker_round, ticker_armed, ticker_up
ticker_count:
	.skip 4
ticker_last:
	.skip 4
ticker_first:
	.skip 4
ticker_step:
	.skip 4
ticker_round:
	.skip 4
ticker_armed:
	.skip 4
ticker_up:
	.skip 4
	.balign 16
ticker_stacks:
	.skip 4 * 16
