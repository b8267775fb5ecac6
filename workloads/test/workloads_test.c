/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every workload as a program, natively: what it says of itself, what it refuses, what it reports.
 */
#define _GNU_SOURCE
#include <atf-c.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../anon-touch.c"
#include "team.h"

#define OUTPUT_MAX (64u << 10)
#define ARGS_MAX 8

static const char *const names[] = {"anon-touch",  "vma-ops",	 "invalid-access", "uaccess",
				    "kernel-oops", "spurious",	 "vmalloc",	   "fork-cow",
				    "shmem-touch", "stack-grow", "threads-touch",  "shootdown",
				    "vma-index",   "baseline"};
#define NR_NAMES (sizeof names / sizeof *names)

/* One run of a program. */
struct ran {
	int status;
	char out[OUTPUT_MAX], err[OUTPUT_MAX];
	char report[FL_USER_REPORT_MAX];
	size_t report_len;
};

static size_t slurp(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size, 0);

	ATF_REQUIRE(n >= 0 && (size_t)n < size);
	close(fd);
	return (size_t)n;
}

static void become(const atf_tc_t *tc, const char *name, const char *args, const int fd[3])
{
	char path[512], number[16], words[256], *argv[ARGS_MAX + 2] = {path};
	unsigned n = 1;

	snprintf(path, sizeof path, "%s/workloads/%s", atf_tc_get_config_var(tc, "build"), name);
	snprintf(words, sizeof words, "%s", args);
	for (char *w = strtok(words, " "); w && n <= ARGS_MAX; w = strtok(NULL, " "))
		argv[n++] = w;
	snprintf(number, sizeof number, "%d", fd[2]);
	setenv("FAULTLINE_REPORT_FD", number, 1);
	dup2(fd[0], 1);
	dup2(fd[1], 2);
	execv(path, argv);
	_exit(127);
}

/* Runs NAME with blank-separated arguments. */
static struct ran *run_program(const atf_tc_t *tc, const char *name, const char *args)
{
	static struct ran ran;
	int fd[3], status;
	pid_t pid;

	if (!atf_tc_has_config_var(tc, "build"))
		atf_tc_skip("needs the variable build: where the workloads are");
	memset(&ran, 0, sizeof ran);
	for (unsigned i = 0; i < 3; i++)
		ATF_REQUIRE((fd[i] = memfd_create("ran", 0)) >= 0);
	ATF_REQUIRE((pid = fork()) >= 0);
	if (!pid)
		become(tc, name, args, fd);
	ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	ATF_REQUIRE_MSG(WIFEXITED(status), "%s %s: killed by signal %d", name, args,
			WTERMSIG(status));
	ran.status = WEXITSTATUS(status);
	slurp(fd[0], ran.out, sizeof ran.out);
	slurp(fd[1], ran.err, sizeof ran.err);
	ran.report_len = slurp(fd[2], ran.report, sizeof ran.report);
	return &ran;
}

/* ---- descriptions ---- */

/* The TAB-separated fields of a line; their number. */
static unsigned split(char *line, char *field[], unsigned max)
{
	unsigned n = 0;

	for (char *f = strsep(&line, "\t"); f && n < max; f = strsep(&line, "\t"))
		field[n++] = f;
	return n;
}

static void check_line(char *line, const char *name, unsigned nr)
{
	char *field[8];
	unsigned n = split(line, field, 8);

	ATF_REQUIRE(n >= 3);
	if (nr == 0) {
		ATF_CHECK_STREQ(field[0], "workload");
		ATF_CHECK_STREQ(field[1], name);
	} else if (strcmp(field[0], "param") == 0) {
		ATF_REQUIRE_EQ_MSG(n, 6, "%s: param %s has %u fields", name, field[1], n);
		if (strcmp(field[2], "enum") == 0)
			ATF_CHECK(strchr(field[4], '|') != NULL);
		else
			ATF_CHECK(strcmp(field[2], "uint") == 0 && strstr(field[4], ".."));
	} else {
		ATF_CHECK_STREQ(field[0], "phase");
		ATF_CHECK_EQ(n, 3);
		ATF_CHECK_EQ(strspn(field[1], "abcdefghijklmnopqrstuvwxyz0123456789_"),
			     strlen(field[1]));
		ATF_CHECK(strlen(field[1]) < sizeof((struct fl_report_phase *)0)->name);
	}
}

