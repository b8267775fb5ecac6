/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machines of several CPUs, with kernels of a few instructions (guests/): how the engines start and
 * stop them, what they say of each CPU when something is wrong, and how CPUs take turns on tcg.
 */
#include <stdlib.h>
#include <sys/resource.h>

#include "test/guest_run.h"

static void run2(const atf_tc_t *tc, const char *engine, const char *guest, struct outcome *out)
{
	guest_run_cpus(tc, need_engine(engine), 2, guest, NULL, NULL, PATIENCE, out);
}

static void expect_crash(const atf_tc_t *tc, const char *engine, const char *guest,
			 const char *reason)
{
	struct outcome out;

	run2(tc, engine, guest, &out);
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

static bool both_at_work(const struct outcome *out)
{
	return out->state_dump && strcasestr(out->state_dump, "0ddba11") &&
	       strcasestr(out->state_dump, "600df00d");
}

static bool first_hangs(const struct outcome *out)
{
	return out->state_dump && strcasestr(out->state_dump, "600df00d");
}

/* One CPU hangs while the other goes on: the time ends it, and where each was is told. */
static void expect_hang(const atf_tc_t *tc, const char *engine)
{
	struct outcome out;

	guest_run_until(tc, need_engine(engine), 2, "guests/ap_hang.elf", both_at_work, &out);
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

	run2(tc, engine, "guests/ap_hang_exit.elf", &out);
	ATF_CHECK_EQ(CELL_CRASHED, out.status);
	ATF_CHECK(strstr(out.reason, "without a telemetry window"));
	outcome_free(&out);
}

static void expect_never_started(const atf_tc_t *tc, const char *engine, const char *said_of_it)
{
	struct outcome out;

	guest_run_until(tc, need_engine(engine), 2, "guests/lone.elf", first_hangs, &out);
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
	guest_run_cpus(tc, e, n + 1, "stub.elf", "exit", "0", PATIENCE, &out);
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
	unsigned of[2], longest; /* rounds of a loop of five instructions */
};

static void boot(const atf_tc_t *tc, const char *name, const char *arg, unsigned cpus,
		 uint64_t interleave, struct outcome *out)
{
	char stub[4096], program[4096];
	const char *argv[] = {name, arg, NULL}, *envp[] = {NULL};
	struct machine_spec spec = {
		.stub = in_build(tc, "stub.elf", stub, sizeof(stub)),
		.program = in_build(tc, name, program, sizeof(program)),
		.argv = argv,
		.envp = envp,
		.memory = 256ull << 20,
		.cpus = cpus,
		.interleave = interleave,
		.kernel_args = "",
		.timeout = PATIENCE,
	};

	need_engine("tcg")->run(&spec, out);
	printf("interleave=%lu: %s%s\n", (unsigned long)interleave, out->out ? out->out : "",
	       out->reason ? out->reason : "");
	ATF_REQUIRE_EQ(CELL_OK, out->status);
}

static struct turns take_turns(const atf_tc_t *tc, unsigned cpus, uint64_t interleave)
{
	struct outcome out;
	struct turns t;

	boot(tc, "guests/turns", NULL, cpus, interleave, &out);
	ATF_REQUIRE_EQ(3, sscanf(out.out, "%u %u %u", &t.of[0], &t.of[1], &t.longest));
	outcome_free(&out);
	return t;
}

/* Both run in turns of as many instructions as were asked for, and each time the same. */
static void check_turns(const atf_tc_t *tc, unsigned cpus, uint64_t interleave)
{
	struct turns a = take_turns(tc, cpus, interleave), b = take_turns(tc, cpus, interleave);
	unsigned rounds = (unsigned)interleave / 5, turns = 1000000 / rounds;

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
	check_turns(tc, 2, 250);
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

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* Where every CPU sleeps, nobody is given turns: 200 virtual seconds, which would be 20 million of
 * them, take QEMU about the time of its start; and to stop and start them a thousand times takes
 * the guest no time. Both CPUs work before and after. */
ATF_TC_WITHOUT_HEAD(idle_turns);
ATF_TC_BODY(idle_turns, tc)
{
	struct outcome a, b;
	double before = cpu_seconds(), clock;

	boot(tc, "guests/turns", "200", 2, 10000, &a);
	boot(tc, "guests/turns", "200", 2, 10000, &b);
	ATF_CHECK_MSG(cpu_seconds() - before < 30, "%g s of CPU", cpu_seconds() - before);
	ATF_CHECK_STREQ(a.out, b.out);
	ATF_CHECK_EQ(a.boot_to_user, b.boot_to_user);
	ATF_REQUIRE_EQ(1, sscanf(a.out, "%*u %*u %*u %lf", &clock));
	ATF_CHECK_MSG(clock >= 200 && clock < 200.5, "200 s and 30 ms are %g s", clock);
	outcome_free(&a);
	outcome_free(&b);
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
	ATF_TP_ADD_TC(tp, idle_turns);
	return atf_no_error();
}
