/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * struct task and struct process, for the parts of kern/; the rest of the kernel uses kern.h.
 *
 * A task is a thread: what runs, is scheduled, waits, takes signals. A process is a group of
 * threads, with what only the group has: parent and children, the signals sent to all of it, its
 * end. Address space, descriptors and signal actions are neither's: each thread refers to those it
 * uses, and clone says which it shares. All of it under kern_lock, but for what only the thread
 * itself touches.
 */
#ifndef KERN_TASK_H
#define KERN_TASK_H

#include "arch/x86_64/arch.h"
#include "arch/x86_64/current.h"
#include "kern/kern.h"
#include "kern/signal/kern_signal.h"
#include "kern/task/kern_sched.h"
#include "kern/task/rlimit.h"
#include "mm/base/list.h"

#define TASK_COMM_LEN 16
#define PID_FIRST 1
#define PID_MAX 4096 /* threads, those that ended too, are numbered below it */

struct file_table;
struct initramfs_file;

enum task_state {
	TASK_READY,	       /* runs, or is in the run queue */
	TASK_WAITING,	       /* in a wait queue, or asleep, or both; a signal ends that too */
	TASK_WAITING_DEAF,     /* in a wait queue, and signals have to wait as well */
	TASK_WAITING_KILLABLE, /* the same, but for what ends the thread */
	TASK_ENDED,	       /* not freed yet: the leader of a process, or still on its stack */
};

struct process {
	int pid;		  /* its first thread's number */
	int group, session;	  /* numbers of processes */
	struct task *leader;	  /* the thread with the process's number, which may have ended */
	struct list_node threads; /* those that live, and the leader */
	unsigned nr_live;
	struct process *parent;		    /* NULL: the first one */
	struct list_node children, sibling; /* in the order of their forks */
	struct wait_queue child_ended;
	struct sigpending pending;   /* signals for whichever thread takes them */
	int exit_signal;	     /* what the parent gets; 0: nothing */
	uint32_t exit_status;	     /* as wait4 gives it */
	bool exiting;		     /* exit_group or a deadly signal: exit_status is said */
	bool ended;		     /* a zombie: no thread lives */
	bool execed;		     /* since it was forked */
	struct task *execing;	     /* the thread that waits for the end of the others */
	struct wait_queue exec_wait; /* where it does */
	struct initramfs_file *exe;  /* /proc/self/exe */
	struct rlimits limits;
};

struct task {
	struct arch_task arch;
	struct mm *mm;		  /* a reference; NULL: a kernel task, like what follows */
	struct file_table *files; /* a reference */
	struct process *process;
	struct list_node thread_link; /* in process->threads */
	struct signals signals;
	void *stack;
	int tid; /* 0: a kernel task */
	enum task_state state;
	bool signal_ready; /* look whether a signal is to be delivered (signal.c) */
	bool oopsed;
	bool exiting;		      /* touches user memory no more */
	uint32_t exit_status;	      /* the last one's is the process's, if nobody said another */
	struct task *waiter;	      /* the task that kthread_run_sync left waiting */
	struct list_node link;	      /* in the run queue or a wait queue; else by itself */
	struct list_node timer_link;  /* among the sleepers; else by itself */
	unsigned cpu;		      /* where it runs, is queued or ran last */
	bool on_cpu;		      /* it runs: nobody else may touch `arch` */
	uint64_t cpus_allowed;	      /* a mask */
	uint64_t deadline;	      /* sleeping: when it ends, in TSC ticks */
	struct wait_queue vfork_done; /* where the parent waits for execve or the end */
	uint64_t child_tid;	      /* where CLONE_CHILD_SETTID wants the number, or 0 */
	uint64_t clear_child_tid;     /* where the end of the thread is seen, a futex, or 0 */
	uint64_t robust_list;	      /* struct robust_list_head of ring 3's, or 0 */
	uint64_t interrupts[FL_INTERRUPTS_KEPT]; /* when it was interrupted in ring 3, in turn */
	uint32_t nr_interrupts;			 /* ever; the next one's place in the row */
	char comm[TASK_COMM_LEN];
};

/* comm from a path: what follows the last '/', cut to fit. */
void task_set_comm(struct task *task, const char *path);

/* When the running task was interrupted in ring 3 for the last time but n; 0: unknown. */
uint64_t task_interrupt(uint64_t n);

/* The thread of that number, which may be a leader that ended; NULL if there is none. */
struct task *task_find(int tid);

/* The process of that number, which may be a zombie; NULL if there is none. */
struct process *process_find(int pid);

/* The next process in the order of their numbers after that one; NULL after the last. */
struct process *process_next(int pid);

/* The address space of a process's threads; NULL: it has ended. */
struct mm *process_mm(const struct process *process);

/* Whether a process group has that number. */
bool process_group_exists(int group);

/* Puts a process into a group and a session. */
void process_set_group(struct process *process, int group, int session);

/* A thread with a number and a kernel stack, otherwise zeroed: of `process`, or of a new one, which
 * is the last child of `parent` and in its group. *error says -EAGAIN (no number is left) or
 * -ENOMEM if there is none. It is not in the run queue. */
struct task *task_create(struct process *process, struct process *parent, int64_t *error);

/* The reverse; for a leader, the process goes too. Needs: mm and files given back, signals freed;
 * of a leader's process: no children, no other thread; not running. */
void task_free(struct task *task);

/* The leader, which has ended, makes way for another thread of its process, the only one that
 * lives: that has its number from now on. */
void task_become_leader(struct task *task);

/* ---- exit.c ---- */

/* Gives a reference back; the last frees the address space. Needs: not loaded on this CPU, if it
 * is. */
void task_put_mm(struct mm *mm);

/* The task has no more use for mm, which was its address space, and lets the parent that waits in
 * vfork go on. Needs: mm not loaded on this CPU. */
void task_drop_mm(struct task *task, struct mm *mm);

/* The process ends with that status: its threads will, the next time they are about to go to ring
 * 3, the running one among them. */
void process_kill(struct process *process, uint32_t status);

/* For execve: ends every other thread of the running one's process, and waits until that is done;
 * the running one is the leader then. -EAGAIN if the process is ending, or another thread does the
 * same. Switches. */
int64_t process_end_others(void);

/* Ends the running thread alone, with that status as wait4 has it. Needs: kern_lock. */
_Noreturn void thread_exit(uint32_t status);

/* ---- wait.c ---- */

/* A process ended: tells the parent. True if that won't ask for it. */
bool process_notify_parent(struct process *process);

#endif
