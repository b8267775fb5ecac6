/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Set-up of a CPU: descriptor tables, control registers, model-specific registers, features. */
#include "arch/x86_64/cpu.h"

#include "arch/x86_64/idt.h"
#include "arch/x86_64/arch.h"
#include "kern/kern.h"

#define FIELD_IS(type, field, offset)                                                              \
	_Static_assert(offsetof(type, field) == (offset), #type "." #field)
FIELD_IS(struct cpu, mm_cpu, CPU_MM_CPU);
FIELD_IS(struct cpu, kernel_stack, CPU_KERNEL_STACK);
FIELD_IS(struct cpu, user_rsp, CPU_USER_RSP);
FIELD_IS(struct cpu, loaded_mm, CPU_LOADED_MM);
FIELD_IS(struct cpu, id, CPU_ID);
FIELD_IS(struct cpu, mm.bit, CPU_MM_BIT);
FIELD_IS(struct cpu, task, CPU_TASK);
FIELD_IS(struct cpu, recorder.hist, CPU_HIST);
FIELD_IS(struct cpu, scratch, CPU_SCRATCH);
FIELD_IS(struct cpu, entry_stack_top, CPU_ENTRY_STACK);
FIELD_IS(struct cpu, requests, CPU_REQUESTS);
FIELD_IS(struct trap_frame, r15, FRAME_R15);
FIELD_IS(struct trap_frame, rbx, FRAME_RBX);
FIELD_IS(struct trap_frame, r11, FRAME_R11);
FIELD_IS(struct trap_frame, rax, FRAME_RAX);
FIELD_IS(struct trap_frame, rdi, FRAME_RDI);
FIELD_IS(struct trap_frame, error_code, FRAME_ERROR);
FIELD_IS(struct trap_frame, rip, FRAME_RIP);
FIELD_IS(struct trap_frame, cs, FRAME_CS);
FIELD_IS(struct trap_frame, rflags, FRAME_RFLAGS);
FIELD_IS(struct trap_frame, rsp, FRAME_RSP);
FIELD_IS(struct trap_frame, ss, FRAME_SS);
FIELD_IS(struct fault_entry, access.addr, FAULT_ENTRY_ADDR);
FIELD_IS(struct fault_entry, access.flags, FAULT_ENTRY_FLAGS);
FIELD_IS(struct fault_entry, tsc, FAULT_ENTRY_TSC);
FIELD_IS(struct fault_entry, verdict, FAULT_ENTRY_VERDICT);
FIELD_IS(struct fault_entry, rip, FAULT_ENTRY_RIP);
FIELD_IS(struct fault_entry, frame, FAULT_ENTRY_FRAME);
FIELD_IS(struct fl_hist, sum, 0);
FIELD_IS(struct fl_hist, buckets, FL_HIST_COUNTS);
FIELD_IS(struct fault_verdict, class, 0);
FIELD_IS(struct fault_verdict, outcome, 1);
FIELD_IS(struct fault_verdict, si_code, 2);
_Static_assert(FAULT_SIGNAL == 1 && FAULT_FIXUP == 3, "trap.S");
_Static_assert(sizeof(struct fl_hist) == FL_HIST_SIZE, "struct fl_hist");
_Static_assert(FL_HIST_SUB_BITS == 7, "trap.S");
_Static_assert(sizeof(struct fault_entry) % 16 == 0, "the stack's alignment at a call");
_Static_assert(sizeof(struct trap_frame) == FRAME_SIZE, "struct trap_frame");
_Static_assert(sizeof(struct tss) == 104, "SDM vol. 3, figure 8-11");

enum {
	MSR_STAR = 0xc0000081,
	MSR_LSTAR = 0xc0000082,
	MSR_CSTAR = 0xc0000083,
	MSR_SFMASK = 0xc0000084,
	MSR_GS_BASE = 0xc0000101,
};

enum {
	CR4_PGE = 1u << 7,
	CR4_OSFXSR = 1u << 9,
	CR4_OSXMMEXCPT = 1u << 10,
	CR4_SMEP = 1u << 20,
	CR4_SMAP = 1u << 21,
};

#define CPUID_HTT (1u << 28)

/* What a system call clears: AC, NT, IOPL, DF, IF, TF. */
#define SYSCALL_MASK 0x47700u

#define FXSAVE_MXCSR 24
#define FXSAVE_MXCSR_MASK 28
#define FXSAVE_SIZE 512

struct cpu cpu0;
struct cpu_features cpu_features;
struct cpu *cpu_by_id[MAX_CPUS];
struct ist_stacks cpu_ist0;
static uint32_t mxcsr_mask;
static uint64_t cr4_value;

extern char syscall_entry[], syscall_entry_compat[], kpti_entry_syscall[];
extern const struct smap_site {
	uint8_t *insn;
	uint64_t third_byte;
} smap_sites_start[], smap_sites_end[];

/* ---- descriptor tables ---- */

struct table_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static void gdt_load(struct cpu *cpu, struct ist_stacks *ist)
{
	uint64_t tss = (uint64_t)&cpu->tss;
	struct table_register gdtr = {sizeof(cpu->gdt) - 1, (uint64_t)cpu->gdt};

	cpu->gdt[GDT_KERNEL_CODE / 8] = 0x00af9b000000ffff;
	cpu->gdt[GDT_KERNEL_DATA / 8] = 0x00cf93000000ffff;
	cpu->gdt[GDT_USER32_CODE / 8] = 0x00cffb000000ffff;
	cpu->gdt[GDT_USER_DATA / 8] = 0x00cff3000000ffff;
	cpu->gdt[GDT_USER_CODE / 8] = 0x00affb000000ffff;
	cpu->gdt[GDT_TSS / 8] = 0x0000890000000000 | (sizeof(struct tss) - 1) |
				(tss & 0xffffff) << 16 | (tss >> 24 & 0xff) << 56;
	cpu->gdt[GDT_TSS / 8 + 1] = tss >> 32;
	cpu->tss.ist[0] = (uint64_t)(ist->double_fault + sizeof(ist->double_fault));
	cpu->tss.ist[1] = (uint64_t)(ist->nmi + sizeof(ist->nmi));
	cpu->tss.iomap_base = sizeof(struct tss);
	__asm__ volatile("lgdt %0" ::"m"(gdtr));
	__asm__ volatile("ltr %w0" ::"r"(GDT_TSS));
	/* None: at reset it lies at address 0, and that is ring 3's to map. */
	__asm__ volatile("lldt %w0" ::"r"(0));
}

void arch_set_kernel_stack(uint64_t top)
{
	struct cpu *cpu = this_cpu();

	cpu->kernel_stack = top - 8; /* a frame leaves 16-byte alignment for the call */
	if (!cpu_features.kpti)
		cpu->tss.rsp[0] = top;
}

static void percpu_init(struct cpu *cpu, struct ist_stacks *ist)
{
	cpu->mm_cpu = &cpu->mm;
	cpu->deadline = NO_DEADLINE;
	wrmsr(MSR_GS_BASE, (uint64_t)cpu);
	wrmsr(MSR_KERNEL_GS_BASE, 0);
	gdt_load(cpu, ist);
}

void cpu_init_early(void)
{
	cpu_by_id[0] = &cpu0;
	cpu0.online = 1;
	percpu_init(&cpu0, &cpu_ist0);
	arch_set_kernel_stack((uint64_t)boot_stack_top);
	trap_init();
}

/* ---- features ---- */

struct cpuid {
	uint32_t a, b, c, d;
};

static struct cpuid cpuid(uint32_t leaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(0));
	return r;
}

