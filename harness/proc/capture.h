/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running a small program and reading what it prints. */
#ifndef HARNESS_CAPTURE_H
#define HARNESS_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>

/* Runs argv (found in PATH unless it holds a slash) without a shell and with stdin closed, and
 * gives at most room - 1 bytes of its stdout, NUL-terminated. True if it exited with 0 within the
 * seconds given; else error (of error_room bytes) says what happened. Stderr passes through unless
 * quiet. */
bool capture_stdout(const char *const *argv, double seconds, bool quiet, char *out, size_t room,
		    char *error, size_t error_room);

#endif
