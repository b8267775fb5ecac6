/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The arithmetic of expectations: numbers, settings by name, + - * / and parentheses. */
#ifndef HARNESS_EXPR_H
#define HARNESS_EXPR_H

#include "model/setting.h"

/* The value of text (numbers as text_number() takes them, division rounds down). False and a
 * sentence in *why (from the arena) if it does not parse, names no numeric setting, divides by 0,
 * or leaves 0..2^63-1 on the way. */
bool expr_value(struct arena *a, const char *text, const struct settings *s, uint64_t *value,
		const char **why);

#endif
