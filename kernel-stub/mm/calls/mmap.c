/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mmap and munmap. Arguments are checked in Linux's order (mm/mmap.c, do_mmap and below), as for a
 * caller with CAP_SYS_RAWIO, which may map below mmap_min_addr by MAP_FIXED:
 *
 *   1. length 0                                   EINVAL
 *   2. length that overflows                      ENOMEM
 *   3. file offset + length that overflows: not with a pgoff of 52 bits
 *   4. more VMAs than map_max                     ENOMEM
 *   5. a place: longer than the address space or no hole ENOMEM; MAP_FIXED beyond it ENOMEM,
 *      unaligned EINVAL
 *   6. MAP_FIXED_NOREPLACE on something           EEXIST
 *   7. file offset + length beyond any file       EOVERFLOW
 *   8. a mapping type that does not exist         EINVAL; flags that a file refuses: what
 *      MAP_SHARED_VALIDATE does not know, MAP_SYNC  EOPNOTSUPP
 *
 *   9. RLIMIT_AS, RLIMIT_DATA (limits.c): what MAP_FIXED replaces does not count   ENOMEM
 *
 * MAP_HUGETLB has checks of its own, in the same order (mmap_huge).
 *
 * Then memory is got, what MAP_FIXED replaces is unmapped, and the range is mapped.
 */
#include "mm/mm.h"

#include "mm/base/mm_errno.h"
#include "mm/calls/mm_call_flags.h"
#include "mm/calls/place.h"
#include "mm/object/shmem.h"
#include "mm/vma/vma.h"
#include "mm/walk/zap.h"

#define FILE_SIZE_MAX 0x7fffffffffffffffull /* Linux's MAX_LFS_FILESIZE */

/* A request as it goes through the phases, which are inlined: its address is taken nowhere, so that
 * it stays in registers. */
struct mmap_request {
	struct mm *mm;
	uint64_t addr, len, map_flags;
	uint32_t flags;
	struct vm_file *file;
	uint64_t pgoff;
	struct vma_place place; /* .next: the first VMA with end > start */
};

static inline bool mmap_fixed(const struct mmap_request *r)
{
	return r->map_flags & (MAP_FIXED_ | MAP_FIXED_NOREPLACE_);
}

/* Checks 1 to 4. */
static inline __attribute__((always_inline)) int mmap_check(struct mmap_request *r)
{
	uint64_t len = r->len;

	r->len = page_align(len);
	if (!r->len)
		return len ? -MM_ENOMEM : -MM_EINVAL;
	if (r->mm->map_count > r->mm->map_max)
		return -MM_ENOMEM;
	return 0;
}

/* Where a hint lies: on a page that may be mapped. 0: there is none. */
static inline uint64_t mmap_hint(uint64_t addr)
{
	uint64_t hint = addr & PAGE_MASK;

	return hint && hint < MMAP_MIN_ADDR ? MMAP_MIN_ADDR : hint;
}

/* A place that needs a closer look: for a flag, a file, or a length that huge pages could serve. */
static __attribute__((noinline)) struct vma_place mmap_place_best(struct mmap_request r)
{
	struct place_request p = {mmap_hint(r.addr), r.len, r.map_flags, r.file, r.pgoff};

	return place_best(r.mm, &p);
}

/* Any other, with a hint or without. */
static inline __attribute__((always_inline)) struct vma_place
mmap_place_plain(const struct mmap_request *r)
{
	struct vma_place place;

	if (likely(!(r->addr & PAGE_MASK)) ||
	    !place_hint(r->mm, mmap_hint(r->addr), r->len, TASK_SIZE, &place))
		return place_anywhere(r->mm, r->len);
	return place;
}

/* Check 5 of MAP_FIXED. */
static inline __attribute__((always_inline)) int mmap_place_fixed(struct mmap_request *r)
{
	if (r->len > TASK_SIZE || r->addr > TASK_SIZE - r->len)
		return -MM_ENOMEM;
	if (r->addr & ~PAGE_MASK)
		return -MM_EINVAL;
	r->place = (struct vma_place){r->addr, vma_find(r->mm, r->addr)};
	return 0;
}

/* Check 5. (A hole that is too short needs no other look at the length.) */
static inline __attribute__((always_inline)) int mmap_place(struct mmap_request *r)
{
	if (mmap_fixed(r))
		return mmap_place_fixed(r);
	if (unlikely(r->map_flags & (MAP_32BIT_ | MAP_ABOVE4G_)) || r->file ||
	    unlikely(!(r->len & (PMD_SIZE - 1))))
		r->place = mmap_place_best(*r);
	else
		r->place = mmap_place_plain(r);
	return r->place.start ? 0 : -MM_ENOMEM;
}

