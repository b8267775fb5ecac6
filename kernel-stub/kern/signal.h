/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals of the current task. signal_fault() is in kern.h. */
#ifndef KERN_SIGNAL_H
#define KERN_SIGNAL_H

#include <stdint.h>

struct signals;
struct trap_frame;

enum {
	SIGABRT = 6,
	SIGKILL = 9,
	SIGSEGV = 11,
	SIGPIPE = 13,
	SIGCHLD = 17,
	SIGCONT = 18,
	SIGSTOP = 19,
	SIGTTOU = 22,
	SIGURG = 23,
	SIGWINCH = 28,
	NR_SIGNALS = 64,
};

/* Every action the default, nothing blocked; NULL without memory. */
struct signals *signals_create(void);

/* Makes a signal pending, as kill() to oneself does. */
void signal_send(int signo);

/* Delivers what is pending and not blocked (task->signal_ready): builds handlers' frames on *regs,
 * or ends the task. *regs holds the result of the system call that is about to return. */
void signal_deliver(struct trap_frame *regs);

#endif
