/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waits for CPU 1, which it never starts. */
#include "guest.inc"
	movl $0x600df00d, %ebx
1:	pause
	jmp 1b
