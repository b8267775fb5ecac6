/* SPDX-License-Identifier: GPL-2.0-or-later */
/* struct task, for the parts of kern/; the rest of the kernel uses kern.h. */
#ifndef KERN_TASK_H
#define KERN_TASK_H

#include "arch.h"
#include "current.h"
#include "kern.h"
#include "list.h"
#include "sched.h"

#define TASK_COMM_LEN 16
#define PID_FIRST 1
#define PID_MAX 4096 /* processes, zombies too, are numbered below it */

struct file_table;
struct signals;
struct initramfs_file;

enum task_state {
	TASK_READY,	   /* runs, or is in the run queue */
	TASK_WAITING,	   /* in a wait queue, or asleep, or both; a signal ends that too */
	TASK_WAITING_DEAF, /* in a wait queue, and signals have to wait as well */
	TASK_ENDED,	   /* a zombie, until its parent asks */
};

struct task {
	struct arch_task arch;
	struct mm *mm;		  /* NULL: a kernel task, like what follows */
	struct file_table *files; /* only its task uses it: no lock */
	struct signals *signals;
	struct initramfs_file *exe; /* /proc/self/exe */
	void *stack;
	int pid; /* 0: a kernel task */
	enum task_state state;
	bool signal_ready; /* a signal is pending and not blocked */
	bool oopsed;
	bool mm_borrowed;		    /* vfork: the address space is the waiting parent's */
	struct task *waiter;		    /* the task that kthread_run_sync left waiting */
	struct list_node link;		    /* in the run queue or a wait queue; else by itself */
	struct list_node timer_link;	    /* among the sleepers; else by itself */
	unsigned cpu;			    /* where it runs, is queued or ran last */
	bool on_cpu;			    /* it runs: nobody else may touch `arch` */
	uint64_t cpus_allowed;		    /* a mask */
	uint64_t deadline;		    /* sleeping: when it ends, in TSC ticks */
	struct task *parent;		    /* NULL: the first task */
	struct list_node children, sibling; /* in the order of their forks */
	struct wait_queue child_ended;
	struct wait_queue vfork_done; /* where the parent waits for execve or the end */
	uint64_t child_tid;	      /* where CLONE_CHILD_SETTID wants the pid, or 0 */
	uint32_t exit_status;	      /* as wait4 gives it */
	char comm[TASK_COMM_LEN];
};

/* comm from a path: what follows the last '/', cut to fit. */
void task_set_comm(struct task *task, const char *path);

/* The process of that number, which may be a zombie; NULL if there is none. */
struct task *task_find(int pid);

/* The next process in the order of their numbers after that one; NULL after the last. */
struct task *task_next(int pid);

/* A process with a number, a kernel stack and a place among its parent's children, otherwise
 * zeroed; *error says -EAGAIN (no number is left) or -ENOMEM if there is none. It is not in the run
 * queue. */
struct task *task_create(struct task *parent, int64_t *error);

/* The reverse. Needs: mm, files and signals given back; no children; not running. */
void task_free(struct task *task);

/* ---- exit.c ---- */

/* The task has no more use for mm, which was its address space: frees it, unless it was borrowed,
 * and lets the parent that waits in vfork go on. Needs: mm not loaded. */
void task_drop_mm(struct task *task, struct mm *mm);

#endif
