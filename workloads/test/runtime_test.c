/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The runtime's parts by themselves: arguments, random numbers, timing, signals, the report. */
#define _GNU_SOURCE
#include <atf-c.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "segv.h"
#include "stubctl.h"
#include "team.h"
#include "vma_field.h"
#include "workload.h"

static const struct workload specimen = {
	.name = "specimen",
	.doc = "for tests",
	.params = WL_PARAMS(WL_NUMBER("pages", "7", 1, 100, "a number"),
			    WL_CHOICE("access", "write", "read|write|readwrite", "a choice")),
	.phases = WL_PHASES({"first", "one"}, {"second", "two"}),
};

/* Parses one argument (NULL: none); 0 or -1 as args_parse. */
static int parse_one(struct wl_run *run, const char *arg, char *err, size_t size)
{
	char name[] = "specimen", buf[128];
	char *argv[] = {name, buf, NULL};

	memset(run, 0, sizeof *run);
	run->w = &specimen;
	snprintf(buf, sizeof buf, "%s", arg ? arg : "");
	return args_parse(run, arg ? 2 : 1, argv, err, size);
}

ATF_TC_WITHOUT_HEAD(args_good);
ATF_TC_BODY(args_good, tc)
{
	struct wl_run run;
	char err[256];

	unsetenv("FAULTLINE_SEED");
	ATF_REQUIRE_EQ(parse_one(&run, NULL, err, sizeof err), 0);
	ATF_CHECK_EQ(wl_uint(&run, "pages"), 7);
	ATF_CHECK_EQ(wl_enum(&run, "access"), 1);
	ATF_CHECK_EQ(run.seed, 1);
	ATF_REQUIRE_EQ(parse_one(&run, "pages=100", err, sizeof err), 0);
	ATF_CHECK_EQ(wl_uint(&run, "pages"), 100);
	ATF_REQUIRE_EQ(parse_one(&run, "access=read", err, sizeof err), 0);
	ATF_CHECK_EQ(wl_enum(&run, "access"), 0);
	ATF_REQUIRE_EQ(parse_one(&run, "access=readwrite", err, sizeof err), 0);
	ATF_CHECK_EQ(wl_enum(&run, "access"), 2);
}

ATF_TC_WITHOUT_HEAD(args_bad);
ATF_TC_BODY(args_bad, tc)
{
	static const char *const bad[] = {
		"",
		"pages",
		"=7",
		"pages=",
		"pages=0",
		"pages=101",
		"pages=-1",
		"pages= 7",
		"pages=7x",
		"pages=0x7",
		"page=7",
		"pagess=7",
		"access=",
		"access=rea",
		"access=reads",
		"access=read|write",
		"seed=-1",
		"seed=",
		"pages=18446744073709551616",
	};
	struct wl_run run;
	char err[256];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		err[0] = '\0';
		ATF_CHECK_EQ_MSG(parse_one(&run, bad[i], err, sizeof err), -1, "'%s' was taken",
				 bad[i]);
		ATF_CHECK_MSG(err[0], "no complaint about '%s'", bad[i]);
	}
}

ATF_TC_WITHOUT_HEAD(args_seed);
ATF_TC_BODY(args_seed, tc)
{
	struct wl_run run;
	char err[256];

	setenv("FAULTLINE_SEED", "42", 1);
	ATF_REQUIRE_EQ(parse_one(&run, NULL, err, sizeof err), 0);
	ATF_CHECK_EQ(run.seed, 42);
	ATF_REQUIRE_EQ(parse_one(&run, "seed=43", err, sizeof err), 0);
	ATF_CHECK_EQ(run.seed, 43);
	setenv("FAULTLINE_SEED", "4two", 1);
	ATF_CHECK_EQ(parse_one(&run, NULL, err, sizeof err), -1);
}

