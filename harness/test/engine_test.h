/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every engine must do with a program that behaves, kernel and all. ENGINE is its name. */
#include <stdlib.h>

#include "test/guest_run.h"

ATF_TC_WITHOUT_HEAD(output);
ATF_TC_BODY(output, tc)
{
	struct outcome out;

	guest_run(tc, need_engine(ENGINE), "stub.elf", "print", "one", PATIENCE, &out);
	ATF_CHECK_EQ(CELL_OK, out.status);
	ATF_CHECK_EQ(NULL, out.reason);
	ATF_CHECK_EQ(FL_STATE_EXITED, out.state);
	ATF_CHECK_EQ(0, out.exit_value);
	ATF_CHECK_STREQ("out one\n", out.out);
	ATF_CHECK_STREQ("err \n", out.err);
	outcome_free(&out);
}

ATF_TC_WITHOUT_HEAD(exit_status);
ATF_TC_BODY(exit_status, tc)
{
	struct outcome out;

	guest_run(tc, need_engine(ENGINE), "stub.elf", "exit", "42", PATIENCE, &out);
	ATF_CHECK_EQ(CELL_OK, out.status);
	ATF_CHECK_EQ(FL_STATE_EXITED, out.state);
	ATF_CHECK_EQ(42, out.exit_value);
	outcome_free(&out);
}

ATF_TC_WITHOUT_HEAD(killed);
ATF_TC_BODY(killed, tc)
{
	struct outcome out;

	guest_run(tc, need_engine(ENGINE), "stub.elf", "raise", "6", PATIENCE, &out);
	ATF_CHECK_EQ(CELL_OK, out.status);
	ATF_CHECK_EQ(FL_STATE_KILLED, out.state);
	ATF_CHECK_EQ(6, out.exit_value);
	ATF_CHECK(out.reason && strstr(out.reason, "SIGABRT"));
	outcome_free(&out);
}

/* More than is kept: 2 MiB of 'x'. */
static inline void check_flood(const struct outcome *out)
{
	ATF_CHECK_EQ(CELL_OK, out->status);
	ATF_CHECK_EQ(1u << 20, out->out_len);
	ATF_CHECK_EQ(1u << 20, out->out_dropped);
	ATF_CHECK_EQ(out->out_len, strspn(out->out, "x"));
}

/* What a machine with a window must have besides. */
static inline void check_window(const struct outcome *out)
{
	ATF_CHECK(out->have_window);
	ATF_CHECK(out->boot_to_user > 0);
	ATF_CHECK_EQ(0, out->oops_count);
	ATF_CHECK(out->outside[FL_CLASS_USER_MINOR_ANON_ALLOC].count > 0);
	ATF_CHECK(out->vmstat[FL_VMSTAT_NR_FREE_PAGES] > 1000);
}
