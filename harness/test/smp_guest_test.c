/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machines of several CPUs, with kernels of a few instructions (guests/): how the engines start and
 * stop them, what they say of each CPU when something is wrong, and how CPUs take turns on tcg.
 */
#include <stdlib.h>

#include "test/guest_run.h"

static void run2(const atf_tc_t *tc, const char *engine, const char *guest, double timeout,
		 struct outcome *out)
{
	guest_run_cpus(tc, need_engine(engine), 2, guest, NULL, NULL, timeout, out);
}

static void expect_crash(const atf_tc_t *tc, const char *engine, const char *guest,
			 const char *reason)
{
	struct outcome out;

	run2(tc, engine, guest, 30, &out);
	ATF_CHECK_EQ(CELL_CRASHED, out.status);
	ATF_REQUIRE(out.reason != NULL);
	ATF_CHECK_MSG(strstr(out.reason, reason) != NULL, "'%s' does not say '%s'", out.reason,
		      reason);
	ATF_CHECK(!out.have_window && !out.cpus);
	outcome_free(&out);
}

/* What the dump says of a CPU, up to the next. "" if it says nothing. */
static char *part_of(const struct outcome *out, unsigned cpu)
{
	char head[16], *part, *next;
	const char *at;

	ATF_REQUIRE(out->state_dump != NULL);
	snprintf(head, sizeof(head), "CPU %u", cpu);
	at = strstr(out->state_dump, head);
	part = strdup(at ? at : "");
	next = *part ? strstr(part + 1, "CPU ") : NULL;
	if (next)
		*next = '\0';
	return part;
}

static void expect_part(const struct outcome *out, unsigned cpu, const char *text)
{
	char *part = part_of(out, cpu);

	ATF_CHECK_MSG(strcasestr(part, text), "CPU %u: no %s in '%s'", cpu, text, part);
	free(part);
}

/* One CPU hangs while the other goes on: the time ends it, and where each was is told. */
static void expect_hang(const atf_tc_t *tc, const char *engine)
{
	struct outcome out;

	run2(tc, engine, "guests/ap_hang.elf", 3, &out);
	ATF_CHECK_EQ(CELL_TIMEOUT, out.status);
	ATF_CHECK_STREQ("going on\n", out.console);
	expect_part(&out, 0, "0ddba11");
	expect_part(&out, 1, "600df00d");
	outcome_free(&out);
}

/* A CPU that hangs is no reason to wait for when another one ends the machine. */
static void expect_end(const atf_tc_t *tc, const char *engine)
{
	struct outcome out;

	run2(tc, engine, "guests/ap_hang_exit.elf", 30, &out);
	ATF_CHECK_EQ(CELL_CRASHED, out.status);
	ATF_CHECK(strstr(out.reason, "without a telemetry window"));
	ATF_CHECK(out.wall_seconds < 10);
	outcome_free(&out);
}

static void expect_never_started(const atf_tc_t *tc, const char *engine, const char *said_of_it)
{
	struct outcome out;

	run2(tc, engine, "guests/lone.elf", 1, &out);
	ATF_CHECK_EQ(CELL_TIMEOUT, out.status);
	expect_part(&out, 0, "600df00d");
	expect_part(&out, 1, said_of_it);
	outcome_free(&out);
}

