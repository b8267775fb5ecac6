/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that is never NULL: a harness without memory says so and stops. */
#ifndef HARNESS_XALLOC_H
#define HARNESS_XALLOC_H

#include <stdarg.h>
#include <stddef.h>

void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

#endif