ATF_TC_WITHOUT_HEAD(describe);
ATF_TC_BODY(describe, tc)
{
	for (unsigned i = 0; i < NR_NAMES; i++) {
		struct ran *r = run_program(tc, names[i], "--describe");
		char *rest = r->out;
		unsigned nr = 0;

		ATF_CHECK_EQ(r->status, 0);
		ATF_CHECK_STREQ(r->err, "");
		for (char *l = strsep(&rest, "\n"); l && *l; l = strsep(&rest, "\n"))
			check_line(l, names[i], nr++);
		ATF_CHECK_MSG(nr >= 2, "%s: %u lines", names[i], nr);
	}
}

ATF_TC_WITHOUT_HEAD(help);
ATF_TC_BODY(help, tc)
{
	for (unsigned i = 0; i < NR_NAMES; i++) {
		struct ran *r = run_program(tc, names[i], "--help");

		ATF_CHECK_EQ(r->status, 0);
		ATF_CHECK(strstr(r->out, "usage:") && strstr(r->out, names[i]));
		ATF_CHECK_EQ(r->report_len, 0);
	}
}

ATF_TC_WITHOUT_HEAD(wrong_use);
ATF_TC_BODY(wrong_use, tc)
{
	static const char *const wrong[] = {"nonsense", "nonsense=1", "seed=x", "--nonsense",
					    "--help --describe"};

	for (unsigned i = 0; i < NR_NAMES; i++)
		for (unsigned j = 0; j < sizeof wrong / sizeof *wrong; j++) {
			struct ran *r = run_program(tc, names[i], wrong[j]);

			ATF_CHECK_EQ_MSG(r->status, 2, "%s %s: status %d", names[i], wrong[j],
					 r->status);
			ATF_CHECK(r->err[0] != '\0');
			ATF_CHECK_STREQ(r->out, "");
			ATF_CHECK_EQ(r->report_len, 0);
		}
}

/* ---- reports ---- */

static const struct fl_report *report_of(const struct ran *r)
{
	const struct fl_report *report = (const struct fl_report *)r->report;

	ATF_REQUIRE(r->report_len >= sizeof *report);
	ATF_REQUIRE_EQ(report->magic, FL_REPORT_MAGIC);
	ATF_REQUIRE_EQ(report->version, FL_ABI_VERSION);
	return report;
}

/* Samples of a phase at x; -1 if there is no such row. */
static int64_t samples(const struct ran *r, const char *name, uint64_t x)
{
	const struct fl_report *report = report_of(r);
	const char *p = r->report + sizeof *report, *end = r->report + r->report_len;

	for (unsigned i = 0; i < report->nr_phases; i++) {
		struct fl_report_phase phase;
		int64_t n = 0;

		ATF_REQUIRE((size_t)(end - p) >= sizeof phase);
		memcpy(&phase, p, sizeof phase);
		p += sizeof phase;
		for (unsigned k = 0; k < phase.nr_pairs; k++) {
			struct fl_report_pair pair;

			ATF_REQUIRE((size_t)(end - p) >= sizeof pair);
			memcpy(&pair, p, sizeof pair);
			p += sizeof pair;
			n += pair.count;
		}
		if (strcmp(phase.name, name) == 0 && phase.x == x)
			return n;
	}
	return -1;
}

static struct ran *run_ok(const atf_tc_t *tc, const char *name, const char *args)
{
	struct ran *r = run_program(tc, name, args);

	ATF_REQUIRE_EQ_MSG(r->status, 0, "%s %s: status %d: %s", name, args, r->status, r->err);
	ATF_REQUIRE_EQ_MSG(report_of(r)->status, FL_REPORT_OK, "%s", report_of(r)->reason);
	ATF_CHECK_STREQ(r->out, "");
	return r;
}

