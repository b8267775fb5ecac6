/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page-table entries of x86-64 (SDM vol. 3, 4.5, tables 4-15 to 4-20), as port.h's contract wants
 * them. Pure C: both ports include it, and the hosted port's software MMU reads the same bits.
 *
 * An entry that its owner may use no more (PROT_NONE: no PTE_PROT_USER) keeps its frame but is not
 * present to the CPU, so that neither ring 3 nor the kernel on its behalf gets through. The
 * software bit PTE_MAPPED tells such an entry from an empty one; pte_present() looks at that.
 *
 * Leaves are made accessed, and dirty if writable: a CPU never has to set those bits by an assist
 * (several hundred cycles) after a fault that was served just now.
 */
#ifndef ARCH_PTE_H
#define ARCH_PTE_H

#include "port/port.h"

#define PTE_P (1ull << 0)
#define PTE_W (1ull << 1)
#define PTE_U (1ull << 2)
#define PTE_A (1ull << 5)
#define PTE_D (1ull << 6)
#define PTE_PS (1ull << 7)     /* levels 1 and 2: a large page; level 3: reserved */
#define PTE_MAPPED (1ull << 9) /* ignored by the CPU: the entry holds a frame */
#define PTE_RSVD (1ull << 51)  /* above any MAXPHYADDR that this kernel meets: reserved */
#define PTE_NX (1ull << 63)

#define PTE_ADDR 0x0007fffffffff000ull

/* Bits of a leaf that allows `prot`. */
static inline uint64_t pte_prot_bits(unsigned prot)
{
	enum {
		BASE = PTE_A | PTE_MAPPED,
		USER = PTE_P | PTE_U,
		WRITE = PTE_W | PTE_D,
	};
	static const uint64_t bits[8] = {
		[0] = BASE | PTE_NX,
		[PTE_PROT_WRITE] = BASE | WRITE | PTE_NX,
		[PTE_PROT_EXEC] = BASE,
		[PTE_PROT_EXEC | PTE_PROT_WRITE] = BASE | WRITE,
		[PTE_PROT_USER] = BASE | USER | PTE_NX,
		[PTE_PROT_USER | PTE_PROT_WRITE] = BASE | USER | WRITE | PTE_NX,
		[PTE_PROT_USER | PTE_PROT_EXEC] = BASE | USER,
		[PTE_PROT_USER | PTE_PROT_EXEC | PTE_PROT_WRITE] = BASE | USER | WRITE,
	};

	return bits[prot & 7];
}

static inline pte_t pte_make(uint64_t pfn, unsigned prot)
{
	return (pte_t){pfn << PAGE_SHIFT | pte_prot_bits(prot)};
}

static inline pte_t pte_make_kernel(uint64_t pfn)
{
	return (pte_t){pfn << PAGE_SHIFT | PTE_NX | PTE_MAPPED | PTE_D | PTE_A | PTE_W | PTE_P};
}

static inline pte_t pte_make_table(uint64_t pfn)
{
	return (pte_t){pfn << PAGE_SHIFT | PTE_MAPPED | PTE_A | PTE_U | PTE_W | PTE_P};
}

static inline bool pte_none(pte_t e)
{
	return !e.v;
}

static inline bool pte_present(pte_t e)
{
	return e.v & PTE_MAPPED;
}

static inline bool pte_write(pte_t e)
{
	return e.v & PTE_W;
}

static inline bool pte_exec(pte_t e)
{
	return !(e.v & PTE_NX);
}

static inline bool pte_user(pte_t e)
{
	return e.v & PTE_U;
}

static inline bool pte_dirty(pte_t e)
{
	return e.v & PTE_D;
}

static inline bool pte_young(pte_t e)
{
	return e.v & PTE_A;
}

static inline uint64_t pte_pfn(pte_t e)
{
	return (e.v & PTE_ADDR) >> PAGE_SHIFT;
}

static inline uint64_t pte_phys(pte_t e)
{
	return e.v & PTE_ADDR;
}

/* Dirty stays dirty: the frame's contents have changed, whoever may write now. */
static inline pte_t pte_set_prot(pte_t e, unsigned prot)
{
	return (pte_t){(e.v & (PTE_ADDR | PTE_RSVD | PTE_A | PTE_D)) |
		       (pte_prot_bits(prot) & ~PTE_A)};
}

static inline pte_t pte_mkwrite(pte_t e)
{
	return (pte_t){e.v | PTE_W | PTE_D | PTE_A};
}

static inline pte_t pte_mkclean(pte_t e)
{
	return (pte_t){e.v & ~PTE_D};
}

static inline pte_t pte_mkold(pte_t e)
{
	return (pte_t){e.v & ~PTE_A};
}

static inline void port_pte_wrprotect(pte_t *p)
{
	__atomic_fetch_and(&p->v, ~PTE_W, __ATOMIC_SEQ_CST);
}

static inline pte_t pte_set_rsvd(pte_t e)
{
	return (pte_t){e.v | PTE_RSVD};
}

#endif
