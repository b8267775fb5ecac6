/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes the kernel touch an address that it must not.
 *
 *   survive   a kernel task does: it reports an oops, is killed, and the kernel goes on: the call
 *             returns -EIO and this program, alive, maps and touches memory to prove that faults
 *             are still served
 *   process   a forked process does, in its own name: its parent sees it killed. `workers` other
 *             processes map, write and unmap memory meanwhile, on whatever CPUs there are. The
 * phase is open from where all have been seen at work, and the parent waits, to the oops: no
 * process's first moments fall into it, however the CPUs take turns the rest  where going on is not
 * safe: that ends the machine. panic: no task to kill; stack: the kernel stack runs over; report:
 * the report of an oops faults, too; lock, mm-lock: a lock is held
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stubctl.h"
#include "workload.h"

/* Canonical, in the kernel's half, and mapped by nothing: neither direct map nor image. */
#define HOLE_ADDRESS 0xfffff00000000000ull
/* No kernel touches ring 3's memory but by its copy functions. */
#define NULL_ADDRESS 0x18ull

#define AREA_PAGES 2u
#define AREA_SLOT 1u

#define WORKERS_MAX 16
#define WORKER_PAGES 8u

enum mode {
	MODE_SURVIVE,
	MODE_PROCESS,
	MODE_PANIC,
	MODE_STACK,
	MODE_REPORT,
	MODE_LOCK,
	MODE_MM_LOCK,
};

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

/* Where the kernel has no business: bad[2] and [3] are next to memory of its own, and in memory
 * that it has given back. */
static void bad_addresses(struct wl_run *run, uint64_t bad[4])
{
	long area = stubctl(FL_STUBCTL_VMALLOC, AREA_PAGES * WL_PAGE, AREA_SLOT);

	if (area < 0 && area > -(long)WL_PAGE)
		wl_fail(run, "vmalloc: error %ld", area);
	bad[0] = HOLE_ADDRESS;
	bad[1] = NULL_ADDRESS;
	bad[2] = (uint64_t)area + AREA_PAGES * WL_PAGE;
	bad[3] = (uint64_t)area;
	if (stubctl(FL_STUBCTL_KERNEL_WRITE, bad[3], 0) || stubctl(FL_STUBCTL_VFREE, bad[3], 0))
		wl_fail(run, "kernel memory at %#lx is not right", bad[3]);
}

static void survive(struct wl_run *run)
{
	struct wl_row *read = wl_row(run, "oops_read", 0, TIMING_CALL);
	struct wl_row *write = wl_row(run, "oops_write", 0, TIMING_CALL);
	uint64_t iters = run->warming ? 1 : wl_uint(run, "iters"), bad[4];

	bad_addresses(run, bad);
	for (uint64_t i = 0; i < iters; i++) {
		wl_begin(run);
		oops_once(run, read, FL_STUBCTL_KERNEL_READ, bad[i % 4]);
		oops_once(run, write, FL_STUBCTL_KERNEL_WRITE, bad[i % 4]);
		wl_end(run);
		prove_alive(run);
	}
}

/* What the processes tell one another, in memory that they share. */
struct meeting {
	atomic_uint at_work;	  /* workers that have been through a round */
	atomic_bool parent_waits; /* it does nothing any more but wait for its child */
	atomic_bool over;	  /* workers end */
};

static struct meeting *meeting_create(struct wl_run *run)
{
	struct meeting *m =
		mmap(NULL, WL_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED)
		wl_fail(run, "mmap: %m");
	return m;
}

/* The phase is open in the child alone, and in its last moments. */
static _Noreturn void oops_in_child(struct wl_run *run, struct meeting *m)
{
	prefault_program();
	while (!m->parent_waits)
		sched_yield();
	wl_begin(run);
	stubctl(FL_STUBCTL_OOPS, FL_OOPS_PLAIN, 0);
	_exit(1);
}

/* After fork every page of the parent's faults once, at the latest here: not in the phase. */
static void oops_in_process(struct wl_run *run, struct meeting *m)
{
	int status;
	pid_t pid;

	m->parent_waits = false;
	pid = fork();
	if (pid == 0)
		oops_in_child(run, m);
	prefault_program();
	m->parent_waits = true;
	if (pid < 0 || sys_call(SYS_wait4, (uint64_t)pid, (uint64_t)&status, 0, 0, 0, 0) != pid)
		wl_fail(run, "fork or wait: %m");
	wl_end(run);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		wl_fail(run, "an oops left its process with status %#x", status);
}

