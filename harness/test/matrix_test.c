/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <atf-c.h>

#include "model/matrix.h"
#include "test/fixture.h"

struct loaded {
	struct arena arena;
	struct diag diag;
	struct plan plan;
	bool good;
};

static struct loaded load(const char *text)
{
	struct loaded l = {0};

	make_toy();
	write_text("toy.ini", toy_profile);
	write_text("other.ini", toy_profile);
	write_text("m.ini", text);
	l.good = matrix_load(&l.arena, ".", ".", "./m.ini", &l.plan, &l.diag);
	return l;
}

static void unload(struct loaded *l)
{
	diag_free(&l->diag);
	arena_free(&l->arena);
}

static void refused(const char *text, const char *word1, const char *word2)
{
	struct loaded l = load(text);

	ATF_CHECK_MSG(!l.good && l.diag.count, "accepted: %s", text);
	if (l.diag.text) {
		ATF_CHECK_MSG(strstr(l.diag.text, word1), "no '%s' in: %s", word1, l.diag.text);
		ATF_CHECK_MSG(strstr(l.diag.text, word2), "no '%s' in: %s", word2, l.diag.text);
	}
	unload(&l);
}

ATF_TC_WITHOUT_HEAD(cross_product);
ATF_TC_BODY(cross_product, tc)
{
	struct loaded l = load("[matrix]\ndescription = two axes\nreps = 2\n"
			       "[*]\ncpus = 1 2\n"
			       "[toy]\npages = 1 2 3\n"
			       "[other]\ncpus = 4\n");
	static const char *const labels[] = {
		"cpus=1 pages=1", "cpus=1 pages=2", "cpus=1 pages=3", "cpus=2 pages=1",
		"cpus=2 pages=2", "cpus=2 pages=3", "cpus=4",
	};

	ATF_REQUIRE_MSG(l.good, "%s", l.diag.text);
	ATF_CHECK_STREQ(l.plan.description, "two axes");
	ATF_REQUIRE_EQ(l.plan.n, 14);
	for (size_t i = 0; i < l.plan.n; i++) {
		ATF_CHECK_STREQ(l.plan.cells[i].label, labels[i % 7]);
		ATF_CHECK_EQ(l.plan.cells[i].rep, i / 7);
	}
	ATF_CHECK_STREQ(settings_find(&l.plan.cells[5].settings, "pages")->value, "3");
	ATF_CHECK_STREQ(settings_find(&l.plan.cells[0].settings, "pages")->value, "1");
	unload(&l);
}

/* To one CPU a turn means nothing, so there is one such cell, not one a turn. Two profiles of one
 * name could not be told apart in results. */
ATF_TC_WITHOUT_HEAD(same_cells);
ATF_TC_BODY(same_cells, tc)
{
	struct loaded l = load("[toy]\ncpus = 1 2\ninterleave = 100 1000\n");

	ATF_REQUIRE_MSG(l.good, "%s", l.diag.text);
	ATF_REQUIRE_EQ(l.plan.n, 3);
	ATF_CHECK_STREQ(l.plan.cells[0].label, "cpus=1 interleave=100");
	ATF_CHECK_STREQ(l.plan.cells[2].label, "cpus=2 interleave=1000");
	unload(&l);
	mkdir("elsewhere", 0777);
	write_text("elsewhere/toy.ini", toy_profile);
	refused("[toy]\n[elsewhere/toy.ini]\n", "m.ini:2", "they know both as toy");
}

ATF_TC_WITHOUT_HEAD(refusals);
ATF_TC_BODY(refusals, tc)
{
	refused("", "m.ini", "no profile");
	refused("[matrix]\nreps = 0\n[toy]\n", "m.ini:2", "from 1 to");
	refused("[matrix]\nrepz = 1\n[toy]\n", "m.ini:2", "description or reps");
	refused("[tyo]\n", "m.ini:1", "did you mean toy");
	refused("[toy]\npagse = 1\n", "m.ini:2", "did you mean pages");
	refused("[toy]\npages = 1 2 9999\n", "m.ini:2", "from 1 to 4096");
	refused("[toy]\npages = 4 0x4\n", "m.ini:2", "same cell");
	refused("[toy]\npages =\n", "m.ini:2", "no value");
	refused("[toy]\n[toy]\n", "m.ini:2", "stands twice");
	refused("[*]\nnope = 1\n[toy]\n", "m.ini:2", "no setting nope");
}

/* Axes multiply: the product is bounded before anything is made of it. */
ATF_TC_WITHOUT_HEAD(too_many);
ATF_TC_BODY(too_many, tc)
{
	char text[4096] = "[toy]\npages =", *at = text + strlen(text);

	for (int i = 1; i <= 40; i++)
		at += sprintf(at, " %d", i);
	at += sprintf(at, "\nmemory =");
	for (int i = 64; i < 74; i++)
		at += sprintf(at, " %dM", i);
	at += sprintf(at, "\ncpus =");
	for (int i = 1; i <= 64; i++)
		at += sprintf(at, " %d", i);
	strcpy(at, "\norder = seq random\npanic_on_oops = 0 1\n");
	refused(text, "m.ini:1", "more than 100000 cells");
	refused("[matrix]\nreps = 1000\n[toy]\npages = 1 2 3 4 5 6 7 8 9 10 11 12 13\n"
		"cpus = 1 2 3 4 5 6 7 8 9 10\n",
		"m.ini", "more than 100000 cells");
}

ATF_TC_WITHOUT_HEAD(broken_profile);
ATF_TC_BODY(broken_profile, tc)
{
	write_text("bad.ini", "[profile]\nworkload = toy\n[params]\npagse = 1\n");
	refused("[bad]\n", "m.ini:1", "bad.ini:4");
}

ATF_TC_WITHOUT_HEAD(profiles_by_name);
ATF_TC_BODY(profiles_by_name, tc)
{
	static const char *const names[] = {"toy", "other", NULL};
	static const char *const twice[] = {"toy", "toy", NULL};
	static const char *const assignments[] = {"pages=7", NULL};
	static const char *const none[] = {NULL};
	struct arena a = {0};
	struct diag d = {0};
	struct plan plan;

	make_toy();
	write_text("toy.ini", toy_profile);
	write_text("other.ini", toy_profile);
	ATF_REQUIRE(plan_profiles(&a, ".", names, assignments, 3, &plan, &d));
	ATF_CHECK_EQ(plan.n, 6);
	ATF_CHECK_STREQ(plan.cells[1].profile->name, "other");
	ATF_CHECK_STREQ(plan.cells[5].label, "pages=7");
	ATF_CHECK(!plan_profiles(&a, ".", twice, none, 1, &plan, &d));
	ATF_CHECK(strstr(d.text, "named twice"));
	diag_free(&d);
	arena_free(&a);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, cross_product);
	ATF_TP_ADD_TC(tp, same_cells);
	ATF_TP_ADD_TC(tp, refusals);
	ATF_TP_ADD_TC(tp, too_many);
	ATF_TP_ADD_TC(tp, broken_profile);
	ATF_TP_ADD_TC(tp, profiles_by_name);
	return atf_no_error();
}
