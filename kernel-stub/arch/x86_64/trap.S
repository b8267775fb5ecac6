/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exception entries.
 *
 * 1. Page faults: one entry for each recorder mode. The registers that C may change go to the frame;
 *    %rbx, %rbp, %r12..%r15 stay in the CPU, since C preserves them. From ring 3, vm_fault() is
 *    called straight from here; from ring 0, trap_kernel_fault() looks at the exception table too.
 *    When the interrupted code can go on, the recorder follows. A SIGSEGV that has a handler goes
 *    there from here, unless signal_direct() says no. A bad pointer of ring 3's goes on in uaccess.S
 *    without an iretq. What is left over gets a complete frame and trap_page_fault_slow(), which
 *    signals or oopses.
 * 2. Every other exception: the whole frame, then trap_exception(frame, vector).
 * 3. #DF: the same on a stack of its own, without trust in %gs. NMI: nothing.
 * 4. The timer's interrupt, and another CPU's that there is something to schedule: the whole frame,
 *    then a function of C that may switch tasks. Another CPU's that wants something done: smp_request_interrupt().
 *
 * %gs is the kernel's in ring 0 and ring 3's own in ring 3. The one place where ring 0 runs with ring
 * 3's is between swapgs and iretq; an iretq that faults (a frame that a signal handler made) is
 * recognised by its address.
 */
#include "arch/x86_64/asm.h"
#include "arch/x86_64/signal_layout.h"

#define FL_HIST_SUB_BITS 7 /* faultline_abi.h */
#define FAULT_SIGNAL 1	   /* fault.h */
#define FAULT_FIXUP 3
#define SIGSEGV 11
#define RFLAGS_SYSCALL 0x250dd5 /* ID AC RF OF DF TF SF ZF AF PF CF: not IOPL */
#define HANDLER_CLEARS 0x10500 /* RF, DF, TF: signal_frame_enter() */

	.text

/* The CPU aligns the stack to 16 before it pushes; a frame and its error code leave it 8 off. */
.macro CALL_WITH_FRAME function
	movq %rsp, %rdi
	subq $8, %rsp
	call \function
	addq $8, %rsp
.endm

/* The fault's length into the histogram of class %al: 16 instructions, and 3 at the entry.
 * The same as recorder_hist(), which says what it does. */
.macro RECORD_hist
	movzbl %al, %esi
	imulq $FL_HIST_SIZE, %rsi, %rsi
	addq %gs:CPU_HIST, %rsi
	movl $255, %edi
	rdtsc
	shlq $32, %rdx
	orq %rdx, %rax
	subq FAULT_ENTRY_TSC(%rsp), %rax
	addq %rax, (%rsi)
	orq %rax, %rdi
	bsrq %rdi, %rcx
	subl $FL_HIST_SUB_BITS, %ecx
	shrq %cl, %rax
	shll $FL_HIST_SUB_BITS, %ecx
	addl %ecx, %eax
	incl FL_HIST_COUNTS(%rsi,%rax,4)
.endm

.macro RECORD_raw
	movl %eax, FAULT_ENTRY_VERDICT(%rsp)
	movq %rsp, %rdi
	call trap_record
.endm

.macro RECORD_off
.endm

/* The SIGSEGV of ring 3's fault goes to its handler: signal_direct() says where the frame goes, and
 * signal_write() (signal_user.S) writes it. If either says no, the slow way. */