#define HOSTILE(engine, name, call)                                                                \
	ATF_TC_WITHOUT_HEAD(engine##_##name);                                                      \
	ATF_TC_BODY(engine##_##name, tc)                                                           \
	{                                                                                          \
		call;                                                                              \
	}

#define HOSTILE_ALL(engine, sleeper)                                                               \
	HOSTILE(engine, ap_hangs, expect_hang(tc, #engine))                                        \
	HOSTILE(engine, end_while_ap_hangs, expect_end(tc, #engine))                               \
	HOSTILE(engine, ap_never_started, expect_never_started(tc, #engine, sleeper))              \
	HOSTILE(engine, ap_triple_faults,                                                          \
		expect_crash(tc, #engine, "guests/ap_triple_fault.elf", "triple-faulted"))         \
	HOSTILE(engine, lies_about_cpus,                                                           \
		expect_crash(tc, #engine, "guests/lying_cpus.elf", "number of CPUs"))

HOSTILE_ALL(tcg, "HLT=1")
HOSTILE_ALL(kvm, "never started")

/* More CPUs than there can be: refused before anything starts. */
static void expect_refusal(const atf_tc_t *tc, const char *engine)
{
	const struct engine *e = need_engine(engine);
	struct outcome out;
	const char *how;
	unsigned n = e->max_cpus(&how);

	ATF_CHECK(n >= 1 && n <= 64 && how);
	guest_run_cpus(tc, e, n + 1, "stub.elf", "exit", "0", 30, &out);
	ATF_CHECK_EQ(CELL_UNSUPPORTED, out.status);
	ATF_CHECK(strstr(out.reason, "CPUs"));
	outcome_free(&out);
}

ATF_TC_WITHOUT_HEAD(refusals);
ATF_TC_BODY(refusals, tc)
{
	expect_refusal(tc, "tcg");
	expect_refusal(tc, "linux");
}

ATF_TC_WITHOUT_HEAD(kvm_refusal);
ATF_TC_BODY(kvm_refusal, tc)
{
	expect_refusal(tc, "kvm");
}

/* ---- turns ---- */

struct turns {
	unsigned long of[2], longest; /* rounds of a loop of five instructions */
};

static struct turns take_turns(const atf_tc_t *tc, unsigned cpus, uint64_t interleave)
{
	char stub[4096], program[4096], *end;
	const char *argv[] = {"/program", NULL}, *envp[] = {NULL};
	struct machine_spec spec = {
		.stub = in_build(tc, "guests/interleave.elf", stub, sizeof(stub)),
		.program = in_build(tc, "guests/program", program, sizeof(program)),
		.argv = argv,
		.envp = envp,
		.memory = 256ull << 20,
		.cpus = cpus,
		.interleave = interleave,
		.kernel_args = "",
		.timeout = 60,
	};
	struct outcome out;
	struct turns t;

	need_engine("tcg")->run(&spec, &out);
	printf("interleave=%lu: %s\n", (unsigned long)interleave, out.console);
	t.of[0] = strtoul(out.console, &end, 16);
	t.of[1] = strtoul(end, &end, 16);
	t.longest = strtoul(end, NULL, 16);
	outcome_free(&out);
	return t;
}

/* Both run in turns of as many instructions as were asked for, and each time the same. */
static void check_turns(const atf_tc_t *tc, unsigned cpus, uint64_t interleave)
{
	struct turns a = take_turns(tc, cpus, interleave), b = take_turns(tc, cpus, interleave);
	unsigned long rounds = interleave / 5, turns = 1000000 / rounds;

	ATF_CHECK_EQ(0, memcmp(&a, &b, sizeof(a)));
	ATF_CHECK(a.longest >= rounds - rounds / 20 && a.longest <= rounds + rounds / 20);
	for (unsigned i = 0; i < 2; i++)
		ATF_CHECK(a.of[i] >= turns - turns / 10 && a.of[i] <= turns + turns / 10);
}

ATF_TC_WITHOUT_HEAD(turns);
ATF_TC_BODY(turns, tc)
{
	check_turns(tc, 2, 10000);
	check_turns(tc, 2, 1000);
}

/* Spare CPUs behind those that run take no time from them. */
ATF_TC_WITHOUT_HEAD(turns_of_many);
ATF_TC_BODY(turns_of_many, tc)
{
	check_turns(tc, 7, 10000);
	check_turns(tc, 64, 20000);
}

/* What the ticker is for. */
ATF_TC_WITHOUT_HEAD(turns_without_ticker);
ATF_TC_BODY(turns_without_ticker, tc)
{
	struct turns t = take_turns(tc, 2, 0);

	ATF_CHECK(t.of[0] <= 1 && t.of[1] <= 1);
}

#define ADD_ALL(tp, engine)                                                                        \
	do {                                                                                       \
		ATF_TP_ADD_TC(tp, engine##_ap_hangs);                                              \
		ATF_TP_ADD_TC(tp, engine##_end_while_ap_hangs);                                    \
		ATF_TP_ADD_TC(tp, engine##_ap_never_started);                                      \
		ATF_TP_ADD_TC(tp, engine##_ap_triple_faults);                                      \
		ATF_TP_ADD_TC(tp, engine##_lies_about_cpus);                                       \
	} while (0)

ATF_TP_ADD_TCS(tp)
{
	ADD_ALL(tp, tcg);
	ADD_ALL(tp, kvm);
	ATF_TP_ADD_TC(tp, refusals);
	ATF_TP_ADD_TC(tp, kvm_refusal);
	ATF_TP_ADD_TC(tp, turns);
	ATF_TP_ADD_TC(tp, turns_of_many);
	ATF_TP_ADD_TC(tp, turns_without_ticker);
	return atf_no_error();
}
