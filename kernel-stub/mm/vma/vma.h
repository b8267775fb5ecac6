/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing the set of VMAs: what mmap.c, mprotect.c, madvise.c and brk.c share. Inside mm/ only.
 *
 * Nothing here allocates but the functions that say so, and nothing else here can fail: a call gets
 * every struct vma that it may need first, in a struct vma_spare, and then changes the address
 * space. So a call that ends in -MM_ENOMEM has changed nothing.
 *
 * All of these need mm->lock for writing.
 */
#ifndef MM_VMA_H
#define MM_VMA_H

#include "mm/base/mm_errno.h"
#include "mm/object/file.h"
#include "mm/phys/slab.h"
#include "mm/rmap/anon.h"
#include "mm/vma/mmap_lock.h"
#include "mm/vma/vma_index.h"

/* The rights that the flags give a page (enum pte_prot). On x86 writable and executable pages can
 * be read; a page without any right is not ring 3's at all. Pure. */
static inline uint32_t vma_prot(uint32_t flags)
{
	return (flags & VM_ACCESS_FLAGS ? PTE_PROT_USER : 0) |
	       (flags & VM_WRITE ? PTE_PROT_WRITE : 0) | (flags & VM_EXEC ? PTE_PROT_EXEC : 0);
}

/* Is its memory anonymous, though it may be called by a file's name (/dev/zero)? */
static inline bool vma_is_anonymous(const struct vma *vma)
{
	return !vma->file || vma->file->kind == VM_FILE_ZERO;
}

/* Most mappings are data and not locked, and so count in total_vm alone. Pure. */
static inline bool vma_counts_elsewhere(uint32_t flags)
{
	return (flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN | VM_LOCKED)) != VM_WRITE;
}

static inline void vma_set_flags(struct vma *vma, uint32_t flags)
{
	vma->flags = flags;
	vma->prot = (uint16_t)vma_prot(flags);
	vma->elsewhere = vma_counts_elsewhere(flags);
}

/* Where the VMA starts for others: below a stack lies the guard gap. */
static inline uint64_t vma_start_gap(const struct vma *vma)
{
	if (likely(!(vma->flags & VM_GROWSDOWN)))
		return vma->start;
	return vma->start > STACK_GUARD_GAP ? vma->start - STACK_GUARD_GAP : 0;
}

/* Where the search for a hole goes upwards from when there is none below mmap_base (Linux's
 * TASK_UNMAPPED_BASE). */
#define UNMAPPED_BASE ((TASK_SIZE / 3 + PAGE_SIZE - 1) & PAGE_MASK)

/* A page-aligned length: 0 if it does not fit 64 bits. */
static inline uint64_t page_align(uint64_t len)
{
	return (len + PAGE_SIZE - 1) & PAGE_MASK;
}

/* ---- holes (vma_gap.c) ---- */

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

/* ---- limits (limits.c) ---- */

/* May so many more pages of these flags be mapped? The slow half asks each limit. */
bool vm_may_expand_slow(const struct mm *mm, uint32_t flags, uint64_t pages);
static inline bool vm_may_expand(const struct mm *mm, uint32_t flags, uint64_t pages)
{
	return likely(mm->total_vm + pages <= mm->free_limit) ||
	       vm_may_expand_slow(mm, flags, pages);
}

/* Pages of [start, end) that `first`, the first VMA with end > start, and those after it map. */
uint64_t vma_pages_in(const struct vma *first, uint64_t start, uint64_t end);

/* ---- memory for VMAs ---- */

#define VMA_SPARE_MAX 2

extern struct kmem_cache vma_cache;

struct vma_spare {
	struct vma *vma[VMA_SPARE_MAX];
	unsigned n;
};

/* Gives back what was not used. */
void vma_spare_drop(struct vma_spare *spare);

/* n <= VMA_SPARE_MAX objects, and what the index needs for them; or -MM_ENOMEM and none. Only one
 * spare of an mm may be filled at a time. */
static inline int vma_spare_fill(struct mm *mm, struct vma_spare *spare, unsigned n)
{
	spare->n = 0;
	if (n && unlikely(vma_index_reserve(mm, n)))
		return -MM_ENOMEM;
	for (; spare->n < n; spare->n++) {
		struct vma *vma = kmem_cache_alloc(&vma_cache);

		if (unlikely(!vma)) {
			vma_spare_drop(spare);
			return -MM_ENOMEM;
		}
		spare->vma[spare->n] = vma;
	}
	return 0;
}

/* Slab cache; by mm_init(). */
void vma_init(void);

/* ---- one range that is not mapped: mmap, brk ---- */

/* What a new mapping will be. */
struct vma_new {
	uint64_t start, end;
	uint32_t flags;
	struct vm_file *file;
	uint64_t pgoff; /* of start */
};

/* Neighbours that it can be one VMA with; NULL: not with that one. */
struct vma_neighbours {
	struct vma *left, *right;
};

