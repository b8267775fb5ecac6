/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * struct mm: an address space. struct vma: one region of it.
 *
 * VMAs stand in two structures at once: an index (vma_index.h; a red-black tree by address, unless
 * the build chose another) and a list in address order. Both under mm->lock, written to by mmap and
 * friends, read by faults.
 */
#ifndef MM_MM_H
#define MM_MM_H

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
			 vma_start_gap(this); endless for two of them (vma.c) */
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
	struct vma *widest;   /* the VMA above the widest gap (vma.c) */
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

/* ---- life (mm.c) ---- */

/* The map_max of address spaces made from now on, but for a fork's: MAP_COUNT_MAX, unless the boot
 * says otherwise. */
extern uint32_t mm_map_max;

/* Slab caches of struct vma, struct mm, struct anon_root. Once, after slab_init. */
void mm_init(void);

/* An empty address space whose kernel half is the kernel's; NULL without memory. */
struct mm *mm_create(void);

/* The same for a fork of that one: limits and places as there, and mm->lock held for writing as
 * LOCK_MMAP_CHILD. */
struct mm *mm_create_for_fork(const struct mm *parent);

/* A copy of an address space, as fork makes it: the same VMAs but for those with VM_DONTCOPY, the
 * same contents but for VM_WIPEONFORK. Private pages are shared until either side writes, so both
 * lose the right to write to them. NULL without memory: then nothing has changed but that.
 * Needs: parent->lock not held; takes it for writing. (fork.c) */
struct mm *mm_fork(struct mm *parent);

/* Limits what may be mapped from now on. Needs: mm->lock not held. (limits.c) */
void mm_set_limits(struct mm *mm, const struct vm_limits *limits);

/* Where holes are searched downwards from, for a stack that may become that large: Linux's place
 * without randomisation (arch/x86/mm/mmap.c). For exec. */
uint64_t mm_mmap_base(uint64_t stack_limit);

/* Unmaps everything and frees it. Needs: loaded on no CPU. */
void mm_destroy(struct mm *mm);

/* One more thread uses it (one that is made has one user); one fewer: true if that was the last,
 * who is to unload and destroy it. */
void mm_get(struct mm *mm);
bool mm_put(struct mm *mm);

/* ---- VMAs (vma.c; to find one by address: vma_index.h) ---- */

/* Is it data to RLIMIT_DATA (Linux's is_data_mapping)? Pure. */
static inline bool vm_flags_data(uint32_t flags)
{
	return (flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) == VM_WRITE;
}

static inline uint64_t mm_data_vm(const struct mm *mm)
{
	return mm->total_vm - mm->other_vm;
}

/* A place for a new mapping. */
struct vma_place {
	uint64_t start;	  /* 0: none */
	struct vma *next; /* the VMA above it */
};

/* The highest hole of `len` bytes in [low, high); likewise the lowest. The guard gap below a
 * VM_GROWSDOWN VMA is no hole. Needs: mm->lock for writing; len > 0, low >= MMAP_MIN_ADDR, high <=
 * TASK_SIZE. O(log n). */
struct vma_place vma_hole_topdown(struct mm *mm, uint64_t len, uint64_t low, uint64_t high);
struct vma_place vma_hole_bottomup(struct mm *mm, uint64_t len, uint64_t low, uint64_t high);

/* Is this what /proc/self/maps calls [heap] or [stack]? As on Linux, a question of addresses: the
 * heap merges with its neighbours like any other mapping. Needs: mm->lock. */
static inline bool vma_is_heap(const struct vma *vma)
{
	return vma->start < vma->mm->brk && vma->end > vma->mm->start_brk;
}

static inline bool vma_is_stack(const struct vma *vma)
{
	return vma->start <= vma->mm->start_stack && vma->mm->start_stack <= vma->end;
}

/* ---- calls (mmap.c, mprotect.c, mremap.c, madvise.c, brk.c): arguments, results and errors as
 * Linux's ---- Needs: mm->lock not held; they take it. All addresses and lengths come straight from
 * ring 3. */

#define MAP_SHARED_ 0x01u
#define MAP_PRIVATE_ 0x02u
#define MAP_SHARED_VALIDATE_ 0x03u
#define MAP_TYPE_ 0x0fu
#define MAP_LEGACY_MASK_ 0x7c07f9f3u /* flags older than MAP_SHARED_VALIDATE */
#define MAP_FIXED_ 0x10u
#define MAP_ANONYMOUS_ 0x20u
#define MAP_GROWSDOWN_ 0x100u
#define MAP_LOCKED_ 0x2000u
#define MAP_NORESERVE_ 0x4000u
#define MAP_POPULATE_ 0x8000u
#define MAP_NONBLOCK_ 0x10000u
#define MAP_STACK_ 0x20000u
#define MAP_FIXED_NOREPLACE_ 0x100000u

#define PROT_READ_ 1u
#define PROT_WRITE_ 2u
#define PROT_EXEC_ 4u
#define PROT_SEM_ 8u
#define PROT_GROWSDOWN_ 0x01000000u
#define PROT_GROWSUP_ 0x02000000u

#define MREMAP_MAYMOVE_ 1u
#define MREMAP_FIXED_ 2u
#define MREMAP_DONTUNMAP_ 4u

