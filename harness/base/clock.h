/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HARNESS_CLOCK_H
#define HARNESS_CLOCK_H

/* Seconds of CLOCK_MONOTONIC. */
double now_seconds(void);

#endif
