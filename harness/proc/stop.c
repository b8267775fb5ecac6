/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>

#include "proc/stop.h"

static volatile sig_atomic_t requested;

void stop_request(void)
{
	requested = 1;
}

bool stop_requested(void)
{
	return requested;
}