ATF_TC_WITHOUT_HEAD(anon_touch_native);
ATF_TC_BODY(anon_touch_native, tc)
{
	struct ran *r = run_ok(tc, "anon-touch", "pages=300 access=read order=random");

	ATF_CHECK_EQ(samples(r, "read", 0), 300);
	ATF_CHECK_EQ(samples(r, "write", 0), -1);
	r = run_ok(tc, "anon-touch", "pages=301 access=write order=strided stride=7");
	ATF_CHECK_EQ(samples(r, "write", 0), 301);
	r = run_ok(tc, "anon-touch", "pages=100 access=readwrite");
	ATF_CHECK_EQ(samples(r, "read", 0), 100);
	ATF_CHECK_EQ(samples(r, "write", 0), 100);
}

ATF_TC_WITHOUT_HEAD(vma_ops_native);
ATF_TC_BODY(vma_ops_native, tc)
{
	static const char *const phases[] = {"mmap",	       "munmap",	 "mmap_below",
					     "munmap_below",   "munmap_split",	 "mmap_merge",
					     "mprotect_split", "mprotect_merge", "touch",
					     "dontneed",       "brk_grow",	 "brk_shrink"};
	struct ran *r = run_ok(tc, "vma-ops", "vmas=50 iters=20");

	for (unsigned i = 0; i < sizeof phases / sizeof *phases; i++)
		ATF_CHECK_EQ_MSG(samples(r, phases[i], 50), 20, "%s", phases[i]);
	r = run_ok(tc, "vma-ops", "vmas=1 iters=1 ops=brk");
	ATF_CHECK_EQ(samples(r, "brk_grow", 1), 1);
	ATF_CHECK_EQ(samples(r, "mmap", 1), -1);
}

ATF_TC_WITHOUT_HEAD(vma_index_native);
ATF_TC_BODY(vma_index_native, tc)
{
	static const char *const phases[] = {"lookup", "insert", "erase", "split", "merge", "hole"};

	for (unsigned vmas = 1; vmas <= 100; vmas += 99) {
		char args[32];

		snprintf(args, sizeof args, "vmas=%u iters=20", vmas);
		for (unsigned i = 0; i < sizeof phases / sizeof *phases; i++)
			ATF_CHECK_EQ_MSG(samples(run_ok(tc, "vma-index", args), phases[i], vmas),
					 20, "%s", phases[i]);
	}
}

ATF_TC_WITHOUT_HEAD(vma_ops_too_many);
ATF_TC_BODY(vma_ops_too_many, tc)
{
	struct ran *r = run_program(tc, "vma-ops", "vmas=1000000 iters=1 ops=brk");
	const struct fl_report *report = report_of(r);

	ATF_CHECK_EQ(r->status, 0);
	if (report->status == FL_REPORT_OK)
		atf_tc_skip("this kernel's vm.max_map_count allows a million VMAs");
	ATF_CHECK_EQ(report->status, FL_REPORT_UNSUPPORTED);
	ATF_CHECK(strstr(report->reason, "max_map_count") != NULL);
}

ATF_TC_WITHOUT_HEAD(invalid_access_native);
ATF_TC_BODY(invalid_access_native, tc)
{
	static const char *const phases[] = {"maperr_read", "maperr_write", "accerr_write",
					     "accerr_read", "exec",	    "kernel_addr"};
	struct ran *r = run_ok(tc, "invalid-access", "iters=10");

	for (unsigned i = 0; i < sizeof phases / sizeof *phases; i++)
		ATF_CHECK_EQ_MSG(samples(r, phases[i], 0), 10, "%s", phases[i]);
	for (unsigned i = 0; i < sizeof phases / sizeof *phases; i++) {
		char args[64];

		snprintf(args, sizeof args, "iters=3 case=%s", phases[i]);
		r = run_ok(tc, "invalid-access", args);
		ATF_CHECK_EQ(report_of(r)->nr_phases, 1);
		ATF_CHECK_EQ_MSG(samples(r, phases[i], 0), 3, "%s", phases[i]);
	}
}

ATF_TC_WITHOUT_HEAD(uaccess_native);
ATF_TC_BODY(uaccess_native, tc)
{
	static const char *const phases[] = {"read_good",     "read_lazy",  "write_good",
					     "write_lazy",    "read_bad",   "write_bad",
					     "read_readonly", "read_cross", "read_refused"};
	struct ran *r = run_ok(tc, "uaccess", "iters=12");

	for (unsigned i = 0; i < sizeof phases / sizeof *phases; i++)
		ATF_CHECK_EQ_MSG(samples(r, phases[i], 0), 12, "%s", phases[i]);
}

