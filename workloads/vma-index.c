/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What finding a VMA costs among N of them (vma_field.h): each phase makes the kernel search once,
 * at a slot picked at random, so that neither the place of the last call nor the processor's caches
 * help. Every round leaves the slot as it was:
 *
 *   lookup                      first write to the slot's first page (class
 *                               user.minor.anon_alloc); it is dropped again
 *   insert   |RRR.|  →  |RRRr|  a read-only page at a given place: one VMA more
 *   erase    |RRRr|  →  |RRR.|  it goes; the kernel may remember where it was
 *   split    |RRR.|  →  |RrR.|  mprotect of the middle page: one VMA becomes three
 *   merge    |RrR.|  →  |RRR.|  and back
 *   hole     |RR..|  →  |RRrr|  two pages wherever there is room: only this slot has it
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/syscall.h>

#include "vma_field.h"
#include "workload.h"

#define FIXED (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE)
#define RW (PROT_READ | PROT_WRITE)
#define NO_FILE ((uint64_t)-1)

struct vma_index {
	struct wl_run *run;
	struct vma_field field;
	uint64_t x, iters;
};

static struct wl_row *row(struct vma_index *v, const char *phase)
{
	return wl_row(v->run, phase, v->x, TIMING_CALL);
}

static uint64_t random_slot(struct vma_index *v)
{
	return (uint64_t)vma_field_random(&v->field, &v->run->random);
}

/* A call that must return `want`; a sample of `row`, unless that is NULL. */
static void must(struct vma_index *v, struct wl_row *row, uint64_t want, struct timing_call call)
{
	long got;
	struct timing t = timing_syscall(&call, &got);

	if (row)
		wl_sample(row, t);
	if ((uint64_t)got != want)
		wl_fail(v->run, "%s: call %lu returned %#lx, not %#lx",
			row ? row->phase->name : "between samples", call.nr, got, want);
}

static void measure_lookup(struct vma_index *v)
{
	struct wl_row *lookup = wl_row(v->run, "lookup", v->x, TIMING_ACCESS);

	for (uint64_t i = 0; i < v->iters; i++) {
		uint64_t p = random_slot(v);

		wl_sample(lookup, timing_write((volatile uint64_t *)p, i + 1));
		if (*(volatile uint64_t *)p != i + 1)
			wl_fail(v->run, "write %lu did not arrive", i);
		must(v, NULL, 0, (struct timing_call){SYS_madvise, {p, WL_PAGE, MADV_DONTNEED}});
	}
}

static void measure_insert(struct vma_index *v)
{
	struct wl_row *insert = row(v, "insert"), *erase = row(v, "erase");

	for (uint64_t i = 0; i < v->iters; i++) {
		uint64_t p = random_slot(v) + VMA_FIELD_MAPPED;

		must(v, insert, p,
		     (struct timing_call){SYS_mmap, {p, WL_PAGE, PROT_READ, FIXED, NO_FILE}});
		must(v, erase, 0, (struct timing_call){SYS_munmap, {p, WL_PAGE}});
	}
}

static void measure_split(struct vma_index *v)
{
	struct wl_row *split = row(v, "split"), *merge = row(v, "merge");

	for (uint64_t i = 0; i < v->iters; i++) {
		uint64_t p = random_slot(v) + WL_PAGE;

		must(v, split, 0, (struct timing_call){SYS_mprotect, {p, WL_PAGE, PROT_READ}});
		must(v, merge, 0, (struct timing_call){SYS_mprotect, {p, WL_PAGE, RW}});
	}
}

/* Takes every hole of two pages and more above the field, for good. */
static void fill_above(struct vma_index *v)
{
	uint64_t len = 2 * WL_PAGE;

	while (len < v->field.slots * VMA_FIELD_SLOT)
		len *= 2;
	for (; len >= 2 * WL_PAGE; len /= 2) {
		char *p;

		while ((p = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) >
		       v->field.base)
			if (p == MAP_FAILED)
				wl_fail(v->run, "mmap of %lu bytes: %m", len);
		wl_unmap(v->run, p, len);
	}
}

static void measure_hole(struct vma_index *v)
{
	struct wl_row *hole = row(v, "hole"); /* whose memory may leave a hole, too */

	fill_above(v);
	for (uint64_t i = 0; i < v->iters; i++) {
		uint64_t p = random_slot(v) + VMA_FIELD_MAPPED - WL_PAGE;

		must(v, NULL, 0, (struct timing_call){SYS_munmap, {p, WL_PAGE}});
		must(v, hole, p,
		     (struct timing_call){
			     SYS_mmap,
			     {0, 2 * WL_PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, NO_FILE}});
		must(v, NULL, 0, (struct timing_call){SYS_munmap, {p, 2 * WL_PAGE}});
		must(v, NULL, p, (struct timing_call){SYS_mmap, {p, WL_PAGE, RW, FIXED, NO_FILE}});
	}
}

static void vma_index(struct wl_run *run)
{
	struct vma_index v = {
		.run = run,
		.x = wl_uint(run, "vmas"),
		.iters = wl_rounds(run, wl_uint(run, "iters")),
	};

	vma_field_map(run, &v.field, wl_rounds(run, v.x));
	wl_begin(run);
	measure_lookup(&v);
	measure_insert(&v);
	measure_split(&v);
	measure_hole(&v);
	wl_end(run);
	vma_field_unmap(run, &v.field);
}

const struct workload workload = {
	.name = "vma-index",
	.doc = "what finding a VMA or a hole costs among N VMAs",
	.params = WL_PARAMS(
		WL_NUMBER("vmas", "1000", 1, 1u << 24,
			  "VMAs present besides the program's own; more than 65000 need map_max"),
		WL_NUMBER("iters", "256", 1, 1u << 24, "samples of each phase")),
	.phases = WL_PHASES({"lookup", "first write to a page of a random VMA"},
			    {"insert", "a VMA into a random hole, by its address"},
			    {"erase", "that VMA goes"},
			    {"split", "the middle page of a random VMA read-only: three VMAs"},
			    {"merge", "writable again: three become one"},
			    {"hole", "the one hole of two pages, wherever it is"}),
	.body = vma_index,
};
