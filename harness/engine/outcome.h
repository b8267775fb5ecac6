/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the engines fill a struct outcome. */
#ifndef ENGINE_OUTCOME_H
#define ENGINE_OUTCOME_H

#include "engine/engine.h"

/* Sets status and a formatted reason, replacing what was there. */
void outcome_set(struct outcome *out, enum outcome_status status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Appends a counter that has a value, or (value NULL) none for the given reason. Copies strings. */
void counter_list_add(struct counter_list *l, const char *name, const int64_t *value,
		      const char *reason);

/* Memory that is never NULL: a harness without memory says so and stops. */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Seconds of CLOCK_MONOTONIC. */
double now_seconds(void);

#endif