#define MMAP_SHARED 1
#define MMAP_DROPPABLE 2

/* Checks 7 and 8 of a file that has `size` bytes at most: 0 for a private mapping, MMAP_SHARED, or
 * an error. */
static int mmap_type_of_file(uint64_t map_flags, uint64_t len, uint64_t pgoff, uint64_t size)
{
	int err = mmap_check_file_type(map_flags);

	if (pgoff > (size - len) >> PAGE_SHIFT)
		return -MM_EOVERFLOW;
	if (err)
		return err;
	if (map_flags & MAP_GROWSDOWN_)
		return -MM_EINVAL;
	return (map_flags & MAP_TYPE_) == MAP_PRIVATE_ ? 0 : MMAP_SHARED;
}

/* The same; a device's offsets have no end, and it knows nothing of MAP_SYNC. */
static __attribute__((noinline)) int mmap_type_file(uint64_t map_flags, uint64_t len,
						    uint64_t pgoff, const struct vm_file *file)
{
	bool device = file->kind == VM_FILE_ZERO;
	int type = mmap_type_of_file(map_flags, len, pgoff, device ? UINT64_MAX : FILE_SIZE_MAX);
	int refused = type < 0 || device ? 0 : call_flags_check(&mmap_flags, map_flags);

	return refused ? refused : type;
}

/* The same of anonymous memory: MMAP_DROPPABLE as well. */
static __attribute__((noinline)) int mmap_type_apart(uint64_t map_flags)
{
	switch (map_flags & MAP_TYPE_) {
	case MAP_SHARED_:
		return map_flags & MAP_GROWSDOWN_ ? -MM_EINVAL : MMAP_SHARED;
	case MAP_DROPPABLE_:
		return map_flags & (MAP_GROWSDOWN_ | MAP_LOCKED_) ? -MM_EINVAL : MMAP_DROPPABLE;
	default:
		return -MM_EINVAL;
	}
}

static inline int mmap_type(const struct mmap_request *r)
{
	if (r->file)
		return mmap_type_file(r->map_flags, r->len, r->pgoff, r->file);
	if (likely((r->map_flags & MAP_TYPE_) == MAP_PRIVATE_))
		return 0;
	return mmap_type_apart(r->map_flags);
}

/* Some are the same bits in the call. */
_Static_assert(VM_READ == PROT_READ_ && VM_WRITE == PROT_WRITE_ && VM_EXEC == PROT_EXEC_, "PROT_");
_Static_assert(VM_GROWSDOWN == MAP_GROWSDOWN_ && VM_LOCKED == MAP_LOCKED_ &&
		       VM_NORESERVE == MAP_NORESERVE_ && VM_NOHUGEPAGE == MAP_STACK_ &&
		       VM_SYNC == MAP_SYNC_,
	       "MAP_");

static uint32_t mmap_vm_flags(unsigned prot, uint64_t map_flags)
{
	uint32_t flags = VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;

	flags |= prot & VM_ACCESS_FLAGS;
	flags |= (uint32_t)map_flags &
		 (VM_GROWSDOWN | VM_LOCKED | VM_NORESERVE | VM_NOHUGEPAGE | VM_SYNC);
	if ((flags & (VM_WRITE | VM_NORESERVE)) == VM_WRITE)
		flags |= VM_ACCOUNT;
	return flags;
}

/* Is there something in [.., end)? `next` is the first VMA beyond its start. */
static inline bool mmap_place_taken(uint64_t end, const struct vma *next)
{
	return next && next->start < end;
}

/* Maps the range, which is free; `next` is the VMA above it. */
static inline __attribute__((always_inline)) int64_t
mmap_free_place(struct mm *mm, const struct vma_new *new, struct vma *next)
{
	struct vma_neighbours n = vma_plan_map(new, next ? next->prev : mm->last, next, NULL);
	struct vma_spare spare;

	if (!vm_may_expand(mm, new->flags, (new->end - new->start) >> PAGE_SHIFT))
		return -MM_ENOMEM;
	if (vma_spare_fill(mm, &spare, vma_map_needs(n)))
		return -MM_ENOMEM;
	vma_map(mm, new, next, n, &spare);
	return (int64_t) new->start;
}

/* MAP_FIXED: gets memory for everything, unmaps what is there, maps. `first` is the first VMA with
 * end > new->start. */
static __attribute__((noinline)) int64_t mmap_replace(struct mm *mm, const struct vma_new *new,
						      struct vma *first)
{
	uint64_t start = new->start, end = new->end;
	struct vma *prev = first->start < start ? first : first->prev;
	struct vma *next = vma_find(mm, end);
	unsigned cut = vma_unmap_needs(first, start, end);
	struct vma_neighbours n = vma_plan_map(new, prev, next, NULL);
	struct vma_spare spare;

