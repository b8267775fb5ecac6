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

/* Registers to and from a struct trap_frame. PUSH_SCRATCH, with %rsp at FRAME_RDI's place or just below
 * a frame's error code, pushes the nine that C may change; `timed` reads the TSC as soon as there is
 * room for it. */
.macro PUSH_SCRATCH timed=0
	pushq %rdi
	pushq %rsi
	PUSH_SCRATCH_REST \timed
.endm

.macro PUSH_SCRATCH_REST timed=0
	pushq %rdx
	pushq %rcx
	pushq %rax
.if \timed
	rdtsc
.endif
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
.endm

.macro POP_SCRATCH
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rax
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
.endm

/* The same from a frame at `at` from %rsp. */
.macro RESTORE_SCRATCH at
	movq \at+FRAME_R11(%rsp), %r11
	movq \at+FRAME_R10(%rsp), %r10
	movq \at+FRAME_R9(%rsp), %r9
	movq \at+FRAME_R8(%rsp), %r8
	movq \at+FRAME_RAX(%rsp), %rax
	movq \at+FRAME_RCX(%rsp), %rcx
	movq \at+FRAME_RDX(%rsp), %rdx
	movq \at+FRAME_RSI(%rsp), %rsi
	movq \at+FRAME_RDI(%rsp), %rdi
.endm

/* Those that C preserves. */
.macro PUSH_CALLEE
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
.endm

.macro SAVE_CALLEE at
	movq %r15, \at+FRAME_R15(%rsp)
	movq %r14, \at+FRAME_R14(%rsp)
	movq %r13, \at+FRAME_R13(%rsp)
	movq %r12, \at+FRAME_R12(%rsp)
	movq %rbp, \at+FRAME_RBP(%rsp)
	movq %rbx, \at+FRAME_RBX(%rsp)
.endm

.macro RESTORE_CALLEE
	movq FRAME_R15(%rsp), %r15
	movq FRAME_R14(%rsp), %r14
	movq FRAME_R13(%rsp), %r13
	movq FRAME_R12(%rsp), %r12
	movq FRAME_RBP(%rsp), %rbp
	movq FRAME_RBX(%rsp), %rbx
.endm

/* clang-format on */

#endif