ATF_TC_WITHOUT_HEAD(fork_cow_native);
ATF_TC_BODY(fork_cow_native, tc)
{
	struct ran *r = run_ok(tc, "fork-cow", "pages=50 written=30 depth=2 fanout=3");

	ATF_CHECK_EQ(samples(r, "fork", 0), 3);
	ATF_CHECK_EQ(samples(r, "copy", 0), 15);
	ATF_CHECK_EQ(samples(r, "reuse", 0), 35);
	r = run_ok(tc, "fork-cow", "pages=7 written=100 depth=5");
	ATF_CHECK_EQ(samples(r, "copy", 0), 7);
}

ATF_TC_WITHOUT_HEAD(shmem_touch_native);
ATF_TC_BODY(shmem_touch_native, tc)
{
	struct ran *r = run_ok(tc, "shmem-touch", "pages=50 theirs=30 written=60");

	ATF_CHECK_EQ(samples(r, "alloc", 0), 35);
	ATF_CHECK_EQ(samples(r, "write", 0), 9);
	ATF_CHECK_EQ(samples(r, "map", 0), 6);
	r = run_ok(tc, "shmem-touch", "pages=9 theirs=0");
	ATF_CHECK_EQ(samples(r, "alloc", 0), 9);
}

ATF_TC_WITHOUT_HEAD(stack_grow_native);
ATF_TC_BODY(stack_grow_native, tc)
{
	struct ran *r = run_ok(tc, "stack-grow", "pages=300 stacks=2");

	ATF_CHECK_EQ(samples(r, "write", 0), 600);
}

/* On all CPUs that there are; with two threads each where that is asked for. */
ATF_TC_WITHOUT_HEAD(threads_touch_native);
ATF_TC_BODY(threads_touch_native, tc)
{
	static const struct {
		const char *args;
		int64_t maps, faults, unmaps; /* of each thread */
	} cases[] = {
		{"op=fault", -1, 50, -1},
		{"op=fault region=shared", -1, 50, -1},
		{"op=fault region=contended", -1, 50, -1},
		{"op=mmap", 13, -1, -1},
		{"op=mmap region=shared", 13, -1, -1},
		{"op=mmap_fault", 13, 50, -1},
		{"op=unmap", -1, -1, 13},
		{"op=unmap_virt region=shared", -1, -1, 13},
		{"op=page_fault1", 13, 50, 13},
		{"op=mmap1", 13, -1, 13},
	};
	int64_t cpus = team_cpus();

	for (int64_t each = 1; each <= 2; each++)
		for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
			int64_t n = cpus * each;
			char args[128];

			snprintf(args, sizeof args, "%s pages=50 per_cpu=%ld", cases[i].args, each);
			struct ran *r = run_ok(tc, "threads-touch", args);

			ATF_CHECK_EQ(samples(r, "mmap", 0),
				     cases[i].maps < 0 ? -1 : cases[i].maps * n);
			ATF_CHECK_EQ(samples(r, "fault", 0),
				     cases[i].faults < 0 ? -1 : cases[i].faults * n);
			ATF_CHECK_EQ(samples(r, "unmap", 0),
				     cases[i].unmaps < 0 ? -1 : cases[i].unmaps * n);
			ATF_CHECK_EQ(samples(r, "elapsed", 0), 1);
		}
	struct ran *r = run_program(tc, "threads-touch", "op=mmap region=contended");

	ATF_CHECK_EQ(r->status, 0);
	ATF_CHECK_EQ(report_of(r)->status, FL_REPORT_UNSUPPORTED);
}

ATF_TC_WITHOUT_HEAD(shootdown_native);
ATF_TC_BODY(shootdown_native, tc)
{
	static const char *const ops[] = {"munmap", "mprotect", "dontneed"};

	for (unsigned i = 0; i < sizeof ops / sizeof *ops; i++)
		for (unsigned pages = 1; pages <= 40; pages += 39) {
			char args[64];

			snprintf(args, sizeof args, "op=%s pages=%u rounds=9", ops[i], pages);
			struct ran *r = run_ok(tc, "shootdown", args);

			ATF_CHECK_EQ(samples(r, ops[i], 0), 9);
			ATF_CHECK_EQ(report_of(r)->nr_phases, 1);
		}
}

