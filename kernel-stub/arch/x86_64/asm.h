/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Macros for assembly sources: directives, which clang-format would take for C. */
#ifndef ARCH_ASM_H
#define ARCH_ASM_H

#include "arch/x86_64/cpu_layout.h"

/* clang-format off */

/* A function that C calls. */
#define FUNC(name)                                                                                 \
	.globl name;                                                                               \
	.type name, @function;                                                                     \
	.balign 16;                                                                                \
	name:

#define END(name) .size name, .- name

/* Where all instructions with an exception-table entry stand, in the order of their entries. */
#define UACCESS_TEXT .section .text.uaccess, "ax", @progbits

/* A fault at `insn` continues at `handler`, with the address that faulted in %rax, with %rcx, %rdx,
 * %rsi, %rdi and what C preserves as they were, and the rest gone, STAC too. */
#define EXTABLE(insn, handler)                                                                     \
	.pushsection .extable, "a";                                                                \
	.quad insn, handler;                                                                       \
	.popsection

/* STAC and CLAC, three bytes of no-operation until cpu_init finds SMAP usable and patches them. */
#define SMAP_SITE(third_byte)                                                                      \
	771:.byte 0x0f, 0x1f, 0x00;                                                                \
	.pushsection .smap_sites, "a";                                                             \
	.quad 771b, third_byte;                                                                    \
	.popsection
#define STAC SMAP_SITE(0xcb)
#define CLAC SMAP_SITE(0xca)

/* The ways to ring 3, at the kernel's stack; with kpti=on each begins with a jump instead (kpti.c).
 * The bytes that the jump takes are there: swapgs is 3 long, iretq 2. */
#define KPTI_SITE(exit)                                                                            \
	772: .pushsection .kpti_sites, "a";                                                        \
	.quad 772b, exit;                                                                          \
	.popsection
#define USER_IRETQ KPTI_SITE(kpti_exit_iretq) swapgs; iretq
#define USER_SYSRETQ KPTI_SITE(kpti_exit_sysretq) swapgs; sysretq

/* What ring 3's page tables map with kpti=on (kpti.c). */
#define ENTRY_TEXT .section .text.entry, "ax", @progbits

/* clang-format on */

#endif
