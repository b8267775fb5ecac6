/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A signal frame, moved straight between the registers that it stands for and ring 3's memory, with
 * no copy in between. Offsets: signal_layout.h. The caller has looked at the range; what faults
 * nevertheless goes to the exception table.
 *
 * The x87/SSE registers hold ring 3's state until the frame has it: fxsave writes it there, and then
 * they are what a handler starts with (Linux fpu__clear_user_states). As that is zero for %xmm0, the
 * empty part of siginfo is written with it.
 */
#include "arch/x86_64/asm.h"
#include "arch/x86_64/signal_layout.h"

#define UC_FIELD(name, offset, field) .set name, offset;
#include "arch/x86_64/signal_context.def"
#undef UC_FIELD

#define TASK_SIZE 0x7ffffffff000
#define FXSAVE_SIZE 512
#define UC_FLAGS 6		/* signal_frame.h */
#define RFLAGS_USER 0x50dd5	/* likewise */
#define UNBLOCKABLE 0x40100	/* SIGKILL, SIGSTOP */

	.section .rodata
	.balign 16
	.globl arch_fpu_initial
arch_fpu_initial: /* an FXSAVE image (SDM vol. 1, 10.5.1): FCW, MXCSR; all registers empty or zero */
	.word 0x37f
	.zero 22
	.long 0x1f80
	.zero FXSAVE_SIZE - 28

	UACCESS_TEXT

/* One access to ring 3's memory that goes on at `bad` if it faults. */
.macro USER bad, insn:vararg
771:	\insn
	EXTABLE(771b, \bad)
.endm

.macro PUT_FRAME slot, at
	movq \slot(%rdi), %rsi
	USER .Lwrite_bad, movq %rsi, SIGNAL_UC+\at(%rax)
.endm

.macro PUT_STATE field, at
	movq \field(%rdx), %rsi
	USER .Lwrite_bad, movq %rsi, SIGNAL_UC+\at(%rax)
.endm

/*
 * => %rdi: a struct trap_frame, complete but for %rbx, %rbp, %r12..%r15, which are in the CPU
 *    %rax: ring 3's address of the frame; %rdx: struct signals; %rcx: the restorer
 *    %r8, %r9: signal and code, zero-extended; %r10: payload
 * => %rax: 0 if the memory refused, and then nothing has changed but memory. Leaves %rdx, and
 *    %r8..%r11 as they are in the trap frame; takes %rsi.
 */
