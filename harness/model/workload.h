/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a workload says of itself when asked with --describe. */
#ifndef HARNESS_WORKLOAD_H
#define HARNESS_WORKLOAD_H

#include <stdbool.h>

#include "base/diag.h"
#include "model/setting.h"

struct workload {
	const char *name, *path, *doc;
	struct settings params;
	const char **phases;
	size_t nr_phases;
};

/*
 * Parses the answer: lines of TAB-separated fields,
 *    workload NAME doc
 *    param NAME uint|enum DEFAULT MIN..MAX or a|b|c doc
 *    phase NAME doc
 * The param `seed` is every workload's and left out: a cell has a seed of its own.
 * False, with the reasons in d under the name `from`, if it is anything else.
 */
bool workload_parse(struct arena *a, const char *from, char *text, struct workload *w,
		    struct diag *d);

/* Runs the program NAME (see paths.h) with --describe, natively, and parses what it says. */
bool workload_load(struct arena *a, const char *name, struct workload *w, struct diag *d);

#endif
