/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel memory that is contiguous in addresses only: pages from anywhere, mapped into a part of
 * the kernel half of its own. Each area has an unmapped page in front of it and one behind it. See
 * vmalloc.c for how an address space comes to know of an area.
 */
#ifndef MM_VMALLOC_H
#define MM_VMALLOC_H

#include "port/port.h"

/* The part of the kernel half (Linux's place for it), by entries of the top-level table. */
#define VMALLOC_START 0xffffc90000000000ull
#define VMALLOC_SLOT_SIZE (1ull << 39)
#define VMALLOC_SLOTS 16u
#define VMALLOC_END (VMALLOC_START + VMALLOC_SLOTS * VMALLOC_SLOT_SIZE)
#define VMALLOC_MAX (1ull << 30) /* bytes of one area */

/* Every address space has the first slot's entry from its birth, so that no access to it takes a
 * fault for that: kernel stacks are there, on which a fault could not be taken. The others are
 * synchronised lazily. */
#define VMALLOC_EAGER_SLOT 0u
#define VMALLOC_LAZY_SLOT 1u

struct mm;

/* Once, after slab_init and before the first mm_create: 0, or -MM_ENOMEM. */
int vmalloc_init(void);

/* An area of `size` bytes, rounded up to pages, in that slot; contents undefined. NULL without
 * memory, or if size is 0 or beyond VMALLOC_MAX. Takes `vmalloc`, for short. */
void *vmalloc_slot(unsigned slot, size_t size);

static inline void *vmalloc(size_t size)
{
	return vmalloc_slot(VMALLOC_LAZY_SLOT, size);
}

/* The reverse; NULL is fine. Needs: p is what vmalloc returned, and nobody uses the area any more.
 */
void vfree(void *p);

/* Is [addr, addr + n) inside one area? Needs: nobody frees it meanwhile. */
bool vmalloc_holds(uint64_t addr, size_t n);

/* Does p begin an area? The same need. */
bool vmalloc_is_area(uint64_t p);

/* Takes the lazy slots' entries out of a new mm's copy of the kernel's top-level table. */
static inline void vmalloc_forget(pte_t *root)
{
	unsigned first = VMALLOC_START / VMALLOC_SLOT_SIZE % PTRS_PER_TABLE + VMALLOC_LAZY_SLOT;

	__builtin_memset(&root[first], 0, (VMALLOC_SLOTS - VMALLOC_LAZY_SLOT) * sizeof(*root));
}

/* A kernel access to addr, in the area, found nothing mapped in mm: true if the kernel's own tables
 * map it, and mm's now lead there, so that the access can be made again. Takes no lock. */
bool vmalloc_fault(struct mm *mm, uint64_t addr);

/* Areas there are. For tests. */
uint64_t vmalloc_nr_areas(void);

/* Panics unless areas are in order, apart, and mapped from end to end with nothing around. Slow. */
void vmalloc_check(void);

#endif
