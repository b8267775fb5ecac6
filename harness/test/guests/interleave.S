/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two CPUs that take a word from one another as often as they get to run. On the console, in hex:
 * how often each took it, and the most rounds of its loop between two times. The ticker is started as
 * the stub does it (engines.md).
 */
#include "smp.inc"
#define ROUNDS 1000000
	movl %ebx, %ebp
	movl $interleave_key, %esi
	movl $interleave_key_end - interleave_key, %ecx
	call find_number
	movl %eax, turn
	testl %eax, %eax
	jz 1f
	call copy_trampoline
	movl $ticker, ap_start
	movl $1, %eax
	call start_apic
2:	pause
	cmpl $0, ticker_up
	je 2b
1:	movl %ebp, %ebx
	call start_cpu1
1:	pause
	cmpl $0, ap_up
	je 1b
	movl $1, go
	xorl %edx, %edx
	call take_turns
	movl %eax, turns
1:	pause
	cmpl $0, turns + 4
	je 1b
	movl turns, %eax
	call print
	movl turns + 4, %eax
	call print
	movl longest, %eax
	call print
	movb $EXIT_DONE, %al
	outb %al, $PORT_EXIT
1:	jmp 1b

ticker:
	movl $0x1ff, APIC + 0xf0
	movl $0xb, APIC + 0x3e0	    /* divide by 1 */
	movl $0x20020, APIC + 0x320 /* periodic */
	movl turn, %eax
	decl %eax
	movl %eax, APIC + 0x380
	movl $1, ticker_up
1:	hlt
	jmp 1b

ap_entry:
	movl $ap_stack_top, %esp
	movl $1, ap_up
1:	pause
	cmpl $0, go
	je 1b
	movl $1, %edx
	call take_turns
	movl %eax, turns + 4
1:	hlt
	jmp 1b

/* %edx = who; result: how often it had to take the word. No pause: only the ticker ends a turn. */
take_turns:
	movl $ROUNDS, %ecx
	xorl %eax, %eax
	xorl %esi, %esi
1:	incl %esi
	cmpl %edx, owner
	je 2f
	movl %edx, owner
	incl %eax
	cmpl longest, %esi
	jbe 3f
	movl %esi, longest
3:	xorl %esi, %esi
2:	decl %ecx
	jnz 1b
	ret

print: /* %eax in hex, and a blank */
	movl %eax, %ebx
	movl $8, %ecx
1:	roll $4, %ebx
	movl %ebx, %eax
	andl $15, %eax
	movb digits(%eax), %al
	outb %al, $PORT_CONSOLE
	loop 1b
	movb $' ', %al
	outb %al, $PORT_CONSOLE
	ret
digits:
	.ascii "0123456789abcdef"
interleave_key:
	.ascii "interleave="
interleave_key_end:
	.bss
	.balign 64
owner:	.skip 64
go:	.skip 64
turn:	.skip 4
ap_up:	.skip 4
ticker_up:
	.skip 4
turns:	.skip 8
longest:
	.skip 4
	.skip 4096
ap_stack_top:
