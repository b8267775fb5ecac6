/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One flag that ends all waiting: Ctrl-C sets it, whoever waits for a guest or a child looks. */
#ifndef HARNESS_STOP_H
#define HARNESS_STOP_H

#include <stdbool.h>

/* From a signal handler: what runs now, or is run later, ends as if its time were up. */
void stop_request(void);
/* True after stop_request(). */
bool stop_requested(void);

#endif
