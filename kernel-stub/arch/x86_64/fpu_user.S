/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x87/SSE state to and from ring 3's memory in one instruction each, for signal frames. A fault
 * (bad address, #GP for an image that is not aligned or has reserved bits) makes the result -1.
 */
#include "asm.h"

#define FXSAVE_LAST 0x7fffffffee00 /* TASK_SIZE less the image */

	UACCESS_TEXT

.macro FPU_USER insn
	movabsq $FXSAVE_LAST, %rax
	cmpq %rax, %rdi
	ja 2f
	STAC
1:	\insn (%rdi)
	CLAC
	xorl %eax, %eax
	ret
2:	movl $-1, %eax
	ret
3:	CLAC
	jmp 2b
	EXTABLE(1b, 3b)
.endm

/* int arch_fpu_save_user(uint64_t to) */
FUNC(arch_fpu_save_user)
	FPU_USER fxsave64
END(arch_fpu_save_user)

/* int arch_fpu_load_user(uint64_t from) */
FUNC(arch_fpu_load_user)
	FPU_USER fxrstor64
END(arch_fpu_load_user)
