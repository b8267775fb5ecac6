/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hosted port: mm/ as a library in an ordinary process, for tests and fuzzers. Contracts:
 * port.h. What tests say to it (arena, failures, panics, the software MMU): hosted.h.
 */
#ifndef PORT_IMPL_H
#define PORT_IMPL_H

#include "arch/x86_64/pte.h"

struct page;

extern unsigned char *hosted_arena; /* frame n lies at n * PAGE_SIZE */
extern struct page *hosted_vmemmap;
extern uint64_t hosted_pages; /* frames in the arena */
extern uint64_t hosted_kernel_root;
extern _Thread_local unsigned hosted_cpu_id;
extern _Thread_local struct mm_cpu *hosted_cpu;

void port_printk(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void port_panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- memory ---- */

static inline void *port_pfn_to_virt(uint64_t pfn)
{
	if (unlikely(pfn >= hosted_pages))
		port_panic("frame %lx is not in memory", pfn);
	return hosted_arena + (pfn << PAGE_SHIFT);
}

static inline uint64_t port_virt_to_pfn(const void *p)
{
	uint64_t offset = (uint64_t)p - (uint64_t)hosted_arena;

	if (unlikely(offset >> PAGE_SHIFT >= hosted_pages))
		port_panic("address %p is not in the direct map", p);
	return offset >> PAGE_SHIFT;
}

static inline struct page *port_vmemmap(void)
{
	return hosted_vmemmap;
}

/* None, unless a test has asked for a kernel half (hosted_kernel_half). */
static inline unsigned port_root_order(void)
{
	return 0;
}

static inline void port_root_init(void *root)
{
	(void)root;
}

static inline void port_root_set(pte_t *entry, pte_t e)
{
	port_pte_xchg(entry, e);
}

static inline uint64_t port_kernel_root_pfn(void)
{
	return hosted_kernel_root;
}

static inline void port_clear_page(void *p)
{
	__builtin_memset(p, 0, PAGE_SIZE);
}

static inline void port_copy_page(void *to, const void *from)
{
	__builtin_memcpy(to, from, PAGE_SIZE);
}

/* ---- MMU ---- */

void port_tlb_flush_page(struct mm *mm, uint64_t va);
void port_tlb_flush_all(struct mm *mm);
void port_tlb_shootdown(struct mm *mm, uint64_t cpus, const uint64_t *va, uint32_t nr, bool tables);
uint64_t port_other_cpus(void);
void port_pcp_take(unsigned cpu, struct pcp *to);
void port_tlb_flush_kernel_page(uint64_t va);
void port_tlb_flush_kernel_all(void);
void port_load_mm(struct mm *mm);

/* ---- CPU ---- */

static inline uint64_t port_peek64(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

static inline uint32_t port_peek32(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

static inline void port_poke64(uint64_t *p, uint64_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

static inline void port_poke32(uint32_t *p, uint32_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

static inline unsigned port_cpu_id(void)
{
	return hosted_cpu_id;
}

static inline uint64_t port_cpu_bit(void)
{
	return 1ull << hosted_cpu_id;
}

static inline struct mm_cpu *port_mm_cpu(void)
{
	return hosted_cpu;
}

/* Carries out what other CPUs ask of this one. (softmmu.c) */
void hosted_answer(void);

/* More threads than processors may wait for one another: sched_yield. (port_impl.c) */
void port_cpu_relax(void);

uint64_t port_tsc(void);

/* ---- failure injection ---- */

bool port_should_fail(void);

#endif
