/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fault with nothing left to do: by the time that the handler looks, the page-table entry allows
 * the write. stubctl sees to it that the entry is read-only when the CPU faults and writable from
 * the first instruction of the kernel on, as if another CPU had been first. The handler finds all
 * in order, flushes the TLB entry and returns.
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
			wl_fail(run, "stubctl could not prepare a late fault");
		wl_sample(row, timing_write(p, i));
		if (*p != i)
			wl_fail(run, "write %lu did not arrive", i);
	}
	wl_end(run);
	wl_unmap(run, (void *)p, WL_PAGE);
}

const struct workload workload = {
	.name = "spurious",
	.doc = "writes that fault, to a page that is writable when the handler looks",
	.params = WL_PARAMS(WL_NUMBER("iters", "512", 1, 1u << 24, "writes")),
	.phases = WL_PHASES({"write", "one store, and its fault"}),
	.needs_stub = "Linux lets no fault come too late on request",
	.body = spurious,
};
