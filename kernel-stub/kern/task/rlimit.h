/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Resource limits of a process: kept for setrlimit and getrlimit; those about memory are mm/'s to
 * enforce (mm/vma/limits.c). */
#ifndef KERN_RLIMIT_H
#define KERN_RLIMIT_H

#include <stdint.h>

struct mm;

/* Linux's numbers (include/uapi/asm-generic/resource.h). */
enum {
	RLIMIT_DATA = 2,
	RLIMIT_STACK = 3,
	RLIMIT_CORE = 4,
	RLIMIT_NPROC = 6,
	RLIMIT_NOFILE = 7,
	RLIMIT_MEMLOCK = 8,
	RLIMIT_AS = 9,
	RLIMIT_SIGPENDING = 11,
	RLIMIT_MSGQUEUE = 12,
	RLIMIT_NICE = 13,
	RLIMIT_RTPRIO = 14,
	RLIM_NLIMITS = 16,
};
#define RLIM_INFINITY (~0ull)

struct rlimit64 {
	uint64_t cur, max;
};

/* By value in the process: fork copies it, execve keeps it. */
struct rlimits {
	struct rlimit64 of[RLIM_NLIMITS];
};

/* What the first process starts with. */
void rlimits_init(struct rlimits *limits);

/* Makes them those of an address space. Needs: its lock not held. */
void rlimits_apply(const struct rlimits *limits, struct mm *mm);

#endif
