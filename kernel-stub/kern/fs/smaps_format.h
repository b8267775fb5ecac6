/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of /proc/self/smaps and its relatives below a region's own. Pure: hosted too. */
#ifndef KERN_SMAPS_FORMAT_H
#define KERN_SMAPS_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "mm/walk/usage.h"

#define SMAPS_TEXT_MAX 1024u /* more than any of these writes */

/* Each writes text with its newlines at p, without a NUL, and returns where it ends.
 * Needs: SMAPS_TEXT_MAX bytes. */

/* From Size to VmFlags, for one region, in Linux 6.1's order (fs/proc/task_mmu.c, show_smap). */
char *smaps_put_region(char *p, uint64_t size, uint32_t vm_flags, const struct mm_usage *usage);

/* From Rss to Locked, for all of them together. */
char *smaps_put_rollup(char *p, const struct mm_usage *usage);

/* A line "NAME  VALUE kB", the value ending in that column. */
char *smaps_put_kb(char *p, const char *name, unsigned column, uint64_t bytes);

#endif
