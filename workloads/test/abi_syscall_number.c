/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which call a number asks for: EAX says it, whatever the rest of RAX holds. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi.h"

#define HIGH (1ul << 32)
#define NR_BEYOND 1000ul /* there is no such call */

static long call(unsigned long nr, long a, long b, long c)
{
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return r;
}

/* Which results are the same call's. */
static void numbers(void)
{
	static const unsigned long high[] = {
		0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 0x40000000,
	};
	long pid = getpid();

	for (size_t i = 0; i < sizeof(high) / sizeof(high[0]); i++) {
		unsigned long bits = high[i] * HIGH;

		printf("upper half %#lx: getpid %d, lseek %ld, 1000 %ld, -1 %ld, INT_MIN %ld\n",
		       high[i], call(bits | SYS_getpid, 0, 0, 0) == pid,
		       call(bits | SYS_lseek, -1, 0, 0), call(bits | NR_BEYOND, 0, 0, 0),
		       call(bits | 0xffffffff, 0, 0, 0), call(bits | 0x80000000, 0, 0, 0));
	}
}

/* Negative numbers, and those around the ends of tables. Not here: bit 30, which is x32's where a
 * Linux has that. */
static void none(void)
{
	static const uint32_t nr[] = {
		0x80000000u | SYS_getpid,
		0x80000000u,
		0xffffffffu,
		0xfffffffeu,
		0x7fffffffu,
		0x20000000u | SYS_getpid,
		0x00010000u | SYS_getpid,
		511u + 1024,
		512u * 1024,
	};

	for (size_t i = 0; i < sizeof(nr) / sizeof(nr[0]); i++)
		printf("%#x: %ld\n", nr[i], call(nr[i], 0, 0, 0));
}

static int end[2];

static void on_alarm(int signo)
{
	(void)signo;
	write(end[1], "x", 1);
}

/* A call that is made again after a handler is the same one: all of RAX is back. */
static void restarted(void)
{
	struct sigaction sa = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	char byte = 0;
	pid_t parent = getpid(), pid;

	pipe(end);
	sigaction(SIGUSR1, &sa, NULL);
	pid = fork();
	if (!pid) {
		struct timespec ts = {0, 50000000};

		call(7 * HIGH | SYS_nanosleep, (long)&ts, 0, 0);
		kill(parent, SIGUSR1);
		_exit(0);
	}
	printf("read made again: %ld", call(9 * HIGH | SYS_read, end[0], (long)&byte, 1));
	printf(" %c\n", byte);
}

int main(void)
{
	numbers();
	none();
	fflush(stdout);
	restarted();
	return 0;
}
