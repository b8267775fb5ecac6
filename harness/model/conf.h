/* SPDX-License-Identifier: GPL-2.0-or-later */
/* INI files with their line numbers: what profiles and matrices are read from. */
#ifndef HARNESS_CONF_H
#define HARNESS_CONF_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/diag.h"

struct conf_entry {
	const char *section, *key, *value;
	unsigned line;
};

struct conf_section {
	const char *name;
	unsigned line;
};

struct conf {
	const char *file;
	struct conf_section *sections; /* in the order of the file */
	size_t nr_sections;
	struct conf_entry *entries;
	size_t nr_entries;
};

/* Reads a file of at most 1 MiB. A byte that is not text, an over-long line, a line that is neither
 * section nor key = value, a section or key that stands twice: reported to d. False if anything
 * was. */
bool conf_read(struct arena *a, const char *file, struct conf *c, struct diag *d);

/* The entry, or NULL. */
const struct conf_entry *conf_find(const struct conf *c, const char *section, const char *key);

#endif
