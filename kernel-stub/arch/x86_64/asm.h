/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Macros for assembly sources: directives, which clang-format would take for C. */
#ifndef ARCH_ASM_H
#define ARCH_ASM_H

#include "cpu_layout.h"

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

/* clang-format on */

#endif
