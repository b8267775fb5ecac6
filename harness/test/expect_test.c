/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The judging of cells, and what is written of them, with an engine that only pretends. */
#include <atf-c.h>
#include <signal.h>
#include <zstd.h>

#include "base/xalloc.h"
#include "engine/outcome.h"
#include "measure/counter.h"
#include "results/results.h"
#include "run/cell.h"
#include "run/cell_json.h"
#include "test/fixture.h"
#include "test/read_back.h"

struct toy {
	struct arena arena;
	struct profile profile;
	struct cell cell;
};

static void make(struct toy *t, const char *text)
{
	struct diag d = {0};

	*t = (struct toy){0};
	make_toy();
	write_text("p.ini", text);
	ATF_REQUIRE_MSG(profile_load(&t->arena, ".", "p", &t->profile, &d), "%s", d.text);
	t->cell =
		(struct cell){.profile = &t->profile, .settings = t->profile.settings, .label = ""};
}

static void add(struct hist *h, uint64_t value, uint64_t n)
{
	hist_add_bucket(h, fl_hist_bucket(value), n);
	h->sum += value * n;
}

/* A good run of the toy: 128 faults of 700 instructions. */
static struct outcome good_run(void)
{
	struct outcome out = {
		.status = CELL_OK,
		.unit = "instructions",
		.have_window = true,
		.state = FL_STATE_EXITED,
		.have_report = true,
		.boot_to_user = 40000,
	};

	add(&out.classes[FL_CLASS_USER_MINOR_ANON_ALLOC], 700, 128);
	out.phases = xcalloc(1, sizeof(*out.phases));
	out.nr_phases = 1;
	strcpy(out.phases[0].name, "write");
	add(&out.phases[0].hist, 730, 128);
	return out;
}

static void judged(struct toy *t, enum engine_id engine, struct outcome *out,
		   enum cell_status status, const char *word)
{
	cell_judge(&t->arena, &t->cell, engine, out);
	ATF_CHECK_MSG(out->status == status, "%s: %s", cell_status_name(out->status),
		      out->reason ? out->reason : "");
	if (word)
		ATF_CHECK_MSG(out->reason && strstr(out->reason, word), "no '%s' in '%s'", word,
			      out->reason ? out->reason : "");
	else
		ATF_CHECK_EQ(out->reason, NULL);
	outcome_free(out);
	arena_free(&t->arena);
}

ATF_TC_WITHOUT_HEAD(met);
ATF_TC_BODY(met, tc)
{
	struct outcome out = good_run();
	struct toy t;

	make(&t, toy_profile);
	judged(&t, ENGINE_TCG, &out, CELL_OK, NULL);
}

ATF_TC_WITHOUT_HEAD(missed);
ATF_TC_BODY(missed, tc)
{
	struct outcome out = good_run();
	struct toy t;

	make(&t, toy_profile);
	add(&out.classes[FL_CLASS_USER_MINOR_ANON_ALLOC], 700, 1);
	judged(&t, ENGINE_TCG, &out, CELL_FAILED, "user.minor.anon_alloc: expected 128, got 129");
}

ATF_TC_WITHOUT_HEAD(unexpected_class);
ATF_TC_BODY(unexpected_class, tc)
{
	struct outcome out = good_run();
	struct toy t;

	make(&t, toy_profile);
	add(&out.classes[FL_CLASS_USER_INVALID_MAPERR], 700, 1);
	judged(&t, ENGINE_TCG, &out, CELL_FAILED, "user.invalid.maperr: expected 0, got 1");
	out = good_run();
	make(&t, "[profile]\nworkload = toy\n[expect]\nothers = any\n");
	add(&out.classes[FL_CLASS_USER_INVALID_MAPERR], 700, 1);
	judged(&t, ENGINE_TCG, &out, CELL_OK, NULL);
}

/* Counters of the kernel are judged where they are named, and nowhere else. */
ATF_TC_WITHOUT_HEAD(counters);
ATF_TC_BODY(counters, tc)
{
	static const char profile[] = "[profile]\nworkload = toy\n[expect]\nothers = any\n"
				      "nr_tlb_remote_flush = pages / 2\npgfault = >= 7\n";
	struct outcome out = good_run();
	struct toy t;

	out.vmstat[FL_VMSTAT_TLB_REMOTE_FLUSH] = 32;
	out.vmstat[FL_VMSTAT_PGFAULT] = 8;
	out.vmstat[FL_VMSTAT_PGFREE] = 1000;
	make(&t, profile);
	judged(&t, ENGINE_TCG, &out, CELL_OK, NULL);
	out = good_run();
	out.vmstat[FL_VMSTAT_TLB_REMOTE_FLUSH] = 65;
	out.vmstat[FL_VMSTAT_PGFAULT] = 6;
	make(&t, profile);
	judged(&t, ENGINE_TCG, &out, CELL_FAILED,
	       "pgfault: expected at least 7, got 6; nr_tlb_remote_flush: expected 32, got 65");
	out = good_run();
	out.have_window = false;
	make(&t, profile);
	judged(&t, ENGINE_LINUX, &out, CELL_OK, NULL);
}

