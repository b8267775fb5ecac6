/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What mm/ keeps per CPU. Reached by port_mm_cpu(); owned by its CPU, no lock. */
#ifndef MM_MM_CPU_H
#define MM_MM_CPU_H

#include "port.h"

#include "list.h"
#include "lock.h"

struct page;

/* A stack of single free pages. */
#define PCP_HIGH 128 /* drained by PCP_BATCH beyond this */
#define PCP_BATCH 32 /* moved between here and the buddy at a time */

struct pcp {
	struct list_node list; /* of struct page.lru */
	uint32_t count;
};

struct mm_cpu {
	int64_t *vmstat; /* row of the telemetry set in force, FL_NR_VMSTAT long */
	struct pcp pcp;
	struct lock_check_cpu lock_check;
};

#endif
