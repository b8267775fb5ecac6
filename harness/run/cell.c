/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/places.h"
#include "base/xalloc.h"
#include "engine/outcome.h"
#include "run/cell.h"

/* 2 MiB a CPU: what a short cell makes, and a long one's beginning. */
enum { RING_EVENTS = 1 << 16 };

/* ---- running ---- */

/* "/NAME" KEY=VALUE... seed=N */
static const char *const *guest_argv(struct arena *a, const struct cell *c, uint64_t seed)
{
	const char **v = arena_alloc(a, (c->settings.n + 3) * sizeof(*v));
	size_t n = 0;

	v[n++] = arena_printf(a, "/%s", c->profile->workload.name);
	for (size_t i = 0; i < c->settings.n; i++)
		if (c->settings.v[i].group == SETTING_PARAM)
			v[n++] = arena_printf(a, "%s=%s", c->settings.v[i].name,
					      c->settings.v[i].value);
	v[n] = arena_printf(a, "seed=%llu", (unsigned long long)seed);
	return v;
}

/* Linux has an index of its own: its figures under another's name would be invented. */
static bool refused(const struct cell *c, const struct engine *engine, struct outcome *out)
{
	const char *index = settings_find(&c->settings, "vma_index")->value;

	if (engine->id != ENGINE_LINUX || !strcmp(index, "rbtree"))
		return false;
	outcome_set(out, CELL_UNSUPPORTED, "vma_index = %s: Linux has an index of its own", index);
	return true;
}

void cell_run(struct arena *a, const struct cell *c, const struct cell_options *o,
	      struct outcome *out)
{
	static const char *const no_env[] = {NULL};
	struct machine_spec spec = {
		.stub = places_stub_with(a, o->stub,
					 settings_find(&c->settings, "vma_index")->value),
		.program = c->profile->workload.path,
		.argv = guest_argv(a, c, o->seed),
		.envp = o->extras.env ? o->extras.env : no_env,
		.files = o->extras.files,
		.nr_files = o->extras.nr_files,
		.append = o->extras.append,
		.memory = setting_number(settings_find(&c->settings, "memory")),
		.cpus = (unsigned)setting_number(settings_find(&c->settings, "cpus")),
		.interleave = setting_number(settings_find(&c->settings, "interleave")),
		.seed = o->seed,
		.recorder = settings_recorder(&c->settings),
		.kernel_args = settings_kernel_args(a, &c->settings),
		.timeout = o->timeout,
		.stdio = STDIO_CAPTURE,
		.console_path = o->console_path,
	};

	if (spec.recorder == FL_RECORDER_RAW)
		spec.ring_events = RING_EVENTS;
	memset(out, 0, sizeof(*out));
	if (!refused(c, o->engine, out))
		o->engine->run(&spec, out);
	cell_judge(a, c, o->engine->id, out);
	int err = out->nr_events && o->events_path ? cell_write_events(o->events_path, out) : 0;

	if (err)
		fprintf(stderr, "faultline: can't write %s: %s\n", o->events_path, strerror(-err));
}

/* ---- judging ---- */

static void set_reason(struct outcome *out, enum cell_status status, const char *reason)
{
	free(out->reason);
	out->reason = reason ? xstrdup(reason) : NULL;
	out->status = status;
}

/* Nothing of a guest's making may leave what JSON can hold: whole numbers below 2^63. */
static bool fits_json(const struct hist *h)
{
	return h->sum <= INT64_MAX && h->count <= INT64_MAX && hist_max(h) <= INT64_MAX;
}

static bool all_fit_json(const struct outcome *out)
{
	bool good = out->boot_to_user <= INT64_MAX;

	for (unsigned i = 0; i < FL_NR_CLASSES; i++)
		good = good && fits_json(&out->classes[i]) && out->outside[i].count <= INT64_MAX;
	for (size_t i = 0; i < out->nr_phases; i++)
		good = good && fits_json(&out->phases[i].hist) && out->phases[i].x <= INT64_MAX &&
		       out->phases[i].overhead <= INT64_MAX;
	return good;
}

/* Without a window nobody looks at the classes. */
static void drop_numbers(struct outcome *out)
{
	out->have_window = false;
	while (out->nr_phases)
		hist_free(&out->phases[--out->nr_phases].hist);
}

void cell_judge(struct arena *a, const struct cell *c, enum engine_id engine, struct outcome *out)
{
	const struct expectations *e = &c->profile->expect;

	if (!all_fit_json(out)) {
		drop_numbers(out);
		set_reason(out, CELL_CRASHED, "the guest reported lengths of 2^63 and more");
		return;
	}
	if (out->status != CELL_OK) {
		if (!out->reason)
			set_reason(out, out->status, "the engine gave no reason");
		return;
	}
	if (out->state == FL_STATE_PANIC && !expect_exit_met(e, engine, out)) {
		out->status = CELL_CRASHED;
		return;
	}
	const char *missed = expect_judge(a, e, &c->settings, engine, out);

	if (missed)
		set_reason(out, CELL_FAILED, missed);
	else if (out->state == FL_STATE_EXITED && !out->have_report)
		set_reason(out, CELL_FAILED, "the workload ended without a report");
	else
		set_reason(out, CELL_OK, NULL);
}

/* ---- raw events ---- */

int cell_write_events(const char *path, const struct outcome *out)
{
	size_t bytes = out->nr_events * sizeof(*out->events), room = ZSTD_compressBound(bytes);
	void *packed = malloc(room);
	FILE *f = packed ? fopen(path, "wbe") : NULL;
	int err = f ? 0 : -(packed ? errno : ENOMEM);

	if (f) {
		size_t n = ZSTD_compress(packed, room, out->events, bytes, 3);

		if (ZSTD_isError(n) || fwrite(packed, 1, n, f) != n)
			err = -EIO;
		if (fclose(f) && !err)
			err = -errno;
	}
	free(packed);
	return err;
}