ATF_TC_WITHOUT_HEAD(random_repeats);
ATF_TC_BODY(random_repeats, tc)
{
	struct random a = {5}, b = {5}, c = {6};
	unsigned same = 0, seen[10] = {0};

	for (unsigned i = 0; i < 1000; i++) {
		uint64_t x = random_next(&a);

		ATF_REQUIRE_EQ(x, random_next(&b));
		same += x == random_next(&c);
	}
	ATF_CHECK_EQ(same, 0);
	for (unsigned i = 0; i < 10000; i++) {
		uint64_t n = random_below(&a, 10);

		ATF_REQUIRE(n < 10);
		seen[n]++;
	}
	for (unsigned i = 0; i < 10; i++)
		ATF_CHECK_MSG(seen[i] > 800 && seen[i] < 1200, "%u came %u times", i, seen[i]);
}

ATF_TC_WITHOUT_HEAD(timing_does_its_work);
ATF_TC_BODY(timing_does_its_work, tc)
{
	struct timing_call getpid_call = {.nr = SYS_getpid};
	struct timing_call seek = {SYS_lseek, {(uint64_t)-1, 0, SEEK_SET}};
	uint64_t cell = 0, value = 0;
	long result;

	ATF_CHECK(timing_overhead(TIMING_ACCESS) > 0);
	ATF_CHECK(timing_overhead(TIMING_CALL) > 0);
	ATF_CHECK(timing_write(&cell, 0x1122334455667788).ticks > 0);
	ATF_CHECK_EQ(cell, 0x1122334455667788);
	ATF_CHECK(timing_read(&cell, &value).ticks > 0);
	ATF_CHECK_EQ(value, cell);
	timing_syscall(&getpid_call, &result);
	ATF_CHECK_EQ(result, getpid());
	timing_syscall(&seek, &result);
	ATF_CHECK_EQ(result, -EBADF);
}

