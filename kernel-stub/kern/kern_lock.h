/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one lock of kern/: tasks, processes, the scheduler, signals, files, pipes, futexes.
 *
 *  1. A system call runs under it unless syscall.def says otherwise; so do the timer's interrupt
 *     and the parts of a fault's signal that threads share.
 *  2. It is the CPU's, not the task's: sched_switch() keeps it, and the task switched to goes on
 *     under it. A new task begins under it, and lets it go on its way to ring 3.
 *  3. User memory may be touched under it, and may fault. Nothing in mm/ takes it.
 */
#ifndef KERN_KERN_LOCK_H
#define KERN_KERN_LOCK_H

#include <stdbool.h>

/* Takes it. Needs: this CPU holds no lock, not even this one. */
void kern_lock(void);

/* Needs: this CPU holds it, and no other lock. */
void kern_unlock(void);

/* Whether this CPU holds it. */
bool kern_lock_held(void);

#endif
