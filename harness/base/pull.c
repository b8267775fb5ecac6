/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/pull.h"

/* Nothing of ours is deeper than seven. */
enum { DEPTH_MAX = 64 };

static void fail(struct pull *p, const char *why)
{
	if (!p->error) {
		p->error = why;
		p->error_at = p->at;
	}
	p->at = p->end;
}

static void skip_blanks(struct pull *p)
{
	while (p->at < p->end &&
	       (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
		p->at++;
}

static bool take(struct pull *p, char c)
{
	if (p->at == p->end || *p->at != c)
		return false;
	p->at++;
	return true;
}

enum pull_kind pull_kind(struct pull *p)
{
	skip_blanks(p);
	if (p->at == p->end) {
		fail(p, "it ends too early");
		return PULL_NONE;
	}
	switch (*p->at) {
	case '{':
		return PULL_OBJECT;
	case '[':
		return PULL_LIST;
	case '"':
		return PULL_TEXT;
	case 't':
		return PULL_TRUE;
	case 'f':
		return PULL_FALSE;
	case 'n':
		return PULL_NULL;
	default:
		return PULL_NUMBER;
	}
}

/* ---- lists and objects ---- */

struct pull_list pull_open(struct pull *p)
{
	struct pull_list in = {.close = *p->at == '{' ? '}' : ']'};

	p->at++;
	if (++p->depth > DEPTH_MAX)
		fail(p, "it is nested too deeply");
	return in;
}

bool pull_item(struct pull *p, struct pull_list *in)
{
	skip_blanks(p);
	if (take(p, in->close)) {
		p->depth--;
		return false;
	}
	if (in->any && !take(p, ','))
		fail(p, p->at == p->end ? "it ends too early" : "a comma or the end is missing");
	in->any = true;
	return !p->error;
}

bool pull_key(struct pull *p, struct pull_list *in, struct pull_text *key)
{
	if (!pull_item(p, in))
		return false;
	if (pull_kind(p) != PULL_TEXT) {
		fail(p, "a key is missing");
		return false;
	}
	if (!pull_text(p, key))
		return false;
	skip_blanks(p);
	if (!take(p, ':'))
		fail(p, "a colon is missing");
	return !p->error;
}

/* ---- texts ---- */

#define EACH_BYTE(x) (0x0101010101010101u * (x))

/* How many of the eight bytes come before the first that is a quote, a backslash, a control
 * character or no ASCII; 8 if there is none. */
static unsigned plain_bytes(uint64_t eight)
{
	uint64_t quote = eight ^ EACH_BYTE('"'), slash = eight ^ EACH_BYTE('\\');
	/* The lowest flag is always right: a borrow only goes up. */
	uint64_t odd = ((eight - EACH_BYTE(' ')) & ~eight) | ((quote - EACH_BYTE(1)) & ~quote) |
		       ((slash - EACH_BYTE(1)) & ~slash) | eight;

	odd &= EACH_BYTE(0x80);
	return odd ? (unsigned)__builtin_ctzll(odd) / 8 : 8;
}

static void skip_plain(struct pull *p)
{
	unsigned n = 8;

	while (n == 8 && p->end - p->at >= 8) {
		uint64_t eight;

		memcpy(&eight, p->at, sizeof(eight));
		n = plain_bytes(eight);
		p->at += n;
	}
	while (p->at < p->end && (unsigned char)*p->at >= ' ' && (unsigned char)*p->at < 0x80 &&
	       *p->at != '"' && *p->at != '\\')
		p->at++;
}

/* One character of several bytes (Unicode, table 3-7). */
static void skip_utf8(struct pull *p)
{
	const unsigned char *s = (const unsigned char *)p->at;
	size_t left = (size_t)(p->end - p->at), n;
	unsigned char low = 0x80, high = 0xbf;

	n = s[0] >= 0xc2 && s[0] <= 0xdf   ? 2
	    : s[0] >= 0xe0 && s[0] <= 0xef ? 3
	    : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
					   : 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	bool good = n && n <= left && s[1] >= low && s[1] <= high;

	for (size_t i = 2; good && i < n; i++)
		good = s[i] >= 0x80 && s[i] <= 0xbf;
	if (good)
		p->at += n;
	else
		fail(p, "a text is not UTF-8");
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* XXXX of \uXXXX; 0, which no text may hold, if it is none. */
static unsigned take_hex4(struct pull *p)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++) {
		int digit = p->at < p->end ? hex_digit(*p->at) : -1;

		if (digit < 0)
			return 0;
		v = v << 4 | (unsigned)digit;
		p->at++;
	}
	return v;
}

/* Behind \u: one code point, of two halves where need be; 0 on an error. */
static unsigned take_code_point(struct pull *p)
{
	unsigned v = take_hex4(p), low;

	if (v >= 0xd800 && v <= 0xdbff) {
		low = take(p, '\\') && take(p, 'u') ? take_hex4(p) : 0;
		v = low >= 0xdc00 && low <= 0xdfff ? 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00)
						   : 0;
	} else if (v >= 0xdc00 && v <= 0xdfff) {
		v = 0;
	}
	return v;
}

