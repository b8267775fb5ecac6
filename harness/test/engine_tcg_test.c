/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Engine tcg with the real stub. */
#define ENGINE "tcg"
#include "test/engine_test.h"

ATF_TC_WITHOUT_HEAD(flood);
ATF_TC_BODY(flood, tc)
{
	struct outcome out;

	guest_run(tc, need_engine(ENGINE), "stub.elf", "flood", NULL, PATIENCE, &out);
	check_flood(&out);
	outcome_free(&out);
}

static bool same_hist(const struct hist *a, const struct hist *b)
{
	if (a->count != b->count || a->sum != b->sum || a->nr_pairs != b->nr_pairs)
		return false;
	for (size_t i = 0; i < a->nr_pairs; i++)
		if (a->pairs[i].bucket != b->pairs[i].bucket ||
		    a->pairs[i].count != b->pairs[i].count)
			return false;
	return true;
}

/* Two boots agree in every number. */
ATF_TC_WITHOUT_HEAD(exact);
ATF_TC_BODY(exact, tc)
{
	struct outcome a, b;

	guest_run(tc, need_engine(ENGINE), "stub.elf", "print", "x", PATIENCE, &a);
	guest_run(tc, need_engine(ENGINE), "stub.elf", "print", "x", PATIENCE, &b);
	check_window(&a);
	ATF_CHECK_STREQ("instructions", a.unit);
	ATF_CHECK_EQ(a.boot_to_user, b.boot_to_user);
	ATF_CHECK_MSG(a.boot_to_user <= 100000, "boot took %lu instructions",
		      (unsigned long)a.boot_to_user);
	for (unsigned c = 0; c < FL_NR_CLASSES; c++) {
		ATF_CHECK(same_hist(&a.classes[c], &b.classes[c]));
		ATF_CHECK(same_hist(&a.outside[c], &b.outside[c]));
	}
	ATF_CHECK_EQ(0, memcmp(a.vmstat, b.vmstat, sizeof(a.vmstat)));
	ATF_CHECK_STREQ(a.console, b.console);
	/* no host counter is taken for the guest's */
	ATF_REQUIRE(a.papi.n > 0);
	ATF_CHECK(!a.papi.v[0].have && a.papi.v[0].reason);
	outcome_free(&a);
	outcome_free(&b);
}

ATF_TC_WITHOUT_HEAD(refusals);
ATF_TC_BODY(refusals, tc)
{
	const char *argv[] = {"/x", NULL}, *envp[] = {NULL};
	struct machine_spec spec = {.stub = "nothing",
				    .program = "/bin/sh",
				    .argv = argv,
				    .envp = envp,
				    .memory = 64u << 20,
				    .cpus = 1,
				    .kernel_args = "",
				    .timeout = 10};
	const struct engine *e = need_engine(ENGINE);
	char path[4096], args[4096];
	struct outcome out;

	e->run(&spec, &out);
	ATF_CHECK_EQ(CELL_UNSUPPORTED, out.status);
	ATF_CHECK(strstr(out.reason, "dynamically linked"));
	outcome_free(&out);
	spec.program = in_build(tc, "guests/program", path, sizeof(path));
	e->run(&spec, &out);
	ATF_CHECK(strstr(out.reason, "nothing: No such file"));
	outcome_free(&out);
	spec.stub = path;
	e->run(&spec, &out);
	ATF_CHECK(strstr(out.reason, "PVH note"));
	outcome_free(&out);
	spec.cpus = 65;
	e->run(&spec, &out);
	ATF_CHECK(strstr(out.reason, "65 CPUs"));
	outcome_free(&out);
	spec.cpus = 1;
	memset(args, 'a', sizeof(args) - 1);
	args[sizeof(args) - 1] = '\0';
	spec.kernel_args = args;
	spec.stub = in_build(tc, "guests/hang.elf", (char[4096]){0}, 4096);
	e->run(&spec, &out);
	ATF_CHECK(strstr(out.reason, "command line"));
	outcome_free(&out);
	spec.kernel_args = "";
	spec.memory = 5u << 20;
	e->run(&spec, &out);
	ATF_CHECK(strstr(out.reason, "too small"));
	outcome_free(&out);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, output);
	ATF_TP_ADD_TC(tp, exit_status);
	ATF_TP_ADD_TC(tp, killed);
	ATF_TP_ADD_TC(tp, flood);
	ATF_TP_ADD_TC(tp, exact);
	ATF_TP_ADD_TC(tp, refusals);
	return atf_no_error();
}
