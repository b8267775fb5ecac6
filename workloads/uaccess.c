/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel touching ring 3's memory: read(/dev/zero) makes it write there, write to a pipe makes
 * it read. Buffers:
 *
 *   good      present
 *   lazy      mapped, not touched yet: the copy itself takes a demand-zero fault
 *   bad       no VMA: -EFAULT out of the exception table
 *   readonly  a VMA that forbids the write: the same
 *   cross     |……XXXX|XXXX……|  the first half present, the second in no VMA: a short count
 *   refused   an address of the kernel's half: -EFAULT before any access
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "workload.h"

#define BYTES 64u
#define KERNEL_ADDRESS 0xffff900000000000ull

struct uaccess {
	uint64_t iters;
	int zero, pipe[2];
	char *good;	/* one page, written */
	char *lazy;	/* one page for each call */
	char *readonly; /* one page, read */
	char *cross;	/* one page, written; the next one is unmapped */
};

enum { CASE_ALL, CASE_GOOD, CASE_LAZY, CASE_BAD, CASE_READONLY, CASE_CROSS, CASE_REFUSED };

static bool case_on(struct wl_run *run, unsigned c)
{
	unsigned which = wl_enum(run, "case");

	return which == CASE_ALL || which == c;
}

/* One timed call on [p, p + BYTES) that must return `want`. */
static void call_once(struct wl_run *run, struct wl_row *row, long nr, int fd, char *p, long want)
{
	struct timing_call call = {nr, {(uint64_t)fd, (uint64_t)p, BYTES}};
	long got;

	wl_sample(row, timing_syscall(&call, &got));
	if (got != want)
		wl_fail(run, "%s: the call returned %ld, not %ld", row->phase->name, got, want);
}

/* What was written to the pipe comes out again, into the good page. */
static void pipe_check(struct wl_run *run, struct uaccess *u, char expected)
{
	char *out = u->good + WL_PAGE / 2;

	memset(out, ~expected, BYTES);
	if (sys_call(SYS_read, (uint64_t)u->pipe[0], (uint64_t)out, BYTES, 0, 0, 0) != BYTES)
		wl_fail(run, "the pipe did not give back what was written");
	for (unsigned i = 0; i < BYTES; i++)
		if (out[i] != expected)
			wl_fail(run, "the pipe gave back other bytes than were written");
}

static void zero_check(struct wl_run *run, const char *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (p[i])
			wl_fail(run, "read of /dev/zero left a byte that is not zero");
}

/* What a call must find, or leave, in the good page. */
static void good_call(struct wl_run *run, struct uaccess *u, struct wl_row *row, bool writing,
		      char fill)
{
	memset(u->good, fill, BYTES);
	if (writing) {
		call_once(run, row, SYS_write, u->pipe[1], u->good, BYTES);
		pipe_check(run, u, fill);
	} else {
		call_once(run, row, SYS_read, u->zero, u->good, BYTES);
		zero_check(run, u->good, BYTES);
	}
}

static void lazy_call(struct wl_run *run, struct uaccess *u, struct wl_row *row, bool writing,
		      char *p)
{
	if (writing) {
		call_once(run, row, SYS_write, u->pipe[1], p, BYTES);
		pipe_check(run, u, 0);
	} else {
		call_once(run, row, SYS_read, u->zero, p, BYTES);
	}
}

static void calls_that_work(struct wl_run *run, struct uaccess *u, bool writing)
{
	struct wl_row *good = wl_row(run, writing ? "write_good" : "read_good", 0, TIMING_CALL);
	struct wl_row *lazy = wl_row(run, writing ? "write_lazy" : "read_lazy", 0, TIMING_CALL);

	wl_begin(run);
	for (uint64_t i = 0; i < u->iters && case_on(run, CASE_GOOD); i++)
		good_call(run, u, good, writing, (char)~i);
	for (uint64_t i = 0; i < u->iters && case_on(run, CASE_LAZY); i++)
		lazy_call(run, u, lazy, writing, u->lazy + i * WL_PAGE);
	wl_end(run);
}

static void calls_that_fail(struct wl_run *run, struct uaccess *u, const char *phase, long nr,
			    int fd, char *p, long want)
{
	struct wl_row *row = wl_row(run, phase, 0, TIMING_CALL);

	wl_begin(run);
	for (uint64_t i = 0; i < u->iters; i++)
		call_once(run, row, nr, fd, p, want);
	wl_end(run);
}

