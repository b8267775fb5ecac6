/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Engine kvm with the real stub, on whatever /dev/kvm there is. */
#define ENGINE "kvm"
#include "engine/engines.h"
#include "engine/kvm/kvm.h"
#include "test/guests/clock_pair.h"
#include "test/engine_test.h"

static const struct counter *find(const struct counter_list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->v[i].name, name))
			return &l->v[i];
	return NULL;
}

ATF_TC_WITHOUT_HEAD(counters);
ATF_TC_BODY(counters, tc)
{
	const struct engine *e = need_engine(ENGINE);
	const struct counter *c;
	struct outcome out;

	guest_run(tc, e, "stub.elf", "exit", "0", PATIENCE, &out);
	check_window(&out);
	ATF_CHECK_STREQ("cycles", out.unit);
	c = find(&out.kvm, "exits");
	ATF_REQUIRE(c != NULL);
	ATF_CHECK(c->have && c->value > 0);
	/* each has a value or a reason, never both or neither */
	ATF_REQUIRE(out.papi.n > 0);
	for (size_t i = 0; i < out.papi.n; i++)
		ATF_CHECK(out.papi.v[i].have == (out.papi.v[i].reason == NULL));
	c = find(&out.papi, "perf::PAGE-FAULTS");
	ATF_REQUIRE(c != NULL);
	if (c->have)
		ATF_CHECK(c->value > 0); /* guest memory is touched for the first time */
	outcome_free(&out);
}

/* A KVM that interprets ring 0 says so, and auto goes elsewhere; any other KVM is what auto takes.
 */
ATF_TC_WITHOUT_HEAD(kind);
ATF_TC_BODY(kind, tc)
{
	const struct engine *e = need_engine(ENGINE), *chosen;
	bool slow = kvm_interprets_ring0();
	const char *why;

	ATF_CHECK(engine_kvm_kind() != NULL);
	ATF_CHECK_EQ(slow, e->caveat() != NULL);
	ATF_CHECK_EQ(slow, strstr(engine_kvm_kind(), "interpreted") != NULL);
	chosen = engine_find("auto", &why);
	ATF_REQUIRE(chosen != NULL && why != NULL);
	if (!slow)
		ATF_CHECK_EQ(ENGINE_KVM, chosen->id);
	else if (!engine_find("tcg", &why)->unavailable())
		ATF_CHECK_EQ(ENGINE_TCG, chosen->id);
	ATF_CHECK_EQ(NULL, engine_find("nothing", &why));
}

/* kvm_pvm runs ring 3 on the host's CPU, where no cpuid exits: the guest's program sees the host's.
 */
static bool cpuid_is_hosts(void)
{
	return strstr(engine_kvm_kind(), "kvm_pvm") != NULL;
}

static void check_same_classes(const atf_tc_t *tc, const char *program)
{
	const struct engine *kvm = need_engine(ENGINE), *tcg = need_engine("tcg");
	struct outcome a, b;

	guest_run_program(tc, kvm, 1, "stub.elf", program, "exit", "0", PATIENCE, &a);
	guest_run_program(tc, tcg, 1, "stub.elf", program, "exit", "0", PATIENCE, &b);
	for (unsigned c = 0; c < FL_NR_CLASSES; c++) {
		ATF_CHECK_EQ(a.classes[c].count, b.classes[c].count);
		ATF_CHECK_EQ(a.outside[c].count, b.outside[c].count);
	}
	outcome_free(&a);
	outcome_free(&b);
}

/* The same program meets the same faults as on tcg. */
ATF_TC_WITHOUT_HEAD(same_classes_as_tcg);
ATF_TC_BODY(same_classes_as_tcg, tc)
{
	check_same_classes(tc, "guests/program-musl");
}

/* … also if it takes one page of code or another by what it thinks of the CPU. */
ATF_TC_WITHOUT_HEAD(same_classes_as_tcg_by_cpuid);
ATF_TC_BODY(same_classes_as_tcg_by_cpuid, tc)
{
	need_engine(ENGINE);
	if (cpuid_is_hosts())
		atf_tc_skip("on kvm_pvm ring 3 has the host's CPUID, and glibc its code for that");
	check_same_classes(tc, "guests/program");
}

/* For so far as code is chosen by it, the CPU is the one of tcg. */
ATF_TC_WITHOUT_HEAD(cpuid_of_tcg);
ATF_TC_BODY(cpuid_of_tcg, tc)
{
	const struct engine *kvm = need_engine(ENGINE), *tcg = need_engine("tcg");
	struct outcome a, b;

	if (cpuid_is_hosts())
		atf_tc_skip("on kvm_pvm ring 3 has the host's CPUID");
	guest_run(tc, kvm, "stub.elf", "cpuid", "", PATIENCE, &a);
	guest_run(tc, tcg, "stub.elf", "cpuid", "", PATIENCE, &b);
	ATF_CHECK(strstr(a.out, "cpuid 00000001.0: ") != NULL);
	ATF_CHECK_STREQ(b.out, a.out);
	outcome_free(&a);
	outcome_free(&b);
}

/* The guest's clock goes as fast as ours, whatever the rate of its TSC: both count as many ticks of
 * it a nanosecond. */
ATF_TC_WITHOUT_HEAD(clock_rate);
ATF_TC_BODY(clock_rate, tc)
{
	const struct engine *e = need_engine(ENGINE);
	struct clock_pair begin = clock_pair_take();
	struct outcome out;
	double ours, guests;

	guest_run(tc, e, "stub.elf", "clock", "500", PATIENCE, &out);
	ours = clock_pair_rate(begin, clock_pair_take());
	ATF_CHECK_EQ(CELL_OK, out.status);
	guests = strtod(out.out, NULL);
	printf("ticks a nanosecond: here %.4f, in the guest %.4f\n", ours, guests);
	ATF_CHECK(guests > ours * 0.98 && guests < ours * 1.02);
	outcome_free(&out);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, output);
	ATF_TP_ADD_TC(tp, exit_status);
	ATF_TP_ADD_TC(tp, killed);
	ATF_TP_ADD_TC(tp, counters);
	ATF_TP_ADD_TC(tp, kind);
	ATF_TP_ADD_TC(tp, same_classes_as_tcg);
	ATF_TP_ADD_TC(tp, same_classes_as_tcg_by_cpuid);
	ATF_TP_ADD_TC(tp, cpuid_of_tcg);
	ATF_TP_ADD_TC(tp, clock_rate);
	return atf_no_error();
}
