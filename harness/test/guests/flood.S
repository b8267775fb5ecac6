/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fills the console and its standard output: 384 KiB of 'x' to the one, 1152 KiB to the other, then a last word, then the exit
 * without a window. */
#include "guest.inc"
	movl $stack_top, %esp
	movl $lines, %edi
	movl $0x78787878, %eax
	movl $65536 / 4, %ecx
	rep stosl
	movl $PORT_CONSOLE, %edx
	movl $6, %ebx
	call flood
	movl $PORT_STDOUT, %edx
	movl $18, %ebx
	call flood
	movl $last, %esi
	movl $last_end - last, %ecx
	movl $PORT_CONSOLE, %edx
	rep outsb
	movb $EXIT_DONE, %al
	outb %al, $PORT_EXIT
1:	jmp 1b

/* EBX times 64 KiB to port DX. */
flood:
	movl $lines, %esi
	movl $65536, %ecx
	rep outsb
	decl %ebx
	jnz flood
	ret
last:
	.ascii "last word\n"
last_end:
	.bss
	.balign 4096
	.skip 4096
stack_top:
lines:
	.skip 65536
