/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes the kernel touch an address that it must not. It reports an oops, kills the kernel task
 * that did it, and goes on: the call returns -EIO and this program, alive, maps and touches memory
 * to prove that the kernel still serves faults. mode=panic asks for an oops where going on is not
 * safe: that ends the machine.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>

#include "stubctl.h"
#include "workload.h"

/* Canonical, in the kernel's half, and mapped by nothing: neither direct map nor image. */
#define HOLE_ADDRESS 0xfffff00000000000ull
/* No kernel touches ring 3's memory but by its copy functions. */
#define NULL_ADDRESS 0x18ull

enum mode { MODE_SURVIVE, MODE_PANIC };

static void oops_once(struct wl_run *run, struct wl_row *row, enum fl_stubctl op, uint64_t addr)
{
	struct timing_call call = {FL_SYS_STUBCTL, {op, addr}};
	long got;

	wl_sample(row, timing_syscall(&call, &got));
	if (got != -EIO)
		wl_fail(run, "%s at %#lx returned %ld, not %d", row->phase->name, addr, got, -EIO);
}

static void prove_alive(struct wl_run *run)
{
	volatile uint64_t *p = wl_map(run, WL_PAGE, PROT_READ | PROT_WRITE);
	uint64_t before = *p;

	*p = run->seed;
	if (before != 0 || *p != run->seed)
		wl_fail(run, "memory is not right after an oops");
	wl_unmap(run, (void *)p, WL_PAGE);
}

static void survive(struct wl_run *run)
{
	struct wl_row *read = wl_row(run, "oops_read", 0, TIMING_CALL);
	struct wl_row *write = wl_row(run, "oops_write", 0, TIMING_CALL);
	uint64_t iters = run->warming ? 1 : wl_uint(run, "iters");

	for (uint64_t i = 0; i < iters; i++) {
		uint64_t addr = i % 2 ? NULL_ADDRESS : HOLE_ADDRESS;

		wl_begin(run);
		oops_once(run, read, FL_STUBCTL_KERNEL_READ, addr);
		oops_once(run, write, FL_STUBCTL_KERNEL_WRITE, addr);
		wl_end(run);
		prove_alive(run);
	}
}

static void kernel_oops(struct wl_run *run)
{
	if (wl_enum(run, "mode") == MODE_SURVIVE) {
		survive(run);
		return;
	}
	if (run->warming)
		return;
	wl_report_early(run);
	wl_begin(run);
	stubctl(FL_STUBCTL_PANIC, 0, 0);
	wl_fail(run, "the kernel went on after a panic");
}

const struct workload workload = {
	.name = "kernel-oops",
	.doc = "the kernel touches a bad kernel address: oops and recovery, or panic",
	.params = WL_PARAMS(
		WL_CHOICE("mode", "survive", "survive|panic",
			  "survive: the kernel goes on; panic: the machine ends"),
		WL_NUMBER("iters", "4", 1, 10000, "pairs of a read and a write, for mode=survive")),
	.phases =
		WL_PHASES({"oops_read", "stubctl(KERNEL_READ, bad address) until it returns -EIO"},
			  {"oops_write", "stubctl(KERNEL_WRITE, bad address) likewise"}),
	.needs_stub = "Linux has no call that makes the kernel touch an address",
	.body = kernel_oops,
};
