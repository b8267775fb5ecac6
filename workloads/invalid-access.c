/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses that no kernel may allow, each caught by a handler that moves RIP on. A sample is the
 * whole way: fault, signal frame, handler, rt_sigreturn, next instruction.
 *
 * What the signal brings is checked each time: si_code, si_addr, and in the machine context the
 * vector (14), CR2 and the error code. Linux shows ring 3 the P bit on every address of the kernel
 * half, so that nobody can probe what is mapped there; the same must hold on the stub.
 *
 * `rsvd` is apart: a reserved bit in a page-table entry is corruption, and the kernel kills the
 * task.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "segv.h"
#include "stubctl.h"
#include "workload.h"

#define KERNEL_ADDRESS 0xffffffff80200000ull /* the stub's text: kpti_test.sh wants it mapped */

enum { PF_P = 1, PF_W = 2, PF_U = 4, PF_I = 16, PF_VECTOR = 14 };

/* What the target page is before the accesses. */
enum target { TARGET_UNMAPPED, TARGET_READABLE, TARGET_NONE, TARGET_WRITABLE, TARGET_KERNEL };

struct invalid_case {
	const char *phase;
	enum target target;
	enum segv_kind kind;
	int si_code;
	uint64_t err;
};

static const struct invalid_case cases[] = {
	{"maperr_read", TARGET_UNMAPPED, SEGV_READ, SEGV_MAPERR, PF_U},
	{"maperr_write", TARGET_UNMAPPED, SEGV_WRITE, SEGV_MAPERR, PF_U | PF_W},
	{"accerr_write", TARGET_READABLE, SEGV_WRITE, SEGV_ACCERR, PF_U | PF_W | PF_P},
	{"accerr_read", TARGET_NONE, SEGV_READ, SEGV_ACCERR, PF_U},
	{"exec", TARGET_WRITABLE, SEGV_EXEC, SEGV_ACCERR, PF_U | PF_I | PF_P},
	{"kernel_addr", TARGET_KERNEL, SEGV_READ, SEGV_MAPERR, PF_U | PF_P},
};
#define NR_CASES (sizeof cases / sizeof *cases)

/* In the order of the parameter's choices: all, those of `cases`, rsvd. */
enum { CASE_ALL, CASE_RSVD = NR_CASES + 1 };

static char *target_map(struct wl_run *run, enum target target)
{
	char *p;
	uint64_t value;

	if (target == TARGET_KERNEL)
		return (char *)KERNEL_ADDRESS;
	p = wl_map(run, WL_PAGE,
		   target == TARGET_NONE       ? PROT_NONE
		   : target == TARGET_READABLE ? PROT_READ
					       : PROT_READ | PROT_WRITE);
	if (target == TARGET_READABLE)
		timing_read(p, &value);
	else if (target == TARGET_WRITABLE)
		timing_write(p, 0);
	else if (target == TARGET_UNMAPPED)
		wl_unmap(run, p, WL_PAGE);
	return p;
}

static void target_unmap(struct wl_run *run, enum target target, char *p)
{
	if (target != TARGET_KERNEL && target != TARGET_UNMAPPED)
		wl_unmap(run, p, WL_PAGE);
}

static void case_check(struct wl_run *run, const struct invalid_case *c, uint64_t addr,
		       uint64_t count)
{
	if (segv_seen.count != count)
		wl_fail(run, "%s: the access went through", c->phase);
	if (segv_seen.signo != SIGSEGV || segv_seen.code != c->si_code || segv_seen.addr != addr)
		wl_fail(run, "%s: si_code %d at %#lx, not %d at %#lx", c->phase, segv_seen.code,
			segv_seen.addr, c->si_code, addr);
	if (segv_seen.trap != PF_VECTOR || segv_seen.err != c->err || segv_seen.cr2 != addr)
		wl_fail(run, "%s: vector %lu, error code %#lx, cr2 %#lx, not %d, %#lx, %#lx",
			c->phase, segv_seen.trap, segv_seen.err, segv_seen.cr2, PF_VECTOR, c->err,
			addr);
}

static void case_run(struct wl_run *run, const struct invalid_case *c, uint64_t iters)
{
	struct wl_row *row = wl_row(run, c->phase, 0, TIMING_ACCESS);
	char *p = target_map(run, c->target);

	wl_begin(run);
	for (uint64_t i = 0; i < iters; i++) {
		char *at = p + i * 8 % WL_PAGE;
		uint64_t before = segv_seen.count;

		wl_sample(row, segv_access(c->kind, at));
		case_check(run, c, (uint64_t)at, before + 1);
	}
	wl_end(run);
	target_unmap(run, c->target, p);
}

/* The kernel must kill this task; the report goes ahead of the access. */
static void case_rsvd(struct wl_run *run)
{
	volatile char *p;

	if (!run->on_stub)
		wl_unsupported(run, "needs the stub: Linux sets no reserved bit on request");
	if (run->warming)
		return;
	p = wl_map(run, WL_PAGE, PROT_READ | PROT_WRITE);
	*p = 1;
	if (stubctl(FL_STUBCTL_SET_RSVD, (uint64_t)p, 0))
		wl_fail(run, "stubctl could not set a reserved bit");
	wl_report_early(run);
	wl_begin(run);
	(void)*p;
	wl_fail(run, "rsvd: the access went through");
}

static void invalid_access(struct wl_run *run)
{
	unsigned which = wl_enum(run, "case");
	uint64_t iters = wl_rounds(run, wl_uint(run, "iters"));

	if (which == CASE_RSVD) {
		case_rsvd(run);
		return;
	}
	if (segv_install())
		wl_fail(run, "sigaction: %m");
	for (unsigned i = 0; i < NR_CASES; i++)
		if (which == CASE_ALL || which == i + 1)
			case_run(run, &cases[i], iters);
}

const struct workload workload = {
	.name = "invalid-access",
	.doc = "accesses that end in SIGSEGV, with a handler that goes on behind them",
	.params =
		WL_PARAMS(WL_CHOICE("case", "all",
				    "all|maperr_read|maperr_write|accerr_write|accerr_read|exec|"
				    "kernel_addr|rsvd",
				    "which access; all but rsvd, which kills the task (stub only)"),
			  WL_NUMBER("iters", "128", 1, 1u << 24, "accesses of each case")),
	.phases = WL_PHASES({"maperr_read", "load where no VMA is"},
			    {"maperr_write", "store where no VMA is"},
			    {"accerr_write", "store to a read-only page that is present"},
			    {"accerr_read", "load from PROT_NONE memory"},
			    {"exec", "jump into a page that is not executable"},
			    {"kernel_addr", "load from the kernel's half"}),
	.body = invalid_access,
};
