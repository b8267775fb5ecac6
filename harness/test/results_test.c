/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <atf-c.h>

#include "report/csv.h"
#include "results/results.h"
#include "run/rundir.h"
#include "test/fixture.h"

#define CELL_HEAD                                                                                  \
	"{\"profile\":\"p\",\"engine\":\"tcg\",\"params\":{\"pages\":4,\"order\":\"seq\"},"        \
	"\"rep\":0,\"seed\":1,\"status\":\"ok\",\"unit\":\"instructions\","                        \
	"\"boot\":{\"to_user\":7},\"outside\":{},\"user\":{},\"counters\":{\"vmstat\":{},"         \
	"\"tlb\":{}},"
#define GOOD_CELL                                                                                  \
	CELL_HEAD "\"classes\":{\"user.minor.anon_alloc\":{\"count\":4,\"sum\":40,"                \
		  "\"hist\":[[9,1],[10,2],[11,1]]}}}\n"

static void classes_refused(const char *classes, const char *word)
{
	struct arena a = {0};
	struct diag d = {0};
	struct results r;
	char line[2048];

	snprintf(line, sizeof(line), "%s%s\"classes\":%s}\n", GOOD_CELL, CELL_HEAD, classes);
	mkdir("run", 0777);
	write_text("run/cells.jsonl", line);
	ATF_CHECK_MSG(!results_read(&a, "run", &r, &d), "accepted: %s", classes);
	ATF_CHECK_MSG(d.text && strstr(d.text, "run/cells.jsonl:2: "), "%s", d.text);
	ATF_CHECK_MSG(d.text && strstr(d.text, word), "no '%s' in %s", word, d.text);
	results_free(&r);
	diag_free(&d);
	arena_free(&a);
}

ATF_TC_WITHOUT_HEAD(good);
ATF_TC_BODY(good, tc)
{
	struct arena a = {0};
	struct diag d = {0};
	struct results r;

	mkdir("run", 0777);
	write_text("run/cells.jsonl", GOOD_CELL GOOD_CELL);
	ATF_REQUIRE_MSG(results_read(&a, "run", &r, &d), "%s", d.text);
	ATF_CHECK_EQ(r.n, 2);
	ATF_CHECK(!r.truncated);
	ATF_CHECK_STREQ(r.cells[0].params, "order=seq pages=4");
	ATF_CHECK_EQ(r.cells[0].classes[0].hist.count, 4);
	ATF_CHECK_STREQ(results_manifest(&r, "commit", "none"), "none");
	results_free(&r);
	arena_free(&a);
}

ATF_TC_WITHOUT_HEAD(hostile_cells);
ATF_TC_BODY(hostile_cells, tc)
{
	classes_refused("7", "classes");
	classes_refused("{\"x\":7}", "x");
	classes_refused("{\"x\":{\"count\":1,\"sum\":1,\"hist\":7}}", "hist");
	classes_refused("{\"x\":{\"count\":1,\"sum\":1,\"hist\":[7]}}", "rising order");
	classes_refused("{\"x\":{\"count\":1,\"sum\":1,\"hist\":[[\"zzz\",1]]}}", "rising order");
	classes_refused("{\"x\":{\"count\":1,\"sum\":1,\"hist\":[[null,1]]}}", "rising order");
	classes_refused("{\"x\":null}", "x");
	classes_refused("{\"x\":{\"count\":1,\"sum\":1,\"hist\":[[1,1,1]]}}", "rising order");
	classes_refused("{\"x\":{\"count\":1,\"sum\":1,\"hist\":[[1,-1]]}}", "rising order");
	classes_refused("{\"x\":{\"count\":1,\"sum\":1,\"hist\":[[-1,1]]}}", "rising order");
	classes_refused("{\"x\":{\"count\":2,\"sum\":1,\"hist\":[[2,1],[1,1]]}}", "rising order");
	classes_refused("{\"x\":{\"count\":1,\"sum\":1,\"hist\":[[1001,1]]}}", "rising order");
	classes_refused("{\"x\":{\"count\":2,\"sum\":1,\"hist\":[[1,1]]}}", "sum of its hist");
	classes_refused("{\"x\":{\"count\":-1,\"sum\":1,\"hist\":[]}}", "count");
	classes_refused("{\"x\":{\"count\":1.5,\"sum\":1,\"hist\":[]}}", "count");
	classes_refused("{\"x\":{\"count\":9223372036854775807,\"sum\":1,\"hist\":"
			"[[1,9223372036854775807],[2,9223372036854775807]]}}",
			"rising order");
}

