/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One CPU: its data (reached by %gs), its descriptor tables, its control registers.
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include "port.h"

#include "cpu_layout.h"
#include "fault.h"
#include "frame.h"
#include "mm_cpu.h"
#include "recorder.h"

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3, iomap_base;
} __attribute__((packed));

struct cpu {
	struct mm_cpu *mm_cpu; /* from here to recorder.hist: cpu_layout.h */
	uint64_t kernel_stack;
	uint64_t user_rsp;
	struct mm *loaded_mm;
	uint64_t id;
	struct task *task;
	struct recorder_cpu recorder;
	struct mm_cpu mm;
	uint64_t deadline; /* of the timer, in TSC time (lapic.c) */
	uint32_t oops_depth;
	struct tss tss;
	uint64_t gdt[GDT_ENTRIES];
};

#define NO_DEADLINE UINT64_MAX

/* Vectors of interrupts: exceptions end at 31. A spurious one ends in four set bits (SDM vol. 3,
 * 11.9). */
enum {
	VECTOR_TIMER = 32,
	VECTOR_SPURIOUS = 47,
	NR_VECTORS,
};

/* Features that the kernel uses where the CPU has them. */
struct cpu_features {
	bool smep, smap, pge, page_1g;
	bool quirks_pvm; /* quirks=pvm: an interpreter runs ring 0, and does not know every
			    instruction */
};

extern struct cpu cpu0;
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

/* Fills the IDT (trap.c). trap_select_page_fault picks the page-fault entry for a recorder mode. */
void trap_init(void);
void trap_select_page_fault(enum fl_recorder_mode mode);

/* The handler of an exception-table entry for this instruction; 0 if there is none (uaccess.S). */
uint64_t extable_lookup(uint64_t rip);

/* The timer's interrupt (lapic.c), from trap.S: *frame is complete. */
void lapic_timer_interrupt(struct trap_frame *frame);

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
