/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Samples that interrupts fall into. Another process runs on the same CPU, so each slice ends in a
 * timer's interrupt; a sample is so long (a loop, 200,000 instructions) that many slices end within
 * one. What is left must be the loop's own length, to the instruction where those are counted, and
 * nothing may be lost: left in or left out.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.h"

#define TURNS 100000u

static struct timing timed_loop(void)
{
	TIMING_VARS;

	asm volatile(TIMING_PAIR("movl %[turns], %%ecx\n1:\tdecl %%ecx\n\tjnz 1b")
		     : TIMING_OUT
		     : [turns] "i"(TURNS)
		     : "ecx", "memory", "cc");
	return TIMING_RESULT;
}

static pid_t start_other(struct wl_run *run)
{
	pid_t pid = fork();

	if (pid < 0)
		wl_fail(run, "fork: %m");
	while (pid == 0)
		asm volatile("");
	return pid;
}

static void stop_other(struct wl_run *run, pid_t pid)
{
	int status;

	if (kill(pid, SIGKILL) || waitpid(pid, &status, 0) != pid)
		wl_fail(run, "the other process: %m");
}

static uint64_t count(const struct series *s, uint32_t *lowest, uint32_t *highest)
{
	uint64_t n = 0;

	for (uint32_t b = 0; b < FL_HIST_BUCKETS; b++) {
		if (!s->hist.buckets[b])
			continue;
		*lowest = n ? *lowest : b;
		*highest = b;
		n += s->hist.buckets[b];
	}
	return n;
}

static void check(struct wl_run *run, const struct wl_row *row, uint64_t samples)
{
	const struct series *s = row->series;
	uint32_t lowest = 0, highest = 0;
	uint64_t n = count(s, &lowest, &highest);

	if (n + s->interrupted != samples)
		wl_fail(run, "%lu samples and %lu interrupted ones, not %lu in all", n,
			s->interrupted, samples);
	if (!s->interrupted || s->interrupted > samples / 10)
		wl_fail(run, "%lu of %lu samples were interrupted", s->interrupted, samples);
	if (timing_counts_instructions() && s->hist.sum != n * (2 * TURNS + 1))
		wl_fail(run, "%lu instructions in %lu samples, buckets %u to %u", s->hist.sum, n,
			lowest, highest);
}

static void interrupted(struct wl_run *run)
{
	struct wl_row *row = wl_row(run, "loop", 0, TIMING_ACCESS);
	uint64_t samples = wl_rounds(run, wl_uint(run, "samples"));
	pid_t other = start_other(run);

	wl_begin(run);
	for (uint64_t i = 0; i < samples; i++)
		wl_sample(row, timed_loop());
	wl_end(run);
	stop_other(run, other);
	if (!run->warming)
		check(run, row, samples);
}

const struct workload workload = {
	.name = "interrupted",
	.doc = "samples that a slice's end falls into",
	.needs_stub = "Linux does not tell a thread when it was interrupted",
	.params = WL_PARAMS(WL_NUMBER("samples", "1000", 100, 1u << 20, "of them")),
	.phases = WL_PHASES({"loop", "200,001 instructions"}),
	.body = interrupted,
};
