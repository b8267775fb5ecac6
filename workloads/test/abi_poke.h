/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For abi_* programs in which a signal from elsewhere interrupts a call. One signal might come
 * before the call does, and then none would ever interrupt it; so it comes again until the call is
 * over. */
#ifndef ABI_POKE_H
#define ABI_POKE_H

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "abi.h"

static volatile int *poke_over; /* shared with the child */

/* A child that sends signo every 10 ms, the first time after as long. */
static inline pid_t poke_start(int signo)
{
	const struct timespec tick = {0, 10000000};
	pid_t pid;

	if (!poke_over)
		poke_over =
			mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*poke_over = 0;
	pid = fork();
	if (pid)
		return pid;
	do {
		nanosleep(&tick, NULL);
		kill(getppid(), signo);
	} while (!*poke_over);
	_exit(0);
}

/* No signal comes any more when this returns. Leaves errno alone. */
static inline void poke_stop(pid_t pid)
{
	int error = errno;

	*poke_over = 1;
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
	errno = error;
}

/* show(), for a call that returned because of the child's signals. */
static inline void poke_show(pid_t pid, const char *what, long r)
{
	poke_stop(pid);
	show(what, r);
}

#endif
