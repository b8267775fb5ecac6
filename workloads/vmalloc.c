/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel memory that an address space does not know of yet. The areas lie in different slots of the
 * kernel half; each process that has the kernel touch them takes one fault for each slot, and none
 * the second time.
 *
 *     areas          1     2     3  …
 *     process 1      f     f     f      f: a fault; then the same tables for everybody
 *     process 2      f     f     f      one after the other, each finds what the last one left
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stubctl.h"
#include "workload.h"

struct vmalloc_run {
	uint64_t areas, pages, spaces;
	uint64_t base[FL_VMALLOC_SLOTS];
	struct timing touches[2][FL_VMALLOC_SLOTS]; /* of one process: the first, the second */
	struct wl_row *alloc, *first, *again, *release;
};

/* What round `space` leaves in page `page` of an area. Never negative: it comes back as a result.
 */
static uint64_t word_of(const struct wl_run *run, uint64_t area, uint64_t page, uint64_t space)
{
	uint64_t v = (run->seed + area) * 0x9e3779b97f4a7c15u + page * 0xbf58476d1ce4e5b9u + space;

	return v >> 1;
}

static long swap(const struct vmalloc_run *v, uint64_t area, uint64_t page, uint64_t word)
{
	return stubctl(FL_STUBCTL_VMALLOC_SWAP, v->base[area] + page * WL_PAGE, word);
}

static void areas_make(struct wl_run *run, struct vmalloc_run *v)
{
	for (uint64_t i = 0; i < v->areas; i++) {
		struct timing_call call = {FL_SYS_STUBCTL,
					   {FL_STUBCTL_VMALLOC, v->pages * WL_PAGE, i + 1}};
		long got;

		wl_sample(v->alloc, timing_syscall(&call, &got));
		if (got < 0 && got > -WL_PAGE)
			wl_fail(run, "vmalloc of %lu pages in slot %lu: error %ld", v->pages, i + 1,
				got);
		v->base[i] = (uint64_t)got;
	}
}

static void areas_free(struct wl_run *run, struct vmalloc_run *v)
{
	for (uint64_t i = 0; i < v->areas; i++) {
		struct timing_call call = {FL_SYS_STUBCTL, {FL_STUBCTL_VFREE, v->base[i]}};
		long got;

		wl_sample(v->release, timing_syscall(&call, &got));
		if (got)
			wl_fail(run, "vfree: error %ld", got);
		if (swap(v, i, 0, 0) != -EFAULT)
			wl_fail(run, "an area can be reached after vfree");
	}
}

/* Has the kernel touch page 0 of each area, where the last round's word must be. */
static bool touch_all(const struct wl_run *run, const struct vmalloc_run *v, struct timing *t,
		      uint64_t before, uint64_t after)
{
	bool good = true;

	for (uint64_t i = 0; i < v->areas; i++) {
		struct timing_call call = {
			FL_SYS_STUBCTL,
			{FL_STUBCTL_VMALLOC_SWAP, v->base[i], word_of(run, i, 0, after)}};
		long got;

		t[i] = timing_syscall(&call, &got);
		good &= (uint64_t)got == word_of(run, i, 0, before);
	}
	return good;
}

/* The other pages: mapped with the first, and the same for everybody. */
static bool other_pages(const struct wl_run *run, const struct vmalloc_run *v, uint64_t before,
			uint64_t after)
{
	bool good = true;

	for (uint64_t i = 0; i < v->areas; i++)
		for (uint64_t p = 1; p < v->pages; p++)
			good &= (uint64_t)swap(v, i, p, word_of(run, i, p, after)) ==
				word_of(run, i, p, before);
	return good;
}

/* Only the process itself learns what interrupted it. */
static void mark(struct vmalloc_run *v)
{
	struct interrupts in = interrupts_since(v->touches[0][0].begin);

	timing_mark(v->touches[0], v->areas, &in);
	timing_mark(v->touches[1], v->areas, &in);
}

/* A process's touches: v->touches, and whether it found what it should. */
static bool round_of(struct wl_run *run, struct vmalloc_run *v, uint64_t space)
{
	bool good;

	wl_begin(run);
	good = touch_all(run, v, v->touches[0], space, space + 1);
	good &= touch_all(run, v, v->touches[1], space + 1, space + 1);
	wl_end(run);
	mark(v);
	return good & other_pages(run, v, space, space + 1);
}

static void add_samples(struct vmalloc_run *v)
{
	for (uint64_t i = 0; i < v->areas; i++) {
		wl_sample(v->first, v->touches[0][i]);
		wl_sample(v->again, v->touches[1][i]);
	}
}

/* A round in a process of its own, which sends its touches back. What it writes to is its own by
 * then: a measured phase has the kernel's faults alone. */
static void child_round(struct wl_run *run, struct vmalloc_run *v, uint64_t space)
{
	int fd[2], status = -1;
	pid_t pid;

	if (pipe(fd))
		wl_fail(run, "pipe: %m");
	pid = fork();
	if (pid == 0) {
		prefault_program();
		if (!round_of(run, v, space))
			_exit(2);
		_exit(write(fd[1], v->touches, sizeof v->touches) != (ssize_t)sizeof v->touches);
	}
	if (pid < 0)
		wl_fail(run, "fork: %m");
	if (waitpid(pid, &status, 0) != pid || status)
		wl_fail(run, "the process of round %lu ended with status %#x", space, status);
	if (read(fd[0], v->touches, sizeof v->touches) != (ssize_t)sizeof v->touches)
		wl_fail(run, "no touches of round %lu", space);
	close(fd[0]);
	close(fd[1]);
	add_samples(v);
}

/* The words that the first process finds. */
static void fill(struct wl_run *run, const struct vmalloc_run *v)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		for (uint64_t i = 0; i < v->areas; i++)
			for (uint64_t p = 0; p < v->pages; p++)
				swap(v, i, p, word_of(run, i, p, 0));
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		wl_fail(run, "the areas could not be filled");
}

static void vmalloc_body(struct wl_run *run)
{
	static struct vmalloc_run v;

	v = (struct vmalloc_run){
		.areas = wl_uint(run, "areas"),
		.pages = wl_uint(run, "pages"),
		.spaces = wl_rounds(run, wl_uint(run, "spaces")),
		.alloc = wl_row(run, "alloc", 0, TIMING_CALL),
		.first = wl_row(run, "first", 0, TIMING_CALL),
		.again = wl_row(run, "again", 0, TIMING_CALL),
		.release = wl_row(run, "free", 0, TIMING_CALL),
	};
	areas_make(run, &v);
	wl_sift(run);
	fill(run, &v);
	for (uint64_t space = 0; space < v.spaces; space++)
		child_round(run, &v, space);
	areas_free(run, &v);
}

const struct workload workload = {
	.name = "vmalloc",
	.doc = "the kernel touches memory of its own that an address space does not know of yet",
	.params = WL_PARAMS(WL_NUMBER("areas", "8", 1, FL_VMALLOC_SLOTS,
				      "areas, each in a slot of the kernel half of its own"),
			    WL_NUMBER("pages", "16", 1, 4096, "4 KiB pages of each"),
			    WL_NUMBER("spaces", "16", 1, 4096, "processes, one after the other")),
	.phases = WL_PHASES({"alloc", "stubctl(VMALLOC)"},
			    {"first", "the kernel's first touch of an area in this address space"},
			    {"again", "its second one"}, {"free", "stubctl(VFREE)"}),
	.needs_stub = "Linux has no call that maps kernel memory and touches it",
	.body = vmalloc_body,
};
