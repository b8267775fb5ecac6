/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The calls that change an address space, each timed, among N VMAs (vma_field.h). Every round works
 * on a slot picked at random and leaves it as it was:
 *
 *   mmap           |RRR.|  →  |RRRr|  one read-only page into the highest hole that fits
 *   munmap         |RRRr|  →  |RRR.|
 *   mmap_below     a mapping of two pages, which fits into no slot's hole: below the field
 *   munmap_below   it goes again
 *   munmap_split   |RRR.|  →  |R.R.|  the middle page out: one VMA becomes two
 *   mmap_merge     |R.R.|  →  |RRR.|  and back: both neighbours join
 *   mprotect_split |RRR.|  →  |RrR.|  the middle page read-only: one VMA becomes three
 *   mprotect_merge |RrR.|  →  |RRR.|
 *   touch          first write to the slot's first page (class user.minor.anon_alloc)
 *   dontneed       it is dropped again; a read later must find zero
 *   brk_grow, brk_shrink  one page
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/syscall.h>

#include "vma_field.h"
#include "workload.h"

enum { OPS_ALL, OPS_MMAP, OPS_MPROTECT, OPS_MADVISE, OPS_BRK };

struct vma_ops {
	struct wl_run *run;
	struct vma_field field;
	uint64_t x, iters;
};

#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)
#define NO_FILE ((uint64_t)-1)

/* One timed call that must return `want`. */
static void timed_must(struct vma_ops *o, struct wl_row *row, uint64_t want,
		       struct timing_call call)
{
	long got;

	wl_sample(row, timing_syscall(&call, &got));
	if ((uint64_t)got != want)
		wl_fail(o->run, "%s returned %#lx, not %#lx", row->phase->name, got, want);
}

static struct wl_row *row(struct vma_ops *o, const char *phase)
{
	return wl_row(o->run, phase, o->x, TIMING_CALL);
}

/* The middle page of a random slot. */
static uint64_t random_middle(struct vma_ops *o)
{
	return (uint64_t)vma_field_random(&o->field, &o->run->random) + WL_PAGE;
}

/* mmap where the kernel likes, and its munmap. */
static void ops_hole(struct vma_ops *o, const char *in, const char *out, uint64_t len)
{
	struct timing_call call = {SYS_mmap, {0, len, PROT_READ, PRIVATE, NO_FILE}};
	struct wl_row *map = row(o, in), *unmap = row(o, out);

	for (uint64_t i = 0; i < o->iters; i++) {
		long p;

		wl_sample(map, timing_syscall(&call, &p));
		if (p <= 0)
			wl_fail(o->run, "%s returned %ld", in, p);
		timed_must(o, unmap, 0, (struct timing_call){SYS_munmap, {(uint64_t)p, len}});
	}
}

static void ops_middle(struct vma_ops *o)
{
	struct timing_call out = {SYS_munmap, {0, WL_PAGE}};
	struct timing_call in = {SYS_mmap,
				 {0, WL_PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, NO_FILE}};
	struct wl_row *split = row(o, "munmap_split"), *merge = row(o, "mmap_merge");

	for (uint64_t i = 0; i < o->iters; i++) {
		out.a[0] = in.a[0] = random_middle(o);
		timed_must(o, split, 0, out);
		timed_must(o, merge, in.a[0], in);
	}
}

static void ops_mprotect(struct vma_ops *o)
{
	struct timing_call call = {SYS_mprotect, {0, WL_PAGE}};
	struct wl_row *split = row(o, "mprotect_split"), *merge = row(o, "mprotect_merge");

	for (uint64_t i = 0; i < o->iters; i++) {
		call.a[0] = random_middle(o);
		call.a[2] = PROT_READ;
		timed_must(o, split, 0, call);
		call.a[2] = RW;
		timed_must(o, merge, 0, call);
	}
}

