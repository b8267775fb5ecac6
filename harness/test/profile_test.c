/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <atf-c.h>

#include "base/text.h"
#include "model/expr.h"
#include "model/profile.h"
#include "test/fixture.h"

struct loaded {
	struct arena arena;
	struct diag diag;
	struct profile profile;
	bool good;
};

static struct loaded load(const char *text)
{
	struct loaded l = {0};

	make_toy();
	write_text("p.ini", text);
	l.good = profile_load(&l.arena, ".", "p", &l.profile, &l.diag);
	return l;
}

static void unload(struct loaded *l)
{
	diag_free(&l->diag);
	arena_free(&l->arena);
}

/* The text is refused, with each of the words somewhere in the messages. */
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

ATF_TC_WITHOUT_HEAD(good);
ATF_TC_BODY(good, tc)
{
	struct loaded l = load(toy_profile);

	ATF_REQUIRE_MSG(l.good, "%s", l.diag.text);
	ATF_CHECK_STREQ(l.profile.name, "p");
	ATF_CHECK_STREQ(l.profile.description, "a toy");
	ATF_CHECK_STREQ(settings_find(&l.profile.settings, "pages")->value, "128");
	ATF_CHECK_STREQ(settings_find(&l.profile.settings, "memory")->value, "64M");
	ATF_CHECK_STREQ(settings_find(&l.profile.settings, "order")->value, "seq");
	ATF_CHECK_STREQ(settings_find(&l.profile.settings, "recorder")->value, "hist");
	ATF_CHECK_EQ(settings_find(&l.profile.settings, "seed"), NULL);
	unload(&l);
}

ATF_TC_WITHOUT_HEAD(bad_keys_and_values);
ATF_TC_BODY(bad_keys_and_values, tc)
{
	refused("", "no workload", "p.ini");
	refused("[profile]\nworkload = nope\n", "p.ini:2", "no workload nope");
	refused("[profile]\nworkload = ../toy\n", "p.ini:2", "bare name");
	refused("[profile]\nworkload = toy\nworklod = x\n", "p.ini:3", "worklod");
	refused("[profile]\nworkload = toy\n[parms]\n", "p.ini:3", "did you mean params");
	refused("[profile]\nworkload = toy\n[params]\npagse = 1\n", "p.ini:4",
		"did you mean pages");
	refused("[profile]\nworkload = toy\n[params]\npages = 0\n", "p.ini:4", "from 1 to 4096");
	refused("[profile]\nworkload = toy\n[params]\npages = -1\n", "p.ini:4", "whole number");
	refused("[profile]\nworkload = toy\n[params]\npages = 99999999999999999999\n", "p.ini:4",
		"whole number");
	refused("[profile]\nworkload = toy\n[params]\norder = sideways\n", "p.ini:4",
		"seq, random");
	refused("[profile]\nworkload = toy\n[params]\nmemory = 64M\n", "p.ini:4", "[machine]");
	refused("[profile]\nworkload = toy\n[machine]\nmemory = 1M\n", "p.ini:4", "32M");
	refused("[profile]\nworkload = toy\n[params]\npages = 1\npages = 2\n", "p.ini:5",
		"stands twice");
	refused("[profile]\nworkload = toy\n[params]\n[params]\n", "p.ini:4", "stands twice");
	refused("pages = 1\n[profile]\nworkload = toy\n", "p.ini:1", "before any");
	refused("[profile]\nworkload = toy\nnonsense\n", "p.ini:3", "KEY = VALUE");
	refused("[profile\nworkload = toy\n", "p.ini:1", "no section");
}

ATF_TC_WITHOUT_HEAD(bad_expectations);
ATF_TC_BODY(bad_expectations, tc)
{
#define HEAD "[profile]\nworkload = toy\n[expect]\n"
	refused(HEAD "user.minor.anon_aloc = 1\n", "p.ini:4", "did you mean user.minor.anon_alloc");
	refused(HEAD "user.minor.anon_alloc = pagse\n", "p.ini:4", "did you mean pages");
	refused(HEAD "user.minor.anon_alloc = pages *\n", "p.ini:4", "must stand here");
	refused(HEAD "user.minor.anon_alloc = pages / 0\n", "p.ini:4", "division by 0");
	refused(HEAD "user.minor.anon_alloc = 0 - pages\n", "p.ini:4", "below 0");
	refused(HEAD "user.minor.anon_alloc = order\n", "p.ini:4", "a word");
	refused(HEAD "others = some\n", "p.ini:4", "any or none");
	refused(HEAD "exit = signal FOO\n", "p.ini:4", "signal NAME");
	refused(HEAD "exit = status 256\n", "p.ini:4", "status N");
	refused("[profile]\nworkload = toy\n[expect vax]\n", "p.ini:3", "no engine vax");
}

ATF_TC_WITHOUT_HEAD(all_errors_at_once);
ATF_TC_BODY(all_errors_at_once, tc)
{
	refused("[profile]\nworkload = toy\n[params]\npagse = 1\norder = up\n", "p.ini:4",
		"p.ini:5");
}

