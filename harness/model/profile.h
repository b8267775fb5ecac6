/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Profiles: a workload, its settings and what must hold. docs/profiles.md describes the files. */
#ifndef HARNESS_PROFILE_H
#define HARNESS_PROFILE_H

#include "model/expect.h"
#include "model/workload.h"

struct profile {
	const char *name, *file, *description;
	struct workload workload;
	struct settings settings; /* defaults, then what the file says */
	struct expectations expect;
};

/* Loads NAME from the profiles' directory, or the file NAME if it holds a slash or ends in .ini.
 * Everything wrong goes to d; then false. */
bool profile_load(struct arena *a, const char *profile_dir, const char *name, struct profile *p,
		  struct diag *d);

/* Applies "KEY=VALUE" to s. False and a sentence in *why if it can't be. */
bool profile_set(struct arena *a, struct settings *s, const char *assignment, const char **why);

/* The file that NAME means: NAME itself if it holds a slash or ends in .ini, else DIR/NAME.ini.
 * NULL, and the reason in d with `what` it is, if there is no such file. */
const char *profile_find_file(struct arena *a, const char *what, const char *dir, const char *name,
			      struct diag *d);

/* The names of all files *.ini of a directory, sorted, NULL-terminated, without the ending. */
const char *const *profile_names(struct arena *a, const char *dir);

#endif
