/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stacks that grow: below a MAP_GROWSDOWN mapping of one page another page is written, then the one
 * below that, and so on; one fault, one sample a page. Each page must be there afterwards with what
 * was written, and zero elsewhere; the page below the last must be nobody's.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "workload.h"

#define STACK_PAGES_MAX 2047u /* and the first one: RLIMIT_STACK's 8 MiB */
#define GUARD_PAGES 256u

struct stack_grow {
	uint64_t pages; /* that each stack grows by */
	uint64_t room;	/* bytes for a stack, its guard gap included */
	char *base;
};

static uint64_t *stack_page(const struct stack_grow *s, uint64_t stack, uint64_t below)
{
	return (uint64_t *)(s->base + (stack + 1) * s->room - (below + 1) * WL_PAGE);
}

/* One page at the top of the room of each stack. */
static void stacks_map(struct wl_run *run, struct stack_grow *s, uint64_t stacks)
{
	s->room = (s->pages + 1 + GUARD_PAGES) * WL_PAGE;
	s->base = wl_map(run, stacks * s->room, PROT_NONE);
	wl_unmap(run, s->base, stacks * s->room);
	for (uint64_t i = 0; i < stacks; i++)
		if (mmap(stack_page(s, i, 0), WL_PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN, -1,
			 0) == MAP_FAILED)
			wl_fail(run, "no stack could be mapped");
}

static uint64_t stack_value(const struct wl_run *run, uint64_t stack, uint64_t below)
{
	return run->seed * 0x9e3779b97f4a7c15u + (stack << 32) + below;
}

static void stack_check(struct wl_run *run, const struct stack_grow *s, uint64_t stack)
{
	unsigned char in;

	for (uint64_t k = 1; k <= s->pages; k++) {
		const uint64_t *p = stack_page(s, stack, k);
		uint64_t other = 0;

		for (unsigned i = 1; i < WL_PAGE / sizeof *p; i++)
			other |= p[i];
		if (other || *p != stack_value(run, stack, k))
			wl_fail(run, "a page of a stack does not hold what it should");
	}
	if (mincore(stack_page(s, stack, s->pages + 1), WL_PAGE, &in) == 0)
		wl_fail(run, "a stack grew too far");
}

static void stack_grow(struct wl_run *run)
{
	struct wl_row *row = wl_row(run, "write", 0, TIMING_ACCESS);
	struct stack_grow s = {.pages = wl_rounds(run, wl_uint(run, "pages"))};
	uint64_t stacks = wl_uint(run, "stacks");

	stacks_map(run, &s, stacks);
	wl_begin(run);
	for (uint64_t i = 0; i < stacks; i++)
		for (uint64_t k = 1; k <= s.pages; k++)
			wl_sample(row, timing_write(stack_page(&s, i, k), stack_value(run, i, k)));
	wl_end(run);
	for (uint64_t i = 0; i < stacks; i++)
		stack_check(run, &s, i);
	wl_unmap(run, s.base, stacks * s.room);
}

const struct workload workload = {
	.name = "stack-grow",
	.doc = "writes just below MAP_GROWSDOWN mappings, which grow by a page each time",
	.params = WL_PARAMS(
		WL_NUMBER("pages", "1024", 1, STACK_PAGES_MAX, "that each stack grows by"),
		WL_NUMBER("stacks", "1", 1, 4096, "one after the other")),
	.phases = WL_PHASES({"write", "one store to the page below"}),
	.body = stack_grow,
};
