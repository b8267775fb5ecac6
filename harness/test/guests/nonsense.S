/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes a plausible beginning and then nonsense into its telemetry window, and ends in order. */
#include "guest.inc"
	movl $WINDOW, %edi
	movl $0xa5a5a5a5, %eax
	movl $0x100000 / 4, %ecx
	rep stosl
	movl $0x4c544c46, WINDOW /* FL_MAGIC */
	movl $0x31454e49, WINDOW + 4
	movl $2, WINDOW + 8 /* FL_ABI_VERSION */
	movb $EXIT_DONE, %al
	outb %al, $PORT_EXIT
1:	jmp 1b
