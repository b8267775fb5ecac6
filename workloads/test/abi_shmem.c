/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared anonymous memory: who sees whose writes across fork, what unmapping leaves, where it ends,
 * and what /proc/self/maps says of it. /dev/zero, which gives the same.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi.h"

#ifndef MADV_POPULATE_READ /* musl */
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 3
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define REACH (64 * PAGE) /* what maps() shows, from BASE on */
#define RW (PROT_READ | PROT_WRITE)
#define SHARED (MAP_SHARED | MAP_ANONYMOUS)
#define AT(page) (BASE + (page)*PAGE)

static volatile unsigned long *word(unsigned long page)
{
	return (volatile unsigned long *)AT(page);
}

static long map_with(unsigned long page, unsigned long pages, int prot, int flags, int fd,
		     unsigned long offset)
{
	return syscall(SYS_mmap, AT(page), pages * PAGE, prot, flags | MAP_FIXED, fd,
		       offset * PAGE);
}

static void map(unsigned long page, unsigned long pages, int prot)
{
	if (map_with(page, pages, prot, SHARED, -1, 0) == -1)
		abort();
}

static void protect(unsigned long page, unsigned long pages, int prot)
{
	if (mprotect((void *)AT(page), pages * PAGE, prot))
		abort();
}

static void unmap(unsigned long page, unsigned long pages)
{
	if (munmap((void *)AT(page), pages * PAGE))
		abort();
}

static void start_over(void)
{
	munmap((void *)BASE, REACH);
}

static long advise(const char *what, unsigned long page, unsigned long pages, int advice)
{
	return show(what, syscall(SYS_madvise, AT(page), pages * PAGE, advice));
}

static long remap(unsigned long page, unsigned long old, unsigned long new, int flags,
		  unsigned long to)
{
	return syscall(SYS_mremap, AT(page), old * PAGE, new *PAGE, flags, AT(to));
}

/* The mappings from BASE to BASE + REACH, by page number. Inode numbers: the order in which this
 * call meets them. The device of shared memory is the same everywhere; that of /dev is not. */
static void maps(const char *when)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long start, end, offset, inode, inodes[64];
	unsigned n = 0, i;
	char line[512], rights[5], dev[16], name[64];

	printf("maps: %s\n", when);
	while (f && fgets(line, sizeof line, f)) {
		name[0] = 0;
		if (sscanf(line, "%lx-%lx %4s %lx %15s %lu %63[^\n]", &start, &end, rights, &offset,
			   dev, &inode, name) < 6 ||
		    start < BASE || start >= BASE + REACH)
			continue;
		for (i = 0; i < n && inodes[i] != inode; i++)
			;
		n += i == n;
		inodes[i] = inode;
		printf("  %lu..%lu %s %lx %s %c %s\n", (start - BASE) / PAGE, (end - BASE) / PAGE,
		       rights, offset, strstr(name, "deleted") ? dev : "-",
		       inode ? 'a' + (int)i : '-', name);
	}
	if (f)
		fclose(f);
}

static void incore(const char *when, unsigned long page, unsigned long n)
{
	unsigned char vec[64];

	memset(vec, 0x55, sizeof vec);
	show(when, syscall(SYS_mincore, AT(page), n * PAGE, vec));
	for (unsigned long i = 0; i < n; i++)
		putchar(vec[i] == 0x55 ? '?' : vec[i] & 1 ? '1' : '0');
	putchar('\n');
}

/* ---- accesses that may end in a signal ---- */

static sigjmp_buf back;
static volatile sig_atomic_t expected; /* back holds a place to go to */

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	printf("  signal %d, code %d, page %ld\n", sig, info->si_code,
	       ((long)info->si_addr - (long)BASE) / (long)PAGE);
	fflush(stdout);
	if (!expected)
		_exit(99);
	expected = 0;
	siglongjmp(back, 1);
}

static void catch_signals(void)
{
	struct sigaction act = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};

	sigaction(SIGSEGV, &act, NULL);
	sigaction(SIGBUS, &act, NULL);
}

static void try_read(unsigned long page)
{
	if (sigsetjmp(back, 1))
		return;
	expected = 1;
	printf("  page %lu: %lu\n", page, *word(page));
	expected = 0;
}

