/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counters of the host's: a named number each, or the reason why there is none. */
#ifndef HARNESS_COUNTER_H
#define HARNESS_COUNTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct counter {
	char *name;
	bool have;
	int64_t value;
	char *reason; /* NULL if have */
};

/* All zero is an empty list. */
struct counter_list {
	struct counter *v;
	size_t n;
};

/* Appends a counter that has a value, or (value NULL) none for the given reason. Copies strings. */
void counter_list_add(struct counter_list *l, const char *name, const int64_t *value,
		      const char *reason);
void counter_list_free(struct counter_list *l);

#endif
