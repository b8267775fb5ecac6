/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lock of kern/, with the CPU that holds it: an oops asks (oops.c), and so does task_exit,
 * which may be called with or without it. */
#include "kern/kern_lock.h"

#include "arch/x86_64/cpu.h"
#include "mm/base/lock.h"

#define NOBODY UINT64_MAX

static struct spinlock lock;
static uint64_t owner = NOBODY; /* a CPU's number: only that CPU writes it or finds itself in it */

void kern_lock(void)
{
	spin_lock(&lock, LOCK_KERN);
	__atomic_store_n(&owner, this_cpu()->id, __ATOMIC_RELAXED);
}

void kern_unlock(void)
{
	ASSERT(kern_lock_held());
	__atomic_store_n(&owner, NOBODY, __ATOMIC_RELAXED);
	spin_unlock(&lock, LOCK_KERN);
}

bool kern_lock_held(void)
{
	return __atomic_load_n(&owner, __ATOMIC_RELAXED) == this_cpu()->id;
}
