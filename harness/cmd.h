/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands that are not about results. argv[0] is the command's own name; returns the exit
 * status. */
#ifndef HARNESS_CMD_H
#define HARNESS_CMD_H

int cmd_exec(int argc, char **argv);
int cmd_doctor(int argc, char **argv);

#endif
