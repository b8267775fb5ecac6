/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a run of a program on an engine came to, and how engines fill it. */
#ifndef ENGINE_OUTCOME_H
#define ENGINE_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hist.h"
#include "engine/cell_status.h"
#include "faultline_abi.h"
#include "measure/counter.h"

struct user_phase {
	char name[32];
	uint64_t x;
	uint64_t overhead;
	struct hist hist;
	bool told;	      /* the guest's kernel told of interrupts... */
	uint64_t interrupted; /* ...which fell into so many samples: not in hist */
};

/* What one CPU of the machine counted. */
struct outcome_cpu {
	int64_t vmstat[FL_NR_VMSTAT]; /* of the phase set */
	uint64_t nr_events;	      /* of outcome.events, where they stand CPU after CPU */
};

struct outcome {
	enum cell_status status;
	char *reason;	  /* malloc'ed; NULL when ok */
	const char *unit; /* "instructions" or "cycles" */
	bool have_window; /* classes, vmstat, boot are valid */
	enum fl_state state;
	int exit_value; /* see enum fl_state; linux engine: likewise */
	uint64_t boot_to_user;
	struct hist classes[FL_NR_CLASSES]; /* set FL_SET_PHASE, over all CPUs */
	struct hist outside[FL_NR_CLASSES]; /* set FL_SET_OUTSIDE */
	int64_t vmstat[FL_NR_VMSTAT];	    /* events: phase set; gauges: both sets */
	struct outcome_cpu *cpus;	    /* each CPU's share of it; NULL without a window */
	unsigned nr_cpus;
	uint64_t events_dropped, oops_count, unsupported_syscalls;
	struct fl_event *events; /* recorder=raw: per CPU one after the other */
	size_t nr_events;
	struct user_phase *phases;
	size_t nr_phases;
	enum fl_report_status
		report_status; /* FL_REPORT_FAILED without a report: see have_report */
	bool have_report;
	struct counter_list papi, kvm;
	char *console; /* kernel console, its last 256 KiB, symbolised, NUL-terminated */
	uint64_t console_dropped;
	char *out, *err; /* STDIO_CAPTURE */
	size_t out_len, err_len;
	uint64_t out_dropped, err_dropped; /* bytes beyond the limit of STDIO_CAPTURE */
	int pass_error; /* STDIO_PASS: errno of a write that failed, EPIPE aside; 0: none did */
	double wall_seconds;
	char *state_dump; /* registers etc. of a guest that crashed; NULL otherwise */
};

/* Sets status and a formatted reason, replacing what was there. */
void outcome_set(struct outcome *out, enum cell_status status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Frees what it points to, and empties it. */
void outcome_free(struct outcome *out);

#endif
