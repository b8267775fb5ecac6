/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses that end in SIGSEGV, caught. The handler notes what the signal brought and moves RIP to
 * the end of the access (no siglongjmp: the return is a plain rt_sigreturn with the registers that
 * the handler left).
 */
#ifndef WORKLOADS_SEGV_H
#define WORKLOADS_SEGV_H

#include <stdint.h>

#include "timing.h"

/* What the last SIGSEGV brought. */
struct segv_seen {
	uint64_t count; /* of all signals so far */
	int signo, code;
	uint64_t addr;	    /* si_addr */
	uint64_t trap, err; /* from the machine context: vector, page-fault error code */
	uint64_t cr2;	    /* likewise */
};
extern volatile struct segv_seen segv_seen;

/* Where the access under way ends: what a handler of one's own moves RIP to. */
extern uint64_t segv_resume;

enum segv_kind { SEGV_READ, SEGV_WRITE, SEGV_EXEC };

/* Installs the handler. 0, or -1 (errno). */
int segv_install(void);

/* One access (TIMING_ACCESS) at p, from before it to where the handler sends it. Needs: a handler.
 * If the access succeeds, segv_seen stays as it was; SEGV_EXEC must not succeed. */
struct timing segv_access(enum segv_kind kind, void *p);

#endif
