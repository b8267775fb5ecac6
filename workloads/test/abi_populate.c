/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MAP_POPULATE, MADV_POPULATE_READ, MADV_POPULATE_WRITE, and mincore, which shows what they did. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi.h"

#ifndef MADV_POPULATE_READ /* musl */
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define AT(page) (BASE + (page)*PAGE)
#define MANY 700ul

static unsigned char vec[2 * MANY];

static long incore(unsigned long addr, unsigned long len)
{
	return syscall(SYS_mincore, addr, len, vec);
}

/* Which of n pages are there. */
static void show_pages(const char *when, unsigned long addr, unsigned long n)
{
	memset(vec, 0x55, sizeof(vec));
	show(when, incore(addr, n * PAGE));
	for (unsigned long i = 0; i < n; i++)
		putchar(vec[i] == 0x55 ? '?' : vec[i] & 1 ? '1' : '0');
	putchar('\n');
}

static void map(unsigned long addr, unsigned long pages, int prot, int flags)
{
	show("mmap", syscall(SYS_mmap, addr, pages * PAGE, prot, ANON | MAP_FIXED | flags, -1, 0));
}

static void advise(const char *what, unsigned long page, unsigned long pages, int advice)
{
	show(what, syscall(SYS_madvise, AT(page), pages * PAGE, advice));
	show_pages(what, AT(0), 16);
}

static void clear(void)
{
	munmap((void *)BASE, MANY * PAGE);
}

static void mincore_errors(void)
{
	map(AT(0), 8, RW, 0);
	show("unaligned", incore(AT(0) + 1, PAGE));
	show("length 0", incore(AT(0), 0));
	show("length 0 of nothing", incore(AT(20), 0));
	show("nothing", incore(AT(20), PAGE));
	show("in the kernel", incore(KERNEL, PAGE));
	show("length wraps", incore(AT(0), -1ul));
	show("bad vector", syscall(SYS_mincore, AT(0), PAGE, NOWHERE));
	show("vector in the kernel", syscall(SYS_mincore, AT(0), PAGE, KERNEL));
	show("part of a page", incore(AT(0), 1));
	*(volatile char *)AT(1) = 1;
	(void)*(volatile char *)AT(3);
	show_pages("written, read", AT(0), 8);
	munmap((void *)AT(5), PAGE);
	show_pages("across a hole", AT(0), 8);
	mprotect((void *)AT(0), 3 * PAGE, PROT_NONE);
	show_pages("two mappings", AT(0), 5);
	clear();
}

static void map_populate(void)
{
	map(AT(0), 4, RW, MAP_POPULATE);
	show_pages("writable", AT(0), 4);
	map(AT(0), 4, PROT_READ, MAP_POPULATE);
	show_pages("read-only", AT(0), 4);
	map(AT(0), 4, PROT_NONE, MAP_POPULATE);
	show_pages("no rights", AT(0), 4);
	map(AT(0), 4, PROT_WRITE, MAP_POPULATE);
	show_pages("write alone", AT(0), 4);
	map(AT(0), 4, RW, MAP_POPULATE | MAP_NONBLOCK);
	show_pages("without blocking", AT(0), 4);
	map(AT(0), MANY, RW, MAP_POPULATE);
	show_pages("many", AT(0), MANY);
	show("length 1", syscall(SYS_mmap, AT(0), 1, RW, ANON | MAP_FIXED | MAP_POPULATE, -1, 0));
	show_pages("length 1", AT(0), 2);
	show("refused", syscall(SYS_mmap, AT(0), 0, RW, ANON | MAP_POPULATE, -1, 0));
	clear();
}

static void set_up(void)
{
	clear();
	map(AT(0), 4, RW, 0);
	map(AT(4), 4, PROT_READ, 0);
	map(AT(10), 2, PROT_NONE, 0);
	map(AT(12), 2, PROT_WRITE, 0);
	map(AT(14), 2, RW, 0);
}

static void advice(int advice)
{
	printf("advice %d\n", advice);
	set_up();
	show("unaligned", syscall(SYS_madvise, AT(0) + 1, PAGE, advice));
	show("length 0", syscall(SYS_madvise, AT(8), 0, advice));
	show("length wraps", syscall(SYS_madvise, AT(0), -1ul, advice));
	show("in the kernel", syscall(SYS_madvise, KERNEL, PAGE, advice));
	advise("some", 1, 2, advice);
	advise("again", 0, 4, advice);
	advise("two mappings", 2, 4, advice);
	advise("up to a hole", 6, 4, advice);
	advise("from a hole", 8, 8, advice);
	advise("no rights", 10, 2, advice);
	advise("write alone", 12, 4, advice);
	advise("the last", 14, 2, advice);
	printf("contents %d\n", *(volatile char *)AT(1));
	clear();
}

/* A page that fork shares is there to be read, and copied for writing. */
static void after_fork(void)
{
	int status = 0;
	pid_t pid;

	map(AT(0), 16, RW, MAP_POPULATE);
	*(volatile int *)AT(0) = 42;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		advise("child", 0, 16, MADV_POPULATE_READ);
		advise("child", 0, 16, MADV_POPULATE_WRITE);
		*(volatile int *)AT(0) += 1;
		printf("child has %d\n", *(volatile int *)AT(0));
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	printf("status %d, parent has %d\n", status, *(volatile int *)AT(0));
	clear();
}

static void of_file(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);

	show("map",
	     syscall(SYS_mmap, AT(0), 2 * PAGE, RW, MAP_PRIVATE | MAP_FIXED | MAP_POPULATE, fd, 0));
	show_pages("of the file", AT(0), 2);
	show("beyond its end", syscall(SYS_mmap, AT(4), 2 * PAGE, RW,
				       MAP_PRIVATE | MAP_FIXED | MAP_POPULATE, fd, 1ul << 30));
	show_pages("beyond its end", AT(4), 2);
	show("advice", syscall(SYS_madvise, AT(4), PAGE, MADV_POPULATE_READ));
	show("advice", syscall(SYS_madvise, AT(4), PAGE, MADV_POPULATE_WRITE));
	printf("magic %.3s\n", (const char *)AT(0) + 1);
	close(fd);
	clear();
}

int main(void)
{
	mincore_errors();
	map_populate();
	advice(MADV_POPULATE_READ);
	advice(MADV_POPULATE_WRITE);
	after_fork();
	of_file();
	return 0;
}
