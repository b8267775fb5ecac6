/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who leaves a core file: the bit in the status, si_code of SIGCHLD and of waitid, for every signal
 * whose default ends the process and for limits around the least that lets a core be written. Linux
 * writes them into the current directory. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi.h"

static volatile int chld_code, chld_status;

static void on_chld(int signo, siginfo_t *si, void *context)
{
	(void)signo;
	(void)context;
	chld_code = si->si_code;
	chld_status = si->si_status;
}

static void by_signal(int signo)
{
	raise(signo);
}

static void by_kill(int signo)
{
	kill(getpid(), signo);
	for (;;)
		pause();
}

static void by_fault(int unused)
{
	(void)unused;
	*(volatile int *)NOWHERE = 1;
}

static void by_ud2(int unused)
{
	(void)unused;
	__asm__ volatile("ud2");
}

/* The fault's signal is blocked: it ends the process all the same. */
static void by_blocked_fault(int signo)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signo);
	sigprocmask(SIG_BLOCK, &set, NULL);
	by_fault(0);
}

static void *in_thread(void *unused)
{
	by_fault(0);
	return unused;
}

static void by_thread(int unused)
{
	pthread_t thread;

	(void)unused;
	pthread_create(&thread, NULL, in_thread, NULL);
	for (;;)
		pause();
}

static void by_exit(int code)
{
	_exit(code);
}

/* Forks a child that does it, and shows its end. */
static void end_of(const char *what, rlim_t limit, void (*body)(int), int arg)
{
	struct rlimit core = {limit, RLIM_INFINITY};
	siginfo_t info;
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (setrlimit(RLIMIT_CORE, &core))
			_exit(99);
		body(arg);
		_exit(0);
	}
	memset(&info, 0, sizeof(info));
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT))
		;
	while (waitpid(pid, &status, 0) != pid)
		;
	printf("%s %d, limit %#lx: status %#x core %d; waitid %d %d", what, arg,
	       (unsigned long)limit, status, !!WCOREDUMP(status), info.si_code, info.si_status);
	if (body != by_thread) /* Linux: chance decides which thread's status it tells */
		printf("; SIGCHLD %d %d", chld_code, chld_status);
	printf("\n");
}

int main(void)
{
	static const rlim_t limits[] = {0, 1, 4095, 4096, RLIM_INFINITY};
	struct sigaction sa = {.sa_sigaction = on_chld, .sa_flags = SA_SIGINFO | SA_RESTART};

	sigaction(SIGCHLD, &sa, NULL);
	for (int signo = 1; signo <= 64; signo++) {
		int stops = signo >= SIGSTOP && signo <= SIGTTOU, libcs = signo >= 32 && signo < 36;

		if (!stops && !libcs)
			end_of("raise", RLIM_INFINITY, by_signal, signo);
	}
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		end_of("raise", limits[i], by_signal, SIGABRT);
	end_of("kill", RLIM_INFINITY, by_kill, SIGQUIT);
	end_of("fault", RLIM_INFINITY, by_fault, 0);
	end_of("fault", 0, by_fault, 0);
	end_of("ud2", RLIM_INFINITY, by_ud2, 0);
	end_of("fault, blocked", RLIM_INFINITY, by_blocked_fault, SIGSEGV);
	end_of("fault in a thread", RLIM_INFINITY, by_thread, 0);
	end_of("exit", RLIM_INFINITY, by_exit, 0x86);
	return 0;
}
