/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Spin locks, each of a class with a rank (lock_class.def, the one place that says the order;
 * docs/locking.md explains it); the one reader-writer lock is mm->lock (mmap_lock.h). Debug builds
 * check at every acquisition that the CPU holds no lock of the same or a higher rank, and panic
 * with both names otherwise; the check comes from lock_check.h, which the Makefile picks from
 * mm/debug/ or mm/release/.
 */
#ifndef MM_LOCK_H
#define MM_LOCK_H

#include "port/port.h"

enum lock_class {
#define LOCK_CLASS(id, name, doc) LOCK_##id,
#include "mm/base/lock_class.def"
#undef LOCK_CLASS
	NR_LOCK_CLASSES
};

struct spinlock {
	uint32_t word;
};

#include "lock_check.h"

static inline void spin_lock(struct spinlock *l, enum lock_class c)
{
	lock_check_acquire(l, c);
	while (unlikely(port_xchg32(&l->word, 1)))
		while (port_load_acquire32(&l->word))
			port_cpu_relax();
}

static inline void spin_unlock(struct spinlock *l, enum lock_class c)
{
	lock_check_release(l, c);
	port_store_release32(&l->word, 0);
}

#endif