ATF_TC_WITHOUT_HEAD(engine_section);
ATF_TC_BODY(engine_section, tc)
{
	struct outcome out = good_run();
	struct toy t;

	make(&t, toy_profile);
	judged(&t, ENGINE_KVM, &out, CELL_FAILED,
	       "user.minor.spurious: expected at least 1, got 0");
}

ATF_TC_WITHOUT_HEAD(exits);
ATF_TC_BODY(exits, tc)
{
	struct outcome out = good_run();
	struct toy t;

	make(&t, toy_profile);
	out.exit_value = 1;
	judged(&t, ENGINE_TCG, &out, CELL_FAILED, "exit: expected status 0, got status 1");
	out = good_run();
	make(&t, toy_profile);
	out.state = FL_STATE_KILLED;
	out.exit_value = SIGSEGV;
	judged(&t, ENGINE_TCG, &out, CELL_FAILED, "got signal 11");
	out = good_run();
	make(&t, "[profile]\nworkload = toy\n[expect]\nexit = signal SIGSEGV\nothers = any\n");
	out.state = FL_STATE_KILLED;
	out.exit_value = SIGSEGV;
	out.have_report = false;
	judged(&t, ENGINE_TCG, &out, CELL_OK, NULL);
	out = good_run();
	make(&t, toy_profile);
	out.have_report = false;
	judged(&t, ENGINE_TCG, &out, CELL_FAILED, "without a report");
}

ATF_TC_WITHOUT_HEAD(panics);
ATF_TC_BODY(panics, tc)
{
	struct outcome out = good_run();
	struct toy t;

	make(&t, toy_profile);
	outcome_set(&out, CELL_OK, "kernel panic: out of toys");
	out.state = FL_STATE_PANIC;
	judged(&t, ENGINE_TCG, &out, CELL_CRASHED, "out of toys");
	out = good_run();
	make(&t, "[profile]\nworkload = toy\n[expect]\nexit = panic\nothers = any\n");
	outcome_set(&out, CELL_OK, "kernel panic: as asked");
	out.state = FL_STATE_PANIC;
	judged(&t, ENGINE_TCG, &out, CELL_OK, NULL);
}

ATF_TC_WITHOUT_HEAD(native);
ATF_TC_BODY(native, tc)
{
	struct outcome out = good_run();
	struct toy t;

	/* Linux records no classes: only the end and the report can be judged. */
	make(&t, toy_profile);
	hist_free(&out.classes[FL_CLASS_USER_MINOR_ANON_ALLOC]);
	out.have_window = false;
	judged(&t, ENGINE_LINUX, &out, CELL_OK, NULL);
}

ATF_TC_WITHOUT_HEAD(impossible_numbers);
ATF_TC_BODY(impossible_numbers, tc)
{
	struct outcome out = good_run();
	struct toy t;

	make(&t, toy_profile);
	out.phases[0].hist.sum = UINT64_MAX;
	judged(&t, ENGINE_TCG, &out, CELL_CRASHED, "2^63");
}

static const struct machine_spec *seen;
static char seen_arguments[256];

static void pretend(const struct machine_spec *spec, struct outcome *out)
{
	seen = spec;
	seen_arguments[0] = '\0';
	for (size_t i = 0; spec->argv[i]; i++)
		sprintf(seen_arguments + strlen(seen_arguments), "%s ", spec->argv[i]);
	ATF_CHECK_EQ(spec->memory, 64ull << 20);
	ATF_CHECK_EQ(spec->cpus, 1);
	ATF_CHECK_EQ(spec->recorder, FL_RECORDER_RAW);
	ATF_CHECK(spec->ring_events > 0);
	ATF_CHECK_STREQ(spec->kernel_args,
			"panic_on_oops=0 kpti=off vma_index=btree map_max=65530");
	ATF_CHECK_STREQ(spec->stub, "dir/stub-btree.elf");
	*out = good_run();
	out->events = xcalloc(3, sizeof(*out->events));
	out->events[2].addr = 0x1234;
	out->nr_events = 3;
}

