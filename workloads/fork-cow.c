/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copy-on-write after fork. The parent writes to its pages while a tree of processes has them too:
 * a copy each. Then the tree ends, and the parent writes to the rest: each page is its own again.
 *
 *     parent ─┬─ child ─┬─ …          fanout children each, depth levels of them
 *             │         └─ …
 *             └─ child ─┬─ …
 *
 * The tree holds still meanwhile, so the kernel's measured phase has the parent's faults alone.
 * Each process looks at its pages before it ends: it must not see what the parent wrote.
 */
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.h"

struct fork_cow {
	uint64_t pages, written, depth, fanout;
	char *base;
	int ready[2]; /* each process of the tree writes a byte here when it has its children */
	int hold[2];  /* and ends when this one is closed */
	struct wl_row *forks, *copy, *reuse;
};

static uint64_t *page_word(const struct fork_cow *f, uint64_t page)
{
	return (uint64_t *)(f->base + page * WL_PAGE);
}

static uint64_t page_value(const struct wl_run *run, uint64_t page)
{
	return run->seed * 0x9e3779b97f4a7c15u + page;
}

/* The written ones are spread evenly; there are pages * written / 100 of them. */
static bool page_is_written(const struct fork_cow *f, uint64_t page)
{
	return (page + 1) * f->written / 100 != page * f->written / 100;
}

/* Does the tree's view stand? */
static bool unchanged(const struct wl_run *run, const struct fork_cow *f)
{
	for (uint64_t i = 0; i < f->pages; i++)
		if (*page_word(f, i) != page_value(run, i))
			return false;
	return true;
}

static bool children_ended_well(uint64_t n)
{
	bool good = true;
	int status;

	while (n--)
		good &= wait(&status) > 0 && status == 0;
	return good;
}

/* A process of the tree, `level` levels above the leaves. Its children go through the same loop. */
static _Noreturn void holder(struct wl_run *run, struct fork_cow *f, uint64_t level)
{
	uint64_t children = 0;
	char byte = 0;

	while (level && children < f->fanout) {
		pid_t pid = fork();

		if (pid < 0)
			_exit(2);
		level -= pid == 0;
		children = pid == 0 ? 0 : children + 1;
	}
	if (write(f->ready[1], &byte, 1) != 1 || read(f->hold[0], &byte, 1) != 0)
		_exit(3);
	_exit(!unchanged(run, f) || !children_ended_well(children));
}

/* Forks the tree, and times the forks that are the parent's own. */
static void tree_grow(struct wl_run *run, struct fork_cow *f)
{
	const struct timing_call call = {.nr = SYS_fork};
	uint64_t level_size = 1, all = 0;
	long pid;
	char byte;

	for (uint64_t i = 0; i < f->depth; i++)
		all += level_size *= f->fanout;
	for (uint64_t i = 0; i < f->fanout; i++) {
		struct timing t = timing_syscall(&call, &pid);

		if (pid == 0) {
			close(f->hold[1]);
			holder(run, f, f->depth - 1);
		}
		if (pid < 0)
			wl_fail(run, "fork returned %ld", pid);
		wl_sample(f->forks, t);
	}
	wl_sift(run);
	while (all--)
		if (read(f->ready[0], &byte, 1) != 1)
			wl_fail(run, "a process of the tree did not come up");
}

static void tree_end(struct wl_run *run, struct fork_cow *f)
{
	close(f->hold[1]);
	if (!children_ended_well(f->fanout))
		wl_fail(run, "a process of the tree saw the parent's writes, or failed");
}

/* The program's own pages are shared with the tree as well: made its own before faults count. */
static void own_again(struct fork_cow *f)
{
	prefault_program();
	prefault_range(f->copy->series, sizeof *f->copy->series);
	prefault_range(f->reuse->series, sizeof *f->reuse->series);
}

static void write_pages(struct wl_run *run, struct fork_cow *f, bool which, struct wl_row *row)
{
	own_again(f);
	wl_begin(run);
	for (uint64_t i = 0; i < f->pages; i++)
		if (page_is_written(f, i) == which)
			wl_sample(row, timing_write(page_word(f, i), ~page_value(run, i)));
	wl_end(run);
}

static void check(struct wl_run *run, const struct fork_cow *f)
{
	for (uint64_t i = 0; i < f->pages; i++)
		if (*page_word(f, i) != ~page_value(run, i))
			wl_fail(run, "page %lu does not hold what the parent wrote", i);
}

static void fork_cow(struct wl_run *run)
{
	struct fork_cow f = {
		.pages = wl_rounds(run, wl_uint(run, "pages")),
		.written = wl_uint(run, "written"),
		.depth = wl_uint(run, "depth"),
		.fanout = wl_uint(run, "fanout"),
		.forks = wl_row(run, "fork", 0, TIMING_CALL),
		.copy = wl_row(run, "copy", 0, TIMING_ACCESS),
		.reuse = wl_row(run, "reuse", 0, TIMING_ACCESS),
	};

	if (pipe(f.ready) || pipe(f.hold))
		wl_fail(run, "pipe: %m");
	f.base = wl_map(run, f.pages * WL_PAGE, PROT_READ | PROT_WRITE);
	for (uint64_t i = 0; i < f.pages; i++)
		*page_word(&f, i) = page_value(run, i);
	tree_grow(run, &f);
	write_pages(run, &f, true, f.copy);
	tree_end(run, &f);
	write_pages(run, &f, false, f.reuse);
	check(run, &f);
	wl_unmap(run, f.base, f.pages * WL_PAGE);
	close(f.hold[0]);
	close(f.ready[0]);
	close(f.ready[1]);
}

const struct workload workload = {
	.name = "fork-cow",
	.doc = "copy-on-write after fork: pages that other processes have, and pages that they had",
	.params = WL_PARAMS(WL_NUMBER("pages", "1024", 1, 1u << 22, "4 KiB pages that are shared"),
			    WL_NUMBER("written", "50", 0, 100,
				      "percent of them written while they are shared; the others "
				      "when they no longer are"),
			    WL_NUMBER("depth", "1", 1, 16, "levels of the tree of processes"),
			    WL_NUMBER("fanout", "1", 1, 64, "children of each of its processes")),
	.phases = WL_PHASES({"fork", "one fork of the parent"},
			    {"copy", "one store to a page that others have"},
			    {"reuse", "one store to a page that the others have left"}),
	.body = fork_cow,
};
