/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPU 1 hangs; CPU 0 has work for a while, says so, and then waits for it for ever. */
#include "smp.inc"
	call start_cpu1
	movl $100000, %ecx
1:	loop 1b
	movl $message, %esi
	movl $message_end - message, %ecx
	movl $PORT_CONSOLE, %edx
	rep outsb
	movl $0x0ddba11, %ebx
1:	pause
	jmp 1b

ap_entry:
	movl $0x600df00d, %ebx
1:	jmp 1b
message:
	.ascii "going on\n"
message_end:
