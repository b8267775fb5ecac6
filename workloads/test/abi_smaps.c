/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/self/smaps of mappings of known contents, and how the sums in smaps_rollup, statm and
 * status change with them: what a program has at its start, and how much of its file is in memory,
 * is each system's own affair. Left out are lines and flags that depend on how a Linux is
 * configured.
 */
#define _GNU_SOURCE
#include <link.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "abi_area.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define AT(page) (BASE + (page)*PAGE)
#define PAGES 1024ul

static int shown; /* the region that the line belongs to is ours */

static void show_flags(char *flags)
{
	printf("VmFlags:");
	for (char *flag; (flag = strsep(&flags, " "));)
		if (*flag && strcmp(flag, "sd"))
			printf(" %s", flag);
	printf("\n");
}

static void show_line(char *line)
{
	char *rest;
	unsigned long start = strtoul(line, &rest, 16);

	if (*rest == '-') {
		shown = start >= BASE && start < AT(PAGES);
		if (shown)
			printf("%#lx%.27s\n", start, rest);
		return;
	}
	if (!shown || !strncmp(line, "KSM:", 4) || !strncmp(line, "ProtectionKey:", 14))
		return;
	if (!strncmp(line, "VmFlags: ", 9))
		show_flags(line + 9);
	else
		printf("%s\n", line);
}

static void show_smaps(const char *when)
{
	printf("-- %s\n", when);
	area_each_line("/proc/self/smaps", show_line);
}

static void map(unsigned long page, unsigned long pages, int prot, int flags)
{
	if (mmap((void *)AT(page), pages * PAGE, prot, ANON | MAP_FIXED | flags, -1, 0) ==
	    MAP_FAILED)
		printf("mmap: %s\n", strerror(errno));
}

static void write_pages(unsigned long page, unsigned long pages)
{
	for (unsigned long i = page; i < page + pages; i++)
		*(volatile char *)AT(i) = 1;
}

static void read_pages(unsigned long page, unsigned long pages)
{
	for (unsigned long i = page; i < page + pages; i++)
		(void)*(volatile char *)AT(i);
}

static void clear(void)
{
	munmap((void *)BASE, PAGES * PAGE);
}

static void contents(void)
{
	map(0, 16, RW, 0);
	show_smaps("not touched");
	read_pages(0, 4);
	show_smaps("four read");
	write_pages(2, 6);
	show_smaps("six written");
	mprotect((void *)AT(4), 8 * PAGE, PROT_READ);
	show_smaps("read-only");
	madvise((void *)AT(0), 6 * PAGE, MADV_DONTNEED);
	mprotect((void *)AT(0), 16 * PAGE, PROT_NONE);
	show_smaps("fewer, without rights");
	clear();
}

static void flags(void)
{
	map(0, 1, RW, MAP_NORESERVE);
	map(2, 1, RW, MAP_GROWSDOWN);
	map(4, 1, PROT_READ | PROT_EXEC, 0);
	map(6, 1, RW, 0);
	madvise((void *)AT(6), PAGE, MADV_SEQUENTIAL);
	map(8, 1, RW, 0);
	madvise((void *)AT(8), PAGE, MADV_RANDOM);
	map(10, 1, RW, 0);
	madvise((void *)AT(10), PAGE, 10); /* MADV_DONTFORK */
	madvise((void *)AT(10), PAGE, 16); /* MADV_DONTDUMP */
	map(12, 1, RW, 0);
	madvise((void *)AT(12), PAGE, 18); /* MADV_WIPEONFORK */
	map(14, 4, RW, MAP_LOCKED);
	map(20, 4, RW, 0);
	syscall(SYS_mlock2, AT(20), 4 * PAGE, 1);
	write_pages(21, 1);
	show_smaps("flags");
	clear();
}

