/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A comparison for people (text, markdown) and for machines (json, junit). */
#ifndef HARNESS_COMPARE_PRINT_H
#define HARNESS_COMPARE_PRINT_H

#include <stdio.h>

#include "stats/compare.h"

enum compare_format { COMPARE_TEXT, COMPARE_MARKDOWN, COMPARE_JSON, COMPARE_JUNIT };

void compare_print(FILE *to, enum compare_format format, const struct comparison *c);

#endif
