/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fault with nothing left to do: the page-table entry allows the write, the CPU's TLB entry, left
 * from when it did not, refuses it. The handler finds all in order and returns.
 *
 * Where the CPU looks at the tables once more before it faults, or has dropped the entry meanwhile,
 * the write just succeeds: a sample, but no fault. Only the profile can say what must be counted.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "stubctl.h"
#include "workload.h"

static void spurious(struct wl_run *run)
{
	struct wl_row *row = wl_row(run, "write", 0, TIMING_ACCESS);
	uint64_t iters = wl_rounds(run, wl_uint(run, "iters"));
	volatile uint64_t *p = wl_map(run, WL_PAGE, PROT_READ | PROT_WRITE);

	*p = 0;
	wl_begin(run);
	for (uint64_t i = 1; i <= iters; i++) {
		if (stubctl(FL_STUBCTL_STALE_TLB, (uint64_t)p, 0))
			wl_fail(run, "stubctl could not leave a stale TLB entry");
		wl_sample(row, timing_write(p, i));
		if (*p != i)
			wl_fail(run, "write %lu did not arrive", i);
	}
	wl_end(run);
	wl_unmap(run, (void *)p, WL_PAGE);
}

const struct workload workload = {
	.name = "spurious",
	.doc = "writes through a stale read-only TLB entry to a page that is writable",
	.params = (const struct wl_param[]){{.name = "iters",
					     .kind = WL_UINT,
					     .fallback = "1024",
					     .min = 1,
					     .max = 1u << 24,
					     .doc = "writes"},
					    {0}},
	.phases = (const struct wl_phase[]){{"write", "one store through the stale entry"}, {0}},
	.needs_stub = "Linux leaves no stale TLB entry on request",
	.body = spurious,
};
