/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table at the end of a run: each cell's fault classes and ring-3 phases, in at most 100
 * columns. */
#ifndef HARNESS_TABLE_H
#define HARNESS_TABLE_H

#include <stdio.h>

#include "results/results.h"

/* Repetitions of a cell are one entry: all of them together, or the first alone where they are
 * exact copies (tcg). */
void table_print(FILE *to, const struct results *r);

#endif
