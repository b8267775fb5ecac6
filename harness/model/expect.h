/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must hold of a cell for its numbers to mean anything: how the workload ends, how many faults
 * of each class its measured phases take, and what some of the kernel's counters (vmstat.def) then
 * stand at. A class that is not named must not occur, unless `others = any`; a counter that is not
 * named may stand where it likes.
 */
#ifndef HARNESS_EXPECT_H
#define HARNESS_EXPECT_H

#include "engine/engine.h"
#include "model/conf.h"
#include "model/setting.h"

/* A class, or behind the classes a counter: FL_NR_CLASSES + enum fl_vmstat. */
#define EXPECT_NR_COUNTS ((unsigned)FL_NR_CLASSES + FL_NR_VMSTAT)

struct expect_count {
	unsigned what;
	bool at_least;
	const char *expr;
	unsigned line;
};

/* One [expect] section: for all engines, or for one. */
struct expect_section {
	bool one_engine;
	enum engine_id engine;
	struct expect_count *counts;
	size_t nr_counts;
	bool has_others, any_others;
	bool has_exit;
	enum fl_state exit_state; /* FL_STATE_EXITED, _KILLED or _PANIC */
	int exit_value;
};

struct expectations {
	struct expect_section *v;
	size_t n;
};

/* Reads a section named "expect" or "expect ENGINE" of c; expressions are checked against s. */
void expect_read(struct arena *a, const struct conf *c, const struct conf_section *section,
		 const struct settings *s, struct expectations *to, struct diag *d);

/* NULL if out is as expected of that engine with those settings; else what is not, from the arena:
 * "user.minor.anon_alloc: expected 64, got 63; ...". Judges classes and counters only where the
 * outcome has them. */
const char *expect_judge(struct arena *a, const struct expectations *e, const struct settings *s,
			 enum engine_id engine, const struct outcome *out);

/* Whether out ended as expected of that engine: what decides if an outcome that the engine calls
 * crashed (a panic) is one. */
bool expect_exit_met(const struct expectations *e, enum engine_id engine,
		     const struct outcome *out);

#endif
