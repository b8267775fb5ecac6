/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counters (include/vmstat.def), per CPU, without locks: each CPU adds to its own row through
 * mm_cpu.vmstat, which points into the telemetry set in force. Events move with the set; a gauge is
 * the sum over CPUs and sets.
 */
#ifndef MM_VMSTAT_H
#define MM_VMSTAT_H

#include "mm/phys/mm_cpu.h"

static inline void vmstat_add(enum fl_vmstat item, int64_t n)
{
	port_mm_cpu()->vmstat[item] += n;
}

static inline void vmstat_inc(enum fl_vmstat item)
{
	vmstat_add(item, 1);
}

#endif
