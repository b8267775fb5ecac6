/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Engine linux: ends of all kinds, and the report through its descriptor. */
#define ENGINE "linux"

#include "test/engine_test.h"

ATF_TC_WITHOUT_HEAD(flood);
ATF_TC_BODY(flood, tc)
{
	struct outcome out;

	guest_run(tc, need_engine(ENGINE), "", "flood", NULL, PATIENCE, &out);
	check_flood(&out);
	outcome_free(&out);
}

ATF_TC_WITHOUT_HEAD(report);
ATF_TC_BODY(report, tc)
{
	struct outcome out;

	guest_run(tc, need_engine(ENGINE), "", "report", "0", PATIENCE, &out);
	ATF_CHECK_EQ(CELL_OK, out.status);
	ATF_CHECK(out.have_report && !out.have_window);
	ATF_CHECK_STREQ("cycles", out.unit);
	ATF_REQUIRE_EQ(1, out.nr_phases);
	ATF_CHECK_STREQ("write", out.phases[0].name);
	ATF_CHECK_EQ(2, out.phases[0].hist.count);
	outcome_free(&out);
}

ATF_TC_WITHOUT_HEAD(unsupported);
ATF_TC_BODY(unsupported, tc)
{
	struct outcome out;

	guest_run(tc, need_engine(ENGINE), "", "report", "2", PATIENCE, &out);
	ATF_CHECK_EQ(CELL_UNSUPPORTED, out.status);
	ATF_CHECK_STREQ("there is no stubctl here", out.reason);
	outcome_free(&out);
}

ATF_TC_WITHOUT_HEAD(garbage);
ATF_TC_BODY(garbage, tc)
{
	struct outcome out;

	guest_run(tc, need_engine(ENGINE), "", "garbage", NULL, PATIENCE, &out);
	ATF_CHECK_EQ(CELL_CRASHED, out.status);
	ATF_CHECK(out.reason && strstr(out.reason, "user report"));
	outcome_free(&out);
}

ATF_TC_WITHOUT_HEAD(timeout);
ATF_TC_BODY(timeout, tc)
{
	struct outcome out;

	guest_run(tc, need_engine(ENGINE), "", "hang", NULL, 0.5, &out);
	ATF_CHECK_EQ(CELL_TIMEOUT, out.status);
	ATF_CHECK(out.wall_seconds >= 0.5);
	outcome_free(&out);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, output);
	ATF_TP_ADD_TC(tp, exit_status);
	ATF_TP_ADD_TC(tp, killed);
	ATF_TP_ADD_TC(tp, flood);
	ATF_TP_ADD_TC(tp, report);
	ATF_TP_ADD_TC(tp, unsupported);
	ATF_TP_ADD_TC(tp, garbage);
	ATF_TP_ADD_TC(tp, timeout);
	return atf_no_error();
}
