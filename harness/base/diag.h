/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong with the input, collected: a user mends all of it at once, before anything starts.
 */
#ifndef HARNESS_DIAG_H
#define HARNESS_DIAG_H

#include <stddef.h>
#include <stdio.h>

struct diag {
	char *text; /* malloc'ed: one message a line */
	size_t len;
	unsigned count;
};

/* Adds "FILE:LINE: message" (line 0: "FILE: message"; no file: the message alone). After 20
 * messages the rest is only counted. */
void diag_add(struct diag *d, const char *file, unsigned line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Writes the messages and frees them. */
void diag_print(struct diag *d, FILE *to);
void diag_free(struct diag *d);

#endif
