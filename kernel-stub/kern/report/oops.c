/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Oops and panic reports, and what follows.
 *
 *   1. One CPU reports at a time; the others that have something to report wait, and those that
 *      have not go on.
 *   2. The call trace is raw: every word on the stack that looks like a return address (it lies
 *      in the kernel's text, behind a call instruction), one a line as " [<%016lx>]", for the
 *      harness to symbolise.
 *   3. Then the task that did it ends, and the rest goes on; a kernel task's waiter learns of it.
 *      Not so if there is no task, if this CPU holds a lock, whose data may be half changed, if
 *      this is a report's own fault, or with panic_on_oops=1: then the machine ends (panic).
 *      Which locks a CPU holds, a debug build knows all; a release build knows kern_lock and
 *      those of the address space.
 *   4. A report that faults is given up for one about that fault, and that one for the machine's
 *      end without a word.
 */
#include "kern/boot/boot.h"

#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/current.h"
#include "kern/kern.h"
#include "kern/kern_lock.h"
#include "kern/task/kstack.h"
#include "mm/mm.h"
#include "mm/object/file.h"
#include "mm/vma/mmap_lock.h"
#include "mm/vma/vma_index.h"

#define CODE_BYTES_BEFORE 16
#define CODE_BYTES 32
#define TRACE_MAX 32

extern char kernel_start[], kernel_text_end[], boot_stack[];

static bool in_text(uint64_t at)
{
	return at >= (uint64_t)kernel_start && at < (uint64_t)kernel_text_end;
}

/* ---- what it was ---- */

const char oops_page_fault[] = "unable to handle page fault";

static const char *access_name(uint64_t error_code)
{
	if (error_code & 16)
		return "fetch";
	return error_code & 2 ? "write" : "read";
}

static const char *refusal_name(uint64_t error_code)
{
	if (error_code & 8)
		return "reserved bit set";
	return error_code & 1 ? "no right" : "not present";
}

/* The error code by its letters (SDM vol. 3, 4.7) and in words. */
static void print_access(uint64_t e, uint64_t cr2)
{
	printk("CR2: %016lx  error code %04lx [%s%s%s%s%s]: %s %s, %s\n", cr2, e, e & 1 ? "P" : "",
	       e & 2 ? "W" : "", e & 4 ? "U" : "", e & 8 ? "R" : "", e & 16 ? "I" : "",
	       e & 4 ? "user" : "kernel", access_name(e), refusal_name(e));
}

/* RF is left out: a processor sets it in what any fault saves (SDM vol. 3, 17.3.1.1), QEMU 7.2 does
 * not, QEMU 10 does. It would say nothing, and a digit that isn't 0 takes other instructions. */
static void print_registers(const struct trap_frame *f)
{
	printk("RIP: %04lx:%016lx RSP: %04lx:%016lx EFLAGS: %08lx\n", f->cs, f->rip, f->ss, f->rsp,
	       f->rflags & ~RFLAGS_RF);
	printk("RAX: %016lx RBX: %016lx RCX: %016lx\n", f->rax, f->rbx, f->rcx);
	printk("RDX: %016lx RSI: %016lx RDI: %016lx\n", f->rdx, f->rsi, f->rdi);
	printk("RBP: %016lx R8 : %016lx R9 : %016lx\n", f->rbp, f->r8, f->r9);
	printk("R10: %016lx R11: %016lx R12: %016lx\n", f->r10, f->r11, f->r12);
	printk("R13: %016lx R14: %016lx R15: %016lx\n", f->r13, f->r14, f->r15);
}

/* Without the lock, and so without remembering what was found. */
static void print_vma(uint64_t addr)
{
	struct mm *mm = current() ? task_mm() : NULL;
	struct vma *vma = mm ? vma_index_lookup(mm, addr) : NULL;

	if (!vma) {
		printk("VMA: none at %016lx\n", addr);
		return;
	}
	printk("VMA: %016lx-%016lx %c%c%c%c %s\n", vma->start, vma->end,
	       vma->flags & VM_READ ? 'r' : '-', vma->flags & VM_WRITE ? 'w' : '-',
	       vma->flags & VM_EXEC ? 'x' : '-', vma->flags & VM_SHARED ? 's' : 'p',
	       vma->file ? vma->file->path : "");
}

static void print_code(uint64_t rip)
{
	if (!in_text(rip - CODE_BYTES_BEFORE) || !in_text(rip + CODE_BYTES))
		return;
	printk("Code:");
	for (uint64_t at = rip - CODE_BYTES_BEFORE; at < rip + CODE_BYTES; at++)
		printk(at == rip ? " <%02x>" : " %02x", *(const uint8_t *)at);
	printk("\n");
}

/* ---- call trace ---- */

/* A direct call (e8), or an indirect one by register or by memory (ff /2), ends here. */
static bool after_call(uint64_t at)
{
	const uint8_t *p = (const uint8_t *)at;

	if (!in_text(at) || !in_text(at - 7))
		return false;
	return p[-5] == 0xe8 || (p[-2] == 0xff && (p[-1] & 0x38) == 0x10) ||
	       (p[-3] == 0xff && (p[-2] & 0x38) == 0x10) ||
	       (p[-6] == 0xff && (p[-5] & 0x38) == 0x10) ||
	       (p[-7] == 0xff && (p[-6] & 0x38) == 0x10);
}

/* The end of the stack that sp lies on, or has run over; 0 if it is none that we know. */
static uint64_t stack_end(uint64_t sp)
{
	uint64_t top = this_cpu()->kernel_stack + 8;

	if (sp < top && sp >= top - KERNEL_STACK_SIZE - PAGE_SIZE)
		return top;
	if (sp < (uint64_t)boot_stack_top && sp >= (uint64_t)boot_stack)
		return (uint64_t)boot_stack_top;
	return 0;
}

static void print_trace(uint64_t rip, uint64_t sp)
{
	uint64_t end = stack_end(sp);
	unsigned n = 0;

	if (kstack_overrun(end, sp))
		sp = end - KERNEL_STACK_SIZE;
	printk("Call Trace:\n");
	if (in_text(rip))
		printk(" [<%016lx>]\n", rip);
	for (sp &= ~7ull; sp < end && n < TRACE_MAX; sp += 8) {
		uint64_t v = *(const uint64_t *)sp;

		if (!after_call(v))
			continue;
		printk(" [<%016lx>]\n", v);
		n++;
	}
}

/* ---- what follows ---- */

/* The newest lock that this CPU holds, as far as anybody knows; NULL if none. */
static const char *held_lock(void)
{
	const char *name = lock_check_held();
	struct mm *mm = task_mm();

	if (name)
		return name;
	if (mm && (mmap_locked_here(mm) || mm->table_lock.word))
		return "of the address space";
	return kern_lock_held() ? "kern" : NULL;
}

bool oops_is_fatal(void)
{
	return this_cpu()->oops_depth || !current() || cmdline_flag("panic_on_oops", "1") ||
	       held_lock();
}

/* 1. The CPU that reports, as its number plus 1. */
static uint32_t reporter;

static void report_begin(void)
{
	uint32_t self = port_cpu_id() + 1;

	if (port_load_acquire32(&reporter) == self)
		return;
	while (port_cmpxchg32(&reporter, 0, self))
		port_cpu_relax();
}

static void report_end(void)
{
	port_store_release32(&reporter, 0);
}

uint32_t oops_faults_in_reports;

static void fault_if_asked(void)
{
	if (!oops_faults_in_reports)
		return;
	oops_faults_in_reports--;
	arch_raw_read(BAD_KERNEL_ADDRESS);
}

/* 4. */
static _Noreturn void give_up(const struct cpu *cpu)
{
	if (cpu->oops_depth == 3)
		telemetry_state(FL_STATE_PANIC, 0, "a fault in the report of an oops");
	arch_exit(FL_EXIT_PANIC);
}

void oops(const struct trap_frame *frame, uint64_t cr2, const char *what)
{
	struct cpu *cpu = this_cpu();
	bool fatal = oops_is_fatal();
	const char *lock = held_lock();

	if (cpu->oops_depth++ > 1)
		give_up(cpu);
	report_begin();
	printk("BUG: %s at %016lx\n", what, what == oops_page_fault ? cr2 : frame->rip);
	if (what == oops_page_fault) {
		print_access(frame->error_code, cr2);
		print_vma(cr2);
	}
	if (current())
		printk("CPU: %lu PID: %d Comm: %s\n", cpu->id, task_pid(), task_comm());
	print_registers(frame);
	print_code(frame->rip);
	fault_if_asked();
	if (frame_from_user(frame))
		print_trace(0, (uint64_t)frame);
	else
		print_trace(frame->rip, frame->rsp);
	if (fatal && lock)
		panic("fatal oops: %s, with a lock held: %s", what, lock);
	if (fatal)
		panic("fatal oops: %s", what);
	telemetry_oops();
	report_end();
	cpu->oops_depth--;
	recorder_flush(&cpu->recorder);
	task_exit(0, 9);
}

void panic_end(const char *reason)
{
	uint64_t sp = (uint64_t)__builtin_frame_address(0);

	report_begin();
	printk("Kernel panic: %s\n", reason);
	print_trace(0, sp);
	telemetry_state(FL_STATE_PANIC, 0, reason);
	arch_exit(FL_EXIT_PANIC);
}
