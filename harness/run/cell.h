/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One cell: boot and judge. */
#ifndef HARNESS_CELL_H
#define HARNESS_CELL_H

#include "engine/engine.h"
#include "model/plan.h"

struct cell_options {
	const struct engine *engine;
	const char *stub;
	uint64_t seed;
	double timeout;
	struct guest_extras extras;
	const char *console_path; /* may be NULL */
	const char *events_path;  /* zstd file for recorder=raw; may be NULL */
};

/* Runs a cell and fills out (outcome_free() it). What went wrong is in it. */
void cell_run(struct arena *a, const struct cell *c, const struct cell_options *o,
	      struct outcome *out);

/* Turns the engine's outcome into the cell's: expectations judged, an expected panic made good.
 * Afterwards out->reason is NULL exactly if out->status is CELL_OK. */
void cell_judge(struct arena *a, const struct cell *c, enum engine_id engine, struct outcome *out);

/* Writes the raw events, zstd-compressed. 0 or -errno. */
int cell_write_events(const char *path, const struct outcome *out);

#endif