.macro DIRECT_SIGNAL mode
	movl %eax, FAULT_ENTRY_VERDICT(%rsp)
	leaq FAULT_ENTRY_FRAME(%rsp), %rdi
	movq FAULT_ENTRY_ADDR(%rsp), %rsi
	call signal_direct /* %rax: the frame's address; %rdx: struct signals */
	testq %rax, %rax
	jz trap_page_fault_judged
	leaq FAULT_ENTRY_FRAME(%rsp), %rdi
	movq SIGNALS_ACTIONS(%rdx), %rcx
	movq ACTIONS_SEGV_RESTORER(%rcx), %rcx
	movl $SIGSEGV, %r8d
	movzbl FAULT_ENTRY_VERDICT+2(%rsp), %r9d
	movq FAULT_ENTRY_ADDR(%rsp), %r10
	call signal_write
	testq %rax, %rax
	jz trap_page_fault_judged
	movq SIGNALS_ACTIONS(%rdx), %rsi
	movq ACTIONS_SEGV_GROWS(%rsi), %rcx
	orq %rcx, SIGNALS_BLOCKED(%rdx)
	movq ACTIONS_SEGV_HANDLER(%rsi), %rcx
	movq %rax, FAULT_ENTRY_FRAME+FRAME_RSP(%rsp)
	movq %rcx, FAULT_ENTRY_FRAME+FRAME_RIP(%rsp)
	andl $~HANDLER_CLEARS, FAULT_ENTRY_FRAME+FRAME_RFLAGS(%rsp)
	movl FAULT_ENTRY_VERDICT(%rsp), %eax
	RECORD_\mode
.ifc \mode, raw
	RESTORE_SCRATCH FAULT_ENTRY_FRAME
.endif
	movl $SIGSEGV, %edi
	movq FAULT_ENTRY_FRAME+FRAME_RSP(%rsp), %rdx
	movq FAULT_ENTRY_FRAME+FRAME_RCX(%rsp), %rcx
	xorl %eax, %eax
	leaq SIGNAL_INFO(%rdx), %rsi
	addq $SIGNAL_UC, %rdx
	addq $(FAULT_ENTRY_FRAME + FRAME_RIP), %rsp
	jmp trap_exit
.endm

/* Ring 0's fault goes on at the handler of its exception-table entry, as EXTABLE() has it. */
.macro FIX_UP mode
	movl %eax, FAULT_ENTRY_VERDICT(%rsp)
	movq FAULT_ENTRY_FRAME+FRAME_RIP(%rsp), %rdi
	call extable_lookup
	testq %rax, %rax
	jz trap_page_fault_judged
	movq %rax, FAULT_ENTRY_FRAME+FRAME_RIP(%rsp)
	movl FAULT_ENTRY_VERDICT(%rsp), %eax
	RECORD_\mode
	movq FAULT_ENTRY_FRAME+FRAME_RIP(%rsp), %r11
	movq FAULT_ENTRY_FRAME+FRAME_RCX(%rsp), %rcx
	movq FAULT_ENTRY_FRAME+FRAME_RDX(%rsp), %rdx
	movq FAULT_ENTRY_FRAME+FRAME_RSI(%rsp), %rsi
	movq FAULT_ENTRY_FRAME+FRAME_RDI(%rsp), %rdi
	movq FAULT_ENTRY_ADDR(%rsp), %rax
	movq FAULT_ENTRY_FRAME+FRAME_RSP(%rsp), %rsp
	jmpq *%r11
.endm

/* %rsi: the entry, decoded: CR2, and bits 0 to 4 of the error code, which are those of enum
 * fault_flag (SDM vol. 3, 4.7). The bits above belong to features that are off. */
.macro PAGE_FAULT mode, timed
FUNC(trap_entry_page_fault_\mode)
	PUSH_SCRATCH \timed
	subq $(FAULT_ENTRY_FRAME + FRAME_R11), %rsp
.if \timed
	movl %eax, FAULT_ENTRY_TSC(%rsp)
	movl %edx, FAULT_ENTRY_TSC+4(%rsp)
.endif
.ifc \mode, raw
	movq FAULT_ENTRY_FRAME+FRAME_RIP(%rsp), %rax
	movq %rax, FAULT_ENTRY_RIP(%rsp)