	if (cut && mm->map_count >= mm->map_max)
		return -MM_ENOMEM;
	if (!vm_may_expand(mm, new->flags,
			   ((end - start) >> PAGE_SHIFT) - vma_pages_in(first, start, end)))
		return -MM_ENOMEM;
	if (vma_spare_fill(mm, &spare, cut + vma_map_needs(n)))
		return -MM_ENOMEM;
	zap_range(mm, start, end);
	vma_unmap(mm, first, start, end, &spare);
	if (cut) {
		next = first->next;
		n = vma_plan_map(new, first, next, NULL);
	}
	vma_map(mm, new, next, n, &spare);
	return (int64_t)start;
}

/* Inline for the sake of private memory, which comes past mmap_shared(). */
static inline __attribute__((always_inline)) int64_t
mmap_place_or_replace(struct mm *mm, const struct vma_new *new, struct vma *next)
{
	if (unlikely(mmap_place_taken(new->end, next)))
		return mmap_replace(mm, new, next);
	return mmap_free_place(mm, new, next);
}

/* A shared mapping: of what the file has, or of an object made for it. It is never committed memory
 * in the sense of VM_ACCOUNT: on Linux the object is. */
static __attribute__((noinline)) int64_t mmap_shared(struct mm *mm, struct vma_new *new,
						     struct vma *next)
{
	struct vm_file *object;
	int64_t ret;

	new->flags = (new->flags | VM_SHARED) & ~(uint32_t)VM_ACCOUNT;
	if (new->file &&new->file->read_only) {
		new->flags &= ~(uint32_t)VM_MAYWRITE;
		return new->flags &VM_WRITE ? -MM_EACCES : mmap_place_or_replace(mm, new, next);
	}
	object = shmem_create((new->end - new->start) >> PAGE_SHIFT);
	if (!object)
		return -MM_ENOMEM;
	new->pgoff = new->file ? new->pgoff : 0;
	new->file = object;
	ret = mmap_place_or_replace(mm, new, next);
	vm_file_put(object); /* the VMA has one */
	return ret;
}

/* MAP_DROPPABLE: memory that may be taken away at any time, which is no secret of a child's or a
 * core file's. */
static uint32_t mmap_droppable(uint32_t flags)
{
	return (flags | VM_DROPPABLE | VM_NORESERVE | VM_WIPEONFORK | VM_DONTDUMP) &
	       ~(uint32_t)(VM_ACCOUNT | VM_LOCKED_MASK);
}

/* Checks 1 to 6. */
static inline __attribute__((always_inline)) int mmap_find(struct mmap_request *r)
{
	int err = mmap_check(r);

	if (!err)
		err = mmap_place(r);
	if (!err && mmap_place_taken(r->place.start + r->len, r->place.next) &&
	    r->map_flags & MAP_FIXED_NOREPLACE_)
		return -MM_EEXIST;
	return err;
}

static inline int64_t mmap_locked(struct mmap_request *r)
{
	struct vma *next;
	struct vma_new new;
	int err = mmap_find(r);

	if (!err)
		err = mmap_type(r);
	if (err < 0)
		return err;
	new.start = r->place.start;
	new.end = new.start + r->len;
	next = r->place.next;
	new.flags = r->flags;
	new.file = r->file;
	new.pgoff = r->file ? r->pgoff : new.start >> PAGE_SHIFT;
	if (unlikely(err == MMAP_SHARED))
		return mmap_shared(r->mm, &new, next);
	if (unlikely(err == MMAP_DROPPABLE))
		new.flags = mmap_droppable(new.flags);
	return mmap_place_or_replace(r->mm, &new, next);
}

/* ---- explicit huge pages: there are none ---- */

/* Bytes of a page of the size asked for; 0: a size that there is not on x86. Pure. */
static uint64_t huge_page_size(uint64_t map_flags)
{
	switch ((map_flags & MAP_HUGE_SIZE_) >> MAP_HUGE_SHIFT_) {
	case 0:
	case MAP_HUGE_2MB_ >> MAP_HUGE_SHIFT_:
		return PMD_SIZE;
	case MAP_HUGE_1GB_ >> MAP_HUGE_SHIFT_:
		return 1ull << 30;
	default:
		return 0;
	}
}

