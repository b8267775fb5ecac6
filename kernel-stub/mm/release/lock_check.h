/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Release builds: lock order is not checked. */
#ifndef MM_LOCK_CHECK_H
#define MM_LOCK_CHECK_H

/* Nothing per CPU. */
struct lock_check_cpu {
	char unused;
};

static inline void lock_check_acquire(const void *lock, enum lock_class c)
{
	(void)lock;
	(void)c;
}

static inline void lock_check_release(const void *lock, enum lock_class c)
{
	(void)lock;
	(void)c;
}

static inline void lock_check_loaded(const uint64_t *cpus, uint64_t bit)
{
	(void)cpus;
	(void)bit;
}

static inline void lock_check_none_held(void)
{
}

static inline const char *lock_check_held(void)
{
	return NULL;
}

#endif
