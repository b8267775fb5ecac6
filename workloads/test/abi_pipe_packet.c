/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a pipe makes of writes: sixteen pages, what fits behind what, when one is free again; and
 * with O_DIRECT, packets: where reads end, what they lose, flags that change in between. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi.h"

#define LARGEFILE 0100000 /* the C library's, in part */

static char in[80000], out[80000];
static int fd[2];

static void open_pipe(int flags)
{
	if (pipe2(fd, flags))
		printf("pipe2 %#o: error %d\n", flags, errno);
}

static void close_pipe(void)
{
	close(fd[0]);
	close(fd[1]);
}

static long put(size_t n)
{
	long r = write(fd[1], in, n);

	return r < 0 ? -errno : r;
}

/* What a read of n bytes brings: how many, and the first and last of them. */
static void get(size_t n)
{
	long r = read(fd[0], out, n);

	if (r < 0)
		printf(" %zu:error %d", n, errno);
	else if (!r)
		printf(" %zu:0", n);
	else
		printf(" %zu:%ld(%02x..%02x)", n, r, (unsigned char)out[0],
		       (unsigned char)out[r - 1]);
}

/* Bytes that tell where a write began. */
static void mark(int with)
{
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (char)(with + (int)(i / PAGE));
}

/* ---- pages ---- */

/* How many writes of n bytes go in, and how many more after a read of m. */
static void capacity(int flags, size_t n, size_t m)
{
	int first = 0, more = 0;
	long r, last = 0;

	open_pipe(O_NONBLOCK | flags);
	while ((r = put(n)) > 0)
		first++, last = r;
	printf("writes of %zu: %d, the last %ld, then %ld;", n, first, last, r);
	get(m);
	last = 0;
	while ((r = put(n)) > 0)
		more++, last = r;
	printf(", then %d more, the last %ld\n", more, last);
	close_pipe();
}

static void capacities(void)
{
	static const size_t sizes[] = {100,  1365, 2048, 2049,	3000,  4095,
				       4096, 4097, 5000, 12289, 65536, 70000};
	static const size_t reads[] = {1, 4096, 10000};

	capacity(O_DIRECT, 1, 1);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t j = 0; j < sizeof(reads) / sizeof(reads[0]); j++) {
			capacity(0, sizes[i], reads[j]);
			capacity(O_DIRECT, sizes[i], reads[j]);
		}
}

/* What is left over of a write goes first where there is room. */
static void order(void)
{
	open_pipe(O_NONBLOCK);
	mark(0x10);
	put(100);
	mark(0x20);
	put(PAGE + 50);
	get(120);
	get(PAGE);
	get(PAGE);
	printf("\n");
	close_pipe();
}

/* ---- packets ---- */

static void packets(int flags)
{
	open_pipe(flags | O_DIRECT | O_NONBLOCK);
	printf("flags %#o %#o:", fcntl(fd[0], F_GETFL) & ~LARGEFILE,
	       fcntl(fd[1], F_GETFL) & ~LARGEFILE);
	mark(1);
	put(10);
	mark(2);
	put(0);
	put(20);
	mark(3);
	put(30);
	mark(0x40);
	put(10000);
	get(0);
	get(100);
	get(5);
	get(5);
	for (int i = 0; i < 5; i++)
		get(9000);
	printf("\n");
	close_pipe();
}

static void vectors(void)
{
	struct iovec parts[] = {{in, 3}, {in + 8, 4}, {in + PAGE, 5}},
		     places[] = {{out, 2}, {out + 10, 100}};

	mark(1);
	open_pipe(O_DIRECT | O_NONBLOCK);
	printf("writev %zd, readv %zd", writev(fd[1], parts, 3), readv(fd[0], places, 2));
	printf(" (%02x %02x);", out[0], out[14]);
	get(1);
	printf("\n");
	close_pipe();
}

/* Streams and packets in one pipe. */
static void toggled(void)
{
	int on = O_NONBLOCK | O_DIRECT, off = O_NONBLOCK;

	open_pipe(O_NONBLOCK);
	mark(1);
	put(10);
	show("F_SETFL O_DIRECT", fcntl(fd[1], F_SETFL, on));
	mark(2);
	put(10); /* joins the stream */
	put(PAGE);
	mark(3);
	put(20);
	fcntl(fd[1], F_SETFL, off);
	mark(4);
	put(30); /* not behind a packet */
	put(30);
	mark(5);
	fcntl(fd[1], F_SETFL, on);
	put(40); /* joins the stream again */
	mark(6);
	put(PAGE);
	get(15);
	get(100);
	get(5);
	get(100);
	get(70);
	get(200);
	get(200);
	printf("\n");
	show("F_SETFL O_DIRECT, the reading end", fcntl(fd[0], F_SETFL, on));
	show("F_GETFL", fcntl(fd[0], F_GETFL) & ~LARGEFILE);
	close_pipe();
}

static void refused(void)
{
	int null = open("/dev/zero", O_RDONLY);

	show("/dev/zero, F_SETFL O_DIRECT", fcntl(null, F_SETFL, O_DIRECT));
	show("its flags", fcntl(null, F_GETFL) & ~LARGEFILE);
	show("pipe2 with O_APPEND", pipe2(fd, O_APPEND));
	show("pipe2 with O_RDWR", pipe2(fd, O_RDWR));
	close(null);
}

/* ---- bad addresses, nobody there ---- */

static void bad_places(void)
{
	char *page = mmap((void *)BASE, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	munmap(page + PAGE, PAGE);
	open_pipe(O_DIRECT | O_NONBLOCK);
	mark(1);
	put(50);
	show("a packet to a bad place", read(fd[0], page + PAGE - 10, 50));
	get(20);
	get(50);
	printf("\n");
	show("a packet from a bad place", write(fd[1], page + PAGE - 10, 50));
	show("more than a page from one", write(fd[1], page, PAGE + 50));
	get(PAGE);
	get(PAGE);
	put(50);
	close(fd[1]);
	get(5);
	get(5);
	printf("\n");
	close(fd[0]);
	signal(SIGPIPE, SIG_IGN);
	open_pipe(O_DIRECT);
	put(7);
	close(fd[0]);
	show("nobody reads", write(fd[1], in, 5));
	close(fd[1]);
}

/* ---- waiting ---- */

/* A writer of many packets, a reader that takes a part of each. */
static void between_processes(void)
{
	unsigned bad = 0;
	int status;
	pid_t pid;

	open_pipe(O_DIRECT);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		close(fd[0]);
		for (int i = 0; i < 200; i++) {
			memset(in, i, 300);
			bad += put(100 + (size_t)i) != 100 + i;
		}
		_exit(bad != 0);
	}
	close(fd[1]);
	for (int i = 0; i < 200; i++)
		bad += read(fd[0], out, 150) != (i < 50 ? 100 + i : 150) || out[0] != (char)i;
	waitpid(pid, &status, 0);
	printf("200 packets: %u wrong, writer %d, then", bad, status);
	get(10);
	printf("\n");
	close(fd[0]);
}

int main(void)
{
	capacities();
	order();
	packets(0);
	packets(O_CLOEXEC);
	vectors();
	toggled();
	refused();
	bad_places();
	between_processes();
	return 0;
}
