/* SPDX-License-Identifier: GPL-2.0-or-later */
/* read, write, readv, writev, pipe, /dev/zero, /dev/null: counts and errors, above all with bad
 * pointers and buffers that end in the middle. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "abi.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)

/* Two pages, of which the second can't be written; then nothing. */
static char *const edge = (char *)(BASE + PAGE);

static long raw_read(int fd, unsigned long buf, unsigned long n)
{
	return syscall(SYS_read, fd, buf, n);
}

static long raw_write(int fd, unsigned long buf, unsigned long n)
{
	return syscall(SYS_write, fd, buf, n);
}

static void dev_zero(void)
{
	int fd = open("/dev/zero", O_RDWR);
	struct iovec iov[3] = {{edge - 10, 10}, {(void *)NOWHERE, 10}, {edge - 20, 10}};
	struct stat st;

	memset(edge - PAGE, 7, PAGE);
	show("read good", raw_read(fd, (unsigned long)edge - PAGE, 100));
	printf("bytes %d %d\n", edge[-PAGE + 99], edge[-PAGE + 100]);
	show("read to the edge", raw_read(fd, (unsigned long)edge - 8, 8));
	show("read over the edge", raw_read(fd, (unsigned long)edge - 5, 50));
	show("read two pages over the edge", raw_read(fd, (unsigned long)edge - PAGE, 2 * PAGE));
	show("read nowhere", raw_read(fd, NOWHERE, 10));
	show("read nowhere, 0 bytes", raw_read(fd, NOWHERE, 0));
	show("read null", raw_read(fd, 0, 1));
	show("read kernel", raw_read(fd, KERNEL, 10));
	show("read kernel, 0 bytes", raw_read(fd, KERNEL, 0));
	show("read past the end of user space", raw_read(fd, 0x7fffffffeffful, PAGE));
	show("read negative length", raw_read(fd, (unsigned long)edge - PAGE, -1ul));
	show("readv good then bad", readv(fd, iov, 2));
	show("readv good, bad, good", readv(fd, iov, 3));
	show("readv bad first", readv(fd, iov + 1, 2));
	show("readv nothing", syscall(SYS_readv, fd, iov, 0));
	show("readv too many", syscall(SYS_readv, fd, iov, 1025));
	show("readv bad vector", syscall(SYS_readv, fd, NOWHERE, 1));
	iov[1].iov_len = -1ul;
	show("readv negative piece", readv(fd, iov, 2));
	iov[1].iov_base = (void *)KERNEL;
	iov[1].iov_len = 10;
	show("readv piece in the kernel", readv(fd, iov, 2));
	show("write to zero from nowhere", raw_write(fd, NOWHERE, 12));
	show("lseek zero", lseek(fd, 100, SEEK_SET));
	show("fstat", fstat(fd, &st));
	printf("mode %o rdev %lx\n", st.st_mode, (long)st.st_rdev);
	close(fd);
}

static void dev_null(void)
{
	int fd = open("/dev/null", O_WRONLY);

	show("write to null", raw_write(fd, NOWHERE, 12));
	show("read of a write-only descriptor", raw_read(fd, BASE, 1));
	close(fd);
	fd = open("/dev/null", O_RDONLY);
	show("read of null", raw_read(fd, NOWHERE, 12));
	show("write to a read-only descriptor", raw_write(fd, BASE, 1));
	show("close", close(fd));
	show("close again", close(fd));
	show("read after close", raw_read(fd, BASE, 1));
	show("write to 99", raw_write(99, BASE, 1));
	show("write to -1", raw_write(-1, BASE, 1));
}