#define MADV_NORMAL_ 0
#define MADV_RANDOM_ 1
#define MADV_SEQUENTIAL_ 2
#define MADV_WILLNEED_ 3
#define MADV_DONTNEED_ 4
#define MADV_FREE_ 8
#define MADV_DONTFORK_ 10
#define MADV_DOFORK_ 11
#define MADV_DONTDUMP_ 16
#define MADV_DODUMP_ 17
#define MADV_WIPEONFORK_ 18
#define MADV_KEEPONFORK_ 19
#define MADV_COLD_ 20
#define MADV_PAGEOUT_ 21
#define MADV_POPULATE_READ_ 22
#define MADV_POPULATE_WRITE_ 23
#define MADV_DONTNEED_LOCKED_ 24

#define MLOCK_ONFAULT_ 1u
#define MCL_CURRENT_ 1u
#define MCL_FUTURE_ 2u
#define MCL_ONFAULT_ 4u

/* The new address, or a negative error. `file` (with pgoff) is NULL for anonymous memory, and is
 * then all that makes it so: MAP_ANONYMOUS itself is the caller's to look at. pgoff has 52 bits.
 * Flags beyond those of the call (VM_GROWSDOWN, mm->def_flags) are or-ed in from vm_extra. What is
 * mapped shared: file.h. */
int64_t vm_mmap(struct mm *mm, uint64_t addr, uint64_t len, unsigned prot, unsigned map_flags,
		struct vm_file *file, uint64_t pgoff, uint32_t vm_extra);
int64_t vm_munmap(struct mm *mm, uint64_t addr, uint64_t len);
int64_t vm_mprotect(struct mm *mm, uint64_t addr, uint64_t len, unsigned prot);
/* The new address, or a negative error. */
int64_t vm_mremap(struct mm *mm, uint64_t addr, uint64_t old_len, uint64_t new_len, unsigned flags,
		  uint64_t new_addr);
int64_t vm_madvise(struct mm *mm, uint64_t addr, uint64_t len, int advice);
/* Faults every page of [start, end) in, as MADV_POPULATE_READ or _WRITE: 0 or a negative error.
 * Page by page; needs: page-aligned. (populate.c) */
int64_t vm_populate_advice(struct mm *mm, uint64_t start, uint64_t end, bool write);
/* The same as MAP_POPULATE has it: for writing where that is allowed, not where VM_LOCKONFAULT says
 * so, no errors. end <= TASK_SIZE. */
void vm_populate(struct mm *mm, uint64_t start, uint64_t end);
/* The same where VM_LOCKED. */
void vm_populate_locked(struct mm *mm, uint64_t start, uint64_t end);
/* The same where VM_LOCKED and VM_WRITE: mprotect's, which may not have come to all of it. */
void vm_populate_writable(struct mm *mm, uint64_t start, uint64_t end);
/* The same up to the first page that is not to be had: 0, -MM_ENOMEM (no memory), -MM_EFAULT. */
int vm_populate_strict(struct mm *mm, uint64_t start, uint64_t end);
/* Keeping memory in: 0 or a negative error. Where there are pages to be had, they are there
 * afterwards. (mlock.c) */
int64_t vm_mlock(struct mm *mm, uint64_t addr, uint64_t len, unsigned flags);
int64_t vm_munlock(struct mm *mm, uint64_t addr, uint64_t len);
int64_t vm_mlockall(struct mm *mm, unsigned flags);
int64_t vm_munlockall(struct mm *mm);
/* vec[i] = is page i from addr on in memory? As many of n pages as one VMA has (how many is
 * returned), or -MM_ENOMEM if there is none. Needs: addr page-aligned, below TASK_SIZE. */
int64_t vm_mincore(struct mm *mm, uint64_t addr, uint64_t n, unsigned char *vec);
/* Grows the VM_GROWSDOWN VMA above addr down to addr's page: 0 (also if there is a VMA at addr by
 * now), -MM_EFAULT (nothing there grows), -MM_EPERM (below MMAP_MIN_ADDR), or -MM_ENOMEM: no
 * memory, a limit, or too close to the VMA below. Needs: mm->lock for writing. (stack.c) */
int stack_grow(struct mm *mm, uint64_t addr);
/* What an address means: a word of an object that any mm may map, or of this mm. */
struct vm_key {
	uint64_t object; /* shared: the file's inode number, which no other ever has; private: the
			    address of the struct mm */
	uint64_t index;	 /* page: of the object; of the address space */
	uint32_t offset; /* byte in it */
	bool shared;
};

/* Are they keys of the same word? */
static inline bool vm_key_equal(const struct vm_key *a, const struct vm_key *b)
{
	return a->object == b->object && a->index == b->index && a->offset == b->offset &&
	       a->shared == b->shared;
}

/* The key of an address of ring 3's; false if nothing is mapped there. What a futex without
 * FUTEX_PRIVATE_FLAG waits on: alike in every mm that maps the same shared memory, at whatever
 * address. Needs: mm loaded on this CPU, mm->lock not held; takes it for reading. (shared_key.c) */
bool vm_shared_key(struct mm *mm, uint64_t addr, struct vm_key *key);

/* The new (or, if refused, the old) break. */
uint64_t vm_brk(struct mm *mm, uint64_t brk);

/* ---- checking (check.c) ---- */

/* Tree order, colours, augmentation, list, counts, no overlap, page tables against VMAs, counters
 * against pages, reference counts. Panics with what is wrong. Needs: mm->lock. Slow. */
void mm_check(struct mm *mm);

#endif