static void bad_pointers(struct wl_run *run, struct uaccess *u)
{
	char *bad = u->cross + WL_PAGE, *border = bad - BYTES / 2;

	if (case_on(run, CASE_BAD)) {
		calls_that_fail(run, u, "read_bad", SYS_read, u->zero, bad, -EFAULT);
		calls_that_fail(run, u, "write_bad", SYS_write, u->pipe[1], bad, -EFAULT);
	}
	if (case_on(run, CASE_READONLY))
		calls_that_fail(run, u, "read_readonly", SYS_read, u->zero, u->readonly, -EFAULT);
	if (case_on(run, CASE_CROSS)) {
		memset(border, 0xff, BYTES / 2);
		calls_that_fail(run, u, "read_cross", SYS_read, u->zero, border, BYTES / 2);
		zero_check(run, border, BYTES / 2);
	}
	if (case_on(run, CASE_REFUSED))
		calls_that_fail(run, u, "read_refused", SYS_read, u->zero, (char *)KERNEL_ADDRESS,
				-EFAULT);
}

static void lazy_renew(struct wl_run *run, struct uaccess *u)
{
	if (u->lazy)
		wl_unmap(run, u->lazy, u->iters * WL_PAGE);
	u->lazy = wl_map(run, u->iters * WL_PAGE, PROT_READ | PROT_WRITE);
}

static void uaccess_open(struct wl_run *run, struct uaccess *u)
{
	uint64_t value;

	u->zero = open("/dev/zero", O_RDONLY);
	if (u->zero < 0 || pipe(u->pipe))
		wl_fail(run, "/dev/zero or pipe: %m");
	u->good = wl_map(run, WL_PAGE, PROT_READ | PROT_WRITE);
	timing_write(u->good, 0);
	u->readonly = wl_map(run, WL_PAGE, PROT_READ);
	timing_read(u->readonly, &value);
	u->cross = wl_map(run, 2 * WL_PAGE, PROT_READ | PROT_WRITE);
	timing_write(u->cross, 0);
	wl_unmap(run, u->cross + WL_PAGE, WL_PAGE);
}

static void uaccess_close(struct wl_run *run, struct uaccess *u)
{
	wl_unmap(run, u->lazy, u->iters * WL_PAGE);
	wl_unmap(run, u->good, WL_PAGE);
	wl_unmap(run, u->readonly, WL_PAGE);
	wl_unmap(run, u->cross, WL_PAGE);
	close(u->zero);
	close(u->pipe[0]);
	close(u->pipe[1]);
}

static void uaccess(struct wl_run *run)
{
	struct uaccess u = {.iters = wl_rounds(run, wl_uint(run, "iters"))};

	uaccess_open(run, &u);
	lazy_renew(run, &u);
	calls_that_work(run, &u, false);
	for (uint64_t i = 0; i < u.iters; i++)
		zero_check(run, u.lazy + i * WL_PAGE, WL_PAGE);
	lazy_renew(run, &u);
	calls_that_work(run, &u, true);
	bad_pointers(run, &u);
	uaccess_close(run, &u);
}

const struct workload workload = {
	.name = "uaccess",
	.doc = "system calls with good, lazy and bad pointers: faults inside the kernel's copies",
	.phases =
		WL_PHASES({"read_good", "read(/dev/zero, 64 bytes) into a page that is present"},
			  {"read_lazy", "into a page not touched yet"},
			  {"write_good", "write to a pipe from a page that is present"},
			  {"write_lazy", "from a page not touched yet"},
			  {"read_bad", "read(/dev/zero) to where no VMA is: EFAULT"},
			  {"write_bad", "write to a pipe from where no VMA is: EFAULT"},
			  {"read_readonly", "read(/dev/zero) into a read-only page: EFAULT"},
			  {"read_cross", "the second half of the buffer in no VMA: a short count"},
			  {"read_refused", "an address of the kernel's half: EFAULT, no fault"}),
	.params = WL_PARAMS(WL_CHOICE("case", "all", "all|good|lazy|bad|readonly|cross|refused",
				      "which pointers"),
			    WL_NUMBER("iters", "128", 1, 1u << 20, "calls of each kind")),
	.body = uaccess,
};
