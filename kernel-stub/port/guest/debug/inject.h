/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debug builds: allocations that a task makes can be told to fail (FL_STUBCTL_FAIL_NTH, …_RANDOM).
 */
#ifndef PORT_INJECT_H
#define PORT_INJECT_H

#include <stdbool.h>
#include <stdint.h>

/* Which of the allocations from now on: the nth (1: the next), and only that; or one in `one_in`,
 * by a generator with that seed. All 0: none. */
struct inject_plan {
	uint64_t nth, seed, one_in;
};

bool port_should_fail(void);

/* The plan for the current task's allocations, in place of any that there is. False in a build that
 * cannot. *counts: what was asked for under the last plan, and in the upper half what was refused.
 */
bool inject_arm(const struct inject_plan *plan, uint64_t *counts);

#endif
