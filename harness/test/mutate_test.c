/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Thousands of broken files, each made from a good one by a few random edits, against everything
 * that reads files, built with the address and undefined-behaviour sanitizers (see part.mk).
 * Whatever a reader says to a file, it may not crash, leak or hang; and what it refuses, it must
 * give a reason for.
 */
#include <atf-c.h>

#include "base/pull.h"
#include "model/matrix.h"
#include "report/compare_print.h"
#include "report/csv.h"
#include "report/table.h"
#include "results/results.h"
#include "test/fixture.h"

/* libatf keeps its list of cases until the end. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libatf-c\n";
}

/* Kyua takes a list of cases for broken if anything goes to stderr beside it. */
const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
	return "print_suppressions=0";
}

enum { ROOM = 16384 };

static const char good_matrix[] = "[matrix]\nreps = 2\n[*]\ncpus = 1 2\n[toy]\npages = 1 2 3\n";

#define CELL                                                                                       \
	"{\"profile\":\"p\",\"engine\":\"tcg\",\"params\":{\"pages\":4},\"rep\":0,\"seed\":1,"     \
	"\"status\":\"ok\",\"unit\":\"instructions\",\"boot\":{\"to_user\":7},"                    \
	"\"outside\":{\"user.minor.spurious\":3},\"user\":{\"w@9\":{\"phase\":\"w\",\"x\":9,"      \
	"\"overhead\":1,\"count\":1,\"sum\":300,\"hist\":[[300,1]]}},\"counters\":{\"vmstat\":{"   \
	"\"pgfault\":4},\"tlb\":{}},\"classes\":{\"user.minor.anon_alloc\":{\"count\":4,"          \
	"\"sum\":40,\"hist\":[[9,1],[10,2],[11,1]]}}}"

static const char good_lines[] = CELL "\n" CELL "\n";
static const char good_run[] =
	"{\"schema\":\"faultline-results/1\",\"manifest\":{\"commit\":\"c\"},"
	"\"cells\":[" CELL "]}";

/* Digits, quotes and brackets often; any byte now and then. */
static char random_byte(void)
{
	static const char likely[] = "0123456789-[]{}\",:=\n .eE*/()";

	return random() % 4 ? likely[(size_t)random() % (sizeof(likely) - 1)]
			    : (char)(random() % 256);
}

static size_t mutate(char *text, size_t n)
{
	for (long edits = 1 + random() % 4; edits > 0 && n; edits--) {
		size_t at = (size_t)random() % n, len = 1 + (size_t)random() % 12;

		if (len > n - at)
			len = n - at;
		switch (random() % 5) {
		case 0:
			text[at] = random_byte();
			break;
		case 1: /* a piece goes */
			memmove(text + at, text + at + len, n - at - len);
			n -= len;
			break;
		case 2: /* a piece comes twice */
			if (n + len > ROOM)
				break;
			memmove(text + at + len, text + at, n - at);
			n += len;
			break;
		case 3: /* the end is gone */
			n = random() % 8 ? n : at;
			break;
		case 4: /* a digit becomes many */
			memset(text + at, '9', len);
			break;
		}
	}
	return n;
}

static size_t broken(char *text, const char *good)
{
	size_t n = strlen(good);

	memcpy(text, good, n);
	return mutate(text, n);
}

static void check_reason(bool accepted, struct diag *d, const char *text, size_t n)
{
	ATF_REQUIRE_MSG(accepted == !d->count, "accepted %d, but %u messages for: %.*s", accepted,
			d->count, (int)n, text);
	diag_free(d);
}

ATF_TC_WITHOUT_HEAD(profiles);
ATF_TC_BODY(profiles, tc)
{
	char text[ROOM];

	srandom(1);
	make_toy();
	for (int i = 0; i < 2000; i++) {
		size_t n = broken(text, toy_profile);
		struct arena a = {0};
		struct diag d = {0};
		struct profile p;

		write_bytes("p.ini", text, n);
		check_reason(profile_load(&a, ".", "p", &p, &d), &d, text, n);
		arena_free(&a);
	}
}

ATF_TC_WITHOUT_HEAD(matrices);
ATF_TC_BODY(matrices, tc)
{
	char text[ROOM];

	srandom(2);
	make_toy();
	write_text("toy.ini", toy_profile);
	for (int i = 0; i < 2000; i++) {
		size_t n = broken(text, good_matrix);
		struct arena a = {0};
		struct diag d = {0};
		struct plan plan;

		write_bytes("m.ini", text, n);
		check_reason(matrix_load(&a, ".", ".", "m.ini", &plan, &d), &d, text, n);
		arena_free(&a);
	}
}

ATF_TC_WITHOUT_HEAD(descriptions);
ATF_TC_BODY(descriptions, tc)
{
	static const char good[] = "workload\ttoy\tdoc\nparam\tn\tuint\t64\t1..4096\tdoc\n"
				   "param\to\tenum\ta\ta|b\tdoc\nphase\twrite\tdoc\n";
	char text[ROOM + 1];

	srandom(3);
	for (int i = 0; i < 5000; i++) {
		size_t n = broken(text, good);
		struct workload w = {0};
		struct arena a = {0};
		struct diag d = {0};

		text[n] = '\0';
		check_reason(workload_parse(&a, "toy", text, &w, &d), &d, text, n);
		arena_free(&a);
	}
}

/* A run that can be read can also be compared, printed and turned into CSV. */
static void use(struct arena *a, struct results *r)
{
	struct comparison c;
	struct diag d = {0};
	FILE *null = fopen("/dev/null", "w");
	struct cpus_figures figures;
	size_t rows;

	if (compare_runs(a, r, r, &c, &d))
		for (int f = COMPARE_TEXT; f <= COMPARE_JUNIT; f++)
			compare_print(null, (enum compare_format)f, &c);
	table_print(null, r);
	csv_write_cells("cells.csv", r, &d);
	csv_write_percentiles("percentiles.csv", r, &d);
	csv_write_cdf("cdf.csv", r, &d);
	csv_write_vma_cost("vma-cost.csv", r, &rows, &d);
	csv_write_cpus("cpus.csv", r, &figures, &d);
	csv_write_about("about.csv", r, &d);
	fclose(null);
	diag_free(&d);
}

static void read_broken(const char *good, const char *file, const char *dir, int times)
{
	char text[ROOM];

	for (int i = 0; i < times; i++) {
		size_t n = broken(text, good);
		struct arena a = {0};
		struct diag d = {0};
		struct results r;
		bool accepted;

		write_bytes(file, text, n);
		accepted = results_read(&a, dir, &r, &d);
		check_reason(accepted, &d, text, n);
		if (accepted && i % 4 == 0)
			use(&a, &r);
		results_free(&r);
		arena_free(&a);
	}
}

ATF_TC_WITHOUT_HEAD(cells);
ATF_TC_BODY(cells, tc)
{
	srandom(4);
	mkdir("run", 0777);
	read_broken(good_lines, "run/cells.jsonl", "run", 3000);
}

ATF_TC_WITHOUT_HEAD(run_json);
ATF_TC_BODY(run_json, tc)
{
	srandom(5);
	read_broken(good_run, "run.json", "run.json", 3000);
}

/* pull and jansson agree on what is JSON. */
static void same_verdict(const char *text, size_t n)
{
	struct arena a = {0};
	struct pull p = {.at = text, .end = text + n, .arena = &a};
	json_error_t e;
	json_t *json = json_loadb(text, n, JSON_DECODE_ANY, &e);
	bool good;

	pull_skip(&p);
	good = pull_done(&p);
	/* what jansson can't put into a double is JSON nevertheless, and nothing that we read */
	if (json || !good || json_error_code(&e) != json_error_numeric_overflow)
		ATF_REQUIRE_MSG(good == !!json, "%s, but jansson: %s: %.*s",
				good ? "good" : p.error, json ? "good" : e.text, (int)n, text);
	json_decref(json);
	arena_free(&a);
}

ATF_TC_WITHOUT_HEAD(json_as_jansson_has_it);
ATF_TC_BODY(json_as_jansson_has_it, tc)
{
	static const char *const good[] = {
		CELL,
		"[0, -0, 10, -17, 1.5, 1e3, -2.5E-3, 1E+2, true, false, null, {}, [], \"\"]",
		" { \"a\" : [ 1 , { \"b\" : [ [ ] ] } ] , \"c\" : null } ",
		"[9223372036854775807, -9223372036854775808, 999999999999999999]",
		"[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\", \"\\u00e9\\u20ac\\ud83d\\ude00\", "
		"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 and more than eight bytes\"]",
	};
	char text[ROOM];

	srandom(6);
	for (size_t g = 0; g < sizeof(good) / sizeof(good[0]); g++) {
		same_verdict(good[g], strlen(good[g]));
		for (int i = 0; i < 20000; i++)
			same_verdict(text, broken(text, good[g]));
	}
	for (unsigned i = 0; i < 1 << 16; i++) {
		int n = snprintf(text, sizeof(text), "[\"\\u%04x\"]", i);

		same_verdict(text, (size_t)n);
		memcpy(text, (const char[]){'"', 'x', (char)i, (char)(i >> 8), '"'}, 5);
		same_verdict(text, 5);
		memcpy(text, (const char[]){'"', '\xe0', (char)i, (char)(i >> 8), '"'}, 5);
		same_verdict(text, 5);
		memcpy(text, (const char[]){'"', '\xf0', (char)i, (char)(i >> 8), '\x80', '"'}, 6);
		same_verdict(text, 6);
	}
}

/* Every text of random pieces is to pull what it is to jansson. */
ATF_TC_WITHOUT_HEAD(texts_as_jansson_has_them);
ATF_TC_BODY(texts_as_jansson_has_them, tc)
{
	static const char *const pieces[] = {
		"a",	"\\n",	     "\\u0041",		 "\\u00e9",  "\\u20ac",
		"\\\\", "\\\"",	     "\\ud83d\\ude00",	 "\xc3\xa9", "\\/",
		"\\t",	"long text", "\xf0\x9f\x98\x80", "\\uFFFF",  " "};

	srandom(7);
	for (int i = 0; i < 20000; i++) {
		char text[512] = "\"";
		struct arena a = {0};

		for (long n = random() % 12; n > 0; n--)
			strcat(text,
			       pieces[(size_t)random() % (sizeof(pieces) / sizeof(pieces[0]))]);
		strcat(text, "\"");
		struct pull p = {.at = text, .end = text + strlen(text), .arena = &a};
		json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
		struct pull_text got;

		ATF_REQUIRE_EQ(PULL_TEXT, pull_kind(&p));
		ATF_REQUIRE_MSG(pull_text(&p, &got) && pull_done(&p), "%s: %s", p.error, text);
		ATF_REQUIRE_MSG(pull_is(&got, json_string_value(json)), "%s", text);
		json_decref(json);
		arena_free(&a);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, profiles);
	ATF_TP_ADD_TC(tp, matrices);
	ATF_TP_ADD_TC(tp, descriptions);
	ATF_TP_ADD_TC(tp, cells);
	ATF_TP_ADD_TC(tp, run_json);
	ATF_TP_ADD_TC(tp, json_as_jansson_has_it);
	ATF_TP_ADD_TC(tp, texts_as_jansson_has_them);
	return atf_no_error();
}
