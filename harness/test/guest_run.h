/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For the tests of the engines: one boot with small defaults. */
#ifndef TEST_GUEST_RUN_H
#define TEST_GUEST_RUN_H

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "engine/engines.h"

static inline const char *in_build(const atf_tc_t *tc, const char *name, char *buf, size_t size)
{
	snprintf(buf, size, "%s/%s", atf_tc_get_config_var(tc, "build"), name);
	return buf;
}

/* Seconds in which a guest that ends by itself has done so, however busy the machine is. */
#define PATIENCE 250

/* The engine, or the test is skipped with the engine's own reason. */
static inline const struct engine *need_engine(const char *name)
{
	const char *why;
	const struct engine *e = engine_find(name, &why);

	ATF_REQUIRE(e != NULL);
	why = e->unavailable();
	if (why)
		atf_tc_skip("%s", why);
	return e;
}

/* Boots `stub` on that many CPUs with `program` and two arguments; both are in the build directory.
 */
static inline void guest_run_program(const atf_tc_t *tc, const struct engine *e, unsigned cpus,
				     const char *stub, const char *program, const char *arg1,
				     const char *arg2, double timeout, struct outcome *out)
{
	char stub_path[4096], program_path[4096];
	const char *argv[] = {"/program", arg1, arg1 ? arg2 : NULL, NULL};
	const char *envp[] = {"HOME=/", NULL};
	struct machine_spec spec = {
		.stub = in_build(tc, stub, stub_path, sizeof(stub_path)),
		.program = in_build(tc, program, program_path, sizeof(program_path)),
		.argv = argv,
		.envp = envp,
		.memory = 64ull << 20,
		.cpus = cpus,
		.interleave = 10000,
		.seed = 1,
		.recorder = FL_RECORDER_HIST,
		.kernel_args = "",
		.timeout = timeout,
	};

	e->run(&spec, out);
	printf("%s %s: %s: %s\n", engine_name(e->id), stub, cell_status_name(out->status),
	       out->reason ? out->reason : "");
	if (out->console)
		printf("console: %.2000s\n", out->console);
	if (out->state_dump)
		printf("%s\n", out->state_dump);
}

static inline void guest_run_cpus(const atf_tc_t *tc, const struct engine *e, unsigned cpus,
				  const char *stub, const char *arg1, const char *arg2,
				  double timeout, struct outcome *out)
{
	guest_run_program(tc, e, cpus, stub, "guests/program", arg1, arg2, timeout, out);
}

static inline void guest_run(const atf_tc_t *tc, const struct engine *e, const char *stub,
			     const char *arg1, const char *arg2, double timeout,
			     struct outcome *out)
{
	guest_run_cpus(tc, e, 1, stub, arg1, arg2, timeout, out);
}

/* Boots a guest that never ends, until `told` finds in the outcome what the guest does before it
 * hangs: with more and more time, since on a busy machine a guest may not get there in any given
 * one. */
static inline void guest_run_until(const atf_tc_t *tc, const struct engine *e, unsigned cpus,
				   const char *stub, bool (*told)(const struct outcome *),
				   struct outcome *out)
{
	double timeout = 1;

	guest_run_cpus(tc, e, cpus, stub, NULL, NULL, timeout, out);
	while (out->status == CELL_TIMEOUT && !told(out) && timeout < PATIENCE / 4) {
		timeout *= 2;
		outcome_free(out);
		guest_run_cpus(tc, e, cpus, stub, NULL, NULL, timeout, out);
	}
}

#endif
