/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time, from the TSC. */
#ifndef KERN_CLOCK_H
#define KERN_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* TSC ticks a millisecond, as tsc_khz= says: 1 GHz without it. Never 0. */
uint64_t clock_tsc_khz(void);

/* A struct timespec of ring 3's, a point in time (of any clock) or a while from now, as the value
 * of port_tsc() when it has come: 0, -EFAULT or -EINVAL. Never UINT64_MAX. */
int64_t clock_read_deadline(uint64_t user, bool absolute, uint64_t *tsc);

#endif
