/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An exception without a table to deliver it through. */
#include "guest.inc"
	lidt no_table
	movl $0x600df00d, %ebx
	ud2
no_table:
	.short 0
	.long 0