static void forked(void)
{
	int status = 0, ready[2], done[2];
	char byte = 0;
	pid_t pid;

	map(0, 8, RW, 0);
	write_pages(0, 8);
	if (pipe(ready) || pipe(done))
		return;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		write_pages(6, 2);
		if (write(ready[1], &byte, 1) != 1 || read(done[0], &byte, 1) != 1)
			_exit(1);
		_exit(0);
	}
	if (read(ready[0], &byte, 1) != 1)
		return;
	show_smaps("a child has six of eight, too");
	write_pages(5, 2);
	show_smaps("two written");
	if (write(done[1], &byte, 1) != 1)
		return;
	waitpid(pid, &status, 0);
	show_smaps("the child has gone");
	printf("status %d\n", status);
	clear();
}

/* ---- sums ---- */

static unsigned long statm[7], before[7], vm[4], vm_before[4];
static const char *const vm_names[4] = {"VmSize:", "VmLck:", "VmData:", "VmStk:"};

static void read_statm(char *line)
{
	for (int i = 0; i < 7; i++)
		statm[i] = strtoul(line, &line, 10);
}

static void read_status(char *line)
{
	for (int i = 0; i < 4; i++)
		if (!strncmp(line, vm_names[i], strlen(vm_names[i])))
			vm[i] = strtoul(line + strlen(vm_names[i]), NULL, 10);
}

static void read_sums(void)
{
	memcpy(before, statm, sizeof(before));
	memcpy(vm_before, vm, sizeof(vm));
	area_each_line("/proc/self/statm", read_statm);
	area_each_line("/proc/self/status", read_status);
}

static void show_sums(const char *what)
{
	read_sums();
	printf("%s: size %+ld resident %+ld data %+ld", what, (long)(statm[0] - before[0]),
	       (long)(statm[1] - before[1]), (long)(statm[5] - before[5]));
	for (int i = 0; i < 4; i++)
		printf(" %s %+ld", vm_names[i], (long)(vm[i] - vm_before[i]));
	printf(" text %lu lib %lu dirty %lu\n", statm[3], statm[4], statm[6]);
}

static void rollup_line(char *line)
{
	char *colon = strchr(line, ':');

	if (!strncmp(line, "KSM:", 4))
		return;
	if (strstr(line, "[rollup]"))
		printf("%s\n", strchr(line, ' '));
	else if (colon)
		printf("%.*s %zu\n", (int)(colon - line), line, strlen(line));
}

static void sums(void)
{
	area_each_line("/proc/self/smaps_rollup", rollup_line);
	read_sums();
	read_sums();
	map(0, 600, RW, 0);
	show_sums("mapped");
	write_pages(0, 600);
	show_sums("written");
	mprotect((void *)AT(100), 100 * PAGE, PROT_READ);
	show_sums("no data any more");
	map(1000, 10, RW, MAP_GROWSDOWN);
	show_sums("a stack");
	write_pages(990, 1);
	show_sums("grown");
	mlock((void *)AT(0), 50 * PAGE);
	show_sums("locked");
	munmap((void *)AT(40), 20 * PAGE);
	show_sums("unmapped");
	clear();
	show_sums("cleared");
}

/* ---- nothing but what is meant moves ---- */

/* Where malloc would put stdout's buffer, and so when it comes to another page, depends on what
 * libc took before, and that on the CPU. */
static void use_own_buffer(void)
{
	static char buffer[1 << 16];

	memset(buffer, 1, sizeof(buffer));
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
}

/* The program's pages are there, whichever of them libc comes to when: Linux maps them sixteen at a
 * time. */
static void read_own_pages(void)
{
	const ElfW(Phdr) *p = (const void *)getauxval(AT_PHDR);

	for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++)
		for (unsigned long at = 0; p[i].p_type == PT_LOAD && at < p[i].p_memsz; at += PAGE)
			(void)*(volatile char *)(p[i].p_vaddr + at);
}

int main(void)
{
	use_own_buffer();
	read_own_pages();
	area_catch_faults();
	contents();
	flags();
	forked();
	sums();
	return 0;
}
