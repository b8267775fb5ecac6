/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faultline doctor: what this machine can and cannot measure, and how to mend it. */
#include <argp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/places.h"
#include "cli/cmd.h"
#include "engine/engines.h"
#include "engine/guest/pvh.h"
#include "measure/papi.h"
#include "measure/placement.h"

#define EXIT_CANNOT 2

static const struct argp parser = {
	.doc = "Says what this machine can and cannot measure, and how to mend it.\v"
	       "The exit status is 0 if the stub can be measured here (kvm or tcg), else 2.",
};

/* One finding. `mend` may be NULL. */
static void say(const char *what, bool good, const char *finding, const char *mend)
{
	printf("%-4s %-24s %s\n", good ? "ok" : "--", what, finding);
	if (mend)
		printf("%-29s mend: %s\n", "", mend);
}

/* The first line of a file, or NULL. Static. */
static const char *first_line(const char *path)
{
	static char line[256];
	FILE *f = fopen(path, "r");
	bool good = f && fgets(line, sizeof(line), f);

	if (f)
		fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return good ? line : NULL;
}

static const char *engine_finding(const struct engine *e)
{
	if (e->id == ENGINE_KVM)
		return engine_kvm_kind();
	if (e->id == ENGINE_TCG)
		return engine_qemu_version();
	return "the host's own kernel";
}

/* How many CPUs a cell may ask it for. */
static void say_cpus(const struct engine *e)
{
	const char *how;
	unsigned n = e->max_cpus(&how);

	printf("%-29s CPUs: %s%u, %s\n", "", n > 1 ? "1 to " : "", n, how);
}

/* True if an engine that boots the stub works. */
static bool check_engines(void)
{
	bool any = false;
	const char *why;

	printf("Engines\n");
	for (unsigned i = 0; i < NR_ENGINES; i++) {
		const struct engine *e = engines[i];
		const char *fault = e->unavailable(), *caveat;

		say(engine_name(e->id), !fault, fault ? fault : engine_finding(e), NULL);
		caveat = fault ? NULL : e->caveat();
		if (caveat)
			printf("%-29s note: %s\n", "", caveat);
		if (!fault)
			say_cpus(e);
		any = any || (!fault && e->id != ENGINE_LINUX);
	}
	if (any) {
		const struct engine *chosen = engine_find(ENGINE_AUTO, &why);

		printf("     auto takes %s: %s\n", engine_name(chosen->id), why);
	}
	return any;
}

static bool check_stub(void)
{
	struct pvh_image image;
	char *why = pvh_image_open(&image, places_stub());

	say("stub", !why, why ? why : places_stub(),
	    why ? "make stub, or set FAULTLINE_STUB" : NULL);
	if (!why)
		pvh_image_close(&image);
	free(why);
	return !why;
}

static void check_counters(void)
{
	const struct papi_event *e = papi_events();
	const char *paranoid = first_line("/proc/sys/kernel/perf_event_paranoid");
	bool open = paranoid && (atoi(paranoid) <= 1 || !geteuid());
	bool no_pmu = access("/sys/bus/event_source/devices/cpu", F_OK);

	printf("\nCounters (PAPI), each tried by starting it\n");
	for (unsigned i = 0; i < PAPI_NR_EVENTS; i++)
		say(e[i].name, e[i].works, e[i].works ? "counts" : e[i].reason,
		    !i && !e[i].works && no_pmu
			    ? "run on bare metal, or give this virtual machine a PMU"
			    : NULL);
	say("perf_event_paranoid", open, paranoid ? paranoid : "this kernel has no perf events",
	    open || !paranoid ? NULL : "sudo sysctl kernel.perf_event_paranoid=1");
}

/* Whether /proc/cpuinfo's first flags line has the word. */
static bool cpu_flag(const char *flag)
{
	char *line = NULL, *save = NULL;
	size_t size = 0;
	bool found = false;
	FILE *f = fopen("/proc/cpuinfo", "r");

	while (f && getline(&line, &size, f) > 0)
		if (!strncmp(line, "flags", 5))
			break;
	for (char *word = line ? strtok_r(line, " \t\n", &save) : NULL; word && !found;
	     word = strtok_r(NULL, " \t\n", &save))
		found = !strcmp(word, flag);
	free(line);
	if (f)
		fclose(f);
	return found;
}

static void check_clock(void)
{
	bool good = cpu_flag("constant_tsc") && cpu_flag("nonstop_tsc");
	const char *governor = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	bool steady = !governor || !strcmp(governor, "performance");

	say("TSC", good, good ? "constant and never stops" : "its rate changes with the CPU's",
	    good ? NULL : "none: read cycles of engines kvm and linux with care");
	say("frequency governor", steady,
	    governor ? governor : "none to be seen (a virtual machine?)",
	    steady ? NULL : "sudo cpupower frequency-set -g performance");
}

static void check_machine(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	const char *numa = placement_bind_memory(NULL, 0);
	double load = 0;
	char text[64];

	printf("\nMachine\n");
	say("topology (hwloc)", placement_cpu(0) >= 0, placement_describe(), NULL);
	say("memory placement", !numa, numa ? numa : "libnuma binds guest memory to its CPU's node",
	    NULL);
	check_clock();
	if (getloadavg(&load, 1) != 1)
		return;
	snprintf(text, sizeof(text), "%.2f on %ld CPUs", load, cpus);
	say("load", load < (double)cpus / 2, text,
	    load < (double)cpus / 2 ? NULL
				    : "times need an idle machine; counts on tcg do not care");
}

static bool in_path(const char *program)
{
	char *path = strdup(getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin"), *save = NULL;
	char file[4096];
	bool found = false;

	for (char *dir = path ? strtok_r(path, ":", &save) : NULL; dir && !found;
	     dir = strtok_r(NULL, ":", &save)) {
		snprintf(file, sizeof(file), "%s/%s", dir, program);
		found = !access(file, X_OK);
	}
	free(path);
	return found;
}

static void check_tools(void)
{
	bool gnuplot = in_path("gnuplot");

	printf("\nTools\n");
	say("gnuplot", gnuplot, gnuplot ? "faultline plot works" : "faultline plot does not work",
	    gnuplot ? NULL : "sudo apt install gnuplot-nox");
}

int cmd_doctor(int argc, char **argv)
{
	bool engine, stub;

	argp_err_exit_status = EXIT_CANNOT;
	argp_parse(&parser, argc, argv, 0, NULL, NULL);
	engine = check_engines();
	stub = check_stub();
	check_counters();
	check_machine();
	check_tools();
	if (engine && stub)
		return 0;
	printf("\nNothing can be measured here%s.\n",
	       engine ? ": there is no stub" : ": neither kvm nor tcg works");
	return EXIT_CANNOT;
}
