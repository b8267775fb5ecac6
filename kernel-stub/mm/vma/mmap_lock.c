/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for mm->lock (mmap_lock.h). */
#include "mm/vma/mmap_lock.h"

static bool written(const struct mm *mm)
{
	return __atomic_load_n(&mm->lock.writer, __ATOMIC_ACQUIRE);
}

void mmap_read_lock_wait(struct mm *mm)
{
	struct mm_cpu *cpu = port_mm_cpu();

	do {
		__atomic_store_n(&cpu->reading, NULL, __ATOMIC_RELEASE);
		while (written(mm))
			port_cpu_relax();
		port_xchg_ptr((void **)&cpu->reading, mm);
	} while (written(mm));
}

void mmap_write_lock_wait(struct mm *mm)
{
	uint64_t bit = port_cpu_bit(), none;

	do {
		while (written(mm))
			port_cpu_relax();
		none = 0;
	} while (!__atomic_compare_exchange_n(&mm->lock.writer, &none, bit, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_RELAXED));
}

void mmap_wait_readers(struct mm *mm)
{
	uint64_t cpus = __atomic_load_n(&mm->cpus, __ATOMIC_SEQ_CST) & ~port_cpu_bit();

	for (; cpus; cpus &= cpus - 1) {
		const struct mm_cpu *cpu = mm_cpu_of((unsigned)__builtin_ctzll(cpus));

		while (__atomic_load_n(&cpu->reading, __ATOMIC_ACQUIRE) == mm)
			port_cpu_relax();
	}
}
