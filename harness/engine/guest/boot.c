/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "engine/guest/boot.h"
#include "engine/guest/symbolise.h"
#include "engine/outcome.h"
#include "engine/program.h"

#define MAX_RING_EVENTS (1ull << 24)
#define CMDLINE_MAX 2048u
/* What a machine needs beside the window and the archive: the stub, its tables, some user pages. */
#define MEMORY_SLACK (8ull << 20)
#define LOW_MEMORY (3ull << 30) /* where both engines' machines have the hole below 4 GiB */

static const char *const recorder_names[] = {"off", "hist", "raw"};

static void plan_output(struct guest_output *o, enum stdio_mode mode)
{
	bool pass = mode == STDIO_PASS;

	sink_init(&o->console, SINK_TAIL, SINK_CONSOLE_LIMIT, -1);
	sink_init(&o->out, SINK_HEAD, pass ? 0 : SINK_STDIO_LIMIT, pass ? STDOUT_FILENO : -1);
	sink_init(&o->err, SINK_HEAD, pass ? 0 : SINK_STDIO_LIMIT, pass ? STDERR_FILENO : -1);
}

static bool check_spec(const struct machine_spec *s, struct outcome *out)
{
	char *why;

	if (s->cpus < 1 || s->cpus > MACHINE_MAX_CPUS) {
		outcome_set(out, CELL_UNSUPPORTED, "%u CPUs: the stub runs on 1 to %u", s->cpus,
			    MACHINE_MAX_CPUS);
		return false;
	}
	if (s->ring_events > MAX_RING_EVENTS) {
		outcome_set(out, CELL_UNSUPPORTED, "a ring of %" PRIu64 " events: at most %llu",
			    s->ring_events, MAX_RING_EVENTS);
		return false;
	}
	why = program_check(s->program);
	if (why) {
		outcome_set(out, CELL_UNSUPPORTED, "%s", why);
		free(why);
		return false;
	}
	return true;
}

static bool add_file(struct boot_job *job, const char *guest, const char *host, struct outcome *out)
{
	int err = initrd_add_host_file(&job->initrd, guest, host);

	if (err == -EEXIST)
		outcome_set(out, CELL_UNSUPPORTED, "%s: the guest has a file %s already", host,
			    guest);
	else if (err)
		outcome_set(out, CELL_UNSUPPORTED, "%s: %s", host, strerror(-err));
	return !err;
}

static bool make_initrd(struct boot_job *job, struct outcome *out)
{
	const struct machine_spec *s = job->spec;

	initrd_add_strings(&job->initrd, "faultline/argv", s->argv);
	initrd_add_strings(&job->initrd, "faultline/envp", s->envp);
	if (!add_file(job, s->argv[0], s->program, out))
		return false;
	for (size_t i = 0; i < s->nr_files; i++)
		if (!add_file(job, s->files[i].guest, s->files[i].host, out))
			return false;
	initrd_finish(&job->initrd);
	return true;
}

/* The archive lies at the top of the memory below 4 GiB, so that much must be free above the
 * window. */
static bool check_memory(struct boot_job *job, struct outcome *out)
{
	uint64_t low = job->spec->memory < LOW_MEMORY ? job->spec->memory : LOW_MEMORY;
	uint64_t need = job->window.addr + job->window.size + job->initrd.len + MEMORY_SLACK;

	if (low >= need && job->spec->memory % 4096 == 0)
		return true;
	if (low >= need)
		outcome_set(out, CELL_UNSUPPORTED, "memory must be a multiple of 4 KiB");
	else
		outcome_set(out, CELL_UNSUPPORTED,
			    "%" PRIu64
			    " MiB of memory are too small: the stub, the program and the "
			    "telemetry window need %" PRIu64 " MiB",
			    job->spec->memory >> 20, (need + (1 << 20) - 1) >> 20);
	return false;
}

/* A machine of one CPU is told nothing of CPUs: its boot then costs what it always did. */
static bool make_cmdline(struct boot_job *job, const char *extra, struct outcome *out)
{
	const struct machine_spec *s = job->spec;
	const struct window_spec *w = &job->window;
	char cpus[24] = "";

	if (s->cpus > 1)
		snprintf(cpus, sizeof(cpus), " cpus=%u", s->cpus);
	job->cmdline = xasprintf("telemetry=%#" PRIx64 "@%#" PRIx64 " recorder=%s ring=%" PRIu64
				 " seed=%" PRIu64 "%s%s%s%s%s%s%s",
				 w->size, w->addr, recorder_names[w->recorder], w->ring_events,
				 s->seed, cpus, *extra ? " " : "", extra,
				 s->kernel_args && *s->kernel_args ? " " : "",
				 s->kernel_args ? s->kernel_args : "", s->append ? " " : "",
				 s->append ? s->append : "");
	if (strlen(job->cmdline) < CMDLINE_MAX)
		return true;
	outcome_set(out, CELL_UNSUPPORTED, "the kernel command line is longer than %u bytes",
		    CMDLINE_MAX);
	return false;
}

bool boot_prepare(struct boot_job *job, const struct machine_spec *spec, const char *extra_args,
		  struct outcome *out)
{
	char *why;

