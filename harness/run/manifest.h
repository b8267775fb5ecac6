/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The manifest: all that a reader needs to judge a run's numbers, or to make the run again. */
#ifndef HARNESS_MANIFEST_H
#define HARNESS_MANIFEST_H

#include <jansson.h>

#include "base/arena.h"
#include "engine/engine.h"

struct manifest_options {
	const struct engine *engine;
	const char *engine_choice; /* why auto took it; NULL if it was named */
	const char *stub;
	uint64_t seed;
	double timeout;
	const struct guest_extras *extras;
	const char *matrix; /* as named, or NULL */
	int argc;
	char *const *argv;
};

/* A new reference. What the machine can't say is null, with the reason under "reasons". */
json_t *manifest_make(struct arena *a, const struct manifest_options *o);

/* The commit that this program was built from, as in the manifest; NULL if unknown. */
const char *manifest_commit(void);

/* Writes hwloc's export of this machine. False if hwloc can't. */
bool manifest_write_topology(const char *path);

#endif