.endif
	CLAC
	cld
	movq %cr2, %rax
	movl FAULT_ENTRY_FRAME+FRAME_ERROR(%rsp), %ecx
	movq %rax, FAULT_ENTRY_ADDR(%rsp)
	movl %ecx, FAULT_ENTRY_FLAGS(%rsp)
	movq %rsp, %rsi
	testb $3, FAULT_ENTRY_FRAME+FRAME_CS(%rsp)
	jz 1f
	swapgs
	movq %gs:CPU_LOADED_MM, %rdi
	call vm_fault
	testb %ah, %ah /* struct fault_verdict: .class in %al, .outcome in %ah */
	jnz 2f
	RECORD_\mode
	RESTORE_SCRATCH FAULT_ENTRY_FRAME
	addq $(FAULT_ENTRY_FRAME + FRAME_RIP), %rsp
	USER_IRETQ
1:	movq %rsp, %rdi
	call trap_kernel_fault
	testb %ah, %ah
	jnz 3f
	RECORD_\mode
	RESTORE_SCRATCH FAULT_ENTRY_FRAME
	addq $(FAULT_ENTRY_FRAME + FRAME_RIP), %rsp
	iretq
2:	cmpb $FAULT_SIGNAL, %ah
	jne trap_page_fault_rest
	DIRECT_SIGNAL \mode
3:	cmpb $FAULT_FIXUP, %ah
	jne trap_page_fault_rest
	FIX_UP \mode
END(trap_entry_page_fault_\mode)
.endm

	PAGE_FAULT off, 0
	PAGE_FAULT hist, 1
	PAGE_FAULT raw, 1

FUNC(trap_page_fault_rest)
	movl %eax, FAULT_ENTRY_VERDICT(%rsp)
trap_page_fault_judged:
	SAVE_CALLEE FAULT_ENTRY_FRAME
	movq %rsp, %rdi
	call trap_page_fault_slow
	addq $FAULT_ENTRY_FRAME, %rsp
	jmp trap_return
END(trap_page_fault_rest)

/* Under quirks=pvm a system call arrives as a page fault: ring 3, error code 0x15, RIP = CR2 = the
 * entry of system calls, %rcx and %r11 as `syscall` leaves them. Anything else goes on to the entry
 * of the recorder's mode. */
FUNC(trap_entry_page_fault_pvm)
	cmpl $0x15, (%rsp)
	jne 1f
	cmpq $syscall_entry, 8(%rsp)
	je 2f
	cmpq $kpti_entry_syscall, 8(%rsp)
	jne 1f
2:	movq %rax, (%rsp)
	movq %rcx, 8(%rsp)
	movq %r11, 24(%rsp)
	andq $RFLAGS_SYSCALL, 24(%rsp) /* ring 3 can jump here with any %r11 */
	orq $0x202, 24(%rsp)
	PUSH_SCRATCH
	subq $FRAME_R11, %rsp
	SAVE_CALLEE 0
	cld
	swapgs
	CALL_WITH_FRAME syscall_dispatch
	jmp trap_return
1:	jmpq *idt_page_fault_entry(%rip)
END(trap_entry_page_fault_pvm)

/* In place of an entry of PAGE_FAULT for one fault: see arch_before_next_fault. Nothing of the fault is
 * touched: what is saved here is back when the entry proper begins. */
FUNC(trap_entry_page_fault_once)
	PUSH_SCRATCH
	subq $8, %rsp /* 16-byte alignment at the call */
	CLAC
	cld
	testb $3, 8+9*8+16(%rsp) /* the CS that was pushed */
	jz 1f
	swapgs
1:	call idt_page_fault_once
	testb $3, 8+9*8+16(%rsp)
	jz 2f
	swapgs
2:	addq $8, %rsp
	POP_SCRATCH
	jmpq *idt_page_fault_entry(%rip)
END(trap_entry_page_fault_once)

/* The way back with every register from the frame at %rsp. */
FUNC(trap_return)
	RESTORE_CALLEE
	RESTORE_SCRATCH 0
	testb $3, FRAME_CS(%rsp)
	jz 1f
	addq $FRAME_RIP, %rsp
	.globl trap_exit, trap_iretq
trap_exit:
	KPTI_SITE(kpti_exit_iretq)
	swapgs
trap_iretq:
	iretq
1:	addq $FRAME_RIP, %rsp
	iretq
