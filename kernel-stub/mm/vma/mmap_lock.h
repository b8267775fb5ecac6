/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mm->lock: many readers (page faults) at the price of one, one writer (LOCK_MMAP).
 *
 * A reader writes nothing that another CPU writes: it says in a slot of its own CPU which mm it
 * reads (mm_cpu.reading), and looks whether somebody writes. A writer takes the word of the lock,
 * which is that of the others who want to write too, and then waits for each CPU that has the mm
 * loaded and says that it reads it.
 *
 *     reader                               writer
 *     reading = mm     (locked)            writer = this CPU    (locked)
 *     writer?  yes: reading = NULL,        for each other CPU in mm->cpus:
 *              wait, begin again               wait while its reading == mm
 *
 * 1. Each stores first and looks then, with a locked instruction between, so at least one of the
 *    two sees the other (Dekker). It is the reader who steps back: writers are not starved. Two
 *    that write and many that read may keep each other waiting, but not for good.
 * 2. A reader must have the mm loaded, or no writer would look at its slot. Who has not (no fault
 *    and no call of ring 3 is in that position) takes the lock for writing.
 * 3. A CPU that loads the mm has its bit in mm->cpus, by a locked instruction, before it reads
 *    anything. If a writer has read the mask without that bit, then its word was there before, and
 *    the newcomer finds it. If a CPU has left, what it read lies before the locked instruction that
 *    took its bit away.
 * 4. Who waits, for whatever, answers requests (port_cpu_relax): so a reader that flushes the TLBs
 *    of others is not held up by a writer that waits for it.
 *
 * A CPU reads one mm at a time, and does not read what it writes: one slot is enough. While a
 * single CPU has the mm loaded a writer looks at no slot.
 *
 * Linux gets the same from a lock in each VMA (per-VMA locks, 6.4), which a fault takes by a locked
 * instruction on a line of that VMA: threads that fault in one VMA share it.
 */
#ifndef MM_MMAP_LOCK_H
#define MM_MMAP_LOCK_H

#include "mm/base/mm_types.h"
#include "mm/phys/mm_cpu.h"

/* The slow halves: somebody writes; other CPUs may read. */
void mmap_read_lock_wait(struct mm *mm);
void mmap_write_lock_wait(struct mm *mm);
void mmap_wait_readers(struct mm *mm);

/* The first half of mmap_read_lock(): false if somebody writes, and the caller has yet to call
 * mmap_read_lock_wait(). Needs: mm loaded on this CPU. */
static inline bool mmap_read_try(struct mm *mm)
{
	struct mm_cpu *cpu = port_mm_cpu();

	lock_check_acquire(&mm->lock, LOCK_MMAP);
	lock_check_loaded(&mm->cpus, port_cpu_bit());
	port_xchg_ptr((void **)&cpu->reading, mm);
	if (unlikely(port_peek64(&mm->lock.writer)))
		return false;
	__atomic_signal_fence(__ATOMIC_ACQUIRE);
	return true;
}

/* Needs: mm loaded on this CPU. */
static inline void mmap_read_lock(struct mm *mm)
{
	if (unlikely(!mmap_read_try(mm)))
		mmap_read_lock_wait(mm);
}

static inline void mmap_read_unlock(struct mm *mm)
{
	lock_check_release(&mm->lock, LOCK_MMAP);
	__atomic_store_n(&port_mm_cpu()->reading, NULL, __ATOMIC_RELEASE);
}

/* As that class: LOCK_MMAP, or LOCK_MMAP_CHILD inside the parent's. */
static inline void mmap_write_lock_class(struct mm *mm, enum lock_class c)
{
	uint64_t bit = port_cpu_bit(), none = 0;

	lock_check_acquire(&mm->lock, c);
	if (unlikely(!__atomic_compare_exchange_n(&mm->lock.writer, &none, bit, false,
						  __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)))
		mmap_write_lock_wait(mm);
	if (unlikely(port_peek64(&mm->cpus) != bit))
		mmap_wait_readers(mm);
	__atomic_signal_fence(__ATOMIC_ACQUIRE);
}

static inline void mmap_write_unlock_class(struct mm *mm, enum lock_class c)
{
	lock_check_release(&mm->lock, c);
	__atomic_store_n(&mm->lock.writer, 0, __ATOMIC_RELEASE);
}

static inline void mmap_write_lock(struct mm *mm)
{
	mmap_write_lock_class(mm, LOCK_MMAP);
}

static inline void mmap_write_unlock(struct mm *mm)
{
	mmap_write_unlock_class(mm, LOCK_MMAP);
}

/* Does this CPU hold it, either way? For an oops. */
static inline bool mmap_locked_here(const struct mm *mm)
{
	return port_mm_cpu()->reading == mm ||
	       __atomic_load_n(&mm->lock.writer, __ATOMIC_RELAXED) == port_cpu_bit();
}

#endif