/* Could `vma`, once it touches the range, be one with it? Pure. */
static inline bool vma_joins(const struct vma *vma, const struct vma_new *new,
			     const struct anon_root *anon)
{
	return vma->flags == new->flags && vma->file == new->file &&
	       vma->pgoff - (vma->start >> PAGE_SHIFT) == new->pgoff - (new->start >> PAGE_SHIFT) &&
	       anon_compatible(vma->anon, anon);
}

/* `prev` and `next` are the VMAs round the range (they may overlap its edges, if those parts go
 * before vma_map()); `anon` is the root that its pages have, NULL for new ones. Pure. */
static inline __attribute__((always_inline)) struct vma_neighbours
vma_plan_map(const struct vma_new *new, struct vma *prev, struct vma *next,
	     const struct anon_root *anon)
{
	struct vma_neighbours n = {NULL, NULL};

	if (prev && prev->end >= new->start &&vma_joins(prev, new, anon))
		n.left = prev;
	if (next && next->start <= new->end &&vma_joins(next, new, anon))
		n.right = next;
	if (n.left && n.right && !anon_compatible(prev->anon, next->anon))
		n.right = NULL;
	return n;
}

/* Maps a free range as planned; `next` is the first VMA beyond it. A VMA of its own takes one spare
 * object and a reference to the file. */
void vma_map(struct mm *mm, const struct vma_new *new, struct vma *next, struct vma_neighbours n,
	     struct vma_spare *spare);

/* Lowers the VMA's start: what a fault below a VM_GROWSDOWN one does. Needs: nothing mapped from
 * `start` on; file NULL. */
void vma_extend_down(struct vma *vma, uint64_t start);

/* Grows the VM_GROWSDOWN VMA above addr down to addr's page: 0 (also if there is a VMA at addr by
 * now), -MM_EFAULT (nothing there grows), -MM_EPERM (below MMAP_MIN_ADDR), or -MM_ENOMEM: no
 * memory, a limit, or too close to the VMA below. Needs: mm->lock for writing. (stack.c) */
int stack_grow(struct mm *mm, uint64_t addr);

static inline unsigned vma_map_needs(struct vma_neighbours n)
{
	return !n.left && !n.right;
}

/* ---- taking a range away: munmap, brk, MAP_FIXED ---- */

/* How many spare objects vma_unmap() will use: 1 to cut a hole into `first`. `first` is the first
 * VMA with end > start. */
static inline unsigned vma_unmap_needs(const struct vma *first, uint64_t start, uint64_t end)
{
	return first && first->start < start && end < first->end;
}

/* vm_munmap() for a call that holds mm->lock (mmap.c). */
int64_t vm_munmap_locked(struct mm *mm, uint64_t addr, uint64_t len);

/* Takes [start, end) away: VMAs, and page tables left empty. Needs: no page left there (zap_range).
 */
void vma_unmap(struct mm *mm, struct vma *first, uint64_t start, uint64_t end,
	       struct vma_spare *spare);

/* ---- changing the flags of a range: mprotect, madvise ---- */

/* The change of one VMA, planned. */
struct vma_change {
	struct vma *vma;
	uint64_t start, end;	  /* within vma */
	uint32_t flags;		  /* its new ones */
	struct vma *left, *right; /* neighbours that the range joins */
	unsigned nr_new;	  /* spare objects that it uses */
};

/* Plans it; changes nothing. Needs: vma->start <= start < end <= vma->end. */
void vma_plan_change(struct vma_change *change, struct vma *vma, uint64_t start, uint64_t end,
		     uint32_t flags);

/* Carries it out. Returns the VMA that holds the range then. */
struct vma *vma_do_change(const struct vma_change *change, struct vma_spare *spare);

/* So many pages change their flags, which whoever sets them by himself has to count. The first: no
 * flag that counts but VM_WRITE. */
static inline void vma_count_writable(struct mm *mm, uint32_t from, uint32_t to, uint64_t pages)
{
	if ((from ^ to) & VM_WRITE && !(to & (VM_SHARED | VM_GROWSDOWN)))
		mm->other_vm += to & VM_WRITE ? -pages : pages;
}

static inline void vma_count_change(struct mm *mm, uint32_t from, uint32_t to, uint64_t pages)
{
	vma_count_writable(mm, from, to, pages);
	if (unlikely((from ^ to) & VM_LOCKED))
		mm->locked_vm += to & VM_LOCKED ? pages : -pages;
}

/* Spare objects for changing [start, end) VMA by VMA, of which `first` was planned: at most one
 * more than it uses, for the VMA that `end` cuts. 0 or -MM_ENOMEM. */
int vma_spare_for_changes(struct vma_spare *spare, const struct vma_change *first, uint64_t end);

/* Appends a copy of a VMA of another mm, as fork makes it: not locked; with an inherited anon_root,
 * if it has one and the child shares its pages. NULL without memory. Needs: all VMAs of `mm` below
 * it. */
struct vma *vma_fork(struct mm *mm, const struct vma *from);

/* Frees every VMA without a look at the pages: they are gone. For mm_destroy(). */
void vma_free_all(struct mm *mm);

/* Index and list against one another and against the sums. For mm_check(). (vma_check.c) */
void vma_check(struct mm *mm);

#endif
