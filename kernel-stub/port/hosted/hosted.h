/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a hosted test says to the port: memory of a given size, the CPU it plays, allocations that
 * must fail, panics that it expects, and accesses through the software MMU.
 */
#ifndef HOSTED_H
#define HOSTED_H

#include "mm/fault/fault.h"
#include "mm/mm.h"

/* ---- set-up (port_impl.c) ---- */

/* Frames below this one are never given to the allocator. */
#define HOSTED_FIRST_PFN 1u

/* Memory of that many frames (2 <= pages), all zero; every CPU's data, counter, TLB and injected
 * failure reset; this thread is CPU 0. What an earlier call made is gone. */
void hosted_init(uint64_t pages);

/* hosted_init, then the page allocator with all of it and the slab allocator. */
void hosted_boot(uint64_t pages);

/* A top-level table of the kernel's own, empty so far: each mm that is made from now on shares its
 * upper half. Needs: hosted_boot. */
void hosted_kernel_half(void);

/* This thread plays CPU `cpu` from now on. */
void hosted_set_cpu(unsigned cpu);

/* This thread, and no other, plays that CPU until hosted_cpu_end(), which unloads what it has
 * loaded. In between it must come by an access or a port_cpu_relax() again and again: others wait
 * for its answers. */
void hosted_cpu_begin(unsigned cpu);
void hosted_cpu_end(void);

/* A counter's sum over all CPUs. */
int64_t hosted_vmstat(enum fl_vmstat item);

/* ---- failure injection (port_impl.c): counts start anew with each call ---- */

void hosted_fail_none(void);
/* The n-th allocation from now (1 = the next) fails, and only that; 0: none, but count. */
void hosted_fail_nth(uint64_t n);
/* One in `one_in` allocations fails, by a generator with that seed. */
void hosted_fail_random(uint64_t seed, unsigned one_in);
/* Allocations asked for, and of these refused, since. Not counted after hosted_fail_none. */
uint64_t hosted_fail_asked(void);
uint64_t hosted_fail_refused(void);

/* ---- panics (port_impl.c) ---- */

/* Runs fn(arg): the message if it panicked (valid until the next panic), or NULL. Locks that it
 * held stay taken; the lock-order check forgets them. */
const char *hosted_catch_panic(void (*fn)(void *), void *arg);

/* ---- software MMU (softmmu.c) ---- */

enum hosted_access_kind { HOSTED_READ, HOSTED_WRITE, HOSTED_EXEC };

struct hosted_access {
	void *host;	/* where the byte is; NULL: a fault */
	uint32_t fault; /* enum fault_flag, as the CPU's error code says */
};

/* One access as this CPU makes it. `host` is good until the next access or wait of this CPU. Needs:
 * mm loaded by port_load_mm, va canonical. */
struct hosted_access hosted_access(struct mm *mm, uint64_t va, enum hosted_access_kind kind,
				   bool user);

/* Panics if this CPU caches for the loaded mm a translation that the page tables do not allow (any
 * more): a flush is missing. Rights that a cached entry lacks are fine. */
void hosted_tlb_check(void);

struct hosted_tlb_count {
	uint64_t hit, walk, flush_page, flush_all;
};

/* This CPU's counts since hosted_init. */
struct hosted_tlb_count hosted_tlb_count(void);

void hosted_softmmu_reset(void); /* for hosted_init */

/* That CPU did what port_tlb_shootdown asked of it: nr_tlb_remote_flush_received. */
void hosted_count_received(unsigned cpu);

#endif
