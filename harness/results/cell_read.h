/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads cells, one after the other: what all of them say over and over is kept once. */
#ifndef HARNESS_CELL_READ_H
#define HARNESS_CELL_READ_H

#include "base/pull.h"
#include "results/results.h"

struct known_name;

/* The names of one kind that cells have had, each kept once; behind a prefix. */
struct known_names {
	const char *prefix;
	struct map map;
	struct known_name *v;
	size_t n;
};

struct cell_reader {
	struct arena *arena;
	struct known_names series, outside, vmstat, tlb, words;
	size_t maps; /* how many lists of names were read: the number of the present one */

	/* room for what is being read, before it is known how much that is */
	struct hist_pair *pairs;
	size_t room_pairs;
	struct result_series *all_series;
	size_t room_series;
	struct result_number *numbers;
	size_t room_numbers;
	char *params; /* "key=value" one after the other, each with a NUL */
	size_t room_params;
	const char **param_texts;
	size_t room_param_texts;
};

struct cell_reader cell_reader_make(struct arena *a);
void cell_reader_free(struct cell_reader *cr);

/* What is wrong with a cell: `what` must be `want` ("rep", "a whole number, 0 or more"). */
struct cell_fault {
	const char *what, *want;
};

/* Takes the next value, one element of `cells`. False if it is no good cell: then the text is no
 * JSON (p->error), or *fault says what is wrong. Fills in all but `line`; result_cell_free() is due
 * in any case. */
bool cell_read(struct cell_reader *cr, struct pull *p, struct result_cell *c,
	       struct cell_fault *fault);

#endif