	memset(job, 0, sizeof(*job));
	job->spec = spec;
	plan_output(&job->output, spec->stdio);
	if (!check_spec(spec, out))
		return false;
	why = pvh_image_open(&job->image, spec->stub);
	if (why) {
		outcome_set(out, CELL_UNSUPPORTED, "%s", why);
		free(why);
		return false;
	}
	job->window = window_plan(spec->cpus, spec->recorder, spec->ring_events,
				  job->image.highest_paddr);
	if (make_initrd(job, out) && check_memory(job, out) && make_cmdline(job, extra_args, out))
		return true;
	boot_job_free(job);
	return false;
}

void boot_job_free(struct boot_job *job)
{
	pvh_image_close(&job->image);
	initrd_free(&job->initrd);
	free(job->cmdline);
	free(job->output.console.data);
	free(job->output.out.data);
	free(job->output.err.data);
	memset(job, 0, sizeof(*job));
}

static void write_console_file(const char *path, struct outcome *out)
{
	FILE *f = path ? fopen(path, "w") : NULL;

	if (!f)
		return;
	if (out->console_dropped)
		fprintf(f, "[%" PRIu64 " bytes before this were dropped]\n", out->console_dropped);
	fputs(out->console, f);
	fclose(f);
}

static void symbolise_in_place(char **text, const char *elf)
{
	char *raw = *text;

	*text = raw ? symbolise(raw, elf) : NULL;
	free(raw);
}

static void take_output(struct boot_job *job, struct outcome *out)
{
	struct guest_output *o = &job->output;
	size_t len;

	out->out = sink_take(&o->out, &out->out_len, &out->out_dropped);
	out->err = sink_take(&o->err, &out->err_len, &out->err_dropped);
	out->pass_error = o->out.error ? o->out.error : o->err.error;
	out->console = sink_take(&o->console, &len, &out->console_dropped);
	for (size_t i = 0; i < len; i++)
		if (!out->console[i])
			out->console[i] = '?'; /* the rest of the harness takes it for a string */
	symbolise_in_place(&out->console, job->spec->stub);
	symbolise_in_place(&out->state_dump, job->spec->stub);
	write_console_file(job->spec->console_path, out);
}

/* A program's own word on its work, which its exit status need not repeat. */
static bool judge_report(struct outcome *out, const char *reason)
{
	if (!out->have_report || out->report_status == FL_REPORT_OK)
		return false;
	outcome_set(out,
		    out->report_status == FL_REPORT_UNSUPPORTED ? CELL_UNSUPPORTED : CELL_FAILED,
		    "%s", reason && *reason ? reason : "the workload gave no reason");
	return true;
}

/* The machine ended by itself with a sound window. */
static void conclude_exit(unsigned code, const char *reason, struct outcome *out)
{
	bool panic = out->state == FL_STATE_PANIC;

	if ((code == FL_EXIT_PANIC) != panic)
		outcome_set(out, CELL_CRASHED,
			    "the guest's exit code %#x contradicts the state in its window", code);
	else if (panic)
		outcome_set(out, CELL_OK, "kernel panic: %s", reason ? reason : "");
	else if (judge_report(out, reason))
		return;
	else if (out->state == FL_STATE_KILLED)
		outcome_set(out, CELL_OK, "killed by signal %d (SIG%s)", out->exit_value,
			    sigabbrev_np(out->exit_value) ? sigabbrev_np(out->exit_value) : "?");
	else
		out->status = CELL_OK;
}

static void conclude_window(enum boot_end end, unsigned code, const struct window_spec *spec,
			    const void *mem, struct outcome *out)
{
	const char *why = NULL;
	char *reason = NULL;

	switch (window_read(mem, spec, end == BOOT_EXIT, out, &why, &reason)) {
	case WINDOW_NONE:
		if (end == BOOT_EXIT)
			outcome_set(
				out, CELL_CRASHED, "%s (exit code %#x) without a telemetry window",
				code == FL_EXIT_PANIC ? "the kernel panicked" : "the guest ended",
				code);
		break;
	case WINDOW_NONSENSE:
		outcome_set(out, CELL_CRASHED, "%s", why);
		break;
	case WINDOW_GOOD:
		if (end == BOOT_EXIT)
			conclude_exit(code, reason, out);
		break;
	}
	free(reason);
}

void boot_conclude(struct boot_job *job, enum boot_end end, unsigned code, const char *what,
		   const void *window_mem, struct outcome *out)
{
	take_output(job, out);
	if (end == BOOT_EXIT && code != FL_EXIT_DONE && code != FL_EXIT_PANIC) {
		outcome_set(out, CELL_CRASHED, "the guest ended with the unknown exit code %#x",
			    code);
		return;
	}
	if (window_mem)
		conclude_window(end, code, &job->window, window_mem, out);
	if (end == BOOT_TIMEOUT)
		outcome_set(out, CELL_TIMEOUT, "no end within %g s", job->spec->timeout);
	else if (end == BOOT_CRASHED)
		outcome_set(out, CELL_CRASHED, "%s", what);
}
