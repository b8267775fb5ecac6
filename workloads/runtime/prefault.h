/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Brings the program's own memory in, so that a measured phase has the target's faults alone. */
#ifndef WORKLOADS_PREFAULT_H
#define WORKLOADS_PREFAULT_H

#include <stddef.h>

#define WL_PAGE 4096u

/* Touches every page of the program's image (reads what it may only read, else writes back what is
 * there) and 64 KiB of stack below the caller. */
void prefault_program(void);

/* Writes back what is there to each page of [p, p + len). */
void prefault_range(void *p, size_t len);

#endif
