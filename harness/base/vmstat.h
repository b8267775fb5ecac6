/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of the stub's counters (vmstat.def), and which of them are levels. */
#ifndef HARNESS_VMSTAT_H
#define HARNESS_VMSTAT_H

#include <stdbool.h>

#include "faultline_abi.h"

const char *vmstat_name(enum fl_vmstat v);
/* A level at the end of the run rather than what the measured phases added. */
bool vmstat_is_gauge(enum fl_vmstat v);
/* False if there is none of that name. */
bool vmstat_find(const char *name, enum fl_vmstat *v);

#endif
