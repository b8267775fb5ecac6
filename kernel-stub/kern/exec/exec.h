/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERN_EXEC_H
#define KERN_EXEC_H

struct task;
struct trap_frame;

/* Loads the program that /faultline/argv names into the task's address space, which is empty and
 * loaded, with its stack; *regs is what it starts with. Panics, saying why, if it can't run. */
void exec_first(struct task *task, struct trap_frame *regs);

#endif
