/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mremap: results, errors, the maps that it leaves and the contents that it takes along, with pages
 * that fork shared, pages of a file, and pages that were only read; then random sequences of it
 * with other calls.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define MOVE MREMAP_MAYMOVE
#define TO (MREMAP_MAYMOVE | MREMAP_FIXED)
#define KEEP (TO | MREMAP_DONTUNMAP)
#define AT(page) (BASE + (page)*PAGE)
#define AREA_PAGES 64ul
#define LARGE 1536ul /* pages: three tables' worth */

static void show_maps(const char *when)
{
	static char line[512];
	unsigned long start;
	FILE *f = fopen("/proc/self/maps", "r");

	printf("maps %s:\n", when);
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-", &start) == 1 && start >= BASE &&
		    start < BASE + (1ul << 32))
			printf("  %.33s\n", line); /* no device, inode or name */
	if (f)
		fclose(f);
}

static long remap(unsigned long addr, unsigned long old, unsigned long new, int flags,
		  unsigned long to)
{
	return syscall(SYS_mremap, addr, old, new, flags, to);
}

static void map(unsigned long addr, unsigned long pages, int prot)
{
	if (mmap((void *)addr, pages * PAGE, prot, ANON | MAP_FIXED, -1, 0) == MAP_FAILED)
		perror("mmap");
}

static volatile unsigned long *word(unsigned long addr)
{
	return (volatile unsigned long *)addr;
}

static void fill(unsigned long addr, unsigned long pages, unsigned long seed)
{
	for (unsigned long i = 0; i < pages; i++)
		*word(addr + i * PAGE) = seed + i;
}

/* The pages' first words, as one number. */
static unsigned long sum(unsigned long addr, unsigned long pages)
{
	unsigned long s = 0;

	for (unsigned long i = 0; i < pages; i++)
		s = s * 31 + *word(addr + i * PAGE);
	return s;
}

static void clear(void)
{
	munmap((void *)BASE, 16 * LARGE * PAGE);
}

static void errors(void)
{
	map(AT(4), 4, RW);
	show("unknown flag", remap(AT(4), PAGE, PAGE, 8, 0));
	show("unaligned", remap(AT(4) + 1, PAGE, PAGE, 0, 0));
	show("new length 0", remap(AT(4), PAGE, 0, 0, 0));
	show("old length 0", remap(AT(4), 0, PAGE, MOVE, 0));
	show("new length too long", remap(AT(4), PAGE, 1ul << 47, MOVE, 0));
	show("FIXED without MAYMOVE", remap(AT(4), PAGE, PAGE, MREMAP_FIXED, AT(20)));
	show("DONTUNMAP without MAYMOVE", remap(AT(4), PAGE, PAGE, MREMAP_DONTUNMAP, AT(20)));
	show("DONTUNMAP that grows", remap(AT(4), PAGE, 2 * PAGE, KEEP, AT(20)));
	show("overlap", remap(AT(4), 2 * PAGE, 2 * PAGE, TO, AT(5)));
	show("new address unaligned", remap(AT(4), PAGE, PAGE, TO, AT(20) + 1));
	show("new address in the kernel", remap(AT(4), PAGE, PAGE, TO, KERNEL));
	show("nothing there", remap(AT(0), PAGE, 2 * PAGE, MOVE, 0));
	show("nothing there, same length", remap(AT(0), PAGE, PAGE, 0, 0));
	show("beyond the mapping", remap(AT(6), 3 * PAGE, 4 * PAGE, MOVE, 0));
	show("no room, may not move", remap(AT(4), PAGE, 2 * PAGE, 0, 0));
	show_maps("after errors");
	clear();
}

static void in_place(void)
{
	map(AT(4), 4, RW);
	fill(AT(4), 4, 100);
	show("grows", remap(AT(4), 4 * PAGE, 8 * PAGE, 0, 0));
	printf("contents %#lx, new %#lx\n", sum(AT(4), 4), sum(AT(8), 4));
	show("grows from within", remap(AT(10), 2 * PAGE, 4 * PAGE, 0, 0));
	show("shrinks", remap(AT(4), 10 * PAGE, 2 * PAGE, 0, 0));
	map(AT(8), 1, RW);
	show("grows up to a neighbour", remap(AT(4), 2 * PAGE, 4 * PAGE, 0, 0));
	show_maps("after growth");
	show("a middle part shrinks", remap(AT(5), 2 * PAGE, PAGE, 0, 0));
	show_maps("after shrinking");
	clear();
}

static void moves(void)
{
	map(AT(4), 4, RW);
	fill(AT(4), 3, 200);
	(void)*word(AT(7));
	show("moves", remap(AT(4), 4 * PAGE, 4 * PAGE, TO, AT(20)));
	printf("contents %#lx\n", sum(AT(20), 4));
	fill(AT(20), 4, 300);
	show("moves and grows", remap(AT(20), 4 * PAGE, 6 * PAGE, TO, AT(30)));
	printf("contents %#lx\n", sum(AT(30), 6));
	show("a part moves", remap(AT(31), 2 * PAGE, 2 * PAGE, TO, AT(40)));
	show("and shrinks", remap(AT(40), 2 * PAGE, PAGE, TO, AT(44)));
	show("stays behind empty", remap(AT(33), 2 * PAGE, 2 * PAGE, KEEP, AT(50)));
	printf("contents %#lx, left %#lx\n", sum(AT(50), 2), sum(AT(33), 2));
	show_maps("after moves");
	show("back where it was", remap(AT(44), PAGE, PAGE, TO, AT(31)));
	show_maps("after the way back");
	clear();
}

