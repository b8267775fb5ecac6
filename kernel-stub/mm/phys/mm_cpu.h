/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What mm/ keeps per CPU. Reached by port_mm_cpu(); its CPU alone writes it, no lock. Who wants
 * something of another CPU's asks it. */
#ifndef MM_MM_CPU_H
#define MM_MM_CPU_H

#include "port/port.h"

#include "mm/base/lock.h"
#include "mm/phys/page.h"

#define PCP_BATCH 32 /* moved between a per-CPU list and the buddy lists at a time */
#define PCP_HIGH 512 /* beyond this, PCP_BATCH go back */

/* A stack of single free pages, through page->next_free. */
struct pcp {
	struct page *head;
	uint32_t count;
};

struct mm_cpu {
	int64_t *vmstat;    /* row of the telemetry set in force, FL_NR_VMSTAT long */
	uint64_t bit;	    /* this CPU's in a mask of CPUs */
	struct mm *reading; /* whose lock it holds for reading; looked at by others (mmap_lock.h) */
	struct mm *zapping; /* whose pages it takes out without keeping readers away; likewise
			       (zap.c) */
	struct pcp pcp[NR_MIGRATETYPES];
	struct lock_check_cpu lock_check;
};

/* Another CPU's. Needs: that CPU has been through pcp_init_cpu(). (buddy.c) */
struct mm_cpu *mm_cpu_of(unsigned cpu);

/* The same, or NULL if it has not. Needs: cpu < MAX_CPUS. (buddy.c) */
struct mm_cpu *mm_cpu_if_any(unsigned cpu);

#endif
