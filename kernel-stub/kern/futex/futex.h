/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Futexes (futex.c, robust.c). */
#ifndef KERN_FUTEX_H
#define KERN_FUTEX_H

#include <stdbool.h>
#include <stdint.h>

struct task;

/* Once, before the first task. */
void futex_init(void);

/* Wakes one waiter of a word of the running task's memory, as FUTEX_WAKE without
 * FUTEX_PRIVATE_FLAG. */
void futex_wake_one(uint64_t addr);

/* A thread ends, or leaves its address space by execve: its robust futexes say so, and the word
 * that tells it lives is cleared. Needs: its address space still loaded, the thread the running
 * one. */
void futex_thread_exit(struct task *task);

#endif
