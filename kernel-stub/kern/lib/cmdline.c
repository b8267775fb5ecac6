/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel command line: KEY=VALUE words between spaces. The first word with a key counts. */
#include "port/port.h"

#include "kern/kern.h"

#define WORDS_MAX 128

/* Where each begins: so much is asked at boot that it pays to look for them once. */
static const char *words[WORDS_MAX];
static unsigned nr_words;
static const char *looked_at; /* the line that they are of */

static void find_words(void)
{
	const char *at = boot_info.cmdline;

	nr_words = 0;
	looked_at = at;
	while (at) {
		while (*at == ' ')
			at++;
		if (!*at)
			return;
		if (nr_words == WORDS_MAX)
			panic("command line: more than %d words", WORDS_MAX);
		words[nr_words++] = at;
		while (*at && *at != ' ')
			at++;
	}
}

/* What follows `key=` in the word; NULL if it is another's. */
static const char *value_of(const char *word, const char *key)
{
	while (*key && *word == *key)
		word++, key++;
	return !*key && *word == '=' ? word + 1 : NULL;
}

/* The value of key, up to the next space; NULL if absent. */
static const char *find(const char *key)
{
	const char *value = NULL;

	if (looked_at != boot_info.cmdline)
		find_words();
	for (unsigned i = 0; i < nr_words && !value; i++)
		value = value_of(words[i], key);
	return value;
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
