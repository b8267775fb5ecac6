/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel command line: KEY=VALUE words between spaces. The first word with a key counts. */
#include "port.h"

#include "kern.h"

/* The value of key, up to the next space; NULL if absent. */
static const char *find(const char *key)
{
	const char *at = boot_info.cmdline;
	size_t len = 0;

	while (key[len])
		len++;
	while (at && *at) {
		size_t i = 0;

		while (*at == ' ')
			at++;
		while (i < len && at[i] == key[i])
			i++;
		if (i == len && at[i] == '=')
			return at + i + 1;
		while (*at && *at != ' ')
			at++;
	}
	return NULL;
}

bool cmdline_get(const char *key, char *buf, size_t size)
{
	const char *v = find(key);
	size_t i = 0;

	if (!v)
		return false;
	for (; v[i] && v[i] != ' ' && i + 1 < size; i++)
		buf[i] = v[i];
	buf[i] = '\0';
	return true;
}

/* A digit's value, or 16 and more. */
static unsigned digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A' + 10);
	return 16;
}

uint64_t cmdline_number(const char *s, const char **end)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && digit(s[2]) < 16;
	unsigned base = hex ? 16 : 10;
	uint64_t v = 0;

	if (hex)
		s += 2;
	for (; digit(*s) < base; s++)
		v = v * base + digit(*s);
	*end = s;
	return v;
}

uint64_t cmdline_u64(const char *key, uint64_t fallback)
{
	const char *s = find(key), *end;
	uint64_t v;

	if (!s)
		return fallback;
	v = cmdline_number(s, &end);
	if (end == s || (*end && *end != ' '))
		panic("command line: %s= wants a number", key);
	return v;
}

bool cmdline_flag(const char *key, const char *value)
{
	const char *v = find(key);

	if (!v)
		return false;
	for (; *value; value++, v++)
		if (*value != *v)
			return false;
	return !*v || *v == ' ';
}