FUNC(signal_write)
	STAC
	USER .Lwrite_bad, movq %rcx, (%rax)
	USER .Lwrite_bad, movq %r8, SIGNAL_INFO+INFO_SIGNO(%rax)
	USER .Lwrite_bad, movq %r9, SIGNAL_INFO+INFO_CODE(%rax)
	USER .Lwrite_bad, movq %r10, SIGNAL_INFO+INFO_PAYLOAD(%rax)
	USER .Lwrite_bad, movq $UC_FLAGS, SIGNAL_UC+UC_FLAGS_AT(%rax)
	USER .Lwrite_bad, movq $0, SIGNAL_UC+UC_LINK(%rax)
	PUT_STATE SIGNALS_ALTSTACK, UC_STACK
	PUT_STATE SIGNALS_ALTSTACK+8, UC_STACK+8
	PUT_STATE SIGNALS_ALTSTACK+16, UC_STACK+16
	USER .Lwrite_bad, movq %r12, SIGNAL_UC+UC_R12(%rax)
	USER .Lwrite_bad, movq %r13, SIGNAL_UC+UC_R13(%rax)
	USER .Lwrite_bad, movq %r14, SIGNAL_UC+UC_R14(%rax)
	USER .Lwrite_bad, movq %r15, SIGNAL_UC+UC_R15(%rax)
	USER .Lwrite_bad, movq %rbp, SIGNAL_UC+UC_RBP(%rax)
	USER .Lwrite_bad, movq %rbx, SIGNAL_UC+UC_RBX(%rax)
	PUT_FRAME FRAME_RDI, UC_RDI
	PUT_FRAME FRAME_RSI, UC_RSI
	PUT_FRAME FRAME_RDX, UC_RDX
	PUT_FRAME FRAME_RAX, UC_RAX
	PUT_FRAME FRAME_RCX, UC_RCX
	PUT_FRAME FRAME_RSP, UC_RSP
	PUT_FRAME FRAME_RIP, UC_RIP
	PUT_FRAME FRAME_RFLAGS, UC_RFLAGS
	movzwl FRAME_CS(%rdi), %esi
	USER .Lwrite_bad, movq %rsi, SIGNAL_UC+UC_CS(%rax)
	movzwl FRAME_SS(%rdi), %esi
	USER .Lwrite_bad, movw %si, SIGNAL_UC+UC_SS(%rax)
	PUT_STATE SIGNALS_ERR, UC_ERR
	PUT_STATE SIGNALS_TRAPNO, UC_TRAPNO
	PUT_STATE SIGNALS_CR2, UC_CR2
	PUT_STATE SIGNALS_BLOCKED, UC_OLDMASK
	USER .Lwrite_bad, movq %rsi, SIGNAL_UC+UC_SIGMASK(%rax)
	movq FRAME_R8(%rdi), %r8
	USER .Lwrite_bad, movq %r8, SIGNAL_UC+UC_R8(%rax)
	movq FRAME_R9(%rdi), %r9
	USER .Lwrite_bad, movq %r9, SIGNAL_UC+UC_R9(%rax)
	movq FRAME_R10(%rdi), %r10
	USER .Lwrite_bad, movq %r10, SIGNAL_UC+UC_R10(%rax)
	movq FRAME_R11(%rdi), %r11
	USER .Lwrite_bad, movq %r11, SIGNAL_UC+UC_R11(%rax)
	leaq SIGNAL_FXSAVE(%rax), %rsi
	USER .Lwrite_bad, movq %rsi, SIGNAL_UC+UC_FPSTATE(%rax)
	USER .Lwrite_bad, fxsave64 (%rsi)
	fxrstor64 arch_fpu_initial
	USER .Lwrite_undo, movups %xmm0, SIGNAL_INFO+INFO_REST(%rax)
	USER .Lwrite_undo, movups %xmm0, SIGNAL_INFO+INFO_REST+16(%rax)
	USER .Lwrite_undo, movups %xmm0, SIGNAL_INFO+INFO_REST+32(%rax)
	USER .Lwrite_undo, movups %xmm0, SIGNAL_INFO+INFO_REST+48(%rax)
	USER .Lwrite_undo, movups %xmm0, SIGNAL_INFO+INFO_REST+64(%rax)
	USER .Lwrite_undo, movups %xmm0, SIGNAL_INFO+INFO_REST+80(%rax)
	USER .Lwrite_undo, movups %xmm0, SIGNAL_INFO+INFO_SIZE-16(%rax)
	CLAC
	ret
.Lwrite_undo: /* another CPU took the page away since the lines above */
	STAC
	USER .Lwrite_bad, fxrstor64 (%rsi)
.Lwrite_bad:
	CLAC
	xorl %eax, %eax
	ret
END(signal_write)

/* uint64_t arch_signal_write(const struct trap_frame *regs, uint64_t frame, const struct signals *s,
 *	uint64_t restorer, uint32_t signo, int32_t code, uint64_t payload) */
FUNC(arch_signal_write)
	PUSH_CALLEE
	movq 56(%rsp), %r10
	movl %r8d, %r8d
	movl %r9d, %r9d
	movq %rsi, %rax
	movq FRAME_RBX(%rdi), %rbx
	movq FRAME_RBP(%rdi), %rbp
	movq FRAME_R12(%rdi), %r12
	movq FRAME_R13(%rdi), %r13
	movq FRAME_R14(%rdi), %r14
	movq FRAME_R15(%rdi), %r15
	call signal_write
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret
END(arch_signal_write)

/* The registers go from ring 3's context to the CPU; what iretq takes, to the stack below the trap
 * frame, where nothing is needed any more. Whatever is not as most frames have it, a fault included,
 * goes to signal_return_slow() with the trap frame as the system call left it.
 *
 * void arch_signal_return(struct trap_frame *regs, struct signals *s) */