static void try_write(unsigned long page, unsigned long value)
{
	if (sigsetjmp(back, 1))
		return;
	expected = 1;
	*word(page) = value;
	printf("  page %lu = %lu\n", page, *word(page));
	expected = 0;
}

/* ---- processes in step ---- */

/* Runs fn in a child and waits for its end. */
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
	printf("  %s %d\n", WIFSIGNALED(status) ? "signal" : "exit",
	       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static int to_child[2], to_parent[2];

static void step(int fd)
{
	char c = 0;

	fflush(stdout);
	if (write(fd, &c, 1) != 1)
		abort();
}

static void await(int fd)
{
	char c;

	if (read(fd, &c, 1) != 1)
		abort();
}

/* ---- contents ---- */

/* Back and forth over one page, and over one that only the other has touched yet. */
static void ping_pong(void)
{
	pid_t pid;

	printf("ping pong\n");
	if (pipe(to_child) || pipe(to_parent))
		abort();
	map(0, 4, RW);
	*word(0) = 1;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		for (unsigned i = 0; i < 3; i++) {
			await(to_child[0]);
			printf("  child sees %lu %lu %lu\n", *word(0), *word(1), *word(2));
			*word(0) += 10;
			*word(2) = 100 + i;
			step(to_parent[1]);
		}
		_exit(0);
	}
	for (unsigned i = 0; i < 3; i++) {
		*word(0) += 1;
		*word(1) = 50 + i;
		step(to_child[1]);
		await(to_parent[0]);
		printf("  parent sees %lu %lu %lu\n", *word(0), *word(1), *word(2));
	}
	waitpid(pid, NULL, 0);
	printf("  at the end %lu %lu %lu\n", *word(0), *word(1), *word(2));
	start_over();
}

static void reads_first(void)
{
	printf("  %lu %lu\n", *word(0), *word(1));
	*word(0) = 5;
}

static void writes_first(void)
{
	*word(1) = 6;
}

static void either_order(void)
{
	map(0, 2, RW);
	in_child("a child reads what nobody wrote, and writes", reads_first);
	in_child("a child writes first", writes_first);
	printf("parent: %lu %lu\n", *word(0), *word(1));
	start_over();
}

static unsigned generation;

static void descend(void)
{
	*word(generation) = generation + 1;
	if (++generation < 12)
		in_child("generation", descend);
	*word(20) += 1;
}

static void chain(void)
{
	map(0, 21, RW);
	in_child("a chain of forks", descend);
	for (unsigned i = 0; i < 13; i++)
		printf("%lu ", *word(i));
	printf("and %lu\n", *word(20));
	start_over();
}

static void unmaps(void)
{
	unmap(0, 2);
	try_read(0);
	*word(2) = 3;
}

static void maps_private_over(void)
{
	mmap((void *)AT(0), 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	*word(0) = 77;
}

static void one_side_unmaps(void)
{
	map(0, 3, RW);
	*word(0) = 1;
	*word(1) = 2;
	in_child("the child unmaps", unmaps);
	printf("parent: %lu %lu %lu\n", *word(0), *word(1), *word(2));
	in_child("the child maps private memory over it", maps_private_over);
	printf("parent: %lu %lu %lu\n", *word(0), *word(1), *word(2));
	unmap(0, 3);
	map(0, 3, RW);
	printf("mapped anew: %lu %lu %lu\n", *word(0), *word(1), *word(2));
	start_over();
}

/* What the parent maps after the fork is its own; what it unmaps is the child's still. */
static void parent_unmaps(void)
{
	pid_t pid;

	printf("the parent unmaps\n");
	map(0, 2, RW);
	*word(0) = 8;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		await(to_child[0]);
		printf("  child sees %lu %lu\n", *word(0), *word(1));
		fflush(stdout);
		_exit(0);
	}
	unmap(0, 2);
	map(0, 2, RW);
	*word(0) = 9;
	step(to_child[1]);
	waitpid(pid, NULL, 0);
	printf("  parent has %lu\n", *word(0));
	start_over();
}

/* ---- rights ---- */