ATF_TC_WITHOUT_HEAD(needs_the_stub);
ATF_TC_BODY(needs_the_stub, tc)
{
	static const char *const program[][2] = {{"kernel-oops", ""},
						 {"kernel-oops", "mode=panic"},
						 {"spurious", ""},
						 {"vmalloc", ""},
						 {"invalid-access", "case=rsvd"}};

	for (unsigned i = 0; i < sizeof program / sizeof *program; i++) {
		struct ran *r = run_program(tc, program[i][0], program[i][1]);

		ATF_CHECK_EQ(r->status, 0);
		ATF_CHECK_EQ(report_of(r)->status, FL_REPORT_UNSUPPORTED);
		ATF_CHECK(strstr(report_of(r)->reason, "needs the stub") != NULL);
	}
}

ATF_TC_WITHOUT_HEAD(bad_report_descriptor);
ATF_TC_BODY(bad_report_descriptor, tc)
{
	char command[600];

	if (!atf_tc_has_config_var(tc, "build"))
		atf_tc_skip("needs the variable build: where the workloads are");
	snprintf(command, sizeof command,
		 "FAULTLINE_REPORT_FD=99 %s/workloads/anon-touch pages=1 2>err",
		 atf_tc_get_config_var(tc, "build"));
	ATF_CHECK_EQ(WEXITSTATUS(system(command)), 1);
	ATF_CHECK(atf_utils_grep_file("report was not taken", "err"));
}

/* ---- orders ---- */

static void check_permutation(const uint32_t *order, unsigned n)
{
	unsigned char seen[1000] = {0};

	for (unsigned i = 0; i < n; i++) {
		ATF_REQUIRE(order[i] < n && !seen[order[i]]);
		seen[order[i]] = 1;
	}
}

ATF_TC_WITHOUT_HEAD(orders);
ATF_TC_BODY(orders, tc)
{
	static const unsigned strides[] = {1, 2, 7, 16, 999, 1000, 5000};
	uint32_t a[1000], b[1000];
	struct random r = {3}, same = {3}, other = {4};

	for (unsigned i = 0; i < 1000; i++)
		a[i] = b[i] = i;
	order_shuffle(a, 1000, &r);
	check_permutation(a, 1000);
	order_shuffle(b, 1000, &same);
	ATF_CHECK_EQ_MSG(memcmp(a, b, sizeof a), 0, "the same seed gave another order");
	for (unsigned i = 0; i < 1000; i++)
		b[i] = i;
	order_shuffle(b, 1000, &other);
	ATF_CHECK_MSG(memcmp(a, b, sizeof a) != 0, "another seed gave the same order");
	for (unsigned i = 0; i < sizeof strides / sizeof *strides; i++) {
		order_stride(a, 1000, strides[i]);
		check_permutation(a, 1000);
		ATF_CHECK_EQ(a[1], strides[i] < 1000 ? strides[i] : 1);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, describe);
	ATF_TP_ADD_TC(tp, help);
	ATF_TP_ADD_TC(tp, wrong_use);
	ATF_TP_ADD_TC(tp, anon_touch_native);
	ATF_TP_ADD_TC(tp, vma_ops_native);
	ATF_TP_ADD_TC(tp, vma_index_native);
	ATF_TP_ADD_TC(tp, vma_ops_too_many);
	ATF_TP_ADD_TC(tp, invalid_access_native);
	ATF_TP_ADD_TC(tp, uaccess_native);
	ATF_TP_ADD_TC(tp, fork_cow_native);
	ATF_TP_ADD_TC(tp, shmem_touch_native);
	ATF_TP_ADD_TC(tp, stack_grow_native);
	ATF_TP_ADD_TC(tp, threads_touch_native);
	ATF_TP_ADD_TC(tp, shootdown_native);
	ATF_TP_ADD_TC(tp, needs_the_stub);
	ATF_TP_ADD_TC(tp, bad_report_descriptor);
	ATF_TP_ADD_TC(tp, orders);
	return atf_no_error();
}
