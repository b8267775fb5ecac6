/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Spin locks and reader-writer spin locks, each of a class with a rank (lock_class.def, the one
 * place that says the order; docs/locking.md explains it). Debug builds check at every acquisition
 * that the CPU holds no lock of the same or a higher rank, and panic with both names otherwise; the
 * check comes from lock_check.h, which the Makefile picks from mm/debug/ or mm/release/.
 */
#ifndef MM_LOCK_H
#define MM_LOCK_H

#include "port.h"

enum lock_class {
#define LOCK_CLASS(id, name, doc) LOCK_##id,
#include "lock_class.def"
#undef LOCK_CLASS
	NR_LOCK_CLASSES
};

struct spinlock {
	uint32_t word;
};

struct rwlock {
	uint32_t word; /* bit 31: a writer holds it; bits 0..30: readers */
};

#include "lock_check.h"

#define RWLOCK_WRITER 0x80000000u

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

static inline void read_lock(struct rwlock *l, enum lock_class c)
{
	lock_check_acquire(l, c);
	while (unlikely(port_xadd32(&l->word, 1) & RWLOCK_WRITER)) {
		port_xadd32(&l->word, -1u);
		while (port_load_acquire32(&l->word) & RWLOCK_WRITER)
			port_cpu_relax();
	}
}

static inline void read_unlock(struct rwlock *l, enum lock_class c)
{
	lock_check_release(l, c);
	port_xadd32(&l->word, -1u);
}

static inline void write_lock(struct rwlock *l, enum lock_class c)
{
	lock_check_acquire(l, c);
	while (unlikely(port_cmpxchg32(&l->word, 0, RWLOCK_WRITER) != 0))
		port_cpu_relax();
}

static inline void write_unlock(struct rwlock *l, enum lock_class c)
{
	lock_check_release(l, c);
	port_xadd32(&l->word, -RWLOCK_WRITER);
}

#endif
