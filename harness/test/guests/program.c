/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A static program that does as it is told, for the tests of the engines and of `faultline exec`.
 */
#include <cpuid.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock_pair.h"
#include "faultline_abi.h"

/* To the harness's descriptor: one phase with two samples, 300 cycles each. */
static int report(enum fl_report_status status)
{
	const char *fd = getenv("FAULTLINE_REPORT_FD");
	struct {
		struct fl_report head;
		struct fl_report_phase phase;
		struct fl_report_pair pair;
	} r = {
		.head = {.magic = FL_REPORT_MAGIC,
			 .version = FL_ABI_VERSION,
			 .status = status,
			 .nr_phases = 1},
		.phase = {.name = "write", .x = 7, .overhead = 20, .sum = 600, .nr_pairs = 1},
		.pair = {.bucket = fl_hist_bucket(300), .count = 2},
	};

	strcpy(r.head.reason, status == FL_REPORT_UNSUPPORTED ? "there is no stubctl here" : "");
	return fd && write(atoi(fd), &r, sizeof(r)) == sizeof(r) ? 0 : 9;
}

static void flood(void)
{
	char line[4096];

	memset(line, 'x', sizeof(line));
	for (int i = 0; i < 512; i++)
		if (write(1, line, sizeof(line)) < 0)
			return;
}

/* How many ticks of the TSC a nanosecond of CLOCK_MONOTONIC has, over that many milliseconds. */
static void print_clock_rate(int ms)
{
	struct clock_pair begin = clock_pair_take(), end;

	do
		end = clock_pair_take();
	while (end.ns - begin.ns < (uint64_t)ms * 1000000);
	printf("%.4f\n", clock_pair_rate(begin, end));
}

static void print_cpus(void)
{
	cpu_set_t set;

	if (!sched_getaffinity(0, sizeof(set), &set))
		printf("%d CPUs\n", CPU_COUNT(&set));
}

/* The leaves of CPUID by which a C library chooses its code, and those that it may look for there.
 * Where physical addresses end (0x80000008 EAX) and what the TSC is are not among them. */
static void print_cpuid(void)
{
	static const unsigned leaves[][2] = {
		{0, 0},		 {1, 0},	  {2, 0},	   {4, 0},	    {4, 1},
		{4, 2},		 {4, 3},	  {7, 0},	   {7, 1},	    {0xb, 0},
		{0xd, 0},	 {0xd, 1},	  {0x14, 0},	   {0x19, 0},	    {0x24, 0},
		{0x80000000, 0}, {0x80000001, 0}, {0x80000005, 0}, {0x80000006, 0}, {0x80000008, 0},
		{0x8000001d, 0}, {0x8000001d, 1}, {0x8000001d, 2}, {0x8000001d, 3},
	};

	for (unsigned i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
		unsigned a, b, c, d;

		__cpuid_count(leaves[i][0], leaves[i][1], a, b, c, d);
		if (leaves[i][0] == 0x80000008)
			a = 0;
		printf("cpuid %08x.%x: %08x %08x %08x %08x\n", leaves[i][0], leaves[i][1], a, b, c,
		       d);
	}
}

static void print_file(const char *name)
{
	FILE *f = fopen(name, "r");
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		fputs(line, stdout);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int value = argc > 2 ? atoi(argv[2]) : 0;

	if (!strcmp(what, "exit"))
		return value;
	if (!strcmp(what, "raise"))
		raise(value);
	if (!strcmp(what, "report"))
		return report((enum fl_report_status)value);
	if (!strcmp(what, "flood"))
		flood();
	if (!strcmp(what, "clock"))
		print_clock_rate(value);
	while (!strcmp(what, "hang"))
		__asm__ volatile("pause");
	if (!strcmp(what, "garbage") && getenv("FAULTLINE_REPORT_FD"))
		dprintf(atoi(getenv("FAULTLINE_REPORT_FD")), "this is no report");
	if (!strcmp(what, "cpuid"))
		print_cpuid();
	if (!strcmp(what, "cpus"))
		print_cpus();
	if (!strcmp(what, "cat") && argc > 2)
		print_file(argv[2]);
	if (!strcmp(what, "getenv") && argc > 2)
		puts(getenv(argv[2]) ? getenv(argv[2]) : "(none)");
	if (!strcmp(what, "print")) {
		printf("out %s\n", argc > 2 ? argv[2] : "");
		fprintf(stderr, "err %s\n", argc > 3 ? argv[3] : "");
	}
	return 0;
}
