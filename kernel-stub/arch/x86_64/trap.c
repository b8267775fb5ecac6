/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions, decoded. arch/ turns CR2 and the error code into a struct fault_access; mm/ decides.
 *
 * A page fault from ring 3 that can be retried never comes here: trap.S calls vm_fault() itself.
 *   1. From ring 0: trap_kernel_fault(). The instruction is retried, or its exception-table entry's
 *      handler is next, if it has one: trap.S asks extable_lookup().
 *   2. The rest, with a complete frame: trap_page_fault_slow(). A signal's frame is built or the
 *      task ends; an oops is reported, and the task ends or the machine.
 * Other exceptions are signals from ring 3, and from ring 0 an oops.
 */
#include "arch/x86_64/cpu.h"

#include "arch/x86_64/arch.h"
#include "arch/x86_64/current.h"
#include "arch/x86_64/idt.h"
#include "kern/kern.h"
#include "kern/report/oom.h"
#include "kern/task/kstack.h"

/* Linux's numbers (include/uapi/asm-generic/siginfo.h, signal.h). */
enum {
	SIGILL_ = 4,
	SIGTRAP_ = 5,
	SIGBUS_ = 7,
	SIGFPE_ = 8,
	SIGSEGV_ = 11,
	SI_KERNEL_ = 0x80,
	ILL_ILLOPN_ = 2,
	FPE_INTDIV_ = 1,
	FPE_FLTDIV_ = 3,
	FPE_FLTOVF_ = 4,
	FPE_FLTUND_ = 5,
	FPE_FLTRES_ = 6,
	FPE_FLTINV_ = 7,
	TRAP_BRKPT_ = 1,
	TRAP_TRACE_ = 2,
	BUS_ADRALN_ = 1,
	BUS_ADRERR_ = 2,
};

/* Called from trap.S. */
void trap_record(const struct fault_entry *entry);
struct fault_verdict trap_kernel_fault(struct fault_entry *entry);
void trap_page_fault_slow(struct fault_entry *entry);
void trap_exception(struct trap_frame *frame, unsigned vector);
_Noreturn void trap_double_fault(struct trap_frame *frame);

extern char trap_iretq[];
extern char uaccess_start[], uaccess_size[]; /* the size: as an address */
extern const struct extable_entry {
	uint64_t insn, handler;
} extable_start[], extable_end[];

/* ---- the page-fault path ---- */

/* The linker keeps the order of the text: the table is sorted (trap_init looks). Bad pointers tend
 * to come through the same instruction, so the last entry found is tried first. */
uint64_t extable_lookup(uint64_t rip)
{
	static const struct extable_entry *last = extable_start;
	const struct extable_entry *e = last;
	size_t n = (size_t)(extable_end - extable_start);

	if (likely(e->insn == rip))
		return e->handler;
	for (e = extable_start; n > 1; n -= n / 2)
		if (e[n / 2].insn <= rip)
			e += n / 2;
	if (e->insn != rip)
		return 0;
	last = e;
	return e->handler;
}

static void extable_check(void)
{
	for (const struct extable_entry *e = extable_start + 1; e < extable_end; e++)
		ASSERT(e[-1].insn < e->insn);
}

/* recorder=raw: the end of a fault that goes on. */
void trap_record(const struct fault_entry *entry)
{
	recorder_record(&this_cpu()->recorder, entry);
}

/* Goes on at the handler that the exception table names, as uaccess.S expects it; false if none. */
static bool fix_up(struct trap_frame *frame, uint64_t addr)
{
	uint64_t handler = extable_lookup(frame->rip);

	if (unlikely(!handler))
		return false;
	frame->rip = handler;
	frame->rax = addr;
	return true;
}

/* All text with exception-table entries stands together: is this an access for ring 3? */
static inline bool in_uaccess(uint64_t rip)
{
	return rip - (uint64_t)uaccess_start < (uint64_t)uaccess_size;
}

/* A fault from ring 0, decoded but for FAULT_UACCESS. With FAULT_FIXUP, trap.S goes on at what
 * extable_lookup() says. */
struct fault_verdict trap_kernel_fault(struct fault_entry *entry)
{
	struct mm *mm = cpu_loaded_mm();

	if (unlikely(entry->access.addr >= TASK_SIZE || !in_uaccess(entry->frame.rip)))
		return vm_fault(mm, &entry->access);
	entry->access.flags |= FAULT_UACCESS;
	return vm_fault_uaccess(mm, &entry->access);
}

static void page_fault_end(struct fault_entry *entry)
{
	struct fault_verdict v = entry->verdict;
	struct trap_frame *frame = &entry->frame;
	uint64_t addr = entry->access.addr;

	if (likely(v.outcome == FAULT_SIGNAL)) {
		signal_fault(frame, VECTOR_PF, SIGSEGV_, v.si_code, addr);
		return;
	}
	switch ((enum fault_outcome)v.outcome) {
	case FAULT_DONE:
	case FAULT_SIGNAL:
		break;
	case FAULT_BUS:
		signal_fault(frame, VECTOR_PF, SIGBUS_, BUS_ADRERR_, addr);
		break;
	case FAULT_OOM:
		oom_fault(frame);
		break;
	case FAULT_FIXUP:
		oops(frame, addr, "no exception-table entry for the page fault");
	case FAULT_OOPS:
		oops(frame, addr, oops_page_fault);
	}
}

/* Needs: the frame is complete. */
void trap_page_fault_slow(struct fault_entry *entry)
{
	struct fault_verdict *v = &entry->verdict;

	if (v->outcome == FAULT_OOPS && v->class == FL_CLASS_KERNEL_INVALID_OOPS && oops_is_fatal())
		v->class = FL_CLASS_KERNEL_INVALID_PANIC;
	recorder_note(&this_cpu()->recorder, entry);
	page_fault_end(entry);
	recorder_flush(&cpu_by_id[current_cpu()]->recorder); /* it may be another CPU's by now */
}

