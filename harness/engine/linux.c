/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Engine linux: the workload as a process of the host's kernel, the yardstick. There is no window:
 * what the kernel does inside is its own affair, and only what ring 3 saw comes back, through the
 * descriptor whose number FAULTLINE_REPORT_FD gives.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "engine/linux.h"
#include "engine/outcome.h"
#include "engine/program.h"
#include "engine/report.h"
#include "measure/papi.h"
#include "measure/placement.h"
#include "proc/child.h"

struct native {
	const struct machine_spec *spec;
	struct child child;
	struct guest_output output;
	struct papi_run papi;
	int report_fd;
};

static const char *linux_unavailable(void)
{
	return NULL;
}

static const char *linux_caveat(void)
{
	return "what ring 3 sees of the host's own kernel, other processes' disturbance included";
}

/* The spec's environment and the descriptor's number. The strings but the last are the spec's. */
static const char **make_env(const struct machine_spec *s, int report_fd)
{
	size_t n = 0;
	const char **env;

	while (s->envp && s->envp[n])
		n++;
	env = xcalloc(n + 2, sizeof(*env));
	memcpy(env, s->envp ? s->envp : env, n * sizeof(*env));
	env[n] = xasprintf("FAULTLINE_REPORT_FD=%d", report_fd);
	return env;
}

static void free_env(const char **env)
{
	size_t n = 0;

	while (env[n])
		n++;
	free((void *)env[n - 1]);
	free(env);
}

/* The program runs by its path on the host, with the argv that it would have in the guest. */
static int start(struct native *n)
{
	const struct machine_spec *s = n->spec;
	const char **env;
	int out, err, rc;

	n->report_fd = memfd_create("user-report", MFD_CLOEXEC);
	if (n->report_fd < 0)
		return -errno;
	child_keep(&n->child, n->report_fd);
	out = child_stream(&n->child, &n->output.out);
	err = child_stream(&n->child, &n->output.err);
	if (out < 0 || err < 0)
		return -errno;
	n->child.program = s->program;
	n->child.pin_cpus = s->cpus;
	env = make_env(s, n->report_fd);
	rc = child_start(&n->child, s->argv, env, out, err);
	free_env(env);
	return rc;
}

static void fill_state(struct native *n, struct outcome *out)
{
	int status = n->child.wait_status;

	if (WIFEXITED(status)) {
		out->state = FL_STATE_EXITED;
		out->exit_value = WEXITSTATUS(status);
		out->status = CELL_OK;
	} else {
		out->state = FL_STATE_KILLED;
		out->exit_value = WTERMSIG(status);
		outcome_set(out, CELL_OK, "killed by signal %d (SIG%s)", out->exit_value,
			    sigabbrev_np(out->exit_value) ? sigabbrev_np(out->exit_value) : "?");
	}
}

static void read_report(struct native *n, struct outcome *out)
{
	const char *why = NULL;
	char *reason = NULL;
	struct stat st;
	void *map;

	if (fstat(n->report_fd, &st) < 0 || !st.st_size)
		return;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, n->report_fd, 0);
	if (map == MAP_FAILED)
		why = "the user report cannot be read";
	else if (st.st_size > FL_USER_REPORT_MAX)
		why = "the user report is too long";
	else
		why = report_parse(map, (size_t)st.st_size, out, &reason);
	if (why)
		outcome_set(out, CELL_CRASHED, "%s", why);
	else if (out->report_status != FL_REPORT_OK)
		outcome_set(out,
			    out->report_status == FL_REPORT_FAILED ? CELL_FAILED : CELL_UNSUPPORTED,
			    "%s", *reason ? reason : "the workload gave no reason");
	if (map != MAP_FAILED)
		munmap(map, (size_t)st.st_size);
	free(reason);
}

static void conclude(struct native *n, struct outcome *out)
{
	out->out = sink_take(&n->output.out, &out->out_len, &out->out_dropped);
	out->err = sink_take(&n->output.err, &out->err_len, &out->err_dropped);
	out->pass_error = n->output.out.error ? n->output.out.error : n->output.err.error;
	out->console = xstrdup("");
	papi_report(&n->papi, 1, NULL, &out->papi);
	if (n->child.timed_out) {
		outcome_set(out, CELL_TIMEOUT, "no end within %g s", n->spec->timeout);
		return;
	}
	fill_state(n, out);
	read_report(n, out);
}

static void run_native(const struct machine_spec *spec, struct outcome *out)
{
	bool pass = spec->stdio == STDIO_PASS;
	struct native n = {.spec = spec, .report_fd = -1};
	double begin = now_seconds();
	int err;

	child_init(&n.child);
	sink_init(&n.output.out, SINK_HEAD, pass ? 0 : SINK_STDIO_LIMIT, pass ? STDOUT_FILENO : -1);
	sink_init(&n.output.err, SINK_HEAD, pass ? 0 : SINK_STDIO_LIMIT, pass ? STDERR_FILENO : -1);
	/* the harness's own share, a fork and the reading of two pipes, is in these counts */
	papi_start(&n.papi, true);
	err = start(&n);
	if (!err)
		child_wait(&n.child, begin + spec->timeout, NULL, NULL);
	papi_stop(&n.papi);
	out->wall_seconds = now_seconds() - begin;
	if (err)
		outcome_set(out, CELL_UNSUPPORTED, "%s: %s", spec->program, strerror(-err));
	else
		conclude(&n, out);
	child_close(&n.child);
	if (n.report_fd >= 0)
		close(n.report_fd);
	free(n.output.out.data);
	free(n.output.err.data);
}

static unsigned linux_max_cpus(const char **how)
{
	*how = "the host's own: a program with more threads than CPUs would measure its scheduler";
	return placement_count();
}

static void linux_run(const struct machine_spec *spec, struct outcome *out)
{
	char *why = program_check(spec->program);

	memset(out, 0, sizeof(*out));
	out->unit = "cycles";
	if (!why && spec->cpus > placement_count())
		why = xasprintf("%u CPUs: this host gives %u", spec->cpus, placement_count());
	if (why)
		outcome_set(out, CELL_UNSUPPORTED, "%s", why);
	else
		run_native(spec, out);
	free(why);
}

const struct engine engine_linux = {
	.doc = "the workload natively on the host's kernel: the yardstick, in cycles",
	.id = ENGINE_LINUX,
	.unavailable = linux_unavailable,
	.caveat = linux_caveat,
	.max_cpus = linux_max_cpus,
	.run = linux_run,
};
