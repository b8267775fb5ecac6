/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CSV files that a run's directory gets: one header line, fields quoted where they must be. */
#ifndef HARNESS_CSV_H
#define HARNESS_CSV_H

#include "base/diag.h"
#include "results/results.h"

/* Each writes one file. False, and the reason in d, if it can't. */

/* One row per cell, repetition and series (a fault class, or a phase of ring 3). */
bool csv_write_cells(const char *path, const struct results *r, struct diag *d);

/* The curves of the figures: each fault class (or, without a kernel of ours, each phase of ring 3),
 * over all cells that are ok. Percentiles end where ten samples are left. */
bool csv_write_percentiles(const char *path, const struct results *r, struct diag *d);
bool csv_write_cdf(const char *path, const struct results *r, struct diag *d);

/* Each phase against its x. *rows is how many there are. */
bool csv_write_vma_cost(const char *path, const struct results *r, size_t *rows, struct diag *d);

/* What of cpus.csv there is to draw. */
struct cpus_figures {
	const char *const *profiles; /* with several numbers of CPUs; NULL-terminated */
	bool throughput;	     /* one of them at least has it */
};

/* Each phase of the profiles that ran with several numbers of CPUs, against that number: how many
 * operations in a million ticks, and how long one took. */
bool csv_write_cpus(const char *path, const struct results *r, struct cpus_figures *figures,
		    struct diag *d);

/* Each phase against its x by VMA index, of the cells whose label names one. *rows is how many
 * there are. */
bool csv_write_vma_index(const char *path, const struct results *r, size_t *rows, struct diag *d);

/* key,value: what a figure's title says. */
bool csv_write_about(const char *path, const struct results *r, struct diag *d);

#endif
