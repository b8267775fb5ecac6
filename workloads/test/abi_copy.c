/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The C library's copies, whose registers are as wide as it believes the CPU's to be, where each
 * page of the copy faults and other processes run in between: nobody may lose what he had in them.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi.h"

#define CHILDREN 4
#define ROUNDS 25
#define PAGES 8

static unsigned char pattern[PAGES * PAGE];

/* A copy that begins and ends inside a page, and is unaligned. */
static int copies_well(int round)
{
	size_t at = 1 + (size_t)round * 61 % 4000, n = sizeof(pattern) - PAGE;
	unsigned char *p = mmap(NULL, sizeof(pattern), PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int good = p != MAP_FAILED;

	if (good)
		memcpy(p + at, pattern + round, n);
	for (size_t i = 0; good && i < n; i++)
		good = p[at + i] == pattern[round + i];
	munmap(p, sizeof(pattern));
	return good;
}

static int child(int number)
{
	int bad = 0;

	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (unsigned char)(number * 50 + 1 + (int)(i % 40));
	for (int round = 0; round < ROUNDS; round++)
		bad += !copies_well(round);
	return bad;
}

int main(void)
{
	pid_t pid[CHILDREN];
	int status;

	for (int i = 0; i < CHILDREN; i++) {
		pid[i] = fork();
		if (!pid[i])
			_exit(child(i));
	}
	for (int i = 0; i < CHILDREN; i++) {
		if (waitpid(pid[i], &status, 0) == pid[i])
			printf("child %d: status %#x, copies that went wrong: %d\n", i,
			       status & 0x7f, WEXITSTATUS(status));
	}
	return 0;
}