/* All six arguments arrive: a mapping of a file at an offset, read-only, where it is wanted. */
ATF_TC_WITHOUT_HEAD(timing_syscall_passes_six);
ATF_TC_BODY(timing_syscall_passes_six, tc)
{
	char *place = mmap(NULL, WL_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = memfd_create("six", 0);
	struct timing_call call = {SYS_mmap,
				   {(uint64_t)place, WL_PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED,
				    (uint64_t)fd, WL_PAGE}};
	long result;

	ATF_REQUIRE(place != MAP_FAILED && fd >= 0);
	ATF_REQUIRE_EQ(pwrite(fd, "second page", 12, WL_PAGE), 12);
	timing_syscall(&call, &result);
	ATF_REQUIRE_EQ(result, (long)place);
	ATF_CHECK_STREQ(place, "second page");
}

ATF_TC_WITHOUT_HEAD(segv_is_caught);
ATF_TC_BODY(segv_is_caught, tc)
{
	static const struct {
		enum segv_kind kind;
		int prot;
		uint64_t err;
	} table[] = {{SEGV_READ, PROT_NONE, 4},
		     {SEGV_WRITE, PROT_NONE, 6},
		     {SEGV_WRITE, PROT_READ, 7},
		     {SEGV_EXEC, PROT_READ, 0x15}};
	char *p = mmap(NULL, WL_PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ATF_REQUIRE_EQ(segv_install(), 0);
	for (unsigned i = 0; i < sizeof table / sizeof *table; i++) {
		uint64_t before = segv_seen.count;

		ATF_REQUIRE_EQ(mprotect(p, WL_PAGE, PROT_READ), 0);
		if (table[i].err & 1)
			(void)*(volatile char *)p;
		ATF_REQUIRE_EQ(mprotect(p, WL_PAGE, table[i].prot), 0);
		segv_access(table[i].kind, p + 8);
		ATF_CHECK_EQ(segv_seen.count, before + 1);
		ATF_CHECK_EQ(segv_seen.code, SEGV_ACCERR);
		ATF_CHECK_EQ(segv_seen.addr, (uint64_t)p + 8);
		ATF_CHECK_EQ_MSG(segv_seen.err, table[i].err, "error code %#lx, not %#lx",
				 (unsigned long)segv_seen.err, (unsigned long)table[i].err);
	}
	ATF_REQUIRE_EQ(mprotect(p, WL_PAGE, PROT_READ | PROT_WRITE), 0);
	segv_access(SEGV_WRITE, p);
	ATF_CHECK_EQ_MSG(segv_seen.count, 4, "a good write raised a signal");
}

ATF_TC_WITHOUT_HEAD(prefault_keeps_contents);
ATF_TC_BODY(prefault_keeps_contents, tc)
{
	char *p =
		mmap(NULL, 4 * WL_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char in[4];

	p[0] = 1;
	p[2 * WL_PAGE] = 3;
	prefault_range(p + 5, 4 * WL_PAGE - 5);
	prefault_program();
	ATF_CHECK_EQ(p[0], 1);
	ATF_CHECK_EQ(p[2 * WL_PAGE], 3);
	ATF_REQUIRE_EQ(mincore(p, 4 * WL_PAGE, in), 0);
	for (unsigned i = 0; i < 4; i++)
		ATF_CHECK_MSG(in[i] & 1, "page %u is not there", i);
}

/*
 * |RRR.|RRR.|RRR.|: each third page read-write, each fourth nobody's.
 */
ATF_TC_WITHOUT_HEAD(vma_field_shape);
ATF_TC_BODY(vma_field_shape, tc)
{
	static struct wl_run run = {.w = &specimen};
	struct random random = {1};
	struct vma_field f;

	vma_field_map(&run, &f, 3);
	for (unsigned slot = 0; slot < 3; slot++) {
		char *p = f.base + slot * VMA_FIELD_SLOT;
		unsigned char in[3];

		ATF_CHECK_EQ(mincore(p, VMA_FIELD_MAPPED, in), 0);
		ATF_CHECK(mincore(p + VMA_FIELD_MAPPED, WL_PAGE, in) == -1 && errno == ENOMEM);
	}
	for (unsigned i = 0; i < 100; i++) {
		uint64_t at = (uint64_t)(vma_field_random(&f, &random) - f.base);

		ATF_REQUIRE(at % VMA_FIELD_SLOT == 0 && at < 3 * VMA_FIELD_SLOT);
	}
	vma_field_unmap(&run, &f);
}

static struct timing ticks(uint64_t n)
{
	return (struct timing){.ticks = n};
}

ATF_TC_WITHOUT_HEAD(rows_and_samples);
ATF_TC_BODY(rows_and_samples, tc)
{
	static struct wl_run run = {.w = &specimen, .overhead = {30, 40}};
	struct wl_row *a = wl_row(&run, "first", 0, TIMING_ACCESS);
	struct wl_row *b = wl_row(&run, "first", 10, TIMING_CALL);

	ATF_CHECK(a != b);
	ATF_CHECK_EQ(wl_row(&run, "first", 10, TIMING_CALL), b);
	wl_sample(a, ticks(130));
	wl_sample(a, ticks(29)); /* less than the pair itself: nothing is left */
	wl_sample(b, ticks(130));
	wl_sift(&run);
	ATF_CHECK_EQ(a->series->hist.buckets[fl_hist_bucket(100)], 1);
	ATF_CHECK_EQ(a->series->hist.buckets[0], 1);
	ATF_CHECK_EQ(a->series->hist.sum, 100);
	ATF_CHECK_EQ(b->series->hist.sum, 90);
	run.warming = true;
	ATF_CHECK_EQ(wl_rounds(&run, 10), 10);
	ATF_CHECK(wl_rounds(&run, 1000000) < 1000);
	run.warming = false;
	ATF_CHECK_EQ(wl_rounds(&run, 1000000), 1000000);
}

/*
 * When the samples were, and the interrupts:
 *
 *     10 ====20   30 ====40   50 ====60   70 ====80
 *                     ^35          ^62      ^73
 */
ATF_TC_WITHOUT_HEAD(interrupted_samples);
ATF_TC_BODY(interrupted_samples, tc)
{
	static const struct timing taken[] = {{10, 10}, {30, 10}, {50, 10}, {70, 10}};
	struct series s = {.nr_pending = 4};
	struct interrupts in = {.tsc = {73, 62, 35}, .n = 3, .all = true};

	memcpy(s.pending, taken, sizeof taken);
	series_add(&s, 4, &in);
	ATF_CHECK_EQ(s.nr_pending, 0);
	ATF_CHECK_EQ(s.interrupted, 2);
	ATF_CHECK_EQ(s.hist.buckets[6], 2);
	ATF_CHECK_EQ(s.hist.sum, 12);
	/* more than the kernel remembers: what began before the oldest known is in doubt */
	in = (struct interrupts){.tsc = {85, 84, 83, 45}, .n = 4};
	memcpy(s.pending, taken, sizeof taken);
	s.nr_pending = 4;
	series_add(&s, 4, &in);
	ATF_CHECK_EQ(s.interrupted, 2 + 2);
	ATF_CHECK_EQ(s.hist.buckets[6], 2 + 2);
	/* marked by whoever took it */
	s.pending[0] = (struct timing){200, 10 | TIMING_INTERRUPTED};
	s.nr_pending = 1;
	series_add(&s, 4, &(struct interrupts){.all = true});
	ATF_CHECK_EQ(s.interrupted, 2 + 2 + 1);
	ATF_CHECK_EQ(s.hist.sum, 24);
}

/* The bytes say what was put in: header, two rows, pairs in rising order, and nothing more. */
ATF_TC_WITHOUT_HEAD(report_bytes);
ATF_TC_BODY(report_bytes, tc)
{
	static struct wl_run run = {.w = &specimen, .overhead = {30, 40}};
	struct wl_row *a = wl_row(&run, "first", 0, TIMING_ACCESS);
	struct fl_report head;
	struct fl_report_phase phase;
	struct fl_report_pair pairs[2];
	size_t len;
	char *buf;

	wl_row(&run, "second", 77, TIMING_CALL);
	wl_sample(a, ticks(1030));
	wl_sample(a, ticks(35));
	wl_sample(a, ticks(35));
	wl_sift(&run);
	buf = report_encode(&run, FL_REPORT_FAILED, "for this reason", &len);
	ATF_REQUIRE(buf != NULL);
	ATF_REQUIRE_EQ(len, sizeof head + 2 * sizeof phase + sizeof pairs);
	memcpy(&head, buf, sizeof head);
	ATF_CHECK_EQ(head.magic, FL_REPORT_MAGIC);
	ATF_CHECK_EQ(head.version, FL_ABI_VERSION);
	ATF_CHECK_EQ(head.status, FL_REPORT_FAILED);
	ATF_CHECK_EQ(head.nr_phases, 2);
	ATF_CHECK_STREQ(head.reason, "for this reason");
	memcpy(&phase, buf + sizeof head, sizeof phase);
	ATF_CHECK_STREQ(phase.name, "first");
	ATF_CHECK_EQ(phase.overhead, 30);
	ATF_CHECK_EQ(phase.sum, 1010);
	ATF_CHECK_EQ_MSG(phase.interrupted, FL_NOT_TOLD, "there is no stub here to tell");
	ATF_REQUIRE_EQ(phase.nr_pairs, 2);
	memcpy(pairs, buf + sizeof head + sizeof phase, sizeof pairs);
	ATF_CHECK_EQ(pairs[0].bucket, fl_hist_bucket(5));
	ATF_CHECK_EQ(pairs[0].count, 2);
	ATF_CHECK_EQ(pairs[1].bucket, fl_hist_bucket(1000));
	ATF_CHECK_EQ(pairs[1].count, 1);
	memcpy(&phase, buf + len - sizeof phase, sizeof phase);
	ATF_CHECK_STREQ(phase.name, "second");
	ATF_CHECK_EQ(phase.x, 77);
	ATF_CHECK_EQ(phase.nr_pairs, 0);
	free(buf);
}

ATF_TC_WITHOUT_HEAD(report_too_large);
ATF_TC_BODY(report_too_large, tc)
{
	static struct wl_run run = {.w = &specimen};
	size_t len;

	for (uint64_t x = 0; x < 16; x++) {
		struct wl_row *row = wl_row(&run, "first", x, TIMING_ACCESS);

		for (uint32_t b = 0; b < FL_HIST_BUCKETS; b++)
			row->series->hist.buckets[b] = 1;
	}
	ATF_CHECK_EQ(report_encode(&run, FL_REPORT_OK, NULL, &len), NULL);
}

ATF_TC_WITHOUT_HEAD(linux_is_not_the_stub);
ATF_TC_BODY(linux_is_not_the_stub, tc)
{
	ATF_CHECK(!stubctl_present());
	ATF_CHECK_EQ(stubctl(FL_STUBCTL_VERSION, 0, 0), -ENOSYS);
}

/* ---- teams ---- */

struct team_log {
	unsigned meetings; /* how often a worker found all others at the same step */
	unsigned step[8];
	uint64_t random[8];
	int cpu[8];
};

static void team_test_work(struct team_worker *w)
{
	struct team_log *log = w->arg;

	log->random[w->id] = random_next(&w->random);
	log->cpu[w->id] = sched_getcpu();
	for (unsigned step = 1; step <= 50; step++) {
		unsigned same = 0;

		log->step[w->id] = step;
		team_barrier(w);
		for (unsigned i = 0; i < w->team->n; i++)
			same += log->step[i] == step;
		__atomic_fetch_add(&log->meetings, same == w->team->n, __ATOMIC_RELAXED);
		team_barrier(w);
	}
	for (unsigned i = 0; i <= w->id; i++)
		wl_sample(&w->rows[1], ticks(100 + w->rows[1].overhead));
}

static void team_test(unsigned n)
{
	static struct wl_run run;
	struct team_log log = {0};
	struct team team;
	unsigned samples = n * (n + 1) / 2;

	memset(&run, 0, sizeof run);
	run.w = &specimen;
	run.seed = 5;
	run.overhead[TIMING_CALL] = 3;
	struct wl_row *const rows[] = {wl_row(&run, "first", 0, TIMING_ACCESS),
				       wl_row(&run, "second", 0, TIMING_CALL), NULL};

	team_open(&run, &team, n, team_test_work, &log, rows);
	team_go(&team);
	ATF_CHECK(team_elapsed(&team).ticks > 0);
	team_close(&team);
	ATF_CHECK_EQ(log.meetings, 50 * n);
	ATF_CHECK_EQ(rows[0]->series->hist.sum, 0);
	ATF_CHECK_EQ(rows[1]->series->hist.sum, 100 * samples);
	ATF_CHECK_EQ(rows[1]->series->hist.buckets[100], samples);
	for (unsigned i = 1; i < n; i++) {
		ATF_CHECK(log.random[i] != log.random[i - 1]);
		ATF_CHECK_EQ(log.cpu[i] == log.cpu[0], i % team_cpus() == 0);
	}
}

/* One, as many as there are CPUs, and more: all work, meet as often as they should, and are heard.
 */
ATF_TC_WITHOUT_HEAD(team_sizes);
ATF_TC_BODY(team_sizes, tc)
{
	team_test(1);
	team_test(team_cpus() < 8 ? team_cpus() : 8);
	team_test(7);
	team_test(1);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, args_good);
	ATF_TP_ADD_TC(tp, args_bad);
	ATF_TP_ADD_TC(tp, args_seed);
	ATF_TP_ADD_TC(tp, random_repeats);
	ATF_TP_ADD_TC(tp, timing_does_its_work);
	ATF_TP_ADD_TC(tp, timing_syscall_passes_six);
	ATF_TP_ADD_TC(tp, segv_is_caught);
	ATF_TP_ADD_TC(tp, prefault_keeps_contents);
	ATF_TP_ADD_TC(tp, vma_field_shape);
	ATF_TP_ADD_TC(tp, rows_and_samples);
	ATF_TP_ADD_TC(tp, interrupted_samples);
	ATF_TP_ADD_TC(tp, report_bytes);
	ATF_TP_ADD_TC(tp, report_too_large);
	ATF_TP_ADD_TC(tp, linux_is_not_the_stub);
	ATF_TP_ADD_TC(tp, team_sizes);
	return atf_no_error();
}
