/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Leaves a window that is plausible but for its number of CPUs: 2^31 of them. */
#include "guest.inc"
	movl $0x4c544c46, WINDOW /* FL_MAGIC */
	movl $0x31454e49, WINDOW + 4
	movl $2, WINDOW + 8 /* FL_ABI_VERSION */
	movl $0x80000000, WINDOW + 12
	movb $EXIT_DONE, %al
	outb %al, $PORT_EXIT
1:	jmp 1b