FUNC(arch_signal_return)
	movq %rdi, %rsp
	movq FRAME_RSP(%rdi), %rdx
	movabsq $(TASK_SIZE - UC_SIZE), %rax
	cmpq %rax, %rdx
	ja .Lreturn_slow
	STAC
	USER .Lreturn_slow, movq UC_STACK(%rdx), %rax
	cmpq SIGNALS_ALTSTACK(%rsi), %rax
	jne .Lreturn_slow
	USER .Lreturn_slow, movl UC_STACK+8(%rdx), %eax
	cmpl SIGNALS_ALTSTACK+8(%rsi), %eax
	jne .Lreturn_slow
	USER .Lreturn_slow, movq UC_STACK+16(%rdx), %rax
	cmpq SIGNALS_ALTSTACK+16(%rsi), %rax
	jne .Lreturn_slow
	USER .Lreturn_slow, cmpw $GDT_USER_CODE, UC_CS(%rdx)
	jne .Lreturn_slow
	USER .Lreturn_slow, cmpw $GDT_USER_DATA, UC_SS(%rdx)
	jne .Lreturn_slow
	USER .Lreturn_slow, movq UC_SIGMASK(%rdx), %r8
	USER .Lreturn_slow, movq UC_FPSTATE(%rdx), %rcx
	movabsq $(TASK_SIZE - FXSAVE_SIZE - 1), %rax
	leaq -1(%rcx), %r9 /* 0 is for the slow way too */
	cmpq %rax, %r9
	ja .Lreturn_slow
	USER .Lreturn_slow, fxrstor64 (%rcx)
	andq $~UNBLOCKABLE, %r8
	movq %r8, SIGNALS_BLOCKED(%rsi)
	movq SIGNALS_SHARED(%rsi), %r9 /* after the store: signal_send.c */
	cmpq $0, SIGNALS_PENDING(%rsi)
	jne .Lreturn_slow
	cmpq $0, (%r9)
	jne .Lreturn_slow
	pushq $GDT_USER_DATA
	USER .Lreturn_slow, pushq UC_RSP(%rdx)
	USER .Lreturn_slow, movl UC_RFLAGS(%rdx), %eax
	movl FRAME_RFLAGS(%rdi), %ecx
	andl $RFLAGS_USER, %eax
	andl $~RFLAGS_USER, %ecx
	orl %ecx, %eax
	pushq %rax
	pushq $GDT_USER_CODE
	USER .Lreturn_slow, pushq UC_RIP(%rdx)
	USER .Lreturn_late, movq UC_R8(%rdx), %r8
	USER .Lreturn_late, movq UC_R9(%rdx), %r9
	USER .Lreturn_late, movq UC_R10(%rdx), %r10
	USER .Lreturn_late, movq UC_R11(%rdx), %r11
	USER .Lreturn_late, movq UC_R12(%rdx), %r12
	USER .Lreturn_late, movq UC_R13(%rdx), %r13
	USER .Lreturn_late, movq UC_R14(%rdx), %r14
	USER .Lreturn_late, movq UC_R15(%rdx), %r15
	USER .Lreturn_late, movq UC_RDI(%rdx), %rdi
	USER .Lreturn_late, movq UC_RSI(%rdx), %rsi
	USER .Lreturn_late, movq UC_RBP(%rdx), %rbp
	USER .Lreturn_late, movq UC_RBX(%rdx), %rbx
	USER .Lreturn_late, movq UC_RAX(%rdx), %rax
	USER .Lreturn_late, movq UC_RCX(%rdx), %rcx
	USER .Lreturn_late, movq UC_RDX(%rdx), %rdx
	CLAC
	jmp trap_exit
.Lreturn_late: /* %rdi is lost */
	leaq 40(%rsp), %rdi
.Lreturn_slow:
	CLAC
	movq %rdi, %rbx
	movq %rdi, %rsp
	andq $-16, %rsp /* which way the call came decides how the frame is aligned */
	call signal_return_slow
	movq %rbx, %rsp
	jmp trap_return
END(arch_signal_return)