static void rights(void)
{
	printf("rights\n");
	map(0, 4, RW);
	try_write(0, 1);
	protect(0, 4, PROT_READ);
	try_read(0);
	try_read(1);
	try_write(0, 2);
	try_write(1, 2);
	protect(0, 4, RW);
	try_write(0, 3);
	try_write(1, 4);
	protect(1, 2, PROT_NONE);
	maps("a part without rights");
	try_read(1);
	try_write(2, 1);
	try_read(3);
	protect(1, 2, RW);
	maps("all alike again");
	try_read(1);
	try_read(2);
	map(8, 2, PROT_READ);
	try_read(8);
	try_write(8, 1);
	protect(8, 2, RW);
	try_write(8, 5);
	map(12, 1, PROT_NONE);
	try_read(12);
	protect(12, 1, PROT_READ);
	try_read(12);
	protect(12, 1, PROT_WRITE);
	try_write(12, 6);
	protect(12, 1, RW | PROT_EXEC);
	try_read(12);
	maps("at the end");
	start_over();
}

/* ---- advice ---- */

static void advice(void)
{
	printf("advice\n");
	map(0, 4, RW);
	*word(0) = 1;
	*word(1) = 2;
	advise("DONTNEED", 0, 2, MADV_DONTNEED);
	incore("after DONTNEED", 0, 4);
	printf("%lu %lu %lu\n", *word(0), *word(1), *word(2));
	advise("WILLNEED", 0, 4, MADV_WILLNEED);
	incore("after WILLNEED", 0, 4);
	advise("WIPEONFORK", 0, 1, MADV_WIPEONFORK);
	advise("KEEPONFORK", 0, 1, MADV_KEEPONFORK);
	advise("DONTFORK", 1, 1, MADV_DONTFORK);
	maps("DONTFORK");
	in_child("without page 1", reads_first);
	advise("DOFORK", 1, 1, MADV_DOFORK);
	maps("DOFORK");
	in_child("with page 1", reads_first);
	advise("SEQUENTIAL", 0, 2, MADV_SEQUENTIAL);
	advise("NORMAL", 0, 2, MADV_NORMAL);
	start_over();
	map(0, 4, RW);
	advise("POPULATE_READ", 0, 2, MADV_POPULATE_READ);
	incore("after POPULATE_READ", 0, 4);
	advise("POPULATE_WRITE", 1, 2, MADV_POPULATE_WRITE);
	incore("after POPULATE_WRITE", 0, 4);
	map(8, 4, PROT_READ);
	advise("POPULATE_WRITE, read-only", 8, 2, MADV_POPULATE_WRITE);
	advise("POPULATE_READ, read-only", 8, 2, MADV_POPULATE_READ);
	incore("after that", 8, 4);
	map_with(16, 4, RW, SHARED | MAP_POPULATE, -1, 0);
	incore("MAP_POPULATE", 16, 4);
	map_with(16, 4, PROT_READ, SHARED | MAP_POPULATE, -1, 0);
	incore("MAP_POPULATE, read-only", 16, 4);
	map_with(16, 4, PROT_NONE, SHARED | MAP_POPULATE, -1, 0);
	incore("MAP_POPULATE, no rights", 16, 4);
	map_with(16, 4, RW, SHARED | MAP_NORESERVE, -1, 0);
	try_write(16, 4);
	start_over();
}

static void touches(void)
{
	*word(2) = 1;
	(void)*word(3);
}

/* It is the object's pages that are in memory, whoever touched them. */
static void in_memory(void)
{
	map(0, 6, RW);
	incore("fresh", 0, 6);
	*word(0) = 1;
	(void)*word(1);
	incore("written, read", 0, 6);
	in_child("a child writes and reads", touches);
	incore("after the child", 0, 6);
	protect(0, 6, PROT_NONE);
	incore("without rights", 0, 6);
	unmap(1, 1);
	incore("across a hole", 0, 6);
	start_over();
}

/* ---- places and ends ---- */