/* Between tables, with an odd distance. */
static void large(void)
{
	unsigned long to = BASE + 4 * LARGE * PAGE + 5 * PAGE;

	map(BASE, LARGE, RW);
	fill(BASE, LARGE, 400);
	show("many pages", remap(BASE, LARGE * PAGE, LARGE * PAGE, TO, to) - (long)to);
	printf("contents %#lx\n", sum(to, LARGE));
	mprotect((void *)to, 700 * PAGE, PROT_READ);
	show("two mappings", remap(to, LARGE * PAGE, LARGE * PAGE, TO, BASE + PAGE));
	printf("contents %#lx\n", sum(BASE + PAGE, LARGE));
	show_maps("after both");
	clear();
}

/* Wherever it goes. */
static void anywhere(void)
{
	unsigned long addr;

	map(AT(4), 4, RW);
	map(AT(8), 1, PROT_READ);
	fill(AT(4), 4, 500);
	addr = (unsigned long)remap(AT(4), 4 * PAGE, 600 * PAGE, MOVE, 0);
	printf("elsewhere: %d, contents %#lx\n", addr != AT(4) && addr != -1ul, sum(addr, 600));
	munmap((void *)addr, 600 * PAGE);
	map(AT(20), 2, RW);
	fill(AT(20), 2, 600);
	show("hint", remap(AT(20), 2 * PAGE, 2 * PAGE, MOVE | MREMAP_DONTUNMAP, AT(30)));
	printf("contents %#lx, left %#lx\n", sum(AT(30), 2), sum(AT(20), 2));
	show_maps("after both");
	clear();
}

/* The child moves what it shares; then the parent does. */
static void shared_by_fork(void)
{
	int status = 0;
	pid_t pid;

	map(AT(4), 8, RW);
	fill(AT(4), 6, 700);
	mprotect((void *)AT(8), 2 * PAGE, PROT_READ);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		show("child moves", remap(AT(4), 8 * PAGE, 8 * PAGE, TO, AT(30)));
		printf("child has %#lx\n", sum(AT(30), 8));
		fill(AT(30), 4, 800);
		printf("child has %#lx\n", sum(AT(30), 8));
		show_maps("of the child");
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	printf("status %d, parent has %#lx\n", status, sum(AT(4), 8));
	pid = fork();
	if (!pid) {
		pause();
		_exit(0);
	}
	show("parent moves", remap(AT(4), 8 * PAGE, 8 * PAGE, TO, AT(40)));
	fill(AT(40), 2, 900);
	printf("parent has %#lx\n", sum(AT(40), 8));
	show_maps("of the parent");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	clear();
}

static void of_file(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);

	if (mmap((void *)AT(4), 4 * PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED)
		perror("mmap");
	printf("magic %.3s\n", (const char *)AT(4) + 1);
	*word(AT(5)) = 1;
	show("file moves", remap(AT(4), 4 * PAGE, 4 * PAGE, TO, AT(20)));
	printf("magic %.3s, written %#lx\n", (const char *)AT(20) + 1, *word(AT(21)));
	show("a page of it", remap(AT(21), PAGE, PAGE, TO, AT(30)));
	show("back", remap(AT(30), PAGE, PAGE, TO, AT(21)));
	show_maps("of the file");
	close(fd);
	clear();
}

/* ---- random ---- */

static unsigned long rng = 1;

static unsigned long draw(unsigned long below)
{
	rng = rng * 6364136223846793005ul + 1442695040888963407ul;
	return (rng >> 33) % below;
}

static void random_call(void)
{
	static const int flags[] = {0, TO, TO, KEEP};
	unsigned long at = AT(draw(AREA_PAGES - 16)), len = 1 + draw(8);
	int f = flags[draw(4)];

	switch (draw(4)) {
	case 0:
		map(at, len, draw(4) ? RW : PROT_READ);
		printf("map %#lx %lu\n", at, len);
		break;
	case 1:
		printf("protect %#lx %lu %d\n", at, len,
		       mprotect((void *)at, len * PAGE, draw(2) ? RW : PROT_READ));
		break;
	default:
		show("random", remap(at, len * PAGE,
				     (f & MREMAP_DONTUNMAP || draw(2) ? len : 1 + draw(8)) * PAGE,
				     f, AT(draw(AREA_PAGES - 16))));
	}
}

/* A write by the kernel, which tells whether the page may be written without a signal. */
static void random_access(int zero)
{
	unsigned long at = AT(draw(AREA_PAGES)), value = 0;

	if (read(zero, (void *)(at + 8), 8) == 8)
		*word(at) = draw(1000000);
	at = AT(draw(AREA_PAGES));
	if (mprotect((void *)at, PAGE, RW) == 0)
		value = *word(at);
	printf("value %#lx\n", value);
}

static void random_sequence(void)
{
	int zero = open("/dev/zero", O_RDONLY);

	for (int i = 0; i < 1200; i++) {
		random_call();
		random_access(zero);
		if (i % 50 == 49)
			show_maps("at random");
	}
	close(zero);
	clear();
}

int main(void)
{
	errors();
	in_place();
	moves();
	large();
	anywhere();
	shared_by_fork();
	of_file();
	random_sequence();
	return 0;
}