ATF_TC_WITHOUT_HEAD(hostile_bytes);
ATF_TC_BODY(hostile_bytes, tc)
{
	struct arena a = {0};
	struct diag d = {0};
	struct profile p;
	static char big[(1 << 20) + 100];

	make_toy();
	write_bytes("nul.ini", "[profile]\nwork\0load = toy\n", 25);
	ATF_CHECK(!profile_load(&a, ".", "./nul.ini", &p, &d));
	ATF_CHECK(strstr(d.text, "nul.ini:2: byte 0x00"));
	memset(big, 'x', sizeof(big));
	write_bytes("big.ini", big, sizeof(big));
	ATF_CHECK(!profile_load(&a, ".", "./big.ini", &p, &d));
	ATF_CHECK(strstr(d.text, "longer than 1 MiB"));
	big[300] = '\0';
	write_text("long.ini", big);
	ATF_CHECK(!profile_load(&a, ".", "./long.ini", &p, &d));
	ATF_CHECK(strstr(d.text, "long.ini:1: line longer"));
	ATF_CHECK(!profile_load(&a, ".", ".", &p, &d));
	ATF_CHECK(!profile_load(&a, ".", "tooy", &p, &d));
	ATF_CHECK(strstr(d.text, "no profile tooy"));
	diag_free(&d);
	arena_free(&a);
}

ATF_TC_WITHOUT_HEAD(assignments);
ATF_TC_BODY(assignments, tc)
{
	struct loaded l = load(toy_profile);
	const char *why = NULL;

	ATF_REQUIRE(l.good);
	ATF_CHECK(profile_set(&l.arena, &l.profile.settings, "pages=1K", &why));
	ATF_CHECK_STREQ(settings_find(&l.profile.settings, "pages")->value, "1024");
	ATF_CHECK(profile_set(&l.arena, &l.profile.settings, "memory=1073741824", &why));
	ATF_CHECK_STREQ(settings_find(&l.profile.settings, "memory")->value, "1G");
	ATF_CHECK(!profile_set(&l.arena, &l.profile.settings, "pages", &why));
	ATF_CHECK(strstr(why, "KEY=VALUE"));
	ATF_CHECK(!profile_set(&l.arena, &l.profile.settings, "cpu=2", &why));
	ATF_CHECK(strstr(why, "did you mean cpus"));
	unload(&l);
}

ATF_TC_WITHOUT_HEAD(arithmetic);
ATF_TC_BODY(arithmetic, tc)
{
	static const struct {
		const char *text;
		bool good;
		uint64_t value;
	} cases[] = {
		{"7", true, 7},
		{"pages", true, 128},
		{" pages*2 + 1 ", true, 257},
		{"2 + 3 * 4", true, 14},
		{"(2 + 3) * 4", true, 20},
		{"10 - 3 - 2", true, 5},
		{"pages / 3", true, 42},
		{"1K", true, 1024},
		{"", false, 0},
		{"(1", false, 0},
		{"1)", false, 0},
		{"1 2", false, 0},
		{"9223372036854775807", true, INT64_MAX},
		{"9223372036854775807 + 1", false, 0},
		{"9223372036854775808", false, 0},
		{"4611686018427387904 * 2", false, 0},
		{"((((((((((((((((((1))))))))))))))))))", false, 0},
	};
	struct loaded l = load(toy_profile);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *why;
		uint64_t v;
		bool good = expr_value(&l.arena, cases[i].text, &l.profile.settings, &v, &why);

		ATF_CHECK_MSG(good == cases[i].good && (!good || v == cases[i].value), "'%s'",
			      cases[i].text);
	}
	unload(&l);
}

ATF_TC_WITHOUT_HEAD(descriptions);
ATF_TC_BODY(descriptions, tc)
{
	static const char *const bad[] = {
		"",
		"workload\ttoy\n",
		"workload\ttoy\tdoc\nparam\tpages\tuint\t1\t1..2\n",
		"workload\ttoy\tdoc\nparam\tpages\tuint\t3\t1..2\tdoc\n",
		"workload\ttoy\tdoc\nparam\tpages\tuint\t1\t2..1\tdoc\n",
		"workload\ttoy\tdoc\nparam\tpages\tuint\t1\tx\tdoc\n",
		"workload\ttoy\tdoc\nparam\tpages\tfloat\t1\t1..2\tdoc\n",
		"workload\ttoy\tdoc\nparam\to\tenum\tc\ta|b\tdoc\n",
		"workload\ttoy\tdoc\nwhat\n",
	};
	struct arena a = {0};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct workload w = {0};
		struct diag d = {0};

		ATF_CHECK_MSG(!workload_parse(&a, "toy", arena_strdup(&a, bad[i]), &w, &d), "%s",
			      bad[i]);
		diag_free(&d);
	}
	arena_free(&a);
}

ATF_TC_WITHOUT_HEAD(numbers_and_names);
ATF_TC_BODY(numbers_and_names, tc)
{
	static const char *const names[] = {"doctor", "compare", "matrix", NULL};
	uint64_t v;
	char buf[48];

	ATF_CHECK(text_number("0x10", &v) && v == 16);
	ATF_CHECK(text_number("2G", &v) && v == 2ull << 30);
	ATF_CHECK(!text_number("", &v) && !text_number("+1", &v) && !text_number(" 1", &v));
	ATF_CHECK(!text_number("1KK", &v) && !text_number("1x", &v));
	ATF_CHECK(!text_number("18446744073709551616", &v) && !text_number("99999999T", &v));
	ATF_CHECK_STREQ(text_nearest("comapre", names), "compare");
	ATF_CHECK_EQ(text_nearest("frobnicate", names), NULL);
	ATF_CHECK_STREQ(text_quote(buf, "a\033b\n"), "a?b?");
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, good);
	ATF_TP_ADD_TC(tp, bad_keys_and_values);
	ATF_TP_ADD_TC(tp, bad_expectations);
	ATF_TP_ADD_TC(tp, all_errors_at_once);
	ATF_TP_ADD_TC(tp, hostile_bytes);
	ATF_TP_ADD_TC(tp, assignments);
	ATF_TP_ADD_TC(tp, arithmetic);
	ATF_TP_ADD_TC(tp, descriptions);
	ATF_TP_ADD_TC(tp, numbers_and_names);
	return atf_no_error();
}
