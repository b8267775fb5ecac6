/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a page fault leaves on the stack: trap.S makes room below the frame. */
#ifndef ARCH_FAULT_ENTRY_H
#define ARCH_FAULT_ENTRY_H

#include "arch/x86_64/frame.h"
#include "mm/fault/fault.h"

struct fault_entry {
	struct fault_access access;
	uint64_t tsc; /* at exception entry; not set with recorder=off */
	struct fault_verdict verdict;
	uint64_t rip; /* recorder=raw: the frame's, which may be a signal handler's by the end */
	struct trap_frame frame;
};

#endif
