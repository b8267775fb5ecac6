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

/* From trap.S: can the SIGSEGV of a page fault at addr go to its handler by the shortest way, that
 * is, with nothing of the frame but its place decided here? Then ring 3's address for the frame,
 * else 0. *regs is complete but for what C preserves. */
struct signal_direct {
	uint64_t frame;
	struct signals *signals;
};
struct signal_direct signal_direct(const struct trap_frame *regs, uint64_t addr);

/* From signal_user.S: what rt_sigreturn does when arch_signal_return() will not. *regs is then what
 * ring 3 goes on with. */
void signal_return_slow(struct trap_frame *regs);

#endif
