/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory after fork: who sees whose writes, advice about fork, which VMAs become one. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi.h"

#define REACH (64 * PAGE) /* what maps() shows, from BASE on */
#define RW (PROT_READ | PROT_WRITE)

static volatile unsigned long *word(unsigned page)
{
	return (volatile unsigned long *)(BASE + page * PAGE);
}

static void map(unsigned page, unsigned pages, int prot)
{
	if (mmap((void *)(BASE + page * PAGE), pages * PAGE, prot,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		abort();
}

static void protect(unsigned page, unsigned pages, int prot)
{
	if (mprotect((void *)(BASE + page * PAGE), pages * PAGE, prot))
		abort();
}

static void advise(const char *what, unsigned page, unsigned pages, int advice)
{
	show(what, madvise((void *)(BASE + page * PAGE), pages * PAGE, advice));
}

/* The mappings from BASE to BASE + REACH, by page number. */
static void maps(const char *who)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long start, end;
	char line[512], rights[5];

	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "%lx-%lx %4s", &start, &end, rights) == 3 && start >= BASE &&
		    start < BASE + REACH)
			printf("  %s: %lu..%lu %s\n", who, (start - BASE) / PAGE,
			       (end - BASE) / PAGE, rights);
	if (f)
		fclose(f);
}

/* Runs fn in a child; says how it ended. */
static void in_child(const char *what, void (*fn)(void))
{
	int status;

	printf("%s\n", what);
	fflush(stdout);
	if (fork() == 0) {
		fn();
		fflush(stdout);
		_exit(0);
	}
	wait(&status);
	if (WIFSIGNALED(status))
		printf("  child: signal %d\n", WTERMSIG(status));
	else
		printf("  child: exit %d\n", WEXITSTATUS(status));
}

static void start_over(void)
{
	munmap((void *)BASE, REACH);
}

/* ---- contents ---- */

static void sees_and_writes(void)
{
	printf("  child: %lu %lu %lu\n", *word(0), *word(1), *word(2));
	*word(0) = 10;
	*word(2) = 12;
	printf("  child: %lu %lu %lu\n", *word(0), *word(1), *word(2));
}

static void grandchild(void)
{
	*word(1) = 21;
	in_child("grandchild", sees_and_writes);
	printf("  child: %lu %lu %lu\n", *word(0), *word(1), *word(2));
}

static void contents(void)
{
	map(0, 3, RW);
	*word(0) = 1;
	*word(1) = 2;
	in_child("child", sees_and_writes);
	printf("parent: %lu %lu %lu\n", *word(0), *word(1), *word(2));
	*word(0) = 3;
	in_child("two generations", grandchild);
	printf("parent: %lu %lu %lu\n", *word(0), *word(1), *word(2));
	start_over();
}

/* ---- advice ---- */

static void looks_around(void)
{
	maps("child");
	printf("  child: %lu %lu\n", *word(0), *word(2));
	fflush(stdout); /* the next may be the end */
	printf("  child: %lu\n", *word(1));
}

static void advice(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);

	map(0, 3, RW);
	*word(0) = 1;
	*word(1) = 2;
	*word(2) = 3;
	advise("madvise(1, 1, DONTFORK)", 1, 1, MADV_DONTFORK);
	maps("parent");
	in_child("without page 1", looks_around);
	advise("madvise(0, 3, DOFORK)", 0, 3, MADV_DOFORK);
	maps("parent");
	in_child("with page 1", looks_around);
	advise("madvise(1, 1, WIPEONFORK)", 1, 1, MADV_WIPEONFORK);
	maps("parent");
	in_child("page 1 wiped", looks_around);
	advise("madvise(1, 1, KEEPONFORK)", 1, 1, MADV_KEEPONFORK);
	maps("parent");
	in_child("page 1 kept", looks_around);
	advise("madvise(2, 2, DONTFORK)", 2, 2, MADV_DONTFORK);
	advise("madvise(8, 1, WIPEONFORK)", 8, 1, MADV_WIPEONFORK);
	mmap((void *)(BASE + 8 * PAGE), PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
	advise("madvise(file, WIPEONFORK)", 8, 1, MADV_WIPEONFORK);
	advise("madvise(file, KEEPONFORK)", 8, 1, MADV_KEEPONFORK);
	advise("madvise(file, DONTFORK)", 8, 1, MADV_DONTFORK);
	advise("madvise(file, DOFORK)", 8, 1, MADV_DOFORK);
	close(fd);
	start_over();
}

/* ---- which VMAs become one ---- */

static void maps_beside(void)
{
	map(3, 1, RW);
	maps("beside");
	*word(3) = 4;
	map(4, 1, RW);
	maps("beside that");
	protect(1, 1, PROT_READ);
	maps("split");
	protect(1, 1, RW);
	maps("and back");
}

static void splits_apart(void)
{
	protect(1, 1, RW);
	maps("rights alike");
}

static void fills_the_hole(void)
{
	map(1, 1, RW);
	maps("filled");
	*word(1) = 1;
	map(3, 1, RW);
	maps("above");
}

static void merging(void)
{
	map(0, 3, RW);
	*word(0) = 1;
	in_child("a touched VMA", maps_beside);
	maps_beside();
	start_over();

	map(0, 3, RW);
	in_child("an untouched VMA", maps_beside);
	maps_beside();
	start_over();

	map(0, 3, RW);
	*word(0) = *word(1) = *word(2) = 1;
	protect(1, 1, PROT_READ);
	in_child("split before the fork", splits_apart);
	splits_apart();
	start_over();

	map(0, 3, RW);
	*word(0) = *word(1) = *word(2) = 1;
	munmap((void *)(BASE + PAGE), PAGE);
	in_child("a hole before the fork", fills_the_hole);
	fills_the_hole();
	start_over();
}

int main(void)
{
	contents();
	advice();
	merging();
	return 0;
}
