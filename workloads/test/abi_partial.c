/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Buffers that end in the middle of a call: for many distances to the bad page and lengths,
 * what a call says it moved, what it moved, and what it left in a pipe. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi.h"

static char *page; /* nothing is mapped behind it */

/* How many of the n bytes up to the edge are c. */
static int count(char c, int n)
{
	int found = 0;

	for (const char *p = page + PAGE - n; p < page + PAGE; p++)
		found += *p == c;
	return found;
}

static long errno_of(long r)
{
	return r < 0 ? -errno : r;
}

static void read_zero(int zero, int distance, int len)
{
	memset(page, 7, PAGE);
	printf(" zero %ld", errno_of(read(zero, page + PAGE - distance, len)));
	printf("/%d", count(0, distance));
}

static void write_pipe(const int *ends, int distance, int len)
{
	char back[128];

	printf(" out %ld", errno_of(write(ends[1], page + PAGE - distance, len)));
	printf("/%ld", errno_of(read(ends[0], back, sizeof(back))));
}

static void read_pipe(const int *ends, int distance, int len)
{
	char bytes[128];

	memset(page, 7, PAGE);
	memset(bytes, 9, sizeof(bytes));
	if (write(ends[1], bytes, len) != len)
		printf(" the pipe is full");
	printf(" in %ld", errno_of(read(ends[0], page + PAGE - distance, len)));
	printf("/%d", count(9, distance));
	printf("/%ld\n", errno_of(read(ends[0], bytes, sizeof(bytes))));
}

int main(void)
{
	int zero = open("/dev/zero", O_RDONLY), ends[2];

	if (zero < 0 || pipe2(ends, O_NONBLOCK) ||
	    (page = mmap((void *)BASE, PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)) == MAP_FAILED)
		return 1;
	for (int distance = 0; distance < 40; distance += 3)
		for (int len = 1; len < 60; len += 4) {
			printf("%d before the edge, %d long:", distance, len);
			read_zero(zero, distance, len);
			write_pipe(ends, distance, len);
			read_pipe(ends, distance, len);
		}
	return 0;
}
