/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPU 1 meets an exception without a table to deliver it through; CPU 0 waits for what never comes. */
#include "smp.inc"
	call start_cpu1
1:	pause
	jmp 1b

ap_entry:
	lidt no_table
	movl $0x600df00d, %ebx
	ud2
no_table:
	.short 0
	.long 0
