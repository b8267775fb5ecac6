/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The user report (faultline_abi.h), as bytes that a program wrote: nothing in it is trusted. */
#ifndef ENGINE_REPORT_H
#define ENGINE_REPORT_H

#include "engine/outcome.h"

/* Parses a whole report into out->phases, out->report_status, out->have_report. NULL if it is
 * sound; else what is wrong (static), and the outcome is untouched. *reason is what the workload
 * gave for a failure or for being unsupported, malloc'ed (may be empty); set when sound. */
const char *report_parse(const void *data, size_t len, struct outcome *out, char **reason);

#endif
