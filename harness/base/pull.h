/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON read where it stands, value by value, without making a tree of it: for files of hundreds of
 * megabytes. Strict: RFC 8259, valid UTF-8, no NUL, whole numbers of 64 bits with a sign.
 *
 *     struct pull p = {.at = text, .end = text + n, .arena = a};
 *     struct pull_list all = pull_open(&p);              at a { or [
 *     while (pull_key(&p, &all, &key))                   or pull_item(&p, &all)
 *             ... one call that takes the value ...
 *
 * Nothing is checked beforehand: where the text turns out to be no JSON, `error` says why, `at` is
 * the end, and every further call finds nothing, so that loops end and one look at `error` at the
 * end will do.
 */
#ifndef HARNESS_PULL_H
#define HARNESS_PULL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct pull {
	const char *at, *end; /* what is not read yet */
	struct arena *arena;  /* for texts with escapes */
	const char *error;    /* NULL: all well so far */
	const char *error_at; /* in the text */
	unsigned depth;
};

/* Not NUL-terminated; in the JSON itself where it needs no change. */
struct pull_text {
	const char *s;
	size_t n;
};

struct pull_list {
	bool any;
	char close;
};

enum pull_kind {
	PULL_NONE, /* no value: an error, or the end */
	PULL_OBJECT,
	PULL_LIST,
	PULL_TEXT,
	PULL_NUMBER,
	PULL_TRUE,
	PULL_FALSE,
	PULL_NULL,
};

/* What comes next. Takes nothing. */
enum pull_kind pull_kind(struct pull *p);

/* Needs: an object or a list comes next. */
struct pull_list pull_open(struct pull *p);
/* Steps to the next value of a list; false at its end, which is then taken. */
bool pull_item(struct pull *p, struct pull_list *in);
/* The same of an object; takes the key. */
bool pull_key(struct pull *p, struct pull_list *in, struct pull_text *key);

/* Needs: a text comes next. False on an error. */
bool pull_text(struct pull *p, struct pull_text *t);
/* Needs: a number comes next. True if it is a whole one. */
bool pull_integer(struct pull *p, int64_t *value);
/* Takes any value, and checks it. */
void pull_skip(struct pull *p);

/* Whether all was JSON and nothing but blanks is left. */
bool pull_done(struct pull *p);

bool pull_is(const struct pull_text *t, const char *s);

#endif
