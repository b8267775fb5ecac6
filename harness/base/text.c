/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static int unit_shift(char c)
{
	switch (toupper((unsigned char)c)) {
	case 'K':
		return 10;
	case 'M':
		return 20;
	case 'G':
		return 30;
	case 'T':
		return 40;
	default:
		return -1;
	}
}

bool text_number(const char *s, uint64_t *value)
{
	char *end;
	int base = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? 16 : 10;

	/* strtoull would take a sign and leading blanks. */
	if (!isdigit((unsigned char)s[0]))
		return false;
	errno = 0;
	unsigned long long v = strtoull(s, &end, base);

	if (errno || end == s)
		return false;
	if (*end) {
		int shift = unit_shift(*end);

		if (shift < 0 || end[1] || v > (UINT64_MAX >> shift))
			return false;
		v <<= shift;
	}
	*value = v;
	return true;
}

void text_size(char buf[32], uint64_t bytes)
{
	static const char units[] = "TGMK";

	for (int i = 0; i < 4; i++) {
		int shift = unit_shift(units[i]);

		if (bytes >> shift && !(bytes & ((1ull << shift) - 1))) {
			snprintf(buf, 32, "%llu%c", (unsigned long long)(bytes >> shift), units[i]);
			return;
		}
	}
	snprintf(buf, 32, "%llu", (unsigned long long)bytes);
}

/* Levenshtein distance, in bytes; strings past 63 bytes count as far from everything. */
static unsigned distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	unsigned row[64];

	if (la > 63 || lb > 63)
		return 64;
	for (size_t j = 0; j <= lb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[lb];
}

const char *text_nearest(const char *s, const char *const *names)
{
	const char *nearest = NULL;
	unsigned least = 1 + (unsigned)strlen(s) / 3;

	for (; *names; names++) {
		unsigned d = distance(s, *names);

		if (d <= least && (!nearest || d < least)) {
			least = d;
			nearest = *names;
		}
	}
	return nearest;
}

const char *text_quote(char buf[48], const char *s)
{
	size_t i;

	for (i = 0; s[i] && i < 40; i++)
		buf[i] = isprint((unsigned char)s[i]) ? s[i] : '?';
	strcpy(buf + i, s[i] ? "..." : "");
	return buf;
}

const char *text_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
