/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers that follow from seed= on the command line alone. */
#ifndef KERN_RANDOM_H
#define KERN_RANDOM_H

#include <stdint.h>

uint64_t random_u64(void);

#endif
