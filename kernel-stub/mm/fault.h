/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page-fault path. arch/ decodes a fault into struct fault_access; vm_fault() finds out what it
 * was and serves it.
 */
#ifndef MM_FAULT_H
#define MM_FAULT_H

#include "mm.h"

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
	FAULT_OOM,    /* no memory: the task is killed (SIGKILL), vmstat oom_kill */
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

/* For stubctl: sets a reserved bit in the PTE that maps addr; -MM_EFAULT if none does. */
int pte_corrupt(struct mm *mm, uint64_t addr);

/* For stubctl: leaves a stale read-only TLB entry behind a writable PTE (see FL_STUBCTL_STALE_TLB);
 * the caller reads addr between the two steps, so: step 0 write-protects and flushes, step 1 makes
 * it writable without a flush. -MM_EFAULT if no writable PTE. */
int pte_make_stale(struct mm *mm, uint64_t addr, int step);

#endif
