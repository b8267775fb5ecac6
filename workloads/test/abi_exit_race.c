/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A signal for a process whose first thread is just ending, while another waits for that signal:
 * either the first one's handler runs, or the other gets it. It must not be lost with the thread
 * that it was meant to wake. The argument: rounds (default 60), each with the signal a little later
 * than the one before. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi.h"

#define LATER 2u	/* turns of a loop from one round to the next */
#define BEFORE_END 200u /* of the first thread */

enum { STARTS, WAITS, READY, GO };
static volatile int *stage; /* shared with the child */

static void on_signal(int signo)
{
	(void)signo;
	_exit(0);
}

static void spin(unsigned n)
{
	for (volatile unsigned i = 0; i < n; i++)
		;
}

static void await(int what)
{
	while (*stage != what)
		sched_yield();
}

static void *waiter(void *arg)
{
	sigset_t set;
	int signo;

	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	*stage = WAITS;
	sigwait(&set, &signo);
	_exit(signo != SIGUSR1);
}

static void child(void)
{
	const struct timespec tick = {0, 100000}; /* until the other does wait */
	pthread_t thread;

	signal(SIGUSR1, on_signal);
	if (pthread_create(&thread, NULL, waiter, NULL))
		_exit(2);
	await(WAITS);
	nanosleep(&tick, NULL);
	*stage = READY;
	await(GO);
	spin(BEFORE_END);
	syscall(SYS_exit, 3);
}

static int one_round(unsigned later)
{
	pid_t pid;
	int status = -1;

	*stage = STARTS;
	pid = fork();
	if (!pid)
		child();
	await(READY);
	*stage = GO;
	spin(later);
	if (kill(pid, SIGUSR1) || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 60;
	int bad = 0;

	stage = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (stage == MAP_FAILED)
		return 2;
	for (unsigned i = 0; i < rounds; i++)
		bad |= one_round(i * LATER);
	show("signals that were lost", bad);
	return bad != 0;
}
