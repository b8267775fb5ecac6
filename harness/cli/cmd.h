/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands. argv[0] is what messages call the command, e.g. "faultline run"; each returns the
 * exit status: 0 good, 1 a regression or a failed expectation, 2 wrong use or the machine can't do
 * it. */
#ifndef HARNESS_CMD_H
#define HARNESS_CMD_H

int cmd_compare(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_exec(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_matrix(int argc, char **argv);
int cmd_plot(int argc, char **argv);
int cmd_run(int argc, char **argv);

#endif
