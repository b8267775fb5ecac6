/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals between and within processes. signal_fault() is in kern.h. */
#ifndef KERN_SIGNAL_H
#define KERN_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "kern/signal/signal_frame.h"
#include "mm/base/list.h"

struct process;
struct task;

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
	SIGRTMIN = 32, /* from here on every signal sent counts */
	NR_SIGNALS = 64,
};

/* si_code: who sent it, and why SIGCHLD. */
enum {
	SI_USER = 0,
	SI_QUEUE = -1,
	SI_TKILL = -6,
	SI_KERNEL = 0x80,
	CLD_EXITED = 1,
	CLD_KILLED = 2,
	CLD_DUMPED = 3,
};

#define SIGNAL_UNBLOCKABLE (1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1))

static inline uint64_t signal_bit(int signo)
{
	return 1ull << (signo - 1);
}

/* What siginfo says of a signal. */
struct signal_origin {
	int32_t code;
	uint64_t payload; /* si_addr; or si_pid and, in the upper half, si_uid */
	uint64_t value;	  /* SIGCHLD: si_status; sigqueue's si_value */
};

/* Signals sent and not taken yet. An entry of the queue may be missing for want of memory. */
struct sigpending {
	uint64_t set;
	struct list_node queue;
};

struct signal_action { /* struct sigaction as rt_sigaction has it */
	uint64_t handler, flags, restorer, mask;
};

#define SIG_DFL 0ull
#define SIG_IGN 1ull

/* What threads share that CLONE_SIGHAND made. segv_*: of the last action of SIGSEGV for which
 * signal_direct() is good. */
struct signal_actions {
	uint64_t segv_handler, segv_restorer, segv_grows;
	bool segv_direct;
	uint32_t users;
	struct signal_action action[NR_SIGNALS];
};

/* A thread's own. Offsets: signal_layout.h. */
struct signals {
	uint64_t blocked; /* written by the thread alone, without a lock too; read by who sends */
	struct sigpending pending;
	struct signal_stack altstack; /* flags: SS_AUTODISARM or 0; size 0: none */
	struct signal_trap trap;
	struct sigpending *shared;	/* its process's */
	struct signal_actions *actions; /* a reference */
	uint64_t suspended;		/* rt_sigsuspend: the mask from before, with... */
	bool restore_mask;		/* ... this */
};

/* ---- actions (signal_action.c) ---- */

/* Every action the default; NULL without memory. */
struct signal_actions *signal_actions_create(void);
struct signal_actions *signal_actions_copy(const struct signal_actions *from);
/* These, if nobody else uses them, or else a copy in their place; NULL without memory. */
struct signal_actions *signal_actions_own(struct signal_actions *actions);
void signal_actions_put(struct signal_actions *actions); /* NULL is fine */
/* What had a handler gets the default. Needs: nobody shares them. */
void signal_actions_clear(struct signal_actions *actions);

/* execve: what had a handler gets the default, and there is no alternate stack. Mask and what is
 * pending stay. Needs: nobody shares the actions. */
void signals_exec(struct signals *s);

/* ---- sending (signal_send.c) ---- */

void sigpending_init(struct sigpending *pending);
/* Forgets the signals of `set`. */
void sigpending_flush(struct sigpending *pending, uint64_t set);

/* Makes a signal pending for one thread, or for whichever of a process takes it first, and wakes
 * whom it may concern, unless it is ignored or the process has ended. 0, or -EAGAIN: no memory, for
 * a real-time signal with a value. */
int64_t signal_send_thread(struct task *to, int signo, const struct signal_origin *from);
int64_t signal_send(struct process *to, int signo, const struct signal_origin *from);

/* Takes one that is pending for the running thread, and in `set`: its number, or 0. */
int signal_take(uint64_t set, struct signal_origin *from);

/* Whether the thread has a signal to deliver. Exact, unlike task->signal_ready. */
bool signal_pending(const struct task *task);
/* Whether it has to end. */
bool signal_deadly(const struct task *task);

/* The running thread blocks signals now that were meant for it among others: those look. */
void signal_retarget(void);

/* A thread ends that may have been the one whom a signal to the process woke: the others look. */
void signal_retarget_all(const struct task *ending);

/* ---- delivery (signal.c) ---- */

/* Whether a signal is without effect by its default. */
bool signal_ignored_by_default(int signo);
/* Whether who dies of it leaves a core file. */
bool signal_dumps_core(int signo);

/* Delivers what is pending and not blocked (task->signal_ready): builds handlers' frames on *regs,
 * or ends the task. in_call: *regs is a system call's with its result, about to return; -ERESTART
 * and -ERESTART_NOHAND become EINTR or another go of the call. Needs: kern_lock not held; takes it.
 */
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
 * ring 3 goes on with. (signal_return.c) */
void signal_return_slow(struct trap_frame *regs);

#endif
