/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "report/csv_file.h"

void csv_field(FILE *f, const char *s)
{
	if (!strpbrk(s, ",\"\n\r")) {
		fputs(s, f);
		return;
	}
	putc('"', f);
	for (; *s; s++) {
		if (*s == '"')
			putc('"', f);
		putc(*s, f);
	}
	putc('"', f);
}

void csv_fields(FILE *f, const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			putc(',', f);
		csv_field(f, v[i] ? v[i] : "");
	}
}

FILE *csv_start(const char *path, const char *header, struct diag *d)
{
	FILE *f = fopen(path, "we");

	if (f)
		fprintf(f, "%s\n", header);
	else
		diag_add(d, path, 0, "can't write it: %s", strerror(errno));
	return f;
}

bool csv_finish(FILE *f, const char *path, struct diag *d)
{
	bool good = !ferror(f);

	good = !fclose(f) && good;
	if (!good)
		diag_add(d, path, 0, "can't write it: %s", strerror(errno));
	return good;
}

void csv_number(FILE *f, bool have, uint64_t v)
{
	if (have)
		fprintf(f, ",%llu", (unsigned long long)v);
	else
		putc(',', f);
}

void csv_quantile(FILE *f, const struct hist *h, double q)
{
	uint64_t v = 0;
	bool have = hist_quantile(h, q, &v);

	csv_number(f, have, v);
}
