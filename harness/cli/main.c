/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faultline COMMAND: finds the command and hands over. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/cmd.h"
#include "run/manifest.h"

enum { EXIT_WRONG_USE = 2 };

static const struct command {
	const char *name, *title; /* title: what its messages begin with */
	int (*run)(int argc, char **argv);
	const char *doc;
} commands[] = {
	{"doctor", "faultline doctor", cmd_doctor,
	 "what this machine can and can't measure, and how to mend it"},
	{"list", "faultline list", cmd_list, "engines, profiles, matrices, classes, counters"},
	{"run", "faultline run", cmd_run, "run profiles and print what they measured"},
	{"matrix", "faultline matrix", cmd_matrix, "run a benchmark matrix"},
	{"exec", "faultline exec", cmd_exec, "boot, and run one static Linux program"},
	{"plot", "faultline plot", cmd_plot, "draw the figures of a run"},
	{"compare", "faultline compare", cmd_compare, "tell what got worse between two runs"},
};
enum { NR_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void print_usage(FILE *to)
{
	fputs("Usage: faultline COMMAND [OPTION...] [ARGUMENT...]\n"
	      "Measures and stresses the virtual-memory fault path.\n\nCommands:\n",
	      to);
	for (size_t i = 0; i < NR_COMMANDS; i++)
		fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].doc);
	fputs("\n`faultline COMMAND --help` tells more, as does the manual page faultline(1).\n"
	      "Exit status: 0 good, 1 a regression or a failed expectation, 2 wrong use or the "
	      "machine\ncan't do it.\n",
	      to);
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int unknown(const char *name)
{
	const char *names[NR_COMMANDS + 1] = {NULL};
	char q[48];

	for (size_t i = 0; i < NR_COMMANDS; i++)
		names[i] = commands[i].name;
	const char *near = text_nearest(name, names);

	fprintf(stderr, "faultline: no %s %s: ", name[0] == '-' ? "option" : "command",
		text_quote(q, name));
	if (near)
		fprintf(stderr, "did you mean `faultline %s`?\n", near);
	else
		fputs("`faultline --help` lists what there is\n", stderr);
	return EXIT_WRONG_USE;
}

/* A caller may have closed 0, 1 or 2. No file of ours must get such a number: what is printed would
 * go into it. /dev/full stands in, so that a write still fails. */
static void open_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/full", O_RDWR) < 0)
			exit(EXIT_WRONG_USE);
}

int main(int argc, char **argv)
{
	open_standard_streams();
	argp_err_exit_status = EXIT_WRONG_USE;
	if (argc < 2) {
		print_usage(stderr);
		return EXIT_WRONG_USE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_usage(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("faultline, commit %s\n", manifest_commit() ? manifest_commit() : "unknown");
		return 0;
	}
	const struct command *c = find(argv[1]);

	if (!c)
		return unknown(argv[1]);
	/* argp takes the name for its messages from argv[0] and does not write to it. */
	argv[1] = (char *)c->title;
	int status = c->run(argc - 1, argv + 1);

	if (fflush(stdout) || ferror(stdout)) {
		perror("faultline: writing to stdout");
		return status ? status : EXIT_WRONG_USE;
	}
	return status;
}