static char *put_utf8(char *to, unsigned v)
{
	if (v < 0x80) {
		*to++ = (char)v;
		return to;
	}
	if (v < 0x800) {
		*to++ = (char)(0xc0 | v >> 6);
	} else {
		if (v < 0x10000) {
			*to++ = (char)(0xe0 | v >> 12);
		} else {
			*to++ = (char)(0xf0 | v >> 18);
			*to++ = (char)(0x80 | (v >> 12 & 0x3f));
		}
		*to++ = (char)(0x80 | (v >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (v & 0x3f));
	return to;
}

/* What a backslash and c stand for; 0: nothing. */
static char escaped(char c)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at = c ? strchr(from, c) : NULL;

	return at ? to[at - from] : '\0';
}

/* Behind a backslash. Writes what it stands for, unless `to` is NULL. */
static char *take_escape(struct pull *p, char *to)
{
	unsigned v = 0;

	if (take(p, 'u'))
		v = take_code_point(p);
	else if (p->at < p->end)
		v = (unsigned char)escaped(*p->at++);
	if (!v)
		fail(p, "a text has a bad escape");
	return to && v ? put_utf8(to, v) : to;
}

/* To the quote at the end; true if there are escapes on the way. */
static bool skip_text(struct pull *p)
{
	bool escapes = false;

	for (;;) {
		skip_plain(p);
		if (p->at == p->end) {
			fail(p, "it ends too early");
			return false;
		}
		if (*p->at == '"')
			return escapes;
		if (take(p, '\\')) {
			escapes = true;
			take_escape(p, NULL);
		} else if ((unsigned char)*p->at < ' ') {
			fail(p, "a text has a control character");
		} else {
			skip_utf8(p);
		}
	}
}

/* A copy of what has been found good, without escapes. It only gets shorter. */
static void unescape(struct pull *p, struct pull_text *t)
{
	struct pull in = {.at = t->s, .end = t->s + t->n};
	char *copy = arena_alloc(p->arena, t->n), *to = copy;

	while (in.at < in.end)
		if (take(&in, '\\'))
			to = take_escape(&in, to);
		else
			*to++ = *in.at++;
	*t = (struct pull_text){.s = copy, .n = (size_t)(to - copy)};
}

bool pull_text(struct pull *p, struct pull_text *t)
{
	t->s = ++p->at;
	bool escapes = skip_text(p);

	if (p->error)
		return false;
	t->n = (size_t)(p->at++ - t->s);
	if (escapes)
		unescape(p, t);
	return true;
}

bool pull_is(const struct pull_text *t, const char *s)
{
	return strlen(s) == t->n && !memcmp(t->s, s, t->n);
}

/* ---- the rest ---- */

static bool skip_digits(struct pull *p)
{
	const char *from = p->at;

	while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
		p->at++;
	return p->at > from;
}

/* What of a number comes behind its whole part. True if there is any. */
static bool skip_fraction(struct pull *p)
{
	bool any = take(p, '.');

	if (any && !skip_digits(p))
		fail(p, "a number ends too early");
	if (p->at < p->end && (*p->at == 'e' || *p->at == 'E')) {
		p->at++;
		any = true;
		if (!take(p, '+'))
			take(p, '-');
		if (!skip_digits(p))
			fail(p, "a number ends too early");
	}
	return any;
}

bool pull_integer(struct pull *p, int64_t *value)
{
	bool minus = take(p, '-'), zero = p->at < p->end && *p->at == '0', over = false;
	const char *from = p->at;
	int64_t v = 0;

	for (; p->at < p->end && *p->at >= '0' && *p->at <= '9'; p->at++) {
		int digit = minus ? '0' - *p->at : *p->at - '0';

		over |= __builtin_mul_overflow(v, 10, &v);
		over |= __builtin_add_overflow(v, digit, &v);
	}
	if (p->at == from)
		fail(p, "no value stands there");
	else if (zero && p->at - from > 1)
		fail(p, "a number begins with 0");
	if (p->error || skip_fraction(p) || p->error)
		return false;
	if (over)
		fail(p, "a whole number is too large");
	*value = v;
	return !over;
}

static void skip_word(struct pull *p, const char *word)
{
	for (; *word; word++)
		if (!take(p, *word)) {
			fail(p, "no value stands there");
			return;
		}
}

void pull_skip(struct pull *p)
{
	enum pull_kind kind = pull_kind(p);
	struct pull_list in;
	struct pull_text t;
	int64_t v;

	switch (kind) {
	case PULL_OBJECT:
		for (in = pull_open(p); pull_key(p, &in, &t);)
			pull_skip(p);
		break;
	case PULL_LIST:
		for (in = pull_open(p); pull_item(p, &in);)
			pull_skip(p);
		break;
	case PULL_TEXT:
		p->at++;
		skip_text(p);
		p->at += !p->error;
		break;
	case PULL_NUMBER:
		pull_integer(p, &v);
		break;
	case PULL_TRUE:
		skip_word(p, "true");
		break;
	case PULL_FALSE:
		skip_word(p, "false");
		break;
	case PULL_NULL:
		skip_word(p, "null");
		break;
	case PULL_NONE:
		break;
	}
}

bool pull_done(struct pull *p)
{
	skip_blanks(p);
	if (p->at < p->end)
		fail(p, "there is more behind it");
	return !p->error;
}
