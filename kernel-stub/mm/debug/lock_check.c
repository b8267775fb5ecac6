/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lock-order check of debug builds. See lock_check.h and docs/locking.md. */
#include "mm/base/lock.h"
#include "mm/phys/mm_cpu.h"

static const char *class_name(enum lock_class c)
{
	static const char *const names[] = {
#define LOCK_CLASS(id, name, doc) [LOCK_##id] = name,
#include "mm/base/lock_class.def"
#undef LOCK_CLASS
	};

	return (unsigned)c < NR_LOCK_CLASSES ? names[c] : "?";
}

void lock_check_acquire(const void *lock, enum lock_class c)
{
	struct lock_check_cpu *cpu = &port_mm_cpu()->lock_check;

	/* Ranks rise, and a release keeps the order: the newest has the highest. */
	if (cpu->depth && cpu->held[cpu->depth - 1].class >= c)
		port_panic("lock order: taking %s while holding %s", class_name(c),
			   class_name(cpu->held[cpu->depth - 1].class));
	cpu->held[cpu->depth].lock = lock;
	cpu->held[cpu->depth].class = c;
	cpu->depth++;
}

void lock_check_release(const void *lock, enum lock_class c)
{
	struct lock_check_cpu *cpu = &port_mm_cpu()->lock_check;
	uint32_t i = cpu->depth;

	while (i && cpu->held[i - 1].class != c)
		i--;
	if (!i)
		port_panic("lock order: releasing %s, which is not held", class_name(c));
	if (cpu->held[i - 1].lock != lock)
		port_panic("lock order: releasing another %s than the one held", class_name(c));
	for (; i < cpu->depth; i++)
		cpu->held[i - 1] = cpu->held[i];
	cpu->depth--;
}

const char *lock_check_held(void)
{
	struct lock_check_cpu *cpu = &port_mm_cpu()->lock_check;

	return cpu->depth ? class_name(cpu->held[cpu->depth - 1].class) : NULL;
}

void lock_check_none_held(void)
{
	if (lock_check_held())
		port_panic("lock order: %s still held", lock_check_held());
}