unsigned cpu_count(void)
{
	struct cpuid r = cpuid(1);

	return r.d & CPUID_HTT ? r.b >> 16 & 0xff : 1;
}

unsigned cpu_apic_id(void)
{
	return cpuid(1).b >> 24;
}

static void features_detect(void)
{
	uint32_t ext = cpuid(0x80000001).d;
	struct cpuid leaf7 = {0};

	if (cpuid(0).a >= 7)
		leaf7 = cpuid(7);
	if (!(ext & 1u << 20))
		panic("cpu: no NX");
	cpu_features.quirks_pvm = cmdline_flag("quirks", "pvm");
	cpu_features.kpti = cmdline_flag("kpti", "on");
	/* Global entries would outlive the change of page tables that KPTI is about. */
	cpu_features.pge = (cpuid(1).d & 1u << 13) && !cpu_features.kpti;
	cpu_features.smep = leaf7.b & 1u << 7;
	cpu_features.smap = (leaf7.b & 1u << 20) && !cpu_features.quirks_pvm;
	cpu_features.page_1g = (ext & 1u << 26) && !cpu_features.quirks_pvm;
}

/* The text is still writable: paging_protect_kernel comes later. */
static void smap_patch(void)
{
	for (const struct smap_site *s = smap_sites_start; s < smap_sites_end; s++) {
		s->insn[1] = 0x01;
		s->insn[2] = (uint8_t)s->third_byte;
	}
}