static void merging(void)
{
	map(0, 2, RW);
	map(2, 2, RW);
	maps("two objects side by side");
	protect(0, 4, PROT_READ);
	maps("alike");
	unmap(1, 1);
	maps("a hole");
	map(1, 1, PROT_READ);
	maps("filled by another");
	start_over();
	map(0, 6, RW);
	protect(2, 2, PROT_READ);
	protect(4, 2, PROT_READ);
	maps("split");
	protect(0, 2, PROT_READ);
	maps("whole");
	mmap((void *)AT(6), PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	maps("private beside it");
	start_over();
}

static void growth(void)
{
	printf("mremap: longer\n");
	map(0, 2, RW);
	*word(0) = 1;
	*word(1) = 2;
	show("grow in place", remap(0, 2, 4, 0, 0));
	maps("longer than the object");
	try_read(1);
	try_read(2);
	try_write(3, 1);
	incore("beyond the end", 0, 4);
	advise("POPULATE_READ beyond", 0, 4, MADV_POPULATE_READ);
	advise("POPULATE_WRITE beyond", 2, 2, MADV_POPULATE_WRITE);
	show("read into what is beyond",
	     read(open("/dev/zero", O_RDONLY), (void *)AT(1), 2 * PAGE));
	try_read(1);
	in_child("in a child", reads_first);
	show("shrink", remap(0, 4, 1, 0, 0));
	maps("shorter");
	show("grow again", remap(0, 1, 3, 0, 0));
	try_read(0);
	try_read(1);
	try_read(2);
	start_over();
}

static void moving(void)
{
	printf("mremap: elsewhere\n");
	map(0, 4, RW);
	for (unsigned i = 0; i < 3; i++)
		*word(i) = i + 1;
	show("the middle", remap(1, 2, 2, MREMAP_MAYMOVE | MREMAP_FIXED, 10));
	maps("moved");
	incore("where it was", 0, 1);
	incore("where it is", 10, 2);
	try_read(10);
	try_read(11);
	show("back", remap(10, 2, 2, MREMAP_MAYMOVE | MREMAP_FIXED, 1));
	maps("back");
	try_read(1);
	show("and longer", remap(0, 4, 6, MREMAP_MAYMOVE | MREMAP_FIXED, 20));
	maps("moved and longer");
	try_read(22);
	try_read(23);
	try_read(24);
	show("DONTUNMAP", remap(20, 4, 4, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, 30));
	maps("twice");
	*word(30) = 99;
	try_read(20);
	try_read(30);
	try_write(21, 5);
	try_read(31);
	start_over();
}

static void copies(void)
{
	printf("mremap: old length 0\n");
	map(0, 4, RW);
	*word(1) = 1;
	show("no MAYMOVE", remap(0, 0, 4, 0, 0));
	show("a second one", remap(0, 0, 4, MREMAP_MAYMOVE | MREMAP_FIXED, 10));
	maps("two");
	try_read(11);
	*word(12) = 7;
	try_read(2);
	show("from its middle", remap(2, 0, 4, MREMAP_MAYMOVE | MREMAP_FIXED, 20));
	maps("three");
	try_read(20);
	try_read(22);
	unmap(0, 4);
	try_read(11);
	try_read(20);
	show("what it continues", remap(10, 0, 2, MREMAP_MAYMOVE | MREMAP_FIXED, 18));
	maps("one with it");
	show("over itself", remap(10, 0, 1, MREMAP_MAYMOVE | MREMAP_FIXED, 10));
	maps("over itself");
	mmap((void *)AT(40), PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	show("private", remap(40, 0, 1, MREMAP_MAYMOVE | MREMAP_FIXED, 50));
	show("DONTUNMAP", remap(11, 0, 1, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 50));
	show("length 0", remap(11, 0, 0, MREMAP_MAYMOVE, 50));
	show("nothing there", remap(60, 0, 1, MREMAP_MAYMOVE, 50));
	start_over();
}

/* ---- arguments ---- */

static void arguments(void)
{
	printf("arguments\n");
	show("GROWSDOWN", map_with(0, 1, RW, SHARED | MAP_GROWSDOWN, -1, 0));
	show("VALIDATE", map_with(0, 1, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0));
	show("length 0", map_with(0, 0, RW, SHARED, -1, 0));
	show("an offset", map_with(0, 2, RW, SHARED, -1, 5));
	maps("an offset");
	show("a descriptor", map_with(4, 1, RW, SHARED, 1234, 0));
	show("NOREPLACE", syscall(SYS_mmap, AT(0), PAGE, RW, SHARED | MAP_FIXED_NOREPLACE, -1, 0));
	show("too long", syscall(SYS_mmap, 0, 1ul << 47, RW, SHARED, -1, 0));
	try_write(1, 3);
	start_over();
}

static void writes_both(void)
{
	*word(0) = 10;
	*word(4) = 10;
}

static void dev_zero(void)
{
	int rw = open("/dev/zero", O_RDWR), ro = open("/dev/zero", O_RDONLY);
	int wo = open("/dev/zero", O_WRONLY);

	printf("/dev/zero\n");
	show("private", map_with(0, 3, RW, MAP_PRIVATE, rw, 0));
	show("shared", map_with(4, 3, RW, MAP_SHARED, rw, 0));
	maps("both");
	try_read(0);
	try_write(0, 1);
	try_write(4, 1);
	incore("private", 0, 3);
	incore("shared", 4, 3);
	in_child("a child writes to both", writes_both);
	try_read(0);
	try_read(4);
	advise("DONTNEED", 0, 1, MADV_DONTNEED);
	advise("DONTNEED", 4, 1, MADV_DONTNEED);
	try_read(0);
	try_read(4);
	advise("WIPEONFORK of /dev/zero", 0, 1, MADV_WIPEONFORK);
	show("grow", remap(4, 3, 5, 0, 0));
	try_read(7);
	show("a private one", remap(0, 3, 4, MREMAP_MAYMOVE, 0));
	try_read(3);
	show("with an offset", map_with(0, 3, RW, MAP_PRIVATE, rw, 7));
	show("with an offset", map_with(4, 3, RW, MAP_SHARED, rw, 1));
	maps("offsets");
	try_read(5);
	try_read(6);
	start_over();
	show("private, read-only", map_with(0, 2, RW, MAP_PRIVATE, ro, 0));
	try_write(0, 4);
	show("shared, to write", map_with(4, 2, RW, MAP_SHARED, ro, 0));
	show("shared, read-only", map_with(4, 2, PROT_READ, MAP_SHARED, ro, 0));
	try_read(4);
	try_write(4, 1);
	show("mprotect", mprotect((void *)AT(4), PAGE, RW));
	maps("opened for reading");
	show("opened for writing", map_with(8, 2, PROT_READ, MAP_PRIVATE, wo, 0));
	show("opened for writing", map_with(8, 2, PROT_WRITE, MAP_SHARED, wo, 0));
	show("VALIDATE", map_with(8, 2, RW, MAP_SHARED_VALIDATE, rw, 0));
	show("VALIDATE, SYNC", map_with(8, 2, RW, MAP_SHARED_VALIDATE | 0x80000, rw, 0));
	show("GROWSDOWN", map_with(8, 2, RW, MAP_SHARED | MAP_GROWSDOWN, rw, 0));
	start_over();
	close(rw);
	close(ro);
	close(wo);
}

/* A file that nobody may write to: its pages, shared or not. */
static void a_file(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);

	printf("a file\n");
	show("to write", map_with(0, 2, RW, MAP_SHARED, fd, 0));
	show("to read", map_with(0, 2, PROT_READ, MAP_SHARED, fd, 0));
	printf("magic %.3s\n", (const char *)AT(0) + 1);
	try_write(0, 1);
	show("mprotect", mprotect((void *)AT(0), PAGE, RW));
	show("mprotect", mprotect((void *)AT(0), PAGE, PROT_READ | PROT_EXEC));
	show("beyond its end", map_with(4, 1, PROT_READ, MAP_SHARED, fd, 1ul << 20));
	try_read(4);
	show("a second one", remap(0, 0, 1, MREMAP_MAYMOVE | MREMAP_FIXED, 10));
	printf("magic %.3s\n", (const char *)AT(10) + 1);
	start_over();
	close(fd);
}

int main(void)
{
	catch_signals();
	ping_pong();
	either_order();
	chain();
	one_side_unmaps();
	parent_unmaps();
	rights();
	advice();
	in_memory();
	merging();
	growth();
	moving();
	copies();
	arguments();
	dev_zero();
	a_file();
	return 0;
}
