/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernels that do one wrong thing each (guests/), on every engine that boots kernels. Whatever they
 * do, the outcome says plainly what happened, in bounded memory and time. */
#include "test/guest_run.h"

static void expect_crash(const atf_tc_t *tc, const char *engine, const char *guest,
			 const char *reason)
{
	struct outcome out;

	guest_run(tc, need_engine(engine), guest, NULL, NULL, PATIENCE, &out);
	ATF_CHECK_EQ(CELL_CRASHED, out.status);
	ATF_REQUIRE(out.reason != NULL);
	ATF_CHECK_MSG(strstr(out.reason, reason) != NULL, "'%s' does not say '%s'", out.reason,
		      reason);
	ATF_CHECK(!out.have_window);
	ATF_CHECK_EQ(0, out.classes[FL_CLASS_USER_MINOR_ANON_ALLOC].count);
	outcome_free(&out);
}

static bool has_spoken(const struct outcome *out)
{
	return out->console && *out->console;
}

static void expect_timeout(const atf_tc_t *tc, const char *engine)
{
	struct outcome out;

	guest_run_until(tc, need_engine(engine), 1, "guests/hang.elf", has_spoken, &out);
	ATF_CHECK_EQ(CELL_TIMEOUT, out.status);
	ATF_CHECK(out.wall_seconds >= 1);
	ATF_CHECK_STREQ("going nowhere\n", out.console);
	/* where it hung, and the register that it set before */
	ATF_REQUIRE(out.state_dump != NULL);
	ATF_CHECK(strcasestr(out.state_dump, "600df00d") != NULL);
	outcome_free(&out);
}

/* The end may be that of the time: an `out` can cost too much for this guest to end. */
static void expect_bounded_output(const atf_tc_t *tc, const char *engine)
{
	struct outcome out;
	size_t n;

	guest_run_until(tc, need_engine(engine), 1, "guests/flood.elf", has_spoken, &out);
	ATF_CHECK(out.status == CELL_CRASHED || out.status == CELL_TIMEOUT);
	n = strlen(out.console);
	ATF_CHECK(n > 0 && n <= 256u << 10);
	ATF_CHECK(out.out_len <= 1u << 20);
	ATF_CHECK_EQ(strspn(out.out, "x"), out.out_len);
	if (out.status == CELL_CRASHED) {
		ATF_CHECK_STREQ("last word\n", out.console + n - strlen("last word\n"));
		ATF_CHECK_EQ(256u << 10, n);
		ATF_CHECK_EQ((384u << 10) + strlen("last word\n") - n, out.console_dropped);
		ATF_CHECK_EQ(1u << 20, out.out_len);
		ATF_CHECK_EQ(128u << 10, out.out_dropped);
	}
	outcome_free(&out);
}

#define HOSTILE(engine, name, call)                                                                \
	ATF_TC_WITHOUT_HEAD(engine##_##name);                                                      \
	ATF_TC_BODY(engine##_##name, tc)                                                           \
	{                                                                                          \
		call;                                                                              \
	}

#define HOSTILE_ALL(engine)                                                                        \
	HOSTILE(engine, hang, expect_timeout(tc, #engine))                                         \
	HOSTILE(engine, triple_fault,                                                              \
		expect_crash(tc, #engine, "guests/triple_fault.elf", "triple-faulted"))            \
	HOSTILE(engine, nonsense,                                                                  \
		expect_crash(tc, #engine, "guests/nonsense.elf", "the window's"))                  \
	HOSTILE(engine, no_window,                                                                 \
		expect_crash(tc, #engine, "guests/no_window.elf", "without a telemetry window"))   \
	HOSTILE(engine, bad_exit,                                                                  \
		expect_crash(tc, #engine, "guests/bad_exit.elf", "unknown exit code 0x2a"))        \
	HOSTILE(engine, flood, expect_bounded_output(tc, #engine))

HOSTILE_ALL(tcg)
HOSTILE_ALL(kvm)

#define ADD_ALL(tp, engine)                                                                        \
	do {                                                                                       \
		ATF_TP_ADD_TC(tp, engine##_hang);                                                  \
		ATF_TP_ADD_TC(tp, engine##_triple_fault);                                          \
		ATF_TP_ADD_TC(tp, engine##_nonsense);                                              \
		ATF_TP_ADD_TC(tp, engine##_no_window);                                             \
		ATF_TP_ADD_TC(tp, engine##_bad_exit);                                              \
		ATF_TP_ADD_TC(tp, engine##_flood);                                                 \
	} while (0)

ATF_TP_ADD_TCS(tp)
{
	ADD_ALL(tp, tcg);
	ADD_ALL(tp, kvm);
	return atf_no_error();
}
