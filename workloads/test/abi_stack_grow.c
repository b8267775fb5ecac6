/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stacks that grow: MAP_GROWSDOWN, its guard gap, and the stack that execve makes.
 *
 *   abi_stack_grow         everything; the last case runs itself again
 *   abi_stack_grow again   with a stack of known contents
 */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/wait.h>

#include "abi_area.h"

#ifndef MADV_POPULATE_READ /* musl */
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define AT(page) (BASE + (page)*PAGE)
#define GAP 256
#define PAGES 2048ul
#define TOP 0x7ffffffff000ul

static void map(unsigned long page, unsigned long pages, int prot, int flags)
{
	if (mmap((void *)AT(page), pages * PAGE, prot, ANON | MAP_FIXED | flags, -1, 0) ==
	    MAP_FAILED)
		printf("mmap: %s\n", strerror(errno));
}

static void show_all(void)
{
	area_show(BASE, AT(PAGES));
}

static void clear(void)
{
	munmap((void *)BASE, PAGES * PAGE);
}

static void grows(void)
{
	map(1000, 2, RW, MAP_GROWSDOWN);
	show_all();
	area_touch("read just below", AT(1000) - 1, -1);
	area_touch("written just below", AT(999) - 1, 7);
	area_touch("written far below", AT(700) + 5, 8);
	show_all();
	area_touch("between", AT(900), -1);
	area_touch("the first", AT(998) + PAGE - 1, -1);
	area_touch("above", AT(1002), 1);
	show("mincore below", syscall(SYS_mincore, AT(600), PAGE, (char[1]){0}));
	show("populate below", madvise((void *)AT(600), PAGE, MADV_POPULATE_READ));
	show("populate below", madvise((void *)AT(600), PAGE, MADV_POPULATE_WRITE));
	show("DONTNEED below", madvise((void *)AT(600), PAGE, MADV_DONTNEED));
	show("mprotect below", mprotect((void *)AT(600), PAGE, RW));
	show_all();
	clear();
	area_touch("nothing any more", AT(999), 1);
}

/* What it may do decides only once it has grown. */
static void rights(void)
{
	static const int prots[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_EXEC, PROT_WRITE};

	for (unsigned i = 0; i < sizeof(prots) / sizeof(prots[0]); i++) {
		printf("prot %d\n", prots[i]);
		map(1000, 1, prots[i], MAP_GROWSDOWN);
		area_touch("read below", AT(998), -1);
		show_all();
		area_touch("written below", AT(996), 1);
		show_all();
		clear();
	}
}

/* Downwards page by page until it is refused. */
static void grow_down_to(const char *what, unsigned long from, unsigned long to)
{
	static volatile unsigned long at;

	at = from;
	if (!sigsetjmp(area_back, 0))
		while (at > to) {
			at--;
			*(volatile char *)AT(at) = 1;
		}
	printf("%s: stopped at %lu\n", what, at);
}

static void guard_gap(void)
{
	static const struct {
		const char *what;
		int prot, flags;
	} below[] = {
		{"writable", RW, 0},
		{"readable", PROT_READ, 0},
		{"executable", PROT_EXEC | PROT_READ, 0},
		{"no rights", PROT_NONE, 0},
		{"grows down", RW, MAP_GROWSDOWN},
		{"no rights, grows down", PROT_NONE, MAP_GROWSDOWN},
	};

	for (unsigned i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		map(400, 2, below[i].prot, below[i].flags);
		map(1000, 1, RW, MAP_GROWSDOWN);
		grow_down_to(below[i].what, 1000, 395);
		show_all();
		clear();
		map(400, 2, below[i].prot, below[i].flags);
		map(1000, 1, RW, MAP_GROWSDOWN);
		area_touch("a page too far", AT(402 + GAP - 1), 1);
		area_touch("as far as may be", AT(402 + GAP), 1);
		show_all();
		mprotect((void *)AT(401), PAGE, PROT_NONE);
		area_touch("a page too far, behind a guard page", AT(402 + GAP - 1), 1);
		area_touch("up to it", AT(402), 1);
		show_all();
		clear();
	}
	map(300, 1, RW, 0);
	map(400, 2, PROT_NONE, 0);
	map(500, 1, RW, MAP_GROWSDOWN);
	area_touch("only the next below counts", AT(403), 1);
	show_all();
	clear();
}