static void opens(void)
{
	char path[5000];
	struct stat st;

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = 0;
	show("open nothing", open("/no/such/file", O_RDONLY));
	show("open empty", open("", O_RDONLY));
	show("open too long", open(path, O_RDONLY));
	show("open bad pointer", syscall(SYS_open, NOWHERE, O_RDONLY));
	show("open kernel pointer", syscall(SYS_open, KERNEL, O_RDONLY));
	show("open exclusive", open("/dev/zero", O_CREAT | O_EXCL | O_RDWR, 0600));
	show("open directory", open("/dev/zero", O_DIRECTORY | O_RDONLY));
	show("open / for writing", open("/", O_WRONLY));
	show("openat bad directory", openat(99, "zero", O_RDONLY));
	show("stat nothing", stat("/no/such/file", &st));
	show("stat /dev/zero", stat("/dev/zero", &st));
	printf("mode %o rdev %lx\n", st.st_mode, (long)st.st_rdev);
	show("stat bad buffer", syscall(SYS_newfstatat, AT_FDCWD, "/dev/zero", NOWHERE, 0));
	show("stat bad flags", syscall(SYS_newfstatat, AT_FDCWD, "/dev/zero", &st, 0x80000));
	show("fstatat empty path", fstatat(99, "", &st, AT_EMPTY_PATH));
	show("stat /", stat("/", &st));
	printf("directory %d\n", S_ISDIR(st.st_mode));
}

static void pipe_data(void)
{
	static char big[70000];
	char abc[] = "abc", defg[] = "defg", buf[64] = "";
	struct iovec iov[3] = {{abc, 3}, {defg, 4}, {(void *)NOWHERE, 5}};
	int fd[2];

	show("pipe", pipe(fd));
	show("write", write(fd[1], "hello", 5));
	show("read", read(fd[0], buf, 3));
	show("read the rest", read(fd[0], buf + 3, 60));
	printf("%s\n", buf);
	show("writev", writev(fd[1], iov, 2));
	memset(buf, 0, sizeof(buf));
	show("read", read(fd[0], buf, 60));
	printf("%s\n", buf);
	show("write from nowhere", raw_write(fd[1], NOWHERE, 5));
	show("writev good then bad", writev(fd[1], iov, 3));
	show("write over the edge", raw_write(fd[1], (unsigned long)edge + PAGE - 5, 50));
	show("write 3", write(fd[1], "xyz", 3));
	show("read to nowhere", raw_read(fd[0], NOWHERE, 3));
	show("read 0 bytes", read(fd[0], buf, 0));
	memset(buf, 0, sizeof(buf));
	show("read what is left", read(fd[0], buf, 60));
	printf("%s\n", buf);
	for (unsigned i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 + i / 256);
	show("write 60000", write(fd[1], big, 60000));
	memset(big, 0, 60000);
	show("read 60000", read(fd[0], big, sizeof(big)));
	unsigned bad = 0;
	for (unsigned i = 0; i < 60000; i++)
		bad += big[i] != (char)(i * 7 + i / 256);
	printf("wrong bytes: %u\n", bad);
	show("write to the reading end", write(fd[0], "x", 1));
	show("read of the writing end", read(fd[1], buf, 1));
	show("lseek", lseek(fd[0], 0, SEEK_SET));
	show("ioctl", ioctl(fd[0], 0x5401, buf));
	show("close the writer", close(fd[1]));
	show("read at the end", read(fd[0], buf, 10));
	close(fd[0]);
}

static void pipe_errors(void)
{
	static char page[PAGE];
	int fd[2], n = 0;
	long total = 0;

	show("pipe2 bad flags", pipe2(fd, 1));
	show("pipe bad pointer", syscall(SYS_pipe, NOWHERE));
	show("pipe2 nonblocking", pipe2(fd, O_NONBLOCK));
	show("read of an empty one", read(fd[0], page, 1));
	while (write(fd[1], page, PAGE) == (long)PAGE)
		n++;
	printf("pages until full: %d\n", n);
	show("write to a full one", write(fd[1], page, PAGE));
	show("read one page", read(fd[0], page, PAGE));
	show("write two pages", write(fd[1], page, PAGE));
	for (long r; (r = read(fd[0], page, PAGE)) > 0;)
		total += r;
	printf("read in all %ld\n", total);
	signal(SIGPIPE, SIG_IGN);
	close(fd[0]);
	show("write without a reader", write(fd[1], "x", 1));
	close(fd[1]);
}

int main(void)
{
	mmap((void *)BASE, PAGE, RW, ANON, -1, 0);
	mmap(edge, PAGE, PROT_READ, ANON, -1, 0);
	dev_zero();
	dev_null();
	opens();
	pipe_data();
	pipe_errors();
	return 0;
}
