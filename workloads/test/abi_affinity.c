/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which CPUs a process may run on. The output is the same for any number of CPUs.
 *
 *   1. what the calls refuse, and what they return
 *   2. a process is where its mask says from the call's return on
 *   3. a child has its parent's mask; another process's can be set, whether it waits or runs
 *   4. processes that may run anywhere all run, and each CPU that is asked for is used
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi.h"

#define CROWD 8
#define SPINS 2000000

static uint64_t all; /* the mask at the start */

static long set(pid_t pid, uint64_t mask)
{
	return syscall(SYS_sched_setaffinity, pid, sizeof(mask), &mask);
}

static uint64_t get(pid_t pid)
{
	uint64_t mask = 0;

	return syscall(SYS_sched_getaffinity, pid, sizeof(mask), &mask) == sizeof(mask) ? mask : 0;
}

static unsigned cpu_now(void)
{
	unsigned cpu = 999;

	syscall(SYS_getcpu, &cpu, NULL, NULL);
	return cpu;
}

/* ---- 1. ---- */

static void refusals(void)
{
	uint64_t mask[16] = {0};
	unsigned cpu, node;
	long got;

	show("set: nothing in the mask", set(0, 0));
	show("set: no bytes", syscall(SYS_sched_setaffinity, 0, 0, mask));
	show("set: a bad pointer", syscall(SYS_sched_setaffinity, 0, 8, NOWHERE));
	show("set: nobody", set(999999, 1));
	show("get: no bytes", syscall(SYS_sched_getaffinity, 0, 0, mask));
	show("get: 12 bytes", syscall(SYS_sched_getaffinity, 0, 12, mask));
	show("get: a bad pointer", syscall(SYS_sched_getaffinity, 0, 8, NOWHERE));
	show("get: nobody", syscall(SYS_sched_getaffinity, 999999, 8, mask));
	got = syscall(SYS_sched_getaffinity, 0, 128, mask);
	printf("get: whole words, as many as the kernel has: %d\n", got > 0 && got % 8 == 0);
	show("set: all, and beyond", set(0, ~0ull));
	printf("the mask is what there is: %d\n", get(0) == all);
	mask[0] = all;
	mask[15] = ~0ull;
	show("set: a long mask", syscall(SYS_sched_setaffinity, 0, sizeof(mask), mask));
	show("getcpu", syscall(SYS_getcpu, &cpu, &node, NULL));
	printf("allowed: %d\n", (int)(all >> cpu & 1));
	show("getcpu: for nothing", syscall(SYS_getcpu, NULL, NULL, NULL));
	show("getcpu: a bad pointer", syscall(SYS_getcpu, NOWHERE, NULL, NULL));
	show("getcpu: another", syscall(SYS_getcpu, NULL, NOWHERE, NULL));
}

/* ---- 2. ---- */

static void moves(void)
{
	int wrong = 0;

	for (int round = 0; round < 20; round++)
		for (uint64_t left = all; left; left &= left - 1) {
			unsigned cpu = (unsigned)__builtin_ctzll(left);

			wrong += set(0, 1ull << cpu) != 0;
			wrong += cpu_now() != cpu || get(0) != 1ull << cpu;
		}
	set(0, all);
	printf("moves that went wrong: %d\n", wrong);
}

/* ---- 3. ---- */

/* A child that runs until it finds itself on `cpu`. */
static void move_runner(unsigned cpu)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		while (cpu_now() != cpu || get(0) != 1ull << cpu)
			;
		_exit(0);
	}
	set(child, 1ull << cpu);
	waitpid(child, &status, 0);
	printf("a child that runs arrives: %#x\n", (unsigned)status);
}

static void move_sleeper(unsigned cpu)
{
	int fd[2], status;
	char c = 0;
	pid_t child;

	if (pipe(fd))
		exit(1);
	fflush(stdout);
	child = fork();
	if (!child) {
		if (read(fd[0], &c, 1) != 1)
			_exit(2);
		_exit(cpu_now() != cpu);
	}
	show("set: a child that waits", set(child, 1ull << cpu));
	printf("its mask: %d\n", get(child) == 1ull << cpu);
	if (write(fd[1], &c, 1) != 1)
		exit(1);
	waitpid(child, &status, 0);
	printf("a child that waited woke up there: %#x\n", (unsigned)status);
	close(fd[0]);
	close(fd[1]);
}

static void inherits(void)
{
	unsigned cpu = (unsigned)__builtin_ctzll(all);
	int status;

	set(0, 1ull << cpu);
	fflush(stdout);
	if (!fork())
		_exit(get(0) != 1ull << cpu || cpu_now() != cpu);
	wait(&status);
	set(0, all);
	printf("a child inherits: %#x\n", (unsigned)status);
}

/* ---- 4. ---- */

/* Each child spins on a CPU of its own for a while, as many as there are, and says so. */
static void crowd(void)
{
	volatile uint64_t *seen =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status, wrong = 0;
	uint64_t left = all;

	fflush(stdout);
	for (int i = 0; i < CROWD; i++) {
		unsigned cpu = (unsigned)__builtin_ctzll(left);

		left &= left - 1;
		left = left ? left : all;
		if (fork())
			continue;
		set(0, 1ull << cpu);
		for (int n = 0; n < SPINS; n++)
			seen[n % 512]++;
		_exit(cpu_now() != cpu);
	}
	for (int i = 0; i < CROWD; i++)
		wrong += wait(&status) < 0 || status;
	printf("of a crowd that stays where it is, wrong: %d\n", wrong);
}

int main(void)
{
	unsigned last;

	all = get(0);
	refusals();
	moves();
	last = 63 - (unsigned)__builtin_clzll(all);
	move_runner(last);
	move_sleeper(last);
	inherits();
	crowd();
	return 0;
}