/* Placed by hand, everything may be near; by the kernel, nothing. */
static void neighbours(void)
{
	map(1000, 1, RW, MAP_GROWSDOWN);
	show("hint in the gap is not taken",
	     mmap((void *)AT(900), PAGE, RW, ANON, -1, 0) == (void *)AT(900));
	show("hint below the gap", syscall(SYS_mmap, AT(1000 - GAP - 1), PAGE, RW, ANON, -1, 0));
	show("NOREPLACE in the gap",
	     syscall(SYS_mmap, AT(990), PAGE, PROT_READ, ANON | MAP_FIXED_NOREPLACE, -1, 0));
	area_touch("written just below", AT(999), 1);
	show_all();
	map(999, 1, PROT_NONE, 0);
	area_touch("what was mapped over it", AT(999), 1);
	show_all();
	clear();
	map(1000, 4, RW, MAP_GROWSDOWN);
	map(996, 4, RW, MAP_GROWSDOWN);
	show_all();
	mprotect((void *)AT(998), 2 * PAGE, PROT_READ);
	show_all();
	area_touch("below a split one", AT(995), 1);
	show("PROT_GROWSDOWN from the middle",
	     mprotect((void *)AT(1003), PAGE, PROT_READ | PROT_GROWSDOWN));
	show_all();
	show("PROT_GROWSDOWN", mprotect((void *)AT(994), 2 * PAGE, RW | PROT_GROWSDOWN));
	show_all();
	munmap((void *)AT(995), PAGE);
	area_touch("below what is left", AT(995), 1);
	area_touch("far below", AT(600), 1);
	show_all();
	clear();
}

static void by_the_kernel(void)
{
	int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY), fds[2];

	map(1000, 1, RW, MAP_GROWSDOWN);
	show("read to below", read(zero, (void *)(AT(998) + 8), 100));
	show_all();
	show("read across", read(zero, (void *)AT(990), 3 * PAGE));
	show("pipe", pipe(fds));
	show("write from below", write(fds[1], (void *)AT(980), 10));
	show_all();
	map(600, 1, RW, 0);
	show("read to the gap", read(zero, (void *)AT(700), 100));
	show_all();
	show("bad pointer", read(zero, (void *)AT(100), 100));
	show_all();
	clear();
	close(zero);
	close(null);
	close(fds[0]);
	close(fds[1]);
}

static void moved_and_forked(void)
{
	int status = 0;
	pid_t pid;

	map(1000, 4, RW, MAP_GROWSDOWN);
	area_touch("written", AT(1000), 3);
	show("mremap", syscall(SYS_mremap, AT(1000), 4 * PAGE, 4 * PAGE,
			       MREMAP_MAYMOVE | MREMAP_FIXED, AT(1200)));
	area_touch("below the new place", AT(1190), 4);
	show_all();
	fflush(stdout);
	pid = fork();
	if (!pid) {
		area_touch("the child's", AT(1150), 5);
		area_touch("the child's copy", AT(1200), -1);
		show_all();
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	printf("status %d\n", status);
	show_all();
	clear();
}

/* Addresses that no VMA can have. */
static void lowest(void)
{
	show("as low as may be",
	     syscall(SYS_mmap, 0x12000, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0));
	area_touch("down to the lowest address", 0x10000, 1);
	area_touch("below it", 0xf000, 1);
	area_show(0, 0x20000);
	munmap((void *)0x10000, 3 * PAGE);
}

static void show_stack(char *line)
{
	if (strstr(line, "[stack]"))
		printf("%s\n", line);
}

/* The stack of a program of which all strings are known: 8 MiB are the limit. */
static void again(void)
{
	area_each_line("/proc/self/maps", show_stack);
	area_touch("200 KiB below the top", TOP - 50 * PAGE, 1);
	area_each_line("/proc/self/maps", show_stack);
	area_touch("8 MiB and a byte", TOP - (8ul << 20) - 1, 1);
	area_each_line("/proc/self/maps", show_stack);
	area_touch("8 MiB", TOP - (8ul << 20), 1);
	area_each_line("/proc/self/maps", show_stack);
}

int main(int argc, char **argv)
{
	static char name[] = "abi_stack_grow", word[] = "again";
	char *const args[] = {name, word, NULL}, *const env[] = {NULL};

	setvbuf(stdout, NULL, _IOLBF, 1024);
	area_catch_faults();
	if (argc > 1 && !strcmp(argv[1], word)) {
		again();
		return 0;
	}
	grows();
	rights();
	guard_gap();
	neighbours();
	by_the_kernel();
	moved_and_forked();
	lowest();
	fflush(stdout);
	execve("/proc/self/exe", args, env);
	return 1;
}
