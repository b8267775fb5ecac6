/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who dies when memory has run out (oom.c). */
#ifndef KERN_OOM_H
#define KERN_OOM_H

#include <stdint.h>

struct trap_frame;

#define OOM_SCORE_ADJ_MIN (-1000) /* never chosen */
#define OOM_SCORE_ADJ_MAX 1000

/* How good a victim is: its pages, and `adj` thousandths of all there are; INT64_MIN: never. Pure.
 */
static inline int64_t oom_badness(int64_t pages, int adj, int64_t total)
{
	return adj == OOM_SCORE_ADJ_MIN ? INT64_MIN : pages + adj * (total / 1000);
}

/* A new process: begins with its parent's adjustment (0: the first one). Needs: kern_lock. */
void oom_new_process(int pid, int parent);

/* There was no memory for a fault of ring 3's. Kills somebody for it, unless somebody dies already;
 * if that is not the current process, lets others run, and returns: the access is to be made again.
 * Needs: *frame complete, from ring 3; no lock held. */
void oom_fault(struct trap_frame *frame);

#endif
