/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small things done with text: numbers with units, the nearest name, printable excerpts. */
#ifndef HARNESS_TEXT_H
#define HARNESS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A whole number: decimal or 0x hex, with K, M, G or T (powers of 1024) behind it. False if s is
 * anything else or past 2^64 - 1. */
bool text_number(const char *s, uint64_t *value);

/* bytes as "128M" where it divides, else in digits, into a buffer of 32. */
void text_size(char buf[32], uint64_t bytes);

/* The one of names (NULL-terminated) that s most likely meant; NULL if none is near. */
const char *text_nearest(const char *s, const char *const *names);

/* What stands behind the path's last slash. */
const char *text_base_name(const char *path);

/* s for a message: at most 40 characters, everything that does not print as '?'. */
const char *text_quote(char buf[48], const char *s);

#endif