ATF_TC_WITHOUT_HEAD(what_the_engine_gets);
ATF_TC_BODY(what_the_engine_gets, tc)
{
	static const struct engine fake = {.id = ENGINE_TCG, .run = pretend};
	struct cell_options o = {.engine = &fake,
				 .stub = "dir/stub.elf",
				 .seed = 42,
				 .timeout = 1,
				 .events_path = "events.zst"};
	struct fl_event events[8];
	char packed[1024];
	struct outcome out;
	const char *why;
	struct toy t;

	make(&t, toy_profile);
	ATF_REQUIRE(profile_set(&t.arena, &t.cell.settings, "recorder=raw", &why));
	ATF_REQUIRE(profile_set(&t.arena, &t.cell.settings, "vma_index=btree", &why));
	cell_run(&t.arena, &t.cell, &o, &out);
	ATF_CHECK_EQ(out.status, CELL_OK);
	ATF_CHECK_STREQ(seen_arguments, "/toy pages=128 order=seq seed=42 ");
	FILE *f = fopen("events.zst", "r");
	size_t n = fread(packed, 1, sizeof(packed), f);

	fclose(f);
	ATF_CHECK_EQ(ZSTD_decompress(events, sizeof(events), packed, n), 3 * sizeof(events[0]));
	ATF_CHECK_EQ(events[2].addr, 0x1234);
	outcome_free(&out);
	arena_free(&t.arena);
}

/* What is written is read back as it was. */
ATF_TC_WITHOUT_HEAD(json_round_trip);
ATF_TC_BODY(json_round_trip, tc)
{
	struct outcome out = good_run();
	struct toy t;

	make(&t, toy_profile);
	out.phases[0].x = 1000;
	out.phases[0].told = true;
	out.phases[0].interrupted = 2;
	out.vmstat[FL_VMSTAT_PGFAULT] = 128;
	out.vmstat[FL_VMSTAT_TLB_LOCAL_FLUSH_ONE] = 3;
	out.outside[FL_CLASS_USER_MINOR_SPURIOUS] = (struct hist){.count = 5};
	counter_list_add(&out.papi, "PAPI_TLB_DM", NULL, "no hardware counters");
	cell_judge(&t.arena, &t.cell, ENGINE_TCG, &out);
	json_t *json = cell_json(&t.arena, &t.cell, ENGINE_TCG, 7, &out);

	struct result_cell back = read_back(&t.arena, json);

	ATF_CHECK_STREQ(back.profile, "p");
	ATF_CHECK_EQ(back.status, CELL_OK);
	ATF_CHECK_STREQ(back.params, "cpus=1 memory=64M order=seq pages=128 panic_on_oops=0 "
				     "recorder=hist");
	/* what means nothing to one CPU is not told of one, nor what there was once no setting for
	 */
	settings_find(&t.cell.settings, "vma_index")->value = "list";
	settings_find(&t.cell.settings, "cpus")->value = "2";
	json_t *two = cell_json(&t.arena, &t.cell, ENGINE_TCG, 7, &out);

	ATF_CHECK_EQ(10000, json_integer_value(
				    json_object_get(json_object_get(two, "params"), "interleave")));
	ATF_CHECK_STREQ("list", json_string_value(json_object_get(json_object_get(two, "params"),
								  "vma_index")));
	ATF_CHECK(!json_object_get(json_object_get(two, "params"), "map_max"));
	json_decref(two);
	ATF_CHECK_EQ(back.seed, 7);
	ATF_CHECK_EQ(back.boot_to_user, 40000);
	ATF_REQUIRE_EQ(back.nr_classes, 1);
	ATF_CHECK_STREQ(back.classes[0].name, "user.minor.anon_alloc");
	ATF_CHECK_EQ(back.classes[0].hist.count, 128);
	ATF_CHECK_EQ(back.classes[0].hist.sum, 128 * 700);
	ATF_REQUIRE_EQ(back.nr_user, 1);
	ATF_CHECK_STREQ(back.user[0].name, "write@1000");
	ATF_CHECK_STREQ(back.user[0].phase, "write");
	ATF_CHECK_EQ(back.user[0].x, 1000);
	ATF_CHECK_EQ(back.user[0].interrupted, 2);
	ATF_REQUIRE_EQ(back.nr_outside, 1);
	ATF_CHECK_EQ(back.outside[0].value, 5);
	ATF_CHECK_EQ(json_integer_value(json_object_get(
			     json_object_get(json_object_get(json, "counters"), "tlb"),
			     "nr_tlb_local_flush_one")),
		     3);
	ATF_CHECK_STREQ(json_string_value(json_object_get(json_object_get(json, "reasons"),
							  "papi.PAPI_TLB_DM")),
			"no hardware counters");
	result_cell_free(&back);
	json_decref(json);
	outcome_free(&out);
	arena_free(&t.arena);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, met);
	ATF_TP_ADD_TC(tp, missed);
	ATF_TP_ADD_TC(tp, unexpected_class);
	ATF_TP_ADD_TC(tp, counters);
	ATF_TP_ADD_TC(tp, engine_section);
	ATF_TP_ADD_TC(tp, exits);
	ATF_TP_ADD_TC(tp, panics);
	ATF_TP_ADD_TC(tp, native);
	ATF_TP_ADD_TC(tp, impossible_numbers);
	ATF_TP_ADD_TC(tp, what_the_engine_gets);
	ATF_TP_ADD_TC(tp, json_round_trip);
	return atf_no_error();
}
