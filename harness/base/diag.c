/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"

enum { DIAG_MAX = 20 };

static void append(struct diag *d, const char *s)
{
	size_t n = strlen(s);
	char *bigger = realloc(d->text, d->len + n + 1);

	if (!bigger)
		abort();
	memcpy(bigger + d->len, s, n + 1);
	d->text = bigger;
	d->len += n;
}

void diag_add(struct diag *d, const char *file, unsigned line, const char *format, ...)
{
	char message[1024], where[512] = "";
	va_list ap;

	if (d->count++ >= DIAG_MAX)
		return;
	if (file && line)
		snprintf(where, sizeof(where), "%s:%u: ", file, line);
	else if (file)
		snprintf(where, sizeof(where), "%s: ", file);
	va_start(ap, format);
	vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	append(d, where);
	append(d, message);
	append(d, "\n");
}

void diag_print(struct diag *d, FILE *to)
{
	if (d->text)
		fputs(d->text, to);
	if (d->count > DIAG_MAX)
		fprintf(to, "... and %u more\n", d->count - DIAG_MAX);
	diag_free(d);
}

void diag_free(struct diag *d)
{
	free(d->text);
	*d = (struct diag){0};
}
