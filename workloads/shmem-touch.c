/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * First touches of shared anonymous memory. A child has touched some of the pages before; the
 * parent finds these, and makes the others:
 *
 *     child    w . w . w . w .     outside of the measured phase; it holds still then
 *     parent   r w w w r w w w     file_map, shmem_alloc, file_write, shmem_alloc, …
 *
 * Each side looks at what the other wrote: the parent at once, the child at the end.
 */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.h"

struct shmem_touch {
	uint64_t pages, theirs, written;
	char *base;
	int ready[2]; /* the child writes a byte here when it has touched its pages */
	int hold[2];  /* and looks at the parent's when this one is closed */
	struct wl_row *alloc, *map, *write;
};

/* The first word is the child's, the second the parent's. */
static uint64_t *page_word(const struct shmem_touch *t, uint64_t page, unsigned which)
{
	return (uint64_t *)(t->base + page * WL_PAGE) + which;
}

static uint64_t page_value(const struct wl_run *run, uint64_t page, unsigned which)
{
	return (run->seed * 0x9e3779b97f4a7c15u + 2 * page + which) | 1;
}

/* Is number i of a series one of the `percent` that are picked, evenly spread? */
static bool picked(uint64_t i, uint64_t percent)
{
	return (i + 1) * percent / 100 != i * percent / 100;
}

/* Does the parent write to that page? To those that the child has not touched always. */
static bool parent_writes(const struct shmem_touch *t, uint64_t page)
{
	return !picked(page, t->theirs) || picked(page * t->theirs / 100, t->written);
}

static bool page_is_right(const struct wl_run *run, const struct shmem_touch *t, uint64_t page)
{
	uint64_t theirs = picked(page, t->theirs) ? page_value(run, page, 0) : 0;
	uint64_t ours = parent_writes(t, page) ? page_value(run, page, 1) : 0;

	return *page_word(t, page, 0) == theirs && *page_word(t, page, 1) == ours;
}

static bool all_right(const struct wl_run *run, const struct shmem_touch *t)
{
	for (uint64_t i = 0; i < t->pages; i++)
		if (!page_is_right(run, t, i))
			return false;
	return true;
}

static _Noreturn void child(struct wl_run *run, struct shmem_touch *t)
{
	char byte = 0;

	close(t->hold[1]);
	for (uint64_t i = 0; i < t->pages; i++)
		if (picked(i, t->theirs))
			*page_word(t, i, 0) = page_value(run, i, 0);
	if (write(t->ready[1], &byte, 1) != 1 || read(t->hold[0], &byte, 1) != 0)
		_exit(2);
	_exit(!all_right(run, t));
}

static pid_t child_start(struct wl_run *run, struct shmem_touch *t)
{
	pid_t pid = fork();
	char byte;

	if (pid == 0)
		child(run, t);
	if (pid < 0 || read(t->ready[0], &byte, 1) != 1)
		wl_fail(run, "the child did not come up");
	return pid;
}

static void child_end(struct wl_run *run, struct shmem_touch *t, pid_t pid)
{
	int status;

	close(t->hold[1]);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		wl_fail(run, "the child did not see what the parent wrote (status %#x)", status);
}

/* The program's own pages were shared by the fork as well: made its own before faults count. */
static void own_again(struct shmem_touch *t)
{
	prefault_program();
	prefault_range(t->alloc->series, sizeof *t->alloc->series);
	prefault_range(t->map->series, sizeof *t->map->series);
	prefault_range(t->write->series, sizeof *t->write->series);
}

static void touch_page(struct wl_run *run, struct shmem_touch *t, uint64_t page)
{
	bool theirs = picked(page, t->theirs);
	uint64_t seen;

	if (parent_writes(t, page)) {
		wl_sample(theirs ? t->write : t->alloc,
			  timing_write(page_word(t, page, 1), page_value(run, page, 1)));
		return;
	}
	wl_sample(t->map, timing_read(page_word(t, page, 0), &seen));
	if (seen != page_value(run, page, 0))
		wl_fail(run, "page %lu does not hold what the child wrote", page);
}

static void shmem_touch(struct wl_run *run)
{
	struct shmem_touch t = {
		.pages = wl_rounds(run, wl_uint(run, "pages")),
		.theirs = wl_uint(run, "theirs"),
		.written = wl_uint(run, "written"),
		.alloc = wl_row(run, "alloc", 0, TIMING_ACCESS),
		.map = wl_row(run, "map", 0, TIMING_ACCESS),
		.write = wl_row(run, "write", 0, TIMING_ACCESS),
	};
	pid_t pid;

	if (pipe(t.ready) || pipe(t.hold))
		wl_fail(run, "pipe: %m");
	t.base = mmap(NULL, t.pages * WL_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (t.base == MAP_FAILED)
		wl_fail(run, "mmap of %lu shared pages: %m", t.pages);
	pid = child_start(run, &t);
	own_again(&t);
	wl_begin(run);
	for (uint64_t i = 0; i < t.pages; i++)
		touch_page(run, &t, i);
	wl_end(run);
	if (!all_right(run, &t))
		wl_fail(run, "a page does not hold what was written to it");
	child_end(run, &t, pid);
	wl_unmap(run, t.base, t.pages * WL_PAGE);
	close(t.hold[0]);
	close(t.ready[0]);
	close(t.ready[1]);
}

const struct workload workload = {
	.name = "shmem-touch",
	.doc = "first touches of shared anonymous memory: pages that nobody has touched, and pages "
	       "that another process has",
	.params = WL_PARAMS(WL_NUMBER("pages", "1024", 1, 1u << 24, "4 KiB pages to touch"),
			    WL_NUMBER("theirs", "50", 0, 100,
				      "percent of them that a child has written to before"),
			    WL_NUMBER("written", "50", 0, 100,
				      "percent of those that are written to again, not read")),
	.phases = WL_PHASES({"alloc", "one store to a page that nobody has touched"},
			    {"map", "one load from a page that the child has written to"},
			    {"write", "one store to such a page"}),
	.body = shmem_touch,
};
