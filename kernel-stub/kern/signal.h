/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals between and within processes. signal_fault() is in kern.h. */
#ifndef KERN_SIGNAL_H
#define KERN_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

struct signals;
struct task;
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

/* si_code: who sent it, and why SIGCHLD. */
enum { SI_USER = 0, SI_TKILL = -6, SI_KERNEL = 0x80, CLD_EXITED = 1, CLD_KILLED = 2 };

/* Every action the default, nothing blocked; NULL without memory. */
struct signals *signals_create(void);

/* A forked child's: actions, mask and alternate stack as they are, nothing pending. */
struct signals *signals_copy(const struct signals *from);

/* execve: what had a handler gets the default, and there is no alternate stack. Mask and what is
 * pending stay. */
void signals_exec(struct signals *s);

void signals_free(struct signals *s); /* NULL is fine */

/* Makes a signal pending for a process and wakes it, unless it ignores the signal or has ended.
 * payload: si_pid and, in the upper half, si_uid; status: SIGCHLD's si_status. */
void signal_send(struct task *to, int signo, int code, uint64_t payload, int status);

/* SIGCHLD for `parent`. True if it ignores its children's end: nobody will wait for the child. */
bool signal_child_ended(struct task *parent, int pid, int code, int status);

/* Delivers what is pending and not blocked (task->signal_ready): builds handlers' frames on *regs,
 * or ends the task. in_call: *regs is a system call's with its result, about to return; -ERESTART
 * becomes EINTR or another go of the call. Needs: kern_lock not held; takes it. */
void signal_deliver(struct trap_frame *regs, bool in_call);

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