END(trap_return)

FUNC(arch_enter_user)
	cli
	movq %rdi, %rsp
	jmp trap_return
END(arch_enter_user)

/* The stack holds an error code; %rsi is the vector, its old value and %rdi's are pushed. */
trap_common:
	PUSH_SCRATCH_REST
	subq $FRAME_R11, %rsp
	SAVE_CALLEE 0
	CLAC
	cld
	testb $3, FRAME_CS(%rsp)
	jnz 1f
	cmpq $trap_iretq, FRAME_RIP(%rsp)
	jne 2f
1:	swapgs
2:	CALL_WITH_FRAME trap_exception
	jmp trap_return

.macro EXCEPTION vector, has_error
FUNC(trap_entry_\vector)
.if !\has_error
	pushq $0
.endif
	pushq %rdi
	pushq %rsi
	movl $\vector, %esi
	jmp trap_common
END(trap_entry_\vector)
.endm

	EXCEPTION 0, 0
	EXCEPTION 1, 0
	EXCEPTION 3, 0
	EXCEPTION 4, 0
	EXCEPTION 5, 0
	EXCEPTION 6, 0
	EXCEPTION 7, 0
	EXCEPTION 9, 0
	EXCEPTION 10, 1
	EXCEPTION 11, 1
	EXCEPTION 12, 1
	EXCEPTION 13, 1
	EXCEPTION 15, 0
	EXCEPTION 16, 0
	EXCEPTION 17, 1
	EXCEPTION 18, 0
	EXCEPTION 19, 0
	EXCEPTION 20, 0
	EXCEPTION 21, 1

	ENTRY_TEXT
FUNC(trap_entry_2)
	iretq
END(trap_entry_2)
	.text

/* Interrupts come in ring 3 and in arch_idle. The frame's error code says that it is no system call's. */
.macro INTERRUPT name, function
FUNC(trap_entry_\name)
	pushq $-1
	PUSH_SCRATCH
	subq $FRAME_R11, %rsp
	SAVE_CALLEE 0
	CLAC
	cld
	testb $3, FRAME_CS(%rsp)
	jz 1f
	swapgs
1:	CALL_WITH_FRAME \function
	jmp trap_return
END(trap_entry_\name)
.endm

	INTERRUPT timer, lapic_timer_interrupt
	INTERRUPT reschedule, smp_reschedule_interrupt

FUNC(trap_entry_request)
	PUSH_SCRATCH
	CLAC
	cld
	testb $3, 9*8+8(%rsp) /* the CS that was pushed */
	jz 1f
	swapgs
1:	call smp_request_interrupt /* five words and nine: aligned */
	testb $3, 9*8+8(%rsp)
	jz 2f
	POP_SCRATCH
	USER_IRETQ
2:	POP_SCRATCH
	iretq
END(trap_entry_request)

/* While it waits for something, a CPU looks whether others wait for it: port_cpu_relax(). The caller
 * expects every register as it was, so that waiting costs the ways nothing that don't wait. */
FUNC(trap_relax_answer)
	pushfq
	PUSH_SCRATCH
	pushq %rbp
	movq %rsp, %rbp
	andq $-16, %rsp
	call smp_answer
	movq %rbp, %rsp
	popq %rbp
	POP_SCRATCH
	popfq
	ret
END(trap_relax_answer)

/* The LAPIC wants no EOI for it (SDM vol. 3, 11.9). */
	ENTRY_TEXT
FUNC(trap_entry_spurious)
	iretq
END(trap_entry_spurious)
	.text

FUNC(trap_entry_8)
	PUSH_SCRATCH
	subq $FRAME_R11, %rsp
	SAVE_CALLEE 0
	CLAC
	cld
	movl $0xc0000101, %ecx /* MSR_GS_BASE: the kernel's is in the upper half */
	rdmsr
	testl %edx, %edx
	js 1f
	swapgs
1:	CALL_WITH_FRAME trap_double_fault
	ud2
END(trap_entry_8)
