/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals between processes, and what they do to calls that wait: EINTR, SA_RESTART, the end;
 * sleeping and yielding. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "abi_poke.h"

static const struct timespec tick = {0, 20000000};
static volatile sig_atomic_t count, sender, code;
static int status;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	count++;
	sender = info->si_pid;
	code = info->si_code;
}

static void handle(int signo, int flags)
{
	struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | flags};

	count = 0;
	sigaction(signo, &sa, NULL);
}

static void reap(const char *what, pid_t pid)
{
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	if (WIFEXITED(status))
		printf("%-44s exited %d\n", what, WEXITSTATUS(status));
	else
		printf("%-44s killed by %d\n", what, WTERMSIG(status));
}

/* ---- ends ---- */

/* Signals a child that does nothing but wait, or compute, or has just been made. */
static void kills(void)
{
	static const int signals[] = {SIGTERM, SIGKILL, SIGHUP, SIGUSR1, SIGALRM, 40};
	pid_t pid;

	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		pid = fork();
		if (!pid)
			for (;;)
				pause();
		kill(pid, signals[i]);
		reap("pause", pid);
	}
	pid = fork();
	if (!pid)
		for (volatile unsigned long n = 0;; n++)
			;
	nanosleep(&tick, NULL);
	show("kill", kill(pid, SIGTERM));
	reap("endless loop", pid);
	pid = fork();
	if (!pid) {
		signal(SIGTERM, SIG_IGN);
		kill(getpid(), SIGTERM);
		kill(getpid(), SIGCHLD);
		kill(getpid(), SIGURG);
		_exit(1);
	}
	reap("ignored", pid);
	pid = fork();
	if (!pid) {
		sigset_t all;

		sigfillset(&all);
		sigprocmask(SIG_BLOCK, &all, NULL);
		for (;;)
			pause();
	}
	kill(pid, SIGKILL);
	reap("SIGKILL, everything blocked", pid);
}

static void errors(void)
{
	pid_t pid = fork();
	siginfo_t info;

	if (!pid)
		_exit(0);
	show("signal out of range", kill(pid, 65));
	show("negative signal", kill(pid, -1));
	show("nobody", kill(1 << 21, SIGTERM));
	show("no group", kill(-(1 << 21), SIGTERM));
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	show("a zombie", kill(pid, SIGTERM));
	show("only asked", kill(pid, 0));
	show("tkill of nobody", syscall(SYS_tkill, 1 << 21, 0));
	show("tgkill", syscall(SYS_tgkill, pid, pid, 0));
	show("tgkill of another's thread", syscall(SYS_tgkill, getpid(), pid, 0));
	reap("ended before", pid);
	show("gone", kill(pid, 0));
}

/* ---- handlers ---- */

static void handler(void)
{
	pid_t pid;

	handle(SIGUSR1, 0);
	pid = poke_start(SIGUSR1);
	poke_show(pid, "pause", pause());
	printf("handled: %d, sender %d, code %d\n", count > 0, sender == pid, code);
	handle(SIGUSR1, 0);
	pid = poke_start(SIGUSR1);
	for (volatile unsigned long n = 0; count < 3; n++)
		;
	poke_stop(pid);
	printf("handled while computing: %d\n", count >= 3);
}

/* ---- calls that wait ---- */

static void reads(void)
{
	char byte = 0;
	pid_t pid;
	int fd[2];

	pipe(fd);
	handle(SIGUSR1, 0);
	pid = poke_start(SIGUSR1);
	poke_show(pid, "read, interrupted", read(fd[0], &byte, 1));
	printf("handled: %d\n", count > 0);
	handle(SIGUSR1, SA_RESTART);
	pid = fork();
	if (!pid) {
		for (int i = 0; i < 2; i++) {
			nanosleep(&tick, NULL);
			kill(getppid(), SIGUSR1);
		}
		nanosleep(&tick, NULL);
		write(fd[1], "y", 1);
		_exit(0);
	}
	show("read, restarted", read(fd[0], &byte, 1));
	printf("handled: %s, byte %c\n", count ? "yes" : "no", byte); /* two may become one */
	reap("sender", pid);
	close(fd[0]);
	close(fd[1]);
}

