/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * struct page: one for each frame of memory, 64 bytes, found by frame number in port_vmemmap().
 * All zero means: never handed out. Nothing walks the whole array.
 */
#ifndef MM_PAGE_H
#define MM_PAGE_H

#include "port/port.h"

#include "mm/base/list.h"
#include "mm/base/lock.h"

struct kmem_cache;

enum page_flag {
	PG_BUDDY,    /* head of a free block of `order`; on a free list; buddy lock */
	PG_RESERVED, /* not the allocator's: kernel image, initrd; never freed, refcount ignored */
	PG_SLAB,     /* belongs to the slab allocator */
	PG_TABLE,    /* a page table; `ptl` protects its entries */
	PG_LRU,	     /* on an LRU list */
	PG_ACTIVE,
	PG_SWAPBACKED, /* anonymous */
	PG_SHMEM,      /* of an object of shared anonymous memory */
	PG_DIRTY,
	PG_PCP,	     /* free, on a per-CPU list */
	PG_LAZYFREE, /* MADV_FREE: may be dropped while no entry is dirty; the LRU lock */
};

/* What a page is allocated for, so that what cannot move does not end up everywhere. */
enum migratetype { MT_UNMOVABLE, MT_MOVABLE, MT_RECLAIMABLE, NR_MIGRATETYPES };

struct page {
	union {
		struct {
			uint32_t flags;	   /* bits by enum page_flag; owner writes plainly before it
					      is shared */
			uint32_t refcount; /* atomic; 0 = free */
		};
		uint64_t flags_refcount; /* both, for the allocator */
	};
	int32_t mapcount;    /* atomic; PTEs that map it */
	uint8_t order;	     /* of a block's head */
	uint8_t migratetype; /* in a pageblock's first page: of the pageblock; buddy lock */
	uint16_t nr_present; /* PG_TABLE: entries in use; under ptl */
	union {
		struct list_node lru;	/* free list, LRU list, partial slabs; the list's lock */
		struct page *next_free; /* PG_PCP */
	};
	union {
		struct {
			void *mapping;	/* reverse map: struct anon_space * | 1, or struct vm_file *
					 */
			uint64_t index; /* reverse map: page offset in the mapping (anonymous:
					   va >> PAGE_SHIFT) */
		};
		struct {		/* PG_TABLE */
			pte_t *entries; /* where the table itself lies */
			uint64_t piece; /* pgtable_piece() of what it covers, or PGTABLE_NO_PIECE */
		};
		struct { /* PG_SLAB */
			struct kmem_cache *slab_cache;
			void *slab_freelist; /* free objects; cache lock */
		};
	};
	union {
		struct spinlock ptl; /* PG_TABLE */
		uint64_t private;
		uint32_t slab_free; /* PG_SLAB: length of slab_freelist; cache lock */
	};
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct page) == 64, "struct page must stay one cache line");

static inline uint64_t page_to_pfn(const struct page *page)
{
	return (uint64_t)(page - port_vmemmap());
}

static inline struct page *pfn_to_page(uint64_t pfn)
{
	return port_vmemmap() + pfn;
}

/* How far behind port_vmemmap() the struct page of the frame at a physical address is, in bytes. */
static inline uint64_t page_offset(uint64_t phys)
{
	return phys / (PAGE_SIZE / sizeof(struct page));
}

static inline void *page_to_virt(const struct page *page)
{
	return port_pfn_to_virt(page_to_pfn(page));
}

static inline struct page *virt_to_page(const void *p)
{
	return pfn_to_page(port_virt_to_pfn(p));
}

/* Flags are written by the page's owner, or under the lock of the list that they speak of; the
 * buddy allocator looks whether a neighbour is free at any time. */
static inline bool page_flag(const struct page *page, enum page_flag f)
{
	return port_peek32(&page->flags) & 1u << f;
}

static inline void page_set_flags(struct page *page, uint32_t flags)
{
	port_poke32(&page->flags, flags);
}

/* Has it a single reference? */
static inline bool page_is_alone(const struct page *page)
{
	return port_peek32(&page->refcount) == 1;
}

#endif
