/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests: a cell's JSON as its readers see it. */
#ifndef HARNESS_TEST_READ_BACK_H
#define HARNESS_TEST_READ_BACK_H

#include <atf-c.h>
#include <stdlib.h>
#include <string.h>

#include "results/cell_read.h"

static inline struct result_cell read_back(struct arena *a, const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);
	struct pull p = {.at = text, .end = text + strlen(text), .arena = a};
	struct cell_reader cr = cell_reader_make(a);
	struct cell_fault fault;
	struct result_cell c;

	ATF_REQUIRE_MSG(cell_read(&cr, &p, &c, &fault) && pull_done(&p), "%s%s %s: %s",
			p.error ? p.error : "", fault.what ? fault.what : "",
			fault.want ? fault.want : "", text);
	cell_reader_free(&cr);
	free(text);
	return c;
}

#endif