static void ops_madvise(struct vma_ops *o)
{
	struct wl_row *touch = wl_row(o->run, "touch", o->x, TIMING_ACCESS);
	struct wl_row *dontneed = row(o, "dontneed");

	for (uint64_t i = 0; i < o->iters; i++) {
		volatile uint64_t *p = (uint64_t *)vma_field_random(&o->field, &o->run->random);

		wl_sample(touch, timing_write(p, i + 1));
		if (*p != i + 1)
			wl_fail(o->run, "write %lu did not arrive", i);
		timed_must(
			o, dontneed, 0,
			(struct timing_call){SYS_madvise, {(uint64_t)p, WL_PAGE, MADV_DONTNEED}});
	}
}

static void ops_brk(struct vma_ops *o)
{
	struct wl_row *grow = row(o, "brk_grow"), *shrink = row(o, "brk_shrink");
	uint64_t end = (uint64_t)sys_call(SYS_brk, 0, 0, 0, 0, 0, 0);

	for (uint64_t i = 0; i < o->iters; i++) {
		timed_must(o, grow, end + WL_PAGE, (struct timing_call){SYS_brk, {end + WL_PAGE}});
		timed_must(o, shrink, end, (struct timing_call){SYS_brk, {end}});
	}
}

/* DONTNEED has dropped every page that was written: the field reads as zero, if it was touched. */
static void field_check(struct vma_ops *o)
{
	for (uint64_t i = 0; i < 16; i++)
		if (*(volatile uint64_t *)vma_field_random(&o->field, &o->run->random))
			wl_fail(o->run, "a page that was dropped does not read as zero");
}

static bool on(const struct vma_ops *o, unsigned group)
{
	unsigned ops = wl_enum(o->run, "ops");

	return ops == OPS_ALL || ops == group;
}

static void vma_ops(struct wl_run *run)
{
	struct vma_ops o = {
		.run = run,
		.x = wl_uint(run, "vmas"),
		.iters = wl_rounds(run, wl_uint(run, "iters")),
	};

	vma_field_map(run, &o.field, wl_rounds(run, o.x));
	wl_begin(run);
	if (on(&o, OPS_MMAP)) {
		ops_hole(&o, "mmap", "munmap", WL_PAGE);
		ops_hole(&o, "mmap_below", "munmap_below", 2 * WL_PAGE);
		ops_middle(&o);
	}
	if (on(&o, OPS_MPROTECT))
		ops_mprotect(&o);
	if (on(&o, OPS_MADVISE))
		ops_madvise(&o);
	if (on(&o, OPS_BRK))
		ops_brk(&o);
	wl_end(run);
	field_check(&o);
	vma_field_unmap(run, &o.field);
}

const struct workload workload = {
	.name = "vma-ops",
	.doc = "mmap, munmap, mprotect, madvise, brk and a write fault among N VMAs",
	.params = WL_PARAMS(
		WL_NUMBER("vmas", "256", 1, 1000000,
			  "VMAs present besides the program's own; Linux allows 65530 in all"),
		WL_NUMBER("iters", "64", 1, 1u << 24, "calls of each kind"),
		WL_CHOICE("ops", "all", "all|mmap|mprotect|madvise|brk", "which calls")),
	.phases = WL_PHASES({"mmap", "a page into the highest hole that fits"},
			    {"munmap", "that page goes"},
			    {"mmap_below", "two pages, which fit into no hole of the field"},
			    {"munmap_below", "they go"},
			    {"munmap_split", "the middle page of three: one VMA becomes two"},
			    {"mmap_merge", "the middle page back: two VMAs become one"},
			    {"mprotect_split", "the middle page read-only: one VMA becomes three"},
			    {"mprotect_merge", "writable again: three become one"},
			    {"touch", "first write to a page of a random VMA"},
			    {"dontneed", "MADV_DONTNEED of that page"},
			    {"brk_grow", "the break one page up"}, {"brk_shrink", "and down"}),
	.body = vma_ops,
};