static void write_cr4(uint64_t v)
{
	__asm__ volatile("movq %0, %%cr4" ::"r"(v) : "memory");
}

static void control_init(void)
{
	__asm__ volatile("movq %%cr4, %0" : "=r"(cr4_value));
	cr4_value |= CR4_OSFXSR | CR4_OSXMMEXCPT;
	if (cpu_features.pge)
		cr4_value |= CR4_PGE;
	if (cpu_features.smep)
		cr4_value |= CR4_SMEP;
	if (cpu_features.smap) {
		smap_patch();
		cr4_value |= CR4_SMAP;
	}
	write_cr4(cr4_value);
}

static void syscall_init(void)
{
	wrmsr(MSR_STAR, (uint64_t)GDT_USER32_CODE << 48 | (uint64_t)GDT_KERNEL_CODE << 32);
	wrmsr(MSR_LSTAR, (uint64_t)(cpu_features.kpti ? kpti_entry_syscall : syscall_entry));
	wrmsr(MSR_CSTAR, (uint64_t)syscall_entry_compat);
	wrmsr(MSR_SFMASK, SYSCALL_MASK);
}

/* ---- x87 and SSE ---- */

void arch_fpu_save(void *area)
{
	__asm__ volatile("fxsaveq (%0)" ::"r"(area) : "memory");
}

static void fxrstor(const void *area)
{
	__asm__ volatile("fxrstorq (%0)" ::"r"(area) : "memory");
}

void arch_fpu_load(const void *area)
{
	uint8_t copy[FXSAVE_SIZE] __attribute__((aligned(16)));
	uint32_t mxcsr;

	memcpy(&mxcsr, (const uint8_t *)area + FXSAVE_MXCSR, sizeof(mxcsr));
	if (likely(!(mxcsr & ~mxcsr_mask))) {
		fxrstor(area);
		return;
	}
	memcpy(copy, area, sizeof(copy));
	mxcsr &= mxcsr_mask;
	memcpy(copy + FXSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
	fxrstor(copy);
}

static void fpu_init(void)
{
	uint8_t area[FXSAVE_SIZE] __attribute__((aligned(16)));

	arch_fpu_save(area);
	memcpy(&mxcsr_mask, area + FXSAVE_MXCSR_MASK, sizeof(mxcsr_mask));
	if (!mxcsr_mask)
		mxcsr_mask = 0xffbf; /* SDM vol. 1, 11.6.6 */
	arch_fpu_reset();
}

void arch_fpu_reset(void)
{
	fxrstor(arch_fpu_initial);
}

void cpu_init(void)
{
	features_detect();
	guest_root_order = cpu_features.kpti;
	kpti_patch_exits();
	control_init();
	syscall_init();
	fpu_init();
}

void cpu_init_other(struct cpu *cpu, struct ist_stacks *ist)
{
	percpu_init(cpu, ist);
	arch_set_kernel_stack(cpu->kernel_stack);
	idt_load();
	write_cr4(cr4_value);
	syscall_init();
	arch_fpu_reset();
}

/* ---- the end ---- */

/* The first that gets here ends the machine; the others are stopped by it. */
void arch_exit(unsigned code)
{
	static uint32_t ending;

	while (port_xchg32(&ending, 1))
		port_cpu_relax();
	smp_stop_others();
	__asm__ volatile("outb %b0, %w1" ::"a"(code), "Nd"(FL_PORT_EXIT));
	for (;;)
		__asm__ volatile("cli; hlt");
}
