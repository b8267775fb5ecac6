/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * struct mm: an address space. struct vma: one region of it. What all of mm/ knows of them; what
 * can be done with them is in mm/mm.h and in each folder.
 *
 * VMAs stand in two structures at once: an index (vma_index.h; a red-black tree by address, unless
 * the build chose another) and a list in address order. Both under mm->lock, written to by mmap and
 * friends, read by faults.
 */
#ifndef MM_MM_TYPES_H
#define MM_MM_TYPES_H

#include "port/port.h"

#include "mm/base/list.h"
#include "mm/base/lock.h"
#include "vma_index_types.h"

struct vm_file;
struct anon_root;

enum vm_flag {
	VM_READ = 1u << 0,
	VM_WRITE = 1u << 1,
	VM_EXEC = 1u << 2,
	VM_SHARED = 1u << 3,
	VM_MAYREAD = 1u << 4,
	VM_MAYWRITE = 1u << 5,
	VM_MAYEXEC = 1u << 6,
	VM_DONTCOPY = 1u << 7,	   /* MADV_DONTFORK */
	VM_GROWSDOWN = 1u << 8,	   /* MAP_GROWSDOWN_ */
	VM_WIPEONFORK = 1u << 9,   /* MADV_WIPEONFORK */
	VM_ACCOUNT = 1u << 10,	   /* counts as committed: nothing but merging looks at it */
	VM_SEQ_READ = 1u << 11,	   /* MADV_SEQUENTIAL */
	VM_RAND_READ = 1u << 12,   /* MADV_RANDOM */
	VM_LOCKED = 1u << 13,	   /* MAP_LOCKED_, mlock */
	VM_NORESERVE = 1u << 14,   /* MAP_NORESERVE_ */
	VM_LOCKONFAULT = 1u << 15, /* MLOCK_ONFAULT: with VM_LOCKED */
	VM_DONTDUMP = 1u << 16,	   /* MADV_DONTDUMP */
	VM_NOHUGEPAGE = 1u << 17,  /* MAP_STACK_, MADV_NOHUGEPAGE */
	VM_DROPPABLE = 1u << 18,   /* MAP_DROPPABLE_ */
	VM_SYNC = 1u << 19,	   /* MAP_SYNC_: like VM_ACCOUNT */
	VM_HUGEPAGE = 1u << 20,	   /* MADV_HUGEPAGE: nothing looks at it yet */
};

#define VM_ACCESS_FLAGS (VM_READ | VM_WRITE | VM_EXEC)
#define VM_LOCKED_MASK (VM_LOCKED | VM_LOCKONFAULT)

struct vma {
	uint64_t start, end; /* [start, end), page-aligned, start < end <= TASK_SIZE */
	uint32_t flags;	     /* enum vm_flag */
	/* What follows from flags (vma_set_flags): */
	uint16_t prot;	    /* enum pte_prot (private: without WRITE for file pages until copied) */
	uint16_t elsewhere; /* counts in more than total_vm */
	struct vma_link link; /* in mm->index */
	struct vma *prev, *next;
	uint64_t gap; /* bytes that a hole search may use between prev->end (or MMAP_MIN_ADDR) and
			 vma_start_gap(this); endless for two of them (vma_gap.c) */
	struct mm *mm;
	struct vm_file *file; /* NULL: anonymous; holds a reference */
	uint64_t pgoff;	      /* page of the file that `start` maps; anonymous: start >> PAGE_SHIFT
				 when it was made, so that neighbours can merge (mremap takes it
				 along) */
	struct anon_root *anon;
	struct list_node i_mmap; /* of file->i_mmap, if that has one; its lock */
};

#define MMAP_MIN_ADDR 0x10000ull
#define MAP_COUNT_MAX 65530u /* Linux's sysctl_max_map_count */
#define STACK_GUARD_GAP (256ull << PAGE_SHIFT)

/* Limits of a process, in bytes as setrlimit has them. */
struct vm_limits {
	uint64_t as, stack;	 /* RLIMIT_AS, RLIMIT_STACK: the soft ones */
	uint64_t data, data_max; /* RLIMIT_DATA, soft and hard */
};
#define VM_LIMIT_NONE UINT64_MAX
#define VM_LIMITS_DEFAULT                                                                          \
	((struct vm_limits){VM_LIMIT_NONE, 8u << 20, VM_LIMIT_NONE, VM_LIMIT_NONE})

/* A reader-writer lock whose readers share nothing: mmap_lock.h. */
struct mmap_lock {
	uint64_t writer; /* the bit of the CPU that writes; 0: none */
};

struct mm {
	struct mmap_lock lock; /* LOCK_MMAP */
	struct vma_index index;
	struct vma *first, *last;
	struct vma *last_hit; /* a hint for vma_find; written racily, checked against [start, end)
				 by its reader under lock; cleared when its VMA goes */
	struct vma *widest;   /* the VMA above the widest gap (vma_gap.c) */
	uint64_t hole_bound;  /* no gap between it and mmap_base is wider */
	uint32_t map_count, map_max;
	uint32_t users;	    /* threads; atomic */
	uint64_t mmap_base; /* holes are searched downwards from here */
	uint64_t start_brk, brk;
	uint64_t start_stack, arg_start, arg_end;
	struct spinlock table_lock; /* LOCK_PTL_UPPER */
	uint64_t root_pfn;	    /* the top-level table */
	struct page *last_table;    /* a hint for pgtable_get: the lowest-level table of the last
				       fault, or the root */
	int64_t rss_anon, rss_file, rss_shmem; /* pages; atomic */
	int64_t nr_tables;		       /* page-table pages below the root; atomic */
	/* Pages mapped, as Linux counts them; lock. Of total_vm: stack_vm is what grows down,
	 * data_vm is private, writable and doesn't. other_vm is all but data: so most mappings
	 * count in one place. */
	uint64_t total_vm, other_vm, stack_vm, locked_vm;
	uint32_t def_flags;  /* VM_LOCKED_MASK that mappings made from now on have (MCL_FUTURE) */
	uint64_t free_limit; /* pages that total_vm may reach before a limit has to be looked at */
	uint64_t as_limit, data_limit, stack_limit; /* pages */
	uint64_t brk_limit;			    /* bytes of heap and data_size */
	uint64_t data_size;			    /* bytes of the program's data segment */
	uint64_t text_size;			    /* bytes of its text, in whole pages */
	uint64_t cpus;	    /* CPUs that may hold translations of it; atomic (port_load_mm) */
	int64_t tlb_gen;    /* flushes that other CPUs were asked for; atomic (tlb.h) */
	void *anon_mapping; /* page->mapping of the pages made here (anon_space.h) */
	struct list_node anon_mms; /* in its anon_space; LOCK_ANON */
};

/* Is it data to RLIMIT_DATA (Linux's is_data_mapping)? Pure. */
static inline bool vm_flags_data(uint32_t flags)
{
	return (flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) == VM_WRITE;
}

static inline uint64_t mm_data_vm(const struct mm *mm)
{
	return mm->total_vm - mm->other_vm;
}

#endif