/* ---- every other exception ---- */

static const char *const vector_names[NR_EXCEPTIONS] = {
	[VECTOR_DE] = "divide error",
	[VECTOR_DB] = "debug exception",
	[VECTOR_BP] = "int3",
	[VECTOR_OF] = "overflow",
	[VECTOR_BR] = "bound range exceeded",
	[VECTOR_UD] = "invalid opcode",
	[VECTOR_NM] = "device not available",
	[VECTOR_TS] = "invalid TSS",
	[VECTOR_NP] = "segment not present",
	[VECTOR_SS] = "stack segment",
	[VECTOR_GP] = "general protection fault",
	[VECTOR_MF] = "x87 floating-point exception",
	[VECTOR_AC] = "alignment check",
	[VECTOR_MC] = "machine check",
	[VECTOR_XM] = "SIMD floating-point exception",
	[VECTOR_VE] = "virtualization exception",
	[VECTOR_CP] = "control protection exception",
};

/* Which SIGFPE code the unmasked exceptions give, in Linux's order (SDM vol. 1, 8.5, 11.5). */
static int fpe_code(uint32_t raised)
{
	if (raised & 1)
		return FPE_FLTINV_;
	if (raised & 4)
		return FPE_FLTDIV_;
	if (raised & 8)
		return FPE_FLTOVF_;
	if (raised & (2 | 16))
		return FPE_FLTUND_;
	if (raised & 32)
		return FPE_FLTRES_;
	return 0;
}

static int fpe_code_now(unsigned vector)
{
	uint8_t area[512] __attribute__((aligned(16)));
	uint32_t mxcsr;
	uint16_t fcw, fsw;

	arch_fpu_save(area);
	memcpy(&fcw, area, sizeof(fcw));
	memcpy(&fsw, area + 2, sizeof(fsw));
	memcpy(&mxcsr, area + 24, sizeof(mxcsr));
	return fpe_code(vector == VECTOR_MF ? fsw & ~fcw : mxcsr & ~(mxcsr >> 7));
}

/* As Linux's arch/x86/kernel/traps.c. */
static void user_exception(struct trap_frame *frame, unsigned vector)
{
	switch (vector) {
	case VECTOR_DE:
		signal_fault(frame, vector, SIGFPE_, FPE_INTDIV_, frame->rip);
		break;
	case VECTOR_DB:
		signal_fault(frame, vector, SIGTRAP_, TRAP_TRACE_, frame->rip);
		break;
	case VECTOR_BP:
		signal_fault(frame, vector, SIGTRAP_, SI_KERNEL_, 0);
		break;
	case VECTOR_UD:
		signal_fault(frame, vector, SIGILL_, ILL_ILLOPN_, frame->rip);
		break;
	case VECTOR_MF:
	case VECTOR_XM:
		signal_fault(frame, vector, SIGFPE_, fpe_code_now(vector), frame->rip);
		break;
	case VECTOR_AC:
		signal_fault(frame, vector, SIGBUS_, BUS_ADRALN_, 0);
		break;
	case VECTOR_NP:
	case VECTOR_SS:
		signal_fault(frame, vector, SIGBUS_, SI_KERNEL_, 0);
		break;
	case VECTOR_MC:
		oops(frame, 0, vector_names[vector]);
	default: /* #OF, #BR, #NM, #TS, #GP, … */
		signal_fault(frame, vector, SIGSEGV_, SI_KERNEL_, 0);
	}
}

/* An iretq refused what a signal handler or rt_sigreturn put into the frame: as if ring 3 had
 * raised it there. The registers are ring 3's already. */
static void take_user_frame(struct trap_frame *frame)
{
	const uint64_t *iret = (const uint64_t *)frame->rsp;
	uint64_t rip = iret[0], cs = iret[1], rflags = iret[2], rsp = iret[3], ss = iret[4];

	frame->rip = rip;
	frame->cs = cs;
	frame->rflags = rflags;
	frame->rsp = rsp;
	frame->ss = ss;
}

void trap_exception(struct trap_frame *frame, unsigned vector)
{
	if (!frame_from_user(frame) && frame->rip == (uint64_t)trap_iretq)
		take_user_frame(frame);
	if (frame_from_user(frame)) {
		user_exception(frame, vector);
		return;
	}
	if (!fix_up(frame, 0))
		oops(frame, 0,
		     vector_names[vector] ? vector_names[vector] : "unexpected exception");
}

/* A page fault that could not be delivered, since the kernel stack has run into the page below it:
 * recorded as what it is, an oops after which nothing goes on. */
static _Noreturn void stack_overflow(struct trap_frame *frame, uint64_t cr2)
{
	struct fault_entry entry = {
		.access = {.addr = cr2, .flags = FAULT_WRITE},
		.tsc = port_tsc(),
		.verdict = {.class = FL_CLASS_KERNEL_INVALID_PANIC, .outcome = FAULT_OOPS},
		.rip = frame->rip,
		.frame = *frame,
	};

	recorder_note(&this_cpu()->recorder, &entry);
	oops(frame, cr2, "kernel stack overflow");
}

void trap_double_fault(struct trap_frame *frame)
{
	struct cpu *cpu = this_cpu();
	uint64_t cr2 = read_cr2();

	cpu->oops_depth++;
	if (kstack_overrun(cpu->kernel_stack + 8, cr2))
		stack_overflow(frame, cr2);
	oops(frame, cr2, "double fault");
}

void trap_init(void)
{
	extable_check();
	idt_init();
}
