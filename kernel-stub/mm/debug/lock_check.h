/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debug builds: every CPU remembers which locks it holds, and taking or releasing one is checked
 * against the order of lock_class.def. Included by lock.h, after enum lock_class. */
#ifndef MM_LOCK_CHECK_H
#define MM_LOCK_CHECK_H

/* Locks held by one CPU, oldest first. Ranks rise strictly, so there is at most one of a class. */
struct lock_check_cpu {
	uint32_t depth;
	struct {
		const void *lock;
		enum lock_class class;
	} held[NR_LOCK_CLASSES];
};

/* Panics if this CPU holds a lock of class c or of a later one. Call before waiting for the lock:
 * an order violation is reported even when it does not deadlock this time. */
void lock_check_acquire(const void *lock, enum lock_class c);

/* Panics if this CPU does not hold this lock as of class c. */
void lock_check_release(const void *lock, enum lock_class c);

/* The name of the newest lock that this CPU holds; NULL if there is none, or (release) nobody
 * knows. */
const char *lock_check_held(void);

/* Panics unless that bit is in the mask: who reads an mm must have it loaded (mmap_lock.h). */
static inline void lock_check_loaded(const uint64_t *cpus, uint64_t bit)
{
	if (!(port_peek64(cpus) & bit))
		port_panic("lock check: reading an mm that is not loaded");
}

/* Panics if this CPU holds any lock. */
void lock_check_none_held(void);

#endif
