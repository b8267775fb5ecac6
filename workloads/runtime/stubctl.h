/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one system call that Linux does not have. See faultline_abi.h for what each does. */
#ifndef WORKLOADS_STUBCTL_H
#define WORKLOADS_STUBCTL_H

#include <stdbool.h>

#include "faultline_abi.h"
#include "timing.h"

static inline long stubctl(enum fl_stubctl op, uint64_t a, uint64_t b)
{
	return sys_call(FL_SYS_STUBCTL, op, a, b, 0, 0, 0);
}

/* True on the stub; false where the call does not exist or is of another version. */
static inline bool stubctl_present(void)
{
	return stubctl(FL_STUBCTL_VERSION, 0, 0) == FL_ABI_VERSION;
}

#endif