/* Is there a place for it, in whole pages of that size? 0 or an error. */
static int huge_place(struct mmap_request *r, uint64_t page)
{
	if (r->mm->map_count > r->mm->map_max || r->len > TASK_SIZE)
		return -MM_ENOMEM;
	if (!mmap_fixed(r))
		return place_find(r->mm, 0, r->len + page - PAGE_SIZE, r->map_flags).start
			       ? 0
			       : -MM_ENOMEM;
	if (r->addr & (page - 1))
		return -MM_EINVAL;
	return r->addr > TASK_SIZE - r->len ? -MM_ENOMEM : 0;
}

/* A request for explicit huge pages (as Linux's, of a file that nobody sees) that lacks nothing but
 * the pages. As there they are found missing last: what MAP_FIXED names is unmapped by then. */
static int64_t huge_locked(struct mmap_request *r, uint64_t page)
{
	int64_t err = huge_place(r, page);

	if (!err && r->map_flags & MAP_FIXED_NOREPLACE_ &&
	    vma_pages_in(vma_find(r->mm, r->addr), r->addr, r->addr + r->len))
		return -MM_EEXIST;
	if (!err)
		err = mmap_type_of_file(r->map_flags, r->len, r->pgoff, FILE_SIZE_MAX);
	if (err >= 0 && mmap_fixed(r))
		err = vm_munmap_locked(r->mm, r->addr, r->len);
	if (err < 0)
		return err;
	return r->pgoff & ((page - 1) >> PAGE_SHIFT) ? -MM_EINVAL
						     : call_flags_check(&mmap_flags, MAP_HUGETLB_);
}

static __attribute__((noinline)) int64_t mmap_huge(struct mm *mm, uint64_t addr, uint64_t len,
						   uint64_t map_flags, uint64_t pgoff)
{
	uint64_t page = huge_page_size(map_flags);
	struct mmap_request r = {.mm = mm,
				 .addr = addr,
				 .len = page ? (len + page - 1) & ~(page - 1) : 0,
				 .map_flags = map_flags,
				 .pgoff = pgoff};
	int64_t ret;

	if (!r.len)
		return -MM_EINVAL;
	mmap_write_lock(mm);
	ret = huge_locked(&r, page);
	mmap_write_unlock(mm);
	return ret;
}

/* ---- the calls ---- */

int64_t vm_mmap(struct mm *mm, uint64_t addr, uint64_t len, unsigned prot, uint64_t map_flags,
		struct vm_file *file, uint64_t pgoff, uint32_t vm_extra)
{
	struct mmap_request r = {
		.mm = mm,
		.addr = addr,
		.len = len,
		.map_flags = map_flags,
		.flags = mmap_vm_flags(prot, map_flags) | vm_extra,
		.file = file,
		.pgoff = pgoff,
	};
	int64_t ret;

	if (unlikely(map_flags & MAP_HUGETLB_))
		return mmap_huge(mm, addr, len, map_flags, pgoff);
	mmap_write_lock(mm);
	ret = mmap_locked(&r);
	mmap_write_unlock(mm);
	return ret;
}

int64_t vm_mmap_refused(struct mm *mm, uint64_t addr, uint64_t len, uint64_t map_flags,
			int64_t error)
{
	struct mmap_request r = {.mm = mm, .addr = addr, .len = len, .map_flags = map_flags};
	int err;

	mmap_write_lock(mm);
	err = mmap_find(&r);
	mmap_write_unlock(mm);
	return err ? err : error;
}

static inline __attribute__((always_inline)) int64_t munmap_locked(struct mm *mm, uint64_t start,
								   uint64_t end)
{
	struct vma *first = vma_find(mm, start);
	struct vma_spare spare;
	unsigned cut;

	if (!first || first->start >= end)
		return 0;
	cut = vma_unmap_needs(first, start, end);
	if (cut && mm->map_count >= mm->map_max)
		return -MM_ENOMEM;
	if (vma_spare_fill(mm, &spare, cut))
		return -MM_ENOMEM;
	zap_range(mm, start, end);
	vma_unmap(mm, first, start, end, &spare);
	return 0;
}

static inline bool munmap_senseless(uint64_t addr, uint64_t len)
{
	return addr & ~PAGE_MASK || addr > TASK_SIZE ||
	       len - 1 >= TASK_SIZE - addr; /* a length of 0 is the largest of all here */
}

int64_t vm_munmap_locked(struct mm *mm, uint64_t addr, uint64_t len)
{
	return munmap_senseless(addr, len) ? -MM_EINVAL
					   : munmap_locked(mm, addr, addr + page_align(len));
}

int64_t vm_munmap(struct mm *mm, uint64_t addr, uint64_t len)
{
	int64_t ret;

	if (munmap_senseless(addr, len))
		return -MM_EINVAL;
	mmap_write_lock(mm);
	ret = munmap_locked(mm, addr, addr + page_align(len));
	mmap_write_unlock(mm);
	return ret;
}
