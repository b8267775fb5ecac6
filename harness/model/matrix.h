/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Matrices: profiles and axes whose cross product makes the cells. docs/profiles.md describes them.
 */
#ifndef HARNESS_MATRIX_H
#define HARNESS_MATRIX_H

#include "model/plan.h"

/* Loads NAME from the directory of matrices, or the file NAME if it holds a slash or ends in .ini,
 * and makes its cells: every repetition of the whole before the next. Everything wrong goes to d;
 * then false. */
bool matrix_load(struct arena *a, const char *profile_dir, const char *matrix_dir, const char *name,
		 struct plan *plan, struct diag *d);

#endif
