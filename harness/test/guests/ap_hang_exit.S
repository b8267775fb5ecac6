/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPU 1 hangs, and CPU 0 ends the machine all the same (without a window). */
#include "smp.inc"
	call start_cpu1
1:	pause
	cmpl $0, up
	je 1b
	movb $EXIT_DONE, %al
	outb %al, $PORT_EXIT
1:	jmp 1b

ap_entry:
	movl $1, up
1:	jmp 1b
	.bss
up:	.skip 4