static void cell_refused(const char *cell, const char *words)
{
	struct arena a = {0};
	struct diag d = {0};
	struct results r;

	mkdir("run", 0777);
	write_text("run/cells.jsonl", cell);
	ATF_CHECK_MSG(!results_read(&a, "run", &r, &d), "accepted: %s", cell);
	ATF_CHECK_MSG(d.text && strstr(d.text, words), "no '%s' in %s", words, d.text);
	results_free(&r);
	diag_free(&d);
	arena_free(&a);
}

ATF_TC_WITHOUT_HEAD(unknown_words);
ATF_TC_BODY(unknown_words, tc)
{
	cell_refused("{\"profile\":\"p\",\"engine\":\"tcg\",\"params\":{},\"rep\":0,\"seed\":1,"
		     "\"status\":\"fine\"}\n",
		     "status: must be one of ok unsupported failed timeout crashed");
	cell_refused("{\"profile\":\"p\",\"engine\":\"bochs\",\"params\":{},\"rep\":0,\"seed\":1,"
		     "\"status\":\"ok\"}\n",
		     "engine: must be one of kvm tcg linux");
}

/* A null for a cell; and a part that stands twice, whose histograms are each somebody's. */
ATF_TC_WITHOUT_HEAD(null_and_twice);
ATF_TC_BODY(null_and_twice, tc)
{
#define ONE_SERIES(name) "{\"" name "\":{\"count\":4,\"sum\":40,\"hist\":[[9,1],[10,3]]}}"

	cell_refused("null\n", "a cell");
	cell_refused(CELL_HEAD "\"classes\":" ONE_SERIES("a") ",\"user\":" ONE_SERIES(
			     "b") ",\"classes\":" ONE_SERIES("c") "}\n",
		     "there once");
	cell_refused("{\"profile\":\"p\",\"engine\":\"tcg\",\"params\":{\"a=b\":\"c\"},\"rep\":0,"
		     "\"seed\":1,\"status\":\"ok\"}\n",
		     "its keys without =");
}

ATF_TC_WITHOUT_HEAD(truncated);
ATF_TC_BODY(truncated, tc)
{
	size_t whole = strlen(GOOD_CELL);

	mkdir("run", 0777);
	/* Cut anywhere in the second line: the first stays. */
	for (size_t cut = 1; cut < whole; cut += 7) {
		struct arena a = {0};
		struct diag d = {0};
		struct results r;

		write_bytes("run/cells.jsonl", GOOD_CELL GOOD_CELL, whole + cut);
		ATF_REQUIRE_MSG(results_read(&a, "run", &r, &d), "%s", d.text);
		ATF_CHECK_EQ(r.n, 1);
		ATF_CHECK(r.truncated);
		ATF_CHECK_EQ((size_t)r.truncate_at, whole);
		results_free(&r);
		arena_free(&a);
	}
}

ATF_TC_WITHOUT_HEAD(broken_in_the_middle);
ATF_TC_BODY(broken_in_the_middle, tc)
{
	struct arena a = {0};
	struct diag d = {0};
	struct results r;

	mkdir("run", 0777);
	write_text("run/cells.jsonl", "{\"profile\":\n" GOOD_CELL);
	ATF_CHECK(!results_read(&a, "run", &r, &d));
	ATF_CHECK(strstr(d.text, "cells.jsonl:1: not JSON"));
	results_free(&r);
	diag_free(&d);
	write_text("run/cells.jsonl", "{\"rep\":99999999999999999999}\n" GOOD_CELL);
	ATF_CHECK(!results_read(&a, "run", &r, &d));
	ATF_CHECK(strstr(d.text, "cells.jsonl:1: not JSON"));
	results_free(&r);
	diag_free(&d);
	write_bytes("run/cells.jsonl", "\0\0\0\0\n{}\n", 8);
	ATF_CHECK(!results_read(&a, "run", &r, &d));
	results_free(&r);
	diag_free(&d);
	arena_free(&a);
}

ATF_TC_WITHOUT_HEAD(deep_nesting);
ATF_TC_BODY(deep_nesting, tc)
{
	static char deep[200002];
	struct arena a = {0};
	struct diag d = {0};
	struct results r;

	memset(deep, '[', 200000);
	write_bytes("run.json", deep, 200000);
	ATF_CHECK(!results_read(&a, "run.json", &r, &d));
	ATF_CHECK(strstr(d.text, "not JSON"));
	results_free(&r);
	diag_free(&d);
	arena_free(&a);
}

ATF_TC_WITHOUT_HEAD(no_run);
ATF_TC_BODY(no_run, tc)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"{\"schema\":\"faultline-results/9\",\"manifest\":{},\"cells\":[]}",
		"{\"schema\":\"faultline-results/1\",\"manifest\":[],\"cells\":[]}",
		"{\"schema\":\"faultline-results/1\",\"manifest\":{},\"cells\":{}}",
		"{\"schema\":\"faultline-results/1\",\"manifest\":{},\"cells\":[7]}",
	};
	struct arena a = {0};
	struct diag d = {0};
	struct results r;

	mkdir("empty", 0777);
	ATF_CHECK(!results_read(&a, "empty", &r, &d));
	ATF_CHECK(strstr(d.text, "neither cells.jsonl nor run.json"));
	results_free(&r);
	ATF_CHECK(!results_read(&a, "absent", &r, &d));
	results_free(&r);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_text("run.json", texts[i]);
		ATF_CHECK_MSG(!results_read(&a, "run.json", &r, &d), "%s", texts[i]);
		results_free(&r);
	}
	diag_free(&d);
	arena_free(&a);
}

/* Create, append, finish; then again as run.json alone; then a broken line and --resume. */
ATF_TC_WITHOUT_HEAD(directory);
ATF_TC_BODY(directory, tc)
{
	json_t *manifest = json_pack("{s:s,s:s,s:s,s:i}", "engine", "tcg", "stub_sha256", "s",
				     "commit", "c", "seed", 1);
	json_t *other = json_pack("{s:s,s:s,s:s,s:i}", "engine", "tcg", "stub_sha256", "t",
				  "commit", "c", "seed", 1);
	json_t *cell = json_loads(GOOD_CELL, 0, NULL);
	struct arena a = {0};
	struct diag d = {0};
	struct rundir rd;
	struct results r;

	ATF_REQUIRE(rundir_create(&a, "a/b/run", manifest, &rd, &d));
	ATF_REQUIRE_EQ(rundir_append(&rd, cell), 0);
	ATF_REQUIRE(results_read(&a, "a/b/run", &r, &d));
	ATF_CHECK(rundir_finish(&rd, &r, true, &d));
	results_free(&r);
	ATF_CHECK(!rundir_create(&a, "a/b/run", manifest, &rd, &d));
	ATF_CHECK(strstr(d.text, "holds a run already"));
	diag_free(&d);

	ATF_REQUIRE(results_read(&a, "a/b/run/run.json", &r, &d));
	ATF_CHECK_EQ(r.n, 1);
	ATF_CHECK_STREQ(results_manifest(&r, "commit", ""), "c");
	results_free(&r);

	FILE *f = fopen("a/b/run/cells.jsonl", "a");

	fputs("{\"profile\":\"p", f);
	fclose(f);
	ATF_CHECK(!rundir_resume(&a, "a/b/run", other, &rd, &r, &d));
	ATF_CHECK(strstr(d.text, "stub_sha256"));
	results_free(&r);
	ATF_REQUIRE(rundir_resume(&a, "a/b/run", manifest, &rd, &r, &d));
	ATF_CHECK_EQ(r.n, 1);
	results_free(&r);
	ATF_REQUIRE_EQ(rundir_append(&rd, cell), 0);
	ATF_REQUIRE(results_read(&a, "a/b/run", &r, &d));
	ATF_CHECK_EQ(r.n, 2);
	ATF_CHECK(!r.truncated);
	results_free(&r);
	json_decref(manifest);
	json_decref(other);
	json_decref(cell);
	diag_free(&d);
	arena_free(&a);
}

ATF_TC_WITHOUT_HEAD(csv);
ATF_TC_BODY(csv, tc)
{
	struct arena a = {0};
	struct diag d = {0};
	struct results r;
	char line[512];

	mkdir("run", 0777);
	write_text("run/cells.jsonl", GOOD_CELL);
	ATF_REQUIRE(results_read(&a, "run", &r, &d));
	r.cells[0].label = "a,\"b\"";
	ATF_REQUIRE(csv_write_cells("cells.csv", &r, &d));
	FILE *f = fopen("cells.csv", "r");

	ATF_REQUIRE(fgets(line, sizeof(line), f));
	ATF_REQUIRE(fgets(line, sizeof(line), f));
	ATF_CHECK_STREQ(line, "p,\"a,\"\"b\"\"\",order=seq pages=4,tcg,instructions,ok,0,1,kernel,"
			      "user.minor.anon_alloc,0,4,40,9,,,,,11,10,,\n");
	fclose(f);
	results_free(&r);
	arena_free(&a);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, good);
	ATF_TP_ADD_TC(tp, hostile_cells);
	ATF_TP_ADD_TC(tp, unknown_words);
	ATF_TP_ADD_TC(tp, null_and_twice);
	ATF_TP_ADD_TC(tp, truncated);
	ATF_TP_ADD_TC(tp, broken_in_the_middle);
	ATF_TP_ADD_TC(tp, deep_nesting);
	ATF_TP_ADD_TC(tp, no_run);
	ATF_TP_ADD_TC(tp, directory);
	ATF_TP_ADD_TC(tp, csv);
	return atf_no_error();
}
