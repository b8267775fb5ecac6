/* SPDX-License-Identifier: GPL-2.0-or-later */
/* struct task, for the parts of kern/; the rest of the kernel uses kern.h. */
#ifndef KERN_TASK_H
#define KERN_TASK_H

#include "kern.h"

#define TASK_COMM_LEN 16

struct file_table;
struct signals;
struct initramfs_file;

struct task {
	int pid; /* 1: ring 3's; 0: a kernel task */
	char comm[TASK_COMM_LEN];
	struct mm *mm;		    /* NULL: a kernel task, like what follows */
	struct file_table *files;   /* only its task uses it: no lock */
	struct signals *signals;    /* likewise */
	struct initramfs_file *exe; /* /proc/self/exe */
	void *stack;
	uint64_t sp;	     /* of a task that does not run */
	struct task *waiter; /* the task that kthread_run_sync left waiting */
	bool oopsed;
	bool signal_ready; /* a signal is pending and not blocked */
};

/* The task that runs. One CPU so far. */
extern struct task *task_running;

/* comm from a path: what follows the last '/', cut to fit. */
void task_set_comm(struct task *task, const char *path);

#endif
