/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guests of these tests have in common: a PVH note and an entry point, 32-bit, paging off.
 * They are kernels that do one wrong thing each, and see how the engines take it.
 */
#define PORT_CONSOLE 0xe9
#define PORT_STDOUT 0xea
#define PORT_EXIT 0xf4
#define EXIT_DONE 0x10

/* Where the harness puts the window of a guest that is smaller than 15 MiB (window.c). */
#define WINDOW 0x1000000

	.section .note.pvh, "a", @note
	.balign 4
	.long 4, 4, 18
	.asciz "Xen"
	.long guest_entry
	.section .note.GNU-stack, "", @progbits
	.text
	.code32
	.globl guest_entry
guest_entry:
