/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one name of a cell: its form, the same from a plan and from results, and the table that finds
 * it. */
#include <atf-c.h>

#include "model/matrix.h"
#include "run/cell_json.h"
#include "test/fixture.h"
#include "test/read_back.h"

static struct plan load(struct arena *a, const char *matrix)
{
	struct diag d = {0};
	struct plan plan;

	make_toy();
	write_text("toy.ini", toy_profile);
	write_text("m.ini", matrix);
	ATF_REQUIRE_MSG(matrix_load(a, ".", ".", "./m.ini", &plan, &d), "%s", d.text);
	return plan;
}

/* docs/results-format.md promises this form. */
ATF_TC_WITHOUT_HEAD(form);
ATF_TC_BODY(form, tc)
{
	struct arena a = {0};
	struct plan plan = load(&a, "[matrix]\nreps = 2\n[toy]\ncpus = 1 2\nkpti = on\n");

	ATF_REQUIRE_EQ(plan.n, 4);
	ATF_CHECK_STREQ(plan.cells[0].key.text,
			"toy cpus=1 kpti=on memory=64M order=seq pages=128 panic_on_oops=0 "
			"recorder=hist #0");
	ATF_CHECK_STREQ(plan.cells[3].key.text,
			"toy cpus=2 interleave=10000 kpti=on memory=64M order=seq pages=128 "
			"panic_on_oops=0 recorder=hist #1");
	arena_free(&a);
}

ATF_TC_WITHOUT_HEAD(plan_and_results_agree);
ATF_TC_BODY(plan_and_results_agree, tc)
{
	struct arena a = {0};
	struct plan plan = load(&a, "[matrix]\nreps = 3\n[toy]\ncpus = 1 4\npages = 1 0x10 4K\n"
				    "order = seq random\nmemory = 64M 1G\n");
	for (size_t i = 0; i < plan.n; i++) {
		struct outcome out = {.status = CELL_OK};
		json_t *json = cell_json(&a, &plan.cells[i], ENGINE_TCG, 1, &out);
		size_t at = plan.n;

		struct result_cell back = read_back(&a, json);

		ATF_CHECK_STREQ(back.key.text, plan.cells[i].key.text);
		ATF_CHECK_EQ(back.key.len_settings, plan.cells[i].key.len_settings);
		ATF_CHECK(map_find(&plan.by_key, back.key.text, back.key.len, &at));
		ATF_CHECK_EQ(at, i);
		result_cell_free(&back);
		json_decref(json);
	}
	arena_free(&a);
}

ATF_TC_WITHOUT_HEAD(many_names);
ATF_TC_BODY(many_names, tc)
{
	struct arena a = {0};
	struct map m = {.arena = &a};
	enum { MANY = 50000 };
	size_t at = 7;

	ATF_CHECK(!map_find(&m, "", 0, &at));
	ATF_CHECK_EQ(at, 7);
	for (size_t i = 0; i < MANY; i++) {
		const char *name = arena_printf(&a, "name %zu", i);

		ATF_REQUIRE_EQ(*map_put(&m, name, strlen(name), i), i);
		ATF_REQUIRE_EQ(*map_put(&m, "name 0 and more", 6, 99), 0);
	}
	ATF_CHECK_EQ(m.n, MANY);
	for (size_t i = 0; i < MANY; i++) {
		const char *name = arena_printf(&a, "name %zu", i);

		ATF_REQUIRE(map_find(&m, name, strlen(name), &at));
		ATF_REQUIRE_EQ(at, i);
	}
	ATF_CHECK(!map_find(&m, "name", 4, &at));
	++*map_put(&m, "name", 4, 41);
	ATF_CHECK(map_find(&m, "name", 4, &at));
	ATF_CHECK_EQ(at, 42);
	arena_free(&a);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, form);
	ATF_TP_ADD_TC(tp, plan_and_results_agree);
	ATF_TP_ADD_TC(tp, many_names);
	return atf_no_error();
}
