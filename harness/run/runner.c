/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/places.h"
#include "proc/stop.h"
#include "report/table.h"
#include "results/results.h"
#include "run/cell.h"
#include "run/cell_json.h"
#include "run/manifest.h"
#include "run/rundir.h"
#include "run/runner.h"

enum { EXIT_GOOD = 0, EXIT_BAD_CELL = 1, EXIT_CANT = 2, EXIT_INTERRUPTED = 130 };

struct run {
	struct arena *arena;
	const struct plan *plan;
	const struct runner_options *options;
	struct rundir dir;
	struct results before; /* what --resume found */
	bool *is_done;	       /* of each cell of the plan: `before` has it */
	size_t done, skipped;
	double started;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
	interrupted = signal;
	stop_request();
}

/* The first Ctrl-C ends the cell in flight, which is dropped, and the run in good order; a second
 * one everything at once. */
static void catch_interrupts(void)
{
	struct sigaction sa = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

static void progress(const struct run *r, size_t i)
{
	double elapsed = now_seconds() - r->started;
	size_t ran = r->done;

	if (!isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r\033[Kcell %zu/%zu  %s  %.0f s", i + 1, r->plan->n,
		r->plan->cells[i].profile->name, elapsed);
	if (ran)
		fprintf(stderr, ", about %.0f s to go",
			elapsed / (double)ran * (double)(r->plan->n - i));
	fflush(stderr);
}

static void clear_progress(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

/* Which cells of the plan the resumed run has. False if it has others: it is of another matrix. */
static bool find_done(struct run *r, struct diag *d)
{
	r->is_done = arena_alloc(r->arena, r->plan->n * sizeof(*r->is_done));
	for (size_t i = 0; i < r->before.n; i++) {
		const struct result_cell *b = &r->before.cells[i];
		size_t at;

		if (map_find(&r->plan->by_key, b->key.text, b->key.len, &at)) {
			r->is_done[at] = true;
			continue;
		}
		diag_add(d, r->before.file, b->line,
			 "can't go on with this run: the matrix has no cell %s", b->key.text);
		return false;
	}
	return true;
}

/* 0, or -errno when the cell could not be written. An interrupted cell is not written. */
static int run_cell(struct run *r, struct arena *a, size_t i)
{
	const struct cell *c = &r->plan->cells[i];
	bool raw = settings_recorder(&c->settings) == FL_RECORDER_RAW;
	const char *name = c->profile->name;
	struct cell_options o = {
		.engine = r->options->engine,
		.stub = r->options->stub,
		.seed = r->options->seed,
		.timeout = r->options->timeout,
		.extras = r->options->extras,
		.console_path = rundir_console_path(a, &r->dir, i, name, c->rep),
		.events_path = raw ? rundir_events_path(a, &r->dir, i, name, c->rep) : NULL,
	};
	struct outcome out;
	int err = 0;

	cell_run(a, c, &o, &out);
	if (!interrupted) {
		json_t *json = cell_json(a, c, o.engine->id, o.seed, &out);

		err = rundir_append(&r->dir, json);
		json_decref(json);
		r->done++;
	}
	outcome_free(&out);
	return err;
}

static int run_cells(struct run *r)
{
	for (size_t i = 0; i < r->plan->n && !interrupted; i++) {
		if (r->is_done[i]) {
			r->skipped++;
			continue;
		}
		progress(r, i);
		struct arena a = {0};
		int err = run_cell(r, &a, i);

		arena_free(&a);
		if (err)
			return err;
	}
	return 0;
}

/* A run of which nothing could be measured here did not do what was asked. */
static int status_of(const struct results *r)
{
	size_t ok = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (result_is_ok(&r->cells[i]))
			ok++;
		else if (r->cells[i].status != CELL_UNSUPPORTED)
			return EXIT_BAD_CELL;
	}
	return ok ? EXIT_GOOD : EXIT_CANT;
}

static void say_summary(const struct run *r, const struct results *all)
{
	size_t ok = 0, unsupported = 0;

	for (size_t i = 0; i < all->n; i++) {
		ok += result_is_ok(&all->cells[i]);
		unsupported += all->cells[i].status == CELL_UNSUPPORTED;
	}
	fprintf(stderr, "faultline: %zu of %zu cells ok", ok, r->plan->n);
	if (unsupported)
		fprintf(stderr, ", %zu unsupported here", unsupported);
	if (all->n - ok - unsupported)
		fprintf(stderr, ", %zu not", all->n - ok - unsupported);
	if (r->skipped)
		fprintf(stderr, ", %zu of them from before", r->skipped);
	fprintf(stderr, "; results in %s\n", r->dir.path);
	if (interrupted && r->options->matrix)
		fprintf(stderr,
			"faultline: interrupted; `faultline matrix --resume -o %s %s` goes on with it\n",
			r->dir.path, r->options->matrix);
	else if (interrupted)
		fprintf(stderr, "faultline: interrupted\n");
}

static int finish(struct run *r, struct diag *d)
{
	struct results all;
	int status = EXIT_CANT;

	clear_progress();
	if (results_read(r->arena, r->dir.path, &all, d) &&
	    rundir_finish(&r->dir, &all, all.n == r->plan->n, d)) {
		table_print(stdout, &all);
		fflush(stdout);
		say_summary(r, &all);
		status = interrupted ? EXIT_INTERRUPTED : status_of(&all);
	}
	results_free(&all);
	return status;
}

static bool open_dir(struct run *r, struct diag *d)
{
	const struct runner_options *o = r->options;
	const struct manifest_options mo = {
		.engine = o->engine,
		.engine_choice = o->engine_choice,
		.stub = o->stub,
		.seed = o->seed,
		.timeout = o->timeout,
		.extras = &o->extras,
		.matrix = o->matrix,
		.argc = o->argc,
		.argv = o->argv,
	};
	json_t *manifest = manifest_make(r->arena, &mo);
	const char *dir = o->dir ? o->dir : rundir_default_path(r->arena, o->engine->id);
	bool good = o->resume ? rundir_resume(r->arena, dir, manifest, &r->dir, &r->before, d)
			      : rundir_create(r->arena, dir, manifest, &r->dir, d);

	json_decref(manifest);
	return good;
}

/* Is there a kernel-stub for each cell? */
static bool stubs_there(struct arena *a, const struct plan *plan, const struct runner_options *o,
			struct diag *d)
{
	for (size_t i = 0; o->engine->id != ENGINE_LINUX && i < plan->n; i++) {
		const char *index = settings_find(&plan->cells[i].settings, "vma_index")->value;
		const char *stub = places_stub_with(a, o->stub, index);

		if (!access(stub, R_OK))
			continue;
		diag_add(d, NULL, 0, "no kernel-stub at %s for vma_index = %s: `make` builds it",
			 stub, index);
		return false;
	}
	return true;
}

int runner_run(struct arena *a, const struct plan *plan, const struct runner_options *o)
{
	struct run r = {.arena = a, .plan = plan, .options = o, .started = now_seconds()};
	struct diag d = {0};
	int status = EXIT_CANT;

	catch_interrupts();
	if (stubs_there(a, plan, o, &d) && open_dir(&r, &d) && find_done(&r, &d)) {
		int err = run_cells(&r);

		if (err)
			diag_add(&d, r.dir.path, 0, "can't write a cell: %s", strerror(-err));
		else
			status = finish(&r, &d);
	}
	results_free(&r.before);
	diag_print(&d, stderr);
	return status;
}
