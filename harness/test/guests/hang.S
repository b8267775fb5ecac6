/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Says hello and never ends. */
#include "guest.inc"
	movl $message, %esi
	movl $message_end - message, %ecx
	movl $PORT_CONSOLE, %edx
	rep outsb
	movl $0x600df00d, %ebx
1:	jmp 1b
message:
	.ascii "going nowhere\n"
message_end:
