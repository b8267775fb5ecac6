/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reader of the telemetry window, against windows that a guest might leave. */
#include <atf-c.h>
#include <stdlib.h>
#include <string.h>

#include "engine/guest/window.h"

struct bench {
	struct window_spec spec;
	struct fl_layout layout;
	char *mem;
	struct fl_window *head;
	struct outcome out;
	const char *why;
	char *reason;
};

static struct fl_cpu_block *block(struct bench *b, unsigned cpu)
{
	return (struct fl_cpu_block *)(b->mem + b->layout.cpu_blocks) + cpu;
}

/* A window as a good stub leaves it: two CPUs, three faults of one class. */
static void set_up(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	b->spec = window_plan(2, FL_RECORDER_RAW, 4, 0);
	b->layout = fl_window_layout(2, 4);
	b->mem = calloc(1, b->spec.size);
	b->head = (struct fl_window *)b->mem;
	*b->head = (struct fl_window){
		.magic = FL_MAGIC,
		.version = FL_ABI_VERSION,
		.nr_cpus = 2,
		.size = b->spec.size,
		.ring_events = 4,
		.nr_classes = FL_NR_CLASSES,
		.nr_vmstat = FL_NR_VMSTAT,
		.hist_buckets = FL_HIST_BUCKETS,
		.recorder_mode = FL_RECORDER_RAW,
		.state = FL_STATE_EXITED,
		.exit_value = 3,
		.tsc_entry = 1000,
		.tsc_user = 1500,
		.oops_count = 2,
	};
	for (unsigned cpu = 0; cpu < 2; cpu++) {
		struct fl_hist *h =
			&block(b, cpu)->hist[FL_SET_PHASE][FL_CLASS_USER_MINOR_ANON_ALLOC];

		h->buckets[100] = 1 + cpu;
		h->sum = 100 + 100 * cpu;
		block(b, cpu)->vmstat[FL_SET_PHASE][FL_VMSTAT_PGFAULT] = 5;
		block(b, cpu)->vmstat[FL_SET_OUTSIDE][FL_VMSTAT_PGFAULT] = 7;
		block(b, cpu)->vmstat[FL_SET_OUTSIDE][FL_VMSTAT_NR_FREE_PAGES] = 1000;
		block(b, cpu)->vmstat[FL_SET_PHASE][FL_VMSTAT_NR_FREE_PAGES] = -10;
	}
	block(b, 1)->ring_head = 6;
	block(b, 1)->ring_dropped = 2;
}

static enum window_result read_it(struct bench *b)
{
	return window_read(b->mem, &b->spec, true, &b->out, &b->why, &b->reason);
}

static void tear_down(struct bench *b)
{
	free(b->reason);
	outcome_free(&b->out);
	free(b->mem);
}

ATF_TC_WITHOUT_HEAD(plan);
ATF_TC_BODY(plan, tc)
{
	struct window_spec w = window_plan(1, FL_RECORDER_HIST, 1000, 0x100000);

	ATF_CHECK_EQ(4u << 20, w.addr);
	ATF_CHECK_EQ(0, w.ring_events); /* only recorder=raw has rings */
	ATF_CHECK(w.size >= fl_window_layout(1, 0).end && w.size % 4096 == 0);
	w = window_plan(1, FL_RECORDER_RAW, 1000, (40u << 20) + 1);
	ATF_CHECK_EQ(42u << 20, w.addr); /* above a large image */
	ATF_CHECK(w.size >= fl_window_layout(1, 1000).end);
}

ATF_TC_WITHOUT_HEAD(good);
ATF_TC_BODY(good, tc)
{
	struct bench b;
	const struct hist *h = &b.out.classes[FL_CLASS_USER_MINOR_ANON_ALLOC];

	set_up(&b);
	ATF_REQUIRE_EQ_MSG(WINDOW_GOOD, read_it(&b), "%s", b.why);
	ATF_CHECK(b.out.have_window);
	ATF_CHECK_EQ(3, h->count);
	ATF_CHECK_EQ(300, h->sum);
	ATF_CHECK_EQ(1, h->nr_pairs);
	ATF_CHECK_EQ(0, b.out.outside[FL_CLASS_USER_MINOR_ANON_ALLOC].count);
	ATF_CHECK_EQ(10, b.out.vmstat[FL_VMSTAT_PGFAULT]);
	ATF_CHECK_EQ(1980, b.out.vmstat[FL_VMSTAT_NR_FREE_PAGES]);
	ATF_CHECK_EQ(FL_STATE_EXITED, b.out.state);
	ATF_CHECK_EQ(3, b.out.exit_value);
	ATF_CHECK_EQ(500, b.out.boot_to_user);
	ATF_CHECK_EQ(2, b.out.oops_count);
	ATF_CHECK_EQ(4, b.out.nr_events);
	ATF_CHECK_EQ(2, b.out.events_dropped);
	ATF_REQUIRE_EQ(2, b.out.nr_cpus);
	for (unsigned cpu = 0; cpu < 2; cpu++) {
		ATF_CHECK_EQ(5, b.out.cpus[cpu].vmstat[FL_VMSTAT_PGFAULT]);
		ATF_CHECK_EQ(4 * cpu, b.out.cpus[cpu].nr_events);
	}
	ATF_CHECK(!b.out.have_report);
	tear_down(&b);
}

ATF_TC_WITHOUT_HEAD(none);
ATF_TC_BODY(none, tc)
{
	struct bench b;

	set_up(&b);
	b.head->magic = 0;
	ATF_CHECK_EQ(WINDOW_NONE, read_it(&b));
	ATF_CHECK(!b.out.have_window);
	tear_down(&b);
}

ATF_TC_WITHOUT_HEAD(panic);
ATF_TC_BODY(panic, tc)
{
	struct bench b;

	set_up(&b);
	b.head->state = FL_STATE_PANIC;
	strcpy(b.head->reason, "out of stack");
	/* the fault that panicked has its count already, but not yet its sum */
	block(&b, 0)->hist[FL_SET_PHASE][FL_CLASS_USER_MINOR_ANON_ALLOC].buckets[200] = 1;
	ATF_REQUIRE_EQ_MSG(WINDOW_GOOD, read_it(&b), "%s", b.why);
	ATF_CHECK_STREQ("out of stack", b.reason);
	ATF_CHECK_EQ(4, b.out.classes[FL_CLASS_USER_MINOR_ANON_ALLOC].count);
	tear_down(&b);
}

/* Each case: a good window, one thing spoilt, and a word that the complaint must have. */
#define NONSENSE(what, word)                                                                       \
	do {                                                                                       \
		struct bench b;                                                                    \
		set_up(&b);                                                                        \
		what;                                                                              \
		ATF_CHECK_EQ_MSG(WINDOW_NONSENSE, read_it(&b), "%s", #what);                       \
		ATF_CHECK_MSG(b.why &&strstr(b.why, word), "%s: %s", #what, b.why);                \
		ATF_CHECK(!b.out.have_window && !b.out.nr_events && !b.out.events);                \
		ATF_CHECK(!b.out.cpus && !b.out.nr_cpus);                                          \
		ATF_CHECK_EQ(0, b.out.classes[FL_CLASS_USER_MINOR_ANON_ALLOC].count);              \
		tear_down(&b);                                                                     \
	} while (0)

ATF_TC_WITHOUT_HEAD(nonsense_in_the_head);
ATF_TC_BODY(nonsense_in_the_head, tc)
{
	NONSENSE(b.head->magic = 1, "magic");
	NONSENSE(b.head->version = 99, "version");
	NONSENSE(b.head->nr_cpus = 1u << 31, "CPUs");
	NONSENSE(b.head->size += 4096, "size");
	NONSENSE(b.head->ring_events = UINT64_MAX, "ring");
	NONSENSE(b.head->nr_classes++, "classes");
	NONSENSE(b.head->nr_vmstat--, "counters");
	NONSENSE(b.head->hist_buckets = 0, "buckets");
	NONSENSE(b.head->recorder_mode = FL_RECORDER_OFF, "recorder");
	NONSENSE(b.head->state = 77, "state");
	NONSENSE(b.head->state = FL_STATE_USER, "does not say how");
	NONSENSE(b.head->exit_value = 256, "exit status");
	NONSENSE(b.head->exit_value = -1, "exit status");
	NONSENSE((b.head->state = FL_STATE_KILLED, b.head->exit_value = 0), "signal");
	NONSENSE(b.head->tsc_user = 1, "before boot");
	NONSENSE(memset(b.head->reason, 'x', FL_REASON_MAX), "no end");
	NONSENSE(b.head->user_report_len = FL_USER_REPORT_MAX + 1, "longer");
}

ATF_TC_WITHOUT_HEAD(nonsense_in_the_data);
ATF_TC_BODY(nonsense_in_the_data, tc)
{
	NONSENSE(block(&b, 0)->hist[FL_SET_PHASE][0].sum = 1, "contradicts");
	NONSENSE(block(&b, 1)->hist[FL_SET_OUTSIDE][3].buckets[9] = UINT32_MAX, "contradicts");
	NONSENSE((block(&b, 0)->hist[FL_SET_PHASE][0].sum = UINT64_MAX,
		  block(&b, 1)->hist[FL_SET_PHASE][0].sum = UINT64_MAX),
		 "64 bits");
	NONSENSE(block(&b, 0)->vmstat[FL_SET_PHASE][FL_VMSTAT_PGFAULT] = -1, "negative");
	NONSENSE(block(&b, 0)->vmstat[FL_SET_PHASE][FL_VMSTAT_PGFAULT] = INT64_MAX, "overflows");
	NONSENSE(block(&b, 0)->ring_head = 5, "ring");
	NONSENSE(block(&b, 0)->ring_dropped = 1, "ring");
	NONSENSE(block(&b, 0)->ring_head = block(&b, 0)->ring_dropped = UINT64_MAX, "ring");
	NONSENSE(b.head->oops_count = UINT64_MAX, "counter");
	NONSENSE(b.head->unsupported_syscalls = 1ull << 63, "counter");
	NONSENSE(((struct fl_event *)(b.mem + b.layout.rings))[5].class = 200, "event");
	NONSENSE(((struct fl_event *)(b.mem + b.layout.rings))[4].set = 2, "event");
	NONSENSE(b.head->user_report_len = 5, "user report");
}

/* Bytes at random from a good beginning: never a crash of ours, whatever the result. */
ATF_TC_WITHOUT_HEAD(noise);
ATF_TC_BODY(noise, tc)
{
	unsigned seed = 1;

	for (int round = 0; round < 200; round++) {
		struct bench b;

		set_up(&b);
		b.head->user_report_len = 4096;
		for (int i = 0; i < 50; i++) {
			size_t at = (size_t)rand_r(&seed) % b.spec.size;

			if (i % 2)
				at %= sizeof(struct fl_window);
			b.mem[at] = (char)rand_r(&seed);
		}
		b.head->magic = FL_MAGIC;
		if (read_it(&b) == WINDOW_NONSENSE)
			ATF_CHECK(!b.out.have_window);
		tear_down(&b);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, plan);
	ATF_TP_ADD_TC(tp, good);
	ATF_TP_ADD_TC(tp, none);
	ATF_TP_ADD_TC(tp, panic);
	ATF_TP_ADD_TC(tp, nonsense_in_the_head);
	ATF_TP_ADD_TC(tp, nonsense_in_the_data);
	ATF_TP_ADD_TC(tp, noise);
	return atf_no_error();
}
