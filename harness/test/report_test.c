/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parser of user reports, against what a program might write. */
#include <atf-c.h>
#include <stdlib.h>
#include <string.h>

#include "engine/report.h"

/* Two phases, with two pairs and with one. */
struct sample {
	struct fl_report head;
	struct fl_report_phase first;
	struct fl_report_pair first_pairs[2];
	struct fl_report_phase second;
	struct fl_report_pair second_pair;
};

static struct sample good_sample(void)
{
	return (struct sample){
		.head = {.magic = FL_REPORT_MAGIC, .version = FL_ABI_VERSION, .nr_phases = 2},
		.first = {.name = "write",
			  .x = 10,
			  .overhead = 22,
			  .sum = 50,
			  .nr_pairs = 2,
			  .interrupted = 3},
		.first_pairs = {{10, 2}, {30, 1}},
		.second = {.name = "read_2",
			   .sum = 1000,
			   .nr_pairs = 1,
			   .interrupted = FL_NOT_TOLD},
		.second_pair = {fl_hist_bucket(1000), 1},
	};
}

ATF_TC_WITHOUT_HEAD(good);
ATF_TC_BODY(good, tc)
{
	struct sample s = good_sample();
	struct outcome out = {0};
	char *reason = NULL;

	s.head.status = FL_REPORT_FAILED;
	strcpy(s.head.reason, "page 3 was not zero");
	ATF_REQUIRE_EQ(NULL, report_parse(&s, sizeof(s), &out, &reason));
	ATF_CHECK(out.have_report);
	ATF_CHECK_EQ(FL_REPORT_FAILED, out.report_status);
	ATF_CHECK_STREQ("page 3 was not zero", reason);
	ATF_REQUIRE_EQ(2, out.nr_phases);
	ATF_CHECK_STREQ("write", out.phases[0].name);
	ATF_CHECK_EQ(10, out.phases[0].x);
	ATF_CHECK_EQ(22, out.phases[0].overhead);
	ATF_CHECK_EQ(3, out.phases[0].hist.count);
	ATF_CHECK_EQ(50, out.phases[0].hist.sum);
	ATF_CHECK_EQ(2, out.phases[0].hist.nr_pairs);
	ATF_CHECK(out.phases[0].told && out.phases[0].interrupted == 3);
	ATF_CHECK_STREQ("read_2", out.phases[1].name);
	ATF_CHECK(!out.phases[1].told);
	ATF_CHECK_EQ(1, out.phases[1].hist.count);
	free(reason);
	outcome_free(&out);
}

ATF_TC_WITHOUT_HEAD(empty_is_sound);
ATF_TC_BODY(empty_is_sound, tc)
{
	struct sample s = good_sample();
	struct outcome out = {0};
	char *reason = NULL;

	s.head.nr_phases = 0;
	ATF_REQUIRE_EQ(NULL, report_parse(&s, sizeof(s.head), &out, &reason));
	ATF_CHECK(out.have_report && !out.nr_phases);
	free(reason);
	outcome_free(&out);
}

static void expect_bad(const void *data, size_t len, const char *word)
{
	struct outcome out = {0};
	char *reason = NULL;
	const char *why = report_parse(data, len, &out, &reason);

	ATF_REQUIRE_MSG(why != NULL, "expected a complaint with '%s'", word);
	ATF_CHECK_MSG(strstr(why, word) != NULL, "'%s' does not say '%s'", why, word);
	ATF_CHECK(!out.have_report && !out.phases && !out.nr_phases && !reason);
}

#define BAD(what, word)                                                                            \
	do {                                                                                       \
		struct sample s = good_sample();                                                   \
		what;                                                                              \
		expect_bad(&s, sizeof(s), word);                                                   \
	} while (0)

ATF_TC_WITHOUT_HEAD(bad_values);
ATF_TC_BODY(bad_values, tc)
{
	BAD(s.head.magic++, "magic");
	BAD(s.head.version++, "version");
	BAD(s.head.status = 3, "status");
	BAD(s.head.nr_phases = 65, "too many");
	BAD(s.head.nr_phases = 1, "more in");
	BAD(s.head.nr_phases = 3, "middle of a phase");
	BAD(memset(s.head.reason, 'x', sizeof(s.head.reason)), "no end");
	BAD(s.first.name[0] = '\0', "bad name");
	BAD(strcpy(s.first.name, "Write"), "bad name");
	BAD(strcpy(s.first.name, "a/b"), "bad name");
	BAD(memset(s.first.name, 'x', sizeof(s.first.name)), "bad name");
	BAD(s.first.nr_pairs = UINT32_MAX, "middle of a histogram");
	BAD(s.first_pairs[1].bucket = 10, "rising");
	BAD(s.first_pairs[1].bucket = FL_HIST_BUCKETS, "rising");
	BAD(s.first_pairs[0].count = 0, "rising");
	BAD(s.first.sum = 49, "contradicts");
	BAD(s.second.sum = 2000, "contradicts");
}

ATF_TC_WITHOUT_HEAD(truncated);
ATF_TC_BODY(truncated, tc)
{
	struct sample s = good_sample();

	for (size_t n = 0; n < sizeof(s); n++)
		expect_bad(&s, n, "user report");
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, good);
	ATF_TP_ADD_TC(tp, empty_is_sound);
	ATF_TP_ADD_TC(tp, bad_values);
	ATF_TP_ADD_TC(tp, truncated);
	return atf_no_error();
}
