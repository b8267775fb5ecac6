/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Failure injection on the guest, for one task at a time: its own allocations, pages and objects
 * alike, in the order in which they are asked for. Others are neither counted nor refused. */
#include "port/port.h"

#include "arch/x86_64/current.h"

static struct {
	const struct task *who; /* compared only */
	struct inject_plan plan;
	uint64_t random;
	uint32_t asked, refused;
} inject;

bool inject_arm(const struct inject_plan *plan, uint64_t *counts)
{
	*counts = (uint64_t)inject.refused << 32 | inject.asked;
	inject.who = plan->nth || plan->one_in ? current() : NULL;
	inject.plan = *plan;
	inject.random = plan->seed;
	inject.asked = inject.refused = 0;
	return true;
}

/* A linear congruential generator (Knuth, MMIX's constants); the upper half is the good one. */
static uint32_t next_random(void)
{
	inject.random = inject.random * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(inject.random >> 32);
}

bool port_should_fail(void)
{
	bool refuse;

	if (likely(!inject.who || inject.who != current()))
		return false;
	inject.asked++;
	refuse = inject.plan.nth ? inject.asked == inject.plan.nth
				 : next_random() % inject.plan.one_in == 0;
	inject.refused += refuse;
	return refuse;
}
