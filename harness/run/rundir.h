/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run's directory as its writer sees it. docs/results-format.md says what is in it. */
#ifndef HARNESS_RUNDIR_H
#define HARNESS_RUNDIR_H

#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/diag.h"
#include "engine/engine_id.h"
#include "results/results.h"

struct rundir {
	const char *path;
	int cells_fd;
	struct arena *arena;
};

/* results/<UTC time>-<commit>-<engine>, from the arena. */
const char *rundir_default_path(struct arena *a, enum engine_id engine);

/* Makes the directory with manifest.json and topology.xml, ready for cells. It must not hold a run
 * yet. False, and the reason in d, if it can't be. */
bool rundir_create(struct arena *a, const char *path, const json_t *manifest, struct rundir *rd,
		   struct diag *d);

/* Opens the directory of a run that was cut short; what it holds is read into done (results_free()
 * it), a half-written last line taken off. The manifest must be of the same engine, stub and seed.
 */
bool rundir_resume(struct arena *a, const char *path, const json_t *manifest, struct rundir *rd,
		   struct results *done, struct diag *d);

/* Where the console and the raw events of the index-th cell go. From the arena. */
const char *rundir_console_path(struct arena *a, const struct rundir *rd, size_t index,
				const char *profile, unsigned rep);
const char *rundir_events_path(struct arena *a, const struct rundir *rd, size_t index,
			       const char *profile, unsigned rep);

/* Appends a cell to cells.jsonl and has it on the disk when it returns. 0 or -errno. */
int rundir_append(struct rundir *rd, const json_t *cell);

/* Puts run.json and cells.csv together from what was read back, and closes. `complete`: no cell of
 * the plan is missing. False, and the reason in d, if it can't be. */
bool rundir_finish(struct rundir *rd, const struct results *r, bool complete, struct diag *d);

#endif
