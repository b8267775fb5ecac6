/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the CSV files are written: what csv.c and csv_cpus.c share. */
#ifndef HARNESS_CSV_FILE_H
#define HARNESS_CSV_FILE_H

#include <stdio.h>

#include "base/diag.h"
#include "results/results.h"

/* Opens the file and writes the header line. NULL, and the reason in d, if it can't. */
FILE *csv_start(const char *path, const char *header, struct diag *d);
/* Closes it. False, and the reason in d, if anything was not written. */
bool csv_finish(FILE *f, const char *path, struct diag *d);

/* One field, quoted where it must be, without a comma. */
void csv_field(FILE *f, const char *s);
/* Fields with commas between them; NULL is an empty one. */
void csv_fields(FILE *f, const char *const *v, size_t n);

/* A comma and a number, or nothing behind it. */
void csv_number(FILE *f, bool have, uint64_t v);
void csv_quantile(FILE *f, const struct hist *h, double q);

#endif
