/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The face of mm/: what the kernel's other parts ask of an address space. */
#ifndef MM_MM_H
#define MM_MM_H

#include "mm/base/mm_types.h"

/* ---- life (mm.c) ---- */

/* The map_max of address spaces made from now on, but for a fork's: MAP_COUNT_MAX, unless the boot
 * says otherwise. */
extern uint32_t mm_map_max;

/* Slab caches of mm/, and the LRU lists, empty. Once, after slab_init. */
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

/* ---- VMAs, as /proc shows them ---- */

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
#define MAP_DROPPABLE_ 0x08u
#define MAP_TYPE_ 0x0fu
#define MAP_FIXED_ 0x10u
#define MAP_ANONYMOUS_ 0x20u
#define MAP_32BIT_ 0x40u
#define MAP_ABOVE4G_ 0x80u
#define MAP_GROWSDOWN_ 0x100u
#define MAP_DENYWRITE_ 0x800u
#define MAP_EXECUTABLE_ 0x1000u
#define MAP_LOCKED_ 0x2000u
#define MAP_NORESERVE_ 0x4000u
#define MAP_POPULATE_ 0x8000u
#define MAP_NONBLOCK_ 0x10000u
#define MAP_STACK_ 0x20000u
#define MAP_HUGETLB_ 0x40000u
#define MAP_SYNC_ 0x80000u
#define MAP_FIXED_NOREPLACE_ 0x100000u
#define MAP_HUGE_SHIFT_ 26 /* of the size's logarithm, for MAP_HUGETLB */
#define MAP_HUGE_SIZE_ (63u << MAP_HUGE_SHIFT_)
#define MAP_HUGE_2MB_ (21u << MAP_HUGE_SHIFT_)
#define MAP_HUGE_1GB_ (30u << MAP_HUGE_SHIFT_)

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
#define MADV_HUGEPAGE_ 14
#define MADV_NOHUGEPAGE_ 15
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
int64_t vm_mmap(struct mm *mm, uint64_t addr, uint64_t len, unsigned prot, uint64_t map_flags,
		struct vm_file *file, uint64_t pgoff, uint32_t vm_extra);
/* What the call returns for a file that the caller may not map so, which is `error`, and looked at
 * late: the error of a check before it, if there is one. */
int64_t vm_mmap_refused(struct mm *mm, uint64_t addr, uint64_t len, uint64_t map_flags,
			int64_t error);
int64_t vm_munmap(struct mm *mm, uint64_t addr, uint64_t len);
int64_t vm_mprotect(struct mm *mm, uint64_t addr, uint64_t len, uint64_t prot);
/* The new address, or a negative error. */
int64_t vm_mremap(struct mm *mm, uint64_t addr, uint64_t old_len, uint64_t new_len, uint64_t flags,
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
/* One page, as an access of ring 3's would find it: 0, -MM_ENOMEM, or -MM_EFAULT: not to be had. */
int vm_fault_in(struct mm *mm, uint64_t addr, bool write);
/* Keeping memory in: 0 or a negative error. Where there are pages to be had, they are there
 * afterwards. (mlock.c) */
int64_t vm_mlock(struct mm *mm, uint64_t addr, uint64_t len, unsigned flags);
int64_t vm_munlock(struct mm *mm, uint64_t addr, uint64_t len);
int64_t vm_mlockall(struct mm *mm, unsigned flags);
int64_t vm_munlockall(struct mm *mm);
/* vec[i] = is page i from addr on in memory? As many of n pages as one VMA has (how many is
 * returned), or -MM_ENOMEM if there is none. Needs: addr page-aligned, below TASK_SIZE. */
int64_t vm_mincore(struct mm *mm, uint64_t addr, uint64_t n, unsigned char *vec);
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

/* The key of an address of ring 3's. What a futex without FUTEX_PRIVATE_FLAG waits on: alike in
 * every mm that maps the same shared memory, at whatever address. write: only memory that may be
 * written will do. Brings the page in. 0; -MM_EFAULT: nothing there that could change, or may be
 * looked at; -MM_ENOMEM. Needs: mm loaded on this CPU, mm->lock not held; takes it for reading.
 * (shared_key.c) */
int vm_shared_key(struct mm *mm, uint64_t addr, bool write, struct vm_key *key);

/* The new (or, if refused, the old) break. */
uint64_t vm_brk(struct mm *mm, uint64_t brk);

/* ---- checking (mm.c) ---- */

/* Tree order, colours, augmentation, list, counts, no overlap, page tables against VMAs, counters
 * against pages, reference counts. Panics with what is wrong. Needs: mm->lock. Slow. */
void mm_check(struct mm *mm);

#endif
