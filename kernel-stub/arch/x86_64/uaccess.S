/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copying to and from ring 3. Any access may fault: the fault is served, or goes on at the handler
 * of the instruction's exception-table entry, with the faulting address in %rax and the other
 * registers as the instruction left them.
 *
 * Words first, then bytes. If a word faults, what is left of it before the faulting address lies on
 * a page that is there: it is copied by bytes, and so the count of what was not copied is exact,
 * with one fault for one bad page.
 */
#include "arch/x86_64/asm.h"

#define TASK_SIZE 0x7ffffffff000

	UACCESS_TEXT

/* Jumps to `bad` unless [addr, addr + len) ends at or below TASK_SIZE. Uses %rax, %rcx. */
.macro CHECK_RANGE addr, len, bad
	movq \addr, %rax
	addq \len, %rax
	jc \bad
	movabsq $TASK_SIZE, %rcx
	cmpq %rcx, %rax
	ja \bad
.endm

/* %rdi to, %rsi from, %rdx n, `user` the one in ring 3's memory. */
.macro COPY user
	STAC
	movq %rdx, %rcx
	shrq $3, %rcx
	andl $7, %edx
1:	rep movsq
	movl %edx, %ecx
2:	rep movsb
	CLAC
	movq %rcx, %rax
	ret
3:	STAC
	leaq (%rdx,%rcx,8), %rdx /* left in all */
	movq %rax, %rcx
	subq \user, %rcx /* of that, before the faulting address */
	ja 4f
	xorl %ecx, %ecx
4:	subq %rcx, %rdx
5:	rep movsb
	addq %rdx, %rcx
6:	CLAC
	movq %rcx, %rax
	ret
	EXTABLE(1b, 3b)
	EXTABLE(2b, 6b)
	EXTABLE(5b, 7f)
7:	addq %rdx, %rcx
	jmp 6b
.endm

uaccess_refuse:
	movq %rdx, %rax
	ret

FUNC(copy_to_user)
	CHECK_RANGE %rdi, %rdx, uaccess_refuse
	COPY %rdi
END(copy_to_user)

FUNC(copy_from_user)
	CHECK_RANGE %rsi, %rdx, uaccess_refuse
	COPY %rsi
END(copy_from_user)

/* size_t clear_user(uint64_t to, size_t n) */
FUNC(clear_user)
	movq %rsi, %rdx
	CHECK_RANGE %rdi, %rdx, uaccess_refuse
	STAC
	xorl %eax, %eax
	movq %rdx, %rcx
	shrq $3, %rcx
	andl $7, %edx
1:	rep stosq
	movl %edx, %ecx
2:	rep stosb
3:	CLAC
	movq %rcx, %rax
	ret
4:	STAC
	leaq (%rdx,%rcx,8), %rdx
	movq %rax, %rcx
	subq %rdi, %rcx
	ja 5f
	xorl %ecx, %ecx
5:	subq %rcx, %rdx
	xorl %eax, %eax
6:	rep stosb
7:	addq %rdx, %rcx
	jmp 3b
	EXTABLE(1b, 4b)
	EXTABLE(2b, 3b)
	EXTABLE(6b, 7b)
END(clear_user)

/* int cmpxchg_user(uint64_t addr, uint32_t *old, uint32_t new) */
FUNC(cmpxchg_user)
	movabsq $(TASK_SIZE - 4), %rcx
	cmpq %rcx, %rdi
	ja 2f
	STAC
	movl (%rsi), %eax
1:	lock cmpxchgl %edx, (%rdi)
	CLAC
	movl %eax, (%rsi)
	xorl %eax, %eax
	ret
2:	CLAC
	movl $-1, %eax
	ret
	EXTABLE(1b, 2b)
END(cmpxchg_user)

/* int64_t strncpy_from_user(char *to, uint64_t from, size_t max) */
FUNC(strncpy_from_user)
	movabsq $TASK_SIZE, %rcx
	subq %rsi, %rcx /* bytes that may be read */
	jbe 4f
	xorl %eax, %eax
	STAC
1:	cmpq %rdx, %rax
	jae 3f
	cmpq %rcx, %rax
	jae 5f
2:	movb (%rsi,%rax), %r8b
	movb %r8b, (%rdi,%rax)
	testb %r8b, %r8b
	jz 3f
	incq %rax
	jmp 1b
3:	CLAC
	ret
4:	testq %rdx, %rdx
	jnz 6f
	xorl %eax, %eax
	ret
5:	CLAC
6:	movq $-14, %rax /* -EFAULT */
	ret
	EXTABLE(2b, 5b)
END(strncpy_from_user)

	.text

/* uint8_t arch_raw_read(uint64_t addr); void arch_raw_write(uint64_t addr, uint8_t value) */
FUNC(arch_raw_read)
	movzbl (%rdi), %eax
	ret
END(arch_raw_read)

FUNC(arch_raw_write)
	movb %sil, (%rdi)
	ret
END(arch_raw_write)