static void writes(void)
{
	static char buf[100000];
	pid_t pid;
	int fd[2];

	pipe(fd);
	handle(SIGUSR1, SA_RESTART);
	pid = poke_start(SIGUSR1);
	poke_show(pid, "write, cut short", write(fd[1], buf, sizeof(buf)));
	handle(SIGUSR1, 0);
	pid = poke_start(SIGUSR1);
	poke_show(pid, "write to a full one", write(fd[1], buf, 1));
	close(fd[0]);
	close(fd[1]);
}

static void waits(void)
{
	pid_t pid, child = fork();

	if (!child)
		for (;;)
			pause();
	handle(SIGUSR1, 0);
	pid = poke_start(SIGUSR1);
	poke_show(pid, "wait, interrupted", waitpid(child, &status, 0));
	handle(SIGUSR1, SA_RESTART);
	pid = fork();
	if (!pid) {
		nanosleep(&tick, NULL);
		kill(getppid(), SIGUSR1);
		nanosleep(&tick, NULL);
		kill(child, SIGTERM);
		_exit(0);
	}
	printf("wait, restarted: %d\n", waitpid(child, &status, 0) == child);
	printf("handled %d, killed by %d\n", count, WTERMSIG(status));
	reap("sender", pid);
}

static long ns(const struct timespec *t)
{
	return t->tv_sec * 1000000000 + t->tv_nsec;
}

static void sleeps(void)
{
	struct timespec long_time = {1000, 0}, left = {0, 0}, bad = {0, 1000000000}, past = {0, 1},
			far = {1l << 40, 0}, a, b;
	pid_t pid;

	handle(SIGUSR1, SA_RESTART);
	pid = poke_start(SIGUSR1);
	poke_show(pid, "nanosleep, interrupted", nanosleep(&long_time, &left));
	printf("some is left: %d\n", ns(&left) > 0 && ns(&left) < ns(&long_time));
	pid = poke_start(SIGUSR1);
	poke_show(pid, "absolute, interrupted",
		  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &far, NULL));
	signal(SIGUSR1, SIG_IGN);
	pid = poke_start(SIGUSR1);
	clock_gettime(CLOCK_MONOTONIC, &a);
	show("nanosleep, signal ignored", nanosleep(&(struct timespec){0, 50000000}, NULL));
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("slept: %d\n", ns(&b) - ns(&a) >= 50000000);
	poke_stop(pid);
	show("bad time", nanosleep(&bad, NULL));
	bad.tv_nsec = -1;
	show("negative time", nanosleep(&bad, NULL));
	show("bad pointer", syscall(SYS_nanosleep, NOWHERE, 0));
	show("not at all", nanosleep(&(struct timespec){0, 0}, NULL));
	show("until the past", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL));
	clock_gettime(CLOCK_MONOTONIC, &a);
	a.tv_nsec += 1000000;
	if (a.tv_nsec >= 1000000000) {
		a.tv_nsec -= 1000000000;
		a.tv_sec++;
	}
	show("until soon", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &a, NULL));
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("it has come: %d\n", ns(&b) >= ns(&a));
	show("no such clock", clock_nanosleep(99, 0, &past, NULL));
	show("sched_yield", sched_yield());
}

/* Three that compute at the same time all get on. */
static void fairness(void)
{
	volatile unsigned long n;
	pid_t pid[3];

	for (int i = 0; i < 3; i++) {
		pid[i] = fork();
		if (!pid[i])
			for (n = 0;; n++)
				if (n == 3000000)
					_exit(i);
	}
	for (int i = 0; i < 3; i++)
		reap("computes", pid[i]);
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	kills();
	errors();
	handler();
	reads();
	writes();
	waits();
	sleeps();
	fairness();
	return 0;
}
