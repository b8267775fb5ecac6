/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Step v of fault.c: from the class of a fault to its verdict. */
#ifndef MM_FAULT_VERDICT_H
#define MM_FAULT_VERDICT_H

#include "mm/fault/fault.h"
#include "mm/vma/mmap_lock.h"

/* What follows from each class but the class itself, laid out like struct fault_verdict in its
 * register; the classes that are not named here are served. */
#define REFUSAL(outcome, si_code) ((uint32_t)(outcome) << 8 | (uint32_t)(si_code) << 16)
static const uint32_t refusals[FL_NR_CLASSES] = {
	[FL_CLASS_USER_INVALID_MAPERR] = REFUSAL(FAULT_SIGNAL, SEGV_MAPERR_),
	[FL_CLASS_USER_INVALID_ACCERR] = REFUSAL(FAULT_SIGNAL, SEGV_ACCERR_),
	[FL_CLASS_USER_INVALID_EXEC] = REFUSAL(FAULT_SIGNAL, SEGV_ACCERR_),
	[FL_CLASS_USER_INVALID_KERNEL_ADDR] = REFUSAL(FAULT_SIGNAL, SEGV_MAPERR_),
	[FL_CLASS_USER_INVALID_BUS] = REFUSAL(FAULT_BUS, 0),
	[FL_CLASS_USER_INVALID_OOM] = REFUSAL(FAULT_OOM, 0),
	[FL_CLASS_USER_INVALID_RSVD] = REFUSAL(FAULT_OOPS, 0),
	[FL_CLASS_KERNEL_INVALID_UACCESS] = REFUSAL(FAULT_FIXUP, 0),
	[FL_CLASS_KERNEL_INVALID_OOPS] = REFUSAL(FAULT_OOPS, 0),
	[FL_CLASS_KERNEL_INVALID_PANIC] = REFUSAL(FAULT_OOPS, 0),
};

static inline struct fault_verdict fault_verdict(unsigned class)
{
	union {
		uint32_t word;
		struct fault_verdict v;
	} u = {.word = refusals[class] | class};

	return u.v;
}
_Static_assert(sizeof(struct fault_verdict) == sizeof(uint32_t), "a verdict fits one register");

/* The class of a fault of copy_to_user or copy_from_user that ring 3 would call `class`. */
static inline unsigned fault_uaccess_class(unsigned class)
{
	return refusals[class] ? FL_CLASS_KERNEL_INVALID_UACCESS : FL_CLASS_KERNEL_MINOR_UACCESS;
}

/* Releases mm->lock and gives the verdict on a fault of that class. */
static inline struct fault_verdict fault_end(struct mm *mm, uint32_t flags, unsigned class)
{
	mmap_read_unlock(mm);
	if (unlikely(!(flags & FAULT_USER)))
		class = fault_uaccess_class(class);
	return fault_verdict(class);
}

#endif
