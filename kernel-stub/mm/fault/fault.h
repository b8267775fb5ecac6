/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page-fault path. arch/ decodes a fault into struct fault_access; vm_fault() finds out what it
 * was and serves it.
 */
#ifndef MM_FAULT_H
#define MM_FAULT_H

#include "mm/base/mm_types.h"

enum fault_flag {
	FAULT_PRESENT = 1, /* the translation existed: rights were missing */
	FAULT_WRITE = 2,
	FAULT_USER = 4, /* from ring 3 */
	FAULT_RSVD = 8, /* a reserved bit was set */
	FAULT_FETCH = 16,
	FAULT_UACCESS = 32, /* from ring 0, at an instruction with an exception-table entry */
};

struct fault_access {
	uint64_t addr;
	uint32_t flags; /* enum fault_flag */
};

enum fault_outcome {
	FAULT_DONE,   /* retry the instruction */
	FAULT_SIGNAL, /* SIGSEGV with .si_code */
	FAULT_BUS,    /* SIGBUS, BUS_ADRERR */
	FAULT_FIXUP,  /* go on at the exception-table entry's target */
	FAULT_OOPS,   /* report; kill the task if it is safe to go on */
	FAULT_OOM,    /* no memory: somebody is killed for it, vmstat oom_kill; then try again */
};

enum { SEGV_MAPERR_ = 1, SEGV_ACCERR_ = 2 };

/* Fits one register. */
struct fault_verdict {
	uint8_t class;	 /* enum fl_class */
	uint8_t outcome; /* enum fault_outcome */
	uint8_t si_code;
	uint8_t order; /* log2 of the pages mapped; 0 */
};

/* Serves one fault of the current address space; mm NULL (a kernel task) makes every fault an oops.
 * Needs: no lock ranked at or above LOCK_MMAP held; interrupts may be off. Takes mm->lock for
 * reading. Counts pgfault. Called once per exception: it restarts inside. */
struct fault_verdict vm_fault(struct mm *mm, const struct fault_access *access);

/* The same for a fault of ring 0 that has FAULT_UACCESS, not FAULT_FETCH, and whose address is
 * below TASK_SIZE. */
struct fault_verdict vm_fault_uaccess(struct mm *mm, const struct fault_access *access);

/* Can a VMA have a say? Not if a reserved bit was set, the address is the kernel's, or ring 0 got
 * there by itself (a fetch from user memory always is by itself). Pure. */
static inline bool fault_needs_vma(uint32_t flags, bool user_half)
{
	return user_half && !(flags & FAULT_RSVD) &&
	       (flags & FAULT_USER || (flags & (FAULT_UACCESS | FAULT_FETCH)) == FAULT_UACCESS);
}

/* Can it be the kernel's first access to a mapping of its own? Ring 0 loading or storing, nothing
 * there. Pure. */
static inline bool fault_may_sync(uint32_t flags)
{
	return !(flags & ~(uint32_t)FAULT_WRITE);
}

/* The first half of fault_classify(): what an access is that no VMA can allow. Pure. */
static inline unsigned fault_classify_early(uint32_t flags)
{
	if (flags & FAULT_USER)
		return flags & FAULT_RSVD ? FL_CLASS_USER_INVALID_RSVD
					  : FL_CLASS_USER_INVALID_KERNEL_ADDR;
	if ((flags & (FAULT_UACCESS | FAULT_FETCH | FAULT_RSVD)) == FAULT_UACCESS)
		return FL_CLASS_KERNEL_INVALID_UACCESS;
	return FL_CLASS_KERNEL_INVALID_OOPS;
}

/* The second half: what the VMA (if there is one, of those flags) makes of it. Pure. */
static inline unsigned fault_classify_vma(uint32_t flags, bool have_vma, uint32_t vm_flags)
{
	uint32_t need = VM_ACCESS_FLAGS; /* a page that can be written or executed can be read */

	if (flags & FAULT_WRITE)
		need = VM_WRITE;
	else if (flags & FAULT_FETCH)
		need = VM_EXEC;
	if (likely(have_vma && vm_flags & need))
		return FL_NR_CLASSES;
	if (!(flags & FAULT_USER))
		return FL_CLASS_KERNEL_INVALID_UACCESS;
	if (!have_vma)
		return FL_CLASS_USER_INVALID_MAPERR;
	return need == VM_EXEC ? FL_CLASS_USER_INVALID_EXEC : FL_CLASS_USER_INVALID_ACCERR;
}

/* What an access is, before anybody looks at a PTE: FL_NR_CLASSES if the VMA allows it, else the
 * class of its refusal. vm_flags are looked at only if there is a VMA at the address. Pure. */
static inline unsigned fault_classify(uint32_t flags, bool user_half, bool have_vma,
				      uint32_t vm_flags)
{
	if (!fault_needs_vma(flags, user_half))
		return fault_classify_early(flags);
	return fault_classify_vma(flags, have_vma, vm_flags);
}

/* For stubctl: sets a reserved bit in the PTE that maps addr; -MM_EFAULT if none does. */
int pte_corrupt(struct mm *mm, uint64_t addr);

/* For stubctl: leaves a stale read-only TLB entry behind a writable PTE (see FL_STUBCTL_STALE_TLB);
 * the caller reads addr between the two steps, so: step 0 write-protects and flushes, step 1 makes
 * it writable without a flush. -MM_EFAULT if no writable PTE. */
int pte_make_stale(struct mm *mm, uint64_t addr, int step);

#endif