/* Is each page what was written to it? */
static bool worker_round(struct wl_run *run, uint64_t round)
{
	volatile uint64_t *p = wl_map(run, WORKER_PAGES * WL_PAGE, PROT_READ | PROT_WRITE);
	bool good = true;

	for (uint64_t i = 0; i < WORKER_PAGES; i++)
		p[i * WL_PAGE / sizeof(*p)] = round + i;
	for (uint64_t i = 0; i < WORKER_PAGES; i++)
		good &= p[i * WL_PAGE / sizeof(*p)] == round + i;
	wl_unmap(run, (void *)p, WORKER_PAGES * WL_PAGE);
	return good;
}

static _Noreturn void worker(struct wl_run *run, struct meeting *m)
{
	bool good;

	prefault_program();
	good = worker_round(run, 0);
	m->at_work++;
	for (uint64_t round = 1; good && !m->over; round++)
		good = worker_round(run, round);
	_exit(!good);
}

static void workers_start(struct wl_run *run, struct meeting *m, pid_t *pid, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		pid[i] = fork();
		if (pid[i] == 0)
			worker(run, m);
		if (pid[i] < 0)
			wl_fail(run, "fork: %m");
	}
	while (m->at_work < n)
		sched_yield();
}

static void workers_end(struct wl_run *run, struct meeting *m, const pid_t *pid, uint64_t n)
{
	m->over = true;
	for (uint64_t i = 0; i < n; i++) {
		int status = -1;

		if (waitpid(pid[i], &status, 0) != pid[i] || status)
			wl_fail(run, "a process that did nothing wrong ended with status %#x",
				status);
	}
}

static void process(struct wl_run *run)
{
	struct meeting *m = meeting_create(run);
	uint64_t n = wl_uint(run, "workers");
	pid_t pid[WORKERS_MAX];

	workers_start(run, m, pid, n);
	for (uint64_t i = 0; i < (run->warming ? 1 : wl_uint(run, "iters")); i++) {
		oops_in_process(run, m);
		prove_alive(run);
	}
	workers_end(run, m, pid, n);
	wl_unmap(run, m, WL_PAGE);
}

static _Noreturn void die(struct wl_run *run, enum mode mode)
{
	static const enum fl_oops kind[] = {
		[MODE_STACK] = FL_OOPS_STACK,
		[MODE_REPORT] = FL_OOPS_IN_REPORT,
		[MODE_LOCK] = FL_OOPS_KERN_LOCK,
		[MODE_MM_LOCK] = FL_OOPS_MM_LOCK,
	};

	wl_report_early(run);
	wl_begin(run);
	if (mode == MODE_PANIC)
		stubctl(FL_STUBCTL_PANIC, 0, 0);
	else
		stubctl(FL_STUBCTL_OOPS, kind[mode], wl_uint(run, "reports"));
	wl_fail(run, "the kernel went on after a panic");
}

static void kernel_oops(struct wl_run *run)
{
	enum mode mode = wl_enum(run, "mode");

	if (mode == MODE_SURVIVE)
		survive(run);
	else if (mode == MODE_PROCESS)
		process(run);
	else if (!run->warming)
		die(run, mode);
}

const struct workload workload = {
	.name = "kernel-oops",
	.doc = "the kernel touches a bad kernel address: oops and recovery, or panic",
	.params = WL_PARAMS(
		WL_CHOICE("mode", "survive", "survive|process|panic|stack|report|lock|mm-lock",
			  "survive, process: the kernel goes on; the others: the machine ends"),
		WL_NUMBER(
			"iters", "4", 1, 10000,
			"pairs of a read and a write for mode=survive; processes for mode=process"),
		WL_NUMBER("workers", "0", 0, WORKERS_MAX,
			  "processes that go on meanwhile, for mode=process"),
		WL_NUMBER("reports", "1", 1, 2, "how many reports fault, for mode=report")),
	.phases =
		WL_PHASES({"oops_read", "stubctl(KERNEL_READ, bad address) until it returns -EIO"},
			  {"oops_write", "stubctl(KERNEL_WRITE, bad address) likewise"}),
	.needs_stub = "Linux has no call that makes the kernel touch an address",
	.body = kernel_oops,
};
