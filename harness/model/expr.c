/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "model/expr.h"

enum { DEPTH_MAX = 16, WORD_MAX = 64 };

struct parser {
	struct arena *arena;
	const struct settings *settings;
	const char *at, *why;
	unsigned depth;
};

static bool sum(struct parser *p, int64_t *v);

static bool fail(struct parser *p, const char *why)
{
	if (!p->why)
		p->why = why;
	return false;
}

static char peek(struct parser *p)
{
	while (*p->at == ' ' || *p->at == '\t')
		p->at++;
	return *p->at;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* A name may hold a '-', as `a-b` the setting; a difference is written with blanks. */
static bool named(struct parser *p, const char *word, int64_t *v)
{
	const struct setting *s = settings_find(p->settings, word);

	if (!s)
		return fail(p, arena_printf(p->arena, "no setting %s: %s", word,
					    settings_hint(p->arena, p->settings, word)));
	if (s->kind == SETTING_ENUM)
		return fail(p, arena_printf(p->arena, "%s is a word, not a number", word));
	*v = (int64_t)setting_number(s);
	return true;
}

static bool atom(struct parser *p, int64_t *v)
{
	char word[WORD_MAX], c = peek(p);
	uint64_t number;
	size_t n = 0;

	if (c == '(') {
		if (++p->depth > DEPTH_MAX)
			return fail(p, "too many parentheses");
		p->at++;
		if (!sum(p, v))
			return false;
		if (peek(p) != ')')
			return fail(p, "a ) is missing");
		p->at++;
		p->depth--;
		return true;
	}
	while (n + 1 < sizeof(word) && is_word(p->at[n]))
		n++;
	if (!n || is_word(p->at[n]))
		return fail(p, "a number or the name of a setting must stand here");
	memcpy(word, p->at, n);
	word[n] = '\0';
	p->at += n;
	if (!isdigit((unsigned char)word[0]))
		return named(p, word, v);
	if (!text_number(word, &number) || number > INT64_MAX)
		return fail(p, arena_printf(p->arena, "%s is no number", word));
	*v = (int64_t)number;
	return true;
}

/* *v = *v op right */
static bool apply(struct parser *p, char op, int64_t right, int64_t *v)
{
	bool overflow = false;

	if (op == '/' && !right)
		return fail(p, "division by 0");
	if (op == '/')
		*v /= right;
	else if (op == '*')
		overflow = __builtin_mul_overflow(*v, right, v);
	else if (op == '-')
		overflow = __builtin_sub_overflow(*v, right, v);
	else
		overflow = __builtin_add_overflow(*v, right, v);
	return overflow ? fail(p, "the number is past 2^63") : true;
}

/* Operands joined by any of the two operators, from left to right. */
static bool chain(struct parser *p, const char *operators,
		  bool (*operand)(struct parser *, int64_t *), int64_t *v)
{
	int64_t right;

	if (!operand(p, v))
		return false;
	for (char op = peek(p); op && strchr(operators, op); op = peek(p)) {
		p->at++;
		if (!operand(p, &right) || !apply(p, op, right, v))
			return false;
	}
	return true;
}

static bool product(struct parser *p, int64_t *v)
{
	return chain(p, "*/", atom, v);
}

static bool sum(struct parser *p, int64_t *v)
{
	return chain(p, "+-", product, v);
}

bool expr_value(struct arena *a, const char *text, const struct settings *s, uint64_t *value,
		const char **why)
{
	struct parser p = {.arena = a, .settings = s, .at = text};
	char q[48];
	int64_t v = 0;

	if (sum(&p, &v) && peek(&p))
		fail(&p, arena_printf(a, "%s is too much", text_quote(q, p.at)));
	if (!p.why && v < 0)
		p.why = "the number is below 0";
	*why = p.why;
	*value = (uint64_t)v;
	return !p.why;
}
