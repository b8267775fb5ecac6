/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One CPU: its data (reached by %gs), its descriptor tables, its control registers.
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include "port/port.h"

#include "arch/x86_64/cpu_layout.h"
#include "arch/x86_64/frame.h"
#include "kern/report/recorder.h"
#include "mm/fault/fault.h"
#include "mm/phys/mm_cpu.h"

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3, iomap_base;
} __attribute__((packed));

/* What one CPU asks of others (smp.c). */
struct cpu_request {
	enum {
		CPU_FLUSH,  /* translations: port.h, port_tlb_shootdown */
		CPU_UNLOAD, /* mm, if it is loaded, and for nothing */
		CPU_SET,    /* record into `set` */
		CPU_PCP,    /* its page lists to `pcp`: port.h, port_pcp_take */
		CPU_STOP,   /* for ever */
	} what;
	uint32_t waiting; /* CPUs that have not answered; atomic */
	struct mm *mm;
	const uint64_t *va; /* NULL: everything */
	uint32_t nr;
	enum fl_set set;
	struct pcp *pcp;
};

#define DOUBLE_FAULT_STACK_SIZE 4096u
#define NMI_STACK_SIZE 512u
#define ENTRY_STACK_SIZE 256u

/* Stacks that the CPU takes by itself (interrupt stack table). */
struct ist_stacks {
	uint8_t double_fault[DOUBLE_FAULT_STACK_SIZE] __attribute__((aligned(16)));
	uint8_t nmi[NMI_STACK_SIZE] __attribute__((aligned(16)));
} __attribute__((aligned(4096)));

struct cpu {
	struct mm_cpu *mm_cpu; /* from here to requests: cpu_layout.h */
	uint64_t kernel_stack;
	uint64_t user_rsp;
	struct mm *loaded_mm;
	uint64_t id;
	struct task *task;
	struct recorder_cpu recorder;
	uint64_t scratch, entry_stack_top;		/* kpti.S */
	uint64_t requests __attribute__((aligned(64))); /* who asks something; atomic (smp.c) */
	struct cpu_request request;			/* what this CPU asks of others */
	uint32_t online;				/* it runs the kernel; atomic */
	uint32_t lazy; /* loaded_mm is kept for the next task, and not used: atomic (port.c) */
	int64_t tlb_gen __attribute__((aligned(64))); /* loaded_mm->tlb_gen as far as this CPU has
							 flushed, or less */
	struct mm_cpu mm;
	uint64_t deadline; /* of the timer, in TSC time (lapic.c) */
	uint32_t oops_depth;
	struct tss tss;
	uint64_t gdt[GDT_ENTRIES];
	uint8_t entry_stack[ENTRY_STACK_SIZE] __attribute__((aligned(16)));
} __attribute__((aligned(4096)));

#define NO_DEADLINE UINT64_MAX

/* Features that the kernel uses where the CPU has them. */
struct cpu_features {
	bool smep, smap, pge, page_1g;
	bool kpti;	 /* kpti=on: ring 3 has page tables without the kernel (kpti.c) */
	bool quirks_pvm; /* quirks=pvm: an interpreter runs ring 0, and does not know every
			    instruction */
};

extern struct cpu cpu0;
extern struct ist_stacks cpu_ist0;
extern struct cpu *cpu_by_id[MAX_CPUS]; /* NULL: there is none, or it is not up yet */
extern struct cpu_features cpu_features;
extern char boot_stack_top[];

static inline struct cpu *this_cpu(void)
{
	struct mm_cpu *p;

	__asm__("movq %%gs:%c1, %0" : "=r"(p) : "i"(CPU_MM_CPU));
	return container_of(p, struct cpu, mm);
}

/* The address space in CR3, which may be one that a kernel task borrows. */
static inline struct mm *cpu_loaded_mm(void)
{
	struct mm *mm;

	__asm__ volatile("movq %%gs:%c1, %0" : "=r"(mm) : "i"(CPU_LOADED_MM));
	return mm;
}

static inline uint64_t read_cr2(void)
{
	uint64_t v;

	__asm__ volatile("movq %%cr2, %0" : "=r"(v));
	return v;
}

static inline uint64_t read_cr3(void)
{
	uint64_t v;

	__asm__ volatile("movq %%cr3, %0" : "=r"(v));
	return v;
}

static inline void write_cr3(uint64_t v)
{
	__asm__ volatile("movq %0, %%cr3" ::"r"(v) : "memory");
}

