/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's side of port.h: x86-64 in ring 0, all memory in the direct map. */
#ifndef PORT_GUEST_PORT_IMPL_H
#define PORT_GUEST_PORT_IMPL_H

#include "arch/x86_64/cpu_layout.h"
#include "arch/x86_64/pte.h"
#include "inject.h"

extern uint64_t guest_vmemmap; /* boot_memory.c: address of frame 0's struct page */

static inline void *port_pfn_to_virt(uint64_t pfn)
{
	return (void *)(DIRECT_MAP_BASE + (pfn << PAGE_SHIFT));
}

static inline uint64_t port_virt_to_pfn(const void *p)
{
	return ((uint64_t)p - DIRECT_MAP_BASE) >> PAGE_SHIFT;
}

static inline struct page *port_vmemmap(void)
{
	return (struct page *)guest_vmemmap;
}

static inline void port_clear_page(void *p)
{
	uint64_t n = PAGE_SIZE / 8;

	__asm__ volatile("rep stosq" : "+D"(p), "+c"(n) : "a"(0ull) : "memory");
}

static inline void port_copy_page(void *to, const void *from)
{
	uint64_t n = PAGE_SIZE / 8;

	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(n)::"memory");
}

static inline void port_tlb_flush_page(struct mm *mm, uint64_t va)
{
	(void)mm;
	__asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

static inline void port_tlb_flush_all(struct mm *mm)
{
	uint64_t cr3;

	(void)mm;
	__asm__ volatile("movq %%cr3, %0" : "=r"(cr3));
	__asm__ volatile("movq %0, %%cr3" ::"r"(cr3) : "memory");
}

static inline void port_tlb_flush_kernel_page(uint64_t va)
{
	__asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

static inline void port_tlb_flush_kernel_all(void)
{
	uint64_t cr3;

	__asm__ volatile("movq %%cr3, %0" : "=r"(cr3));
	__asm__ volatile("movq %0, %%cr3" ::"r"(cr3) : "memory");
}

/* (port.c) */
void port_load_mm(struct mm *mm);
uint64_t port_other_cpus(void);
void port_tlb_shootdown(struct mm *mm, uint64_t cpus, const uint64_t *va, uint32_t nr, bool tables);
void port_pcp_take(unsigned cpu, struct pcp *to);

/* 1 with kpti=on: ring 3's top-level table follows the kernel's. (port.c, kpti.c) */
extern unsigned guest_root_order;
void port_root_init(void *kernel_root);

static inline unsigned port_root_order(void)
{
	return guest_root_order;
}

static inline void port_root_set(pte_t *entry, pte_t e)
{
	port_pte_xchg(entry, e);
	if (unlikely(guest_root_order))
		port_pte_xchg(&entry[PTRS_PER_TABLE], e);
}

/* The frame of the kernel's own top-level table. (port.c) */
uint64_t port_kernel_root_pfn(void);

/* An aligned word is loaded whole, and loads stay in order (SDM vol. 3, 9.1.1 and 9.2.2). */
static inline uint64_t port_peek64(const uint64_t *p)
{
	return *p;
}

static inline uint32_t port_peek32(const uint32_t *p)
{
	return *p;
}

static inline void port_poke64(uint64_t *p, uint64_t v)
{
	*p = v;
}

static inline void port_poke32(uint32_t *p, uint32_t v)
{
	*p = v;
}

static inline unsigned port_cpu_id(void)
{
	uint64_t id;

	__asm__("movq %%gs:%c1, %0" : "=r"(id) : "i"(CPU_ID));
	return (unsigned)id;
}

static inline struct mm_cpu *port_mm_cpu(void)
{
	struct mm_cpu *p;

	__asm__("movq %%gs:%c1, %0" : "=r"(p) : "i"(CPU_MM_CPU));
	return p;
}

/* mm_cpu.bit, without the pointer. */
static inline uint64_t port_cpu_bit(void)
{
	uint64_t bit;

	__asm__("movq %%gs:%c1, %0" : "=r"(bit) : "i"(CPU_MM_BIT));
	return bit;
}

/* trap_relax_answer (trap.S) keeps every register. */
static inline void port_cpu_relax(void)
{
	__asm__ volatile("cmpq $0, %%gs:%c0\n\t"
			 "je 1f\n\t"
			 "call trap_relax_answer\n"
			 "1:\tpause" ::"i"(CPU_REQUESTS)
			 : "memory", "cc");
}

static inline uint64_t port_tsc(void)
{
	uint64_t lo, hi; /* the processor clears the upper halves */

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return hi << 32 | lo;
}

void printk(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#define port_printk printk
#define port_panic panic

/* Freestanding: what the compiler may call for by itself. (string.c) */
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *p, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);

#endif
