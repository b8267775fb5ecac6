/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time, from the TSC. */
#ifndef KERN_CLOCK_H
#define KERN_CLOCK_H

#include <stdint.h>

/* TSC ticks a millisecond, as tsc_khz= says: 1 GHz without it. Never 0. */
uint64_t clock_tsc_khz(void);

#endif