enum {
	MSR_FS_BASE = 0xc0000100,
	MSR_KERNEL_GS_BASE = 0xc0000102, /* ring 3's, until swapgs */
};

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (uint64_t)hi << 32 | lo;
}

static inline void wrmsr(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}

/* %gs, GDT, TSS, IDT: from here on an exception is reported. Once, before anything else. */
void cpu_init_early(void);

/* Features, control registers, the system-call entry, the x87/SSE state that programs start with.
 * Needs: the command line. */
void cpu_init(void);

/* Both for a CPU that CPU 0 starts: the same registers as there. Needs: cpu->id, cpu->kernel_stack.
 */
void cpu_init_other(struct cpu *cpu, struct ist_stacks *ist);

/* By CPUID: how many CPUs there are, and the local APIC's number of this one. */
unsigned cpu_count(void);
unsigned cpu_apic_id(void);

/* The table of gates (idt.c), filled and loaded on this CPU; and what trap.c relies on, checked. */
void trap_init(void);

/* The handler of an exception-table entry for this instruction; 0 if there is none (uaccess.S). */
uint64_t extable_lookup(uint64_t rip);

/* Interrupts, from trap.S. *frame is complete. (lapic.c, smp.c) */
void lapic_timer_interrupt(struct trap_frame *frame);
void smp_reschedule_interrupt(struct trap_frame *frame);
void smp_request_interrupt(void);

/* ---- lapic.c ---- */

/* Switches this CPU's LAPIC on; its timer stands still. The first call maps the registers. */
void lapic_init_cpu(void);

/* A CPU's number to the LAPICs: its own, shifted as apic_shift= says. */
unsigned lapic_id(unsigned cpu);

/* An interrupt for that CPU. */
void lapic_send(unsigned cpu, unsigned vector);

/* Starts the CPU of that LAPIC: INIT, and from where, `page` << 12 in real mode (SDM vol.
 * 3, 8.4.4).
 */
void lapic_send_init(unsigned id);
void lapic_send_startup(unsigned id, unsigned page);
void lapic_send_nmi(unsigned id);
void lapic_eoi(void);

/* ---- ticker.c ---- */

/* As interleave= and tickers= say, and lets turns begin. Once, before other CPUs start. */
void ticker_start(void);

/* ---- smp.c ---- */

/* STARTUP to the CPU with that APIC id, and waits until it has set *up to 1. Needs: it has had its
 * INIT. */
void smp_startup(unsigned apic_id, const uint32_t *up);

/* Waits until that CPU has set *up to 1; panics if it takes seconds. */
void smp_await(unsigned apic_id, const uint32_t *up);

/* Does what other CPUs ask of this one. */
void smp_answer(void);

/* Asks the CPUs of that mask (not this one) and waits until all have done it. */
void smp_request(uint64_t cpus, const struct cpu_request *r);

/* All CPUs that run the kernel, but this one. */
uint64_t smp_others(void);

/* Those of the mask that keep their address space loaded for nothing (arch_mm_lazy). */
uint64_t smp_lazy_cpus(uint64_t cpus);

/* Takes mm up again after arch_mm_lazy(). Needs: it is loaded. */
void smp_mm_resume(struct mm *mm);

/* No other CPU does anything any more, but for one that doesn't answer within a second. */
void smp_stop_others(void);

/* ---- segment.c ---- */

struct arch_task;

/* Ring 3's selectors and bases, from the processor and back. */
void segments_save(struct arch_task *t);
void segments_load(const struct arch_task *t);

/* ---- kpti.c: nothing of it does anything without kpti=on ---- */

/* The ways to ring 3. Needs: the text writable. */
void kpti_patch_exits(void);

/* What ring 3's page tables have of the kernel's half, and the ways from ring 3. Once, after the
 * allocator's set-up and before the first address space. */
void kpti_init(void);

/* Another CPU's part in it. */
void kpti_map_cpu(struct cpu *cpu, struct ist_stacks *ist);

/* ---- paging.c ---- */

/* Makes [start, end) of physical memory reachable through the direct map. alloc_table gives a
 * zeroed page's physical address, where one is needed; NULL: only below 4 GiB, from the static
 * pool. */
void paging_map_direct(uint64_t start, uint64_t end, uint64_t (*alloc_table)(void));

/* Text read-only, rodata and data not executable, the identity map gone. */
void paging_protect_kernel(void);

/* The LAPIC's registers, uncached, in every address space. Needs: paging_protect_kernel. */
volatile uint32_t *paging_map_lapic(uint64_t phys);

#endif
