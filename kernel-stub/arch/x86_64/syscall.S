/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls and the switch between kernel stacks.
 *
 * The frame is complete while a call runs: a signal, fork or exec may want all of it. On the way
 * back the callee-saved registers still hold what ring 3 had, unless the call replaced the frame;
 * it says so by an error_code of -1 (frame.h), and then everything is loaded from the frame.
 * SYSRET also needs the frame's rip and rflags to be where `syscall` left them, in rcx and r11. As
 * rip then is what follows a `syscall` below TASK_SIZE, it is canonical (SDM vol. 2, SYSRET).
 */
#include "arch/x86_64/asm.h"

	.text

FUNC(syscall_entry)
	swapgs
	movq %rsp, %gs:CPU_USER_RSP
	.globl syscall_entry_mapped /* kpti.S goes on here */
syscall_entry_mapped:
	movq %gs:CPU_KERNEL_STACK, %rsp
	pushq $GDT_USER_DATA
	pushq %gs:CPU_USER_RSP
	pushq %r11
	pushq $GDT_USER_CODE
	pushq %rcx
	pushq %rax
	PUSH_SCRATCH
	PUSH_CALLEE
	movq %rsp, %rdi
	call syscall_dispatch
	cmpl $-1, FRAME_ERROR(%rsp)
	je trap_return
	movq FRAME_RIP(%rsp), %rcx
	cmpq FRAME_RCX(%rsp), %rcx
	jne trap_return
	movq FRAME_RFLAGS(%rsp), %r11
	cmpq FRAME_R11(%rsp), %r11
	jne trap_return
	movq FRAME_R10(%rsp), %r10
	movq FRAME_R9(%rsp), %r9
	movq FRAME_R8(%rsp), %r8
	movq FRAME_RAX(%rsp), %rax
	movq FRAME_RDX(%rsp), %rdx
	movq FRAME_RSI(%rsp), %rsi
	movq FRAME_RDI(%rsp), %rdi
	movq FRAME_RSP(%rsp), %rsp
	USER_SYSRETQ
END(syscall_entry)

/* `syscall` in 32-bit code, where the processor has that (AMD): not offered. Everything is ring 3's
 * still, the stack too. */
	ENTRY_TEXT
FUNC(syscall_entry_compat)
	movl $-38, %eax /* -ENOSYS */
	sysretl
END(syscall_entry_compat)
	.text

/* void syscall_switch_stack(uint64_t *save_sp, uint64_t next_sp) */
FUNC(syscall_switch_stack)
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
END(syscall_switch_stack)

/* The first return of a new task, with entry and argument where arch_task_init_kernel put them. */
FUNC(syscall_task_start)
	movq %r12, %rdi
	call *%rbx
	ud2
END(syscall_task_start)

/* The first return of a forked child: its frame is on the stack. */
FUNC(syscall_fork_start)
	movq %rsp, %rdi
	call *%rbx
	jmp trap_return
END(syscall_fork_start)
