/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resource limits, and what they refuse. Limits are set so and so many pages above what there is,
 * which /proc/self/maps says: how much a program has at its start is each system's own affair.
 *
 *   abi_limits               everything
 *   abi_limits again         what execve makes of the limits that it finds
 */
#define _GNU_SOURCE
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "abi_area.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define AT(page) (BASE + (page)*PAGE)
#define PAGES 4096ul
#define FOREVER RLIM_INFINITY

/* ---- what there is ---- */

static unsigned long pages_all, pages_data;

static void count_line(char *line)
{
	char *rest;
	unsigned long start = strtoul(line, &rest, 16), end = strtoul(rest + 1, &rest, 16);

	if (strstr(line, "[vsyscall]"))
		return;
	pages_all += (end - start) / PAGE;
	if (rest[2] == 'w' && rest[4] == 'p' && !strstr(line, "[stack]"))
		pages_data += (end - start) / PAGE;
}

/* Not every root may raise a hard limit. */
static void limit(int resource, rlim_t cur, rlim_t max)
{
	struct rlimit r;

	getrlimit(resource, &r);
	if (r.rlim_max > max)
		r.rlim_max = max;
	r.rlim_cur = cur;
	if (setrlimit(resource, &r))
		printf("setrlimit: %s\n", strerror(errno));
}

/* So many pages more than there are now. */
static void limit_as(unsigned long more)
{
	pages_all = pages_data = 0;
	area_each_line("/proc/self/maps", count_line);
	limit(RLIMIT_AS, (pages_all + more) * PAGE, FOREVER);
}

static void limit_data(unsigned long more)
{
	pages_all = pages_data = 0;
	area_each_line("/proc/self/maps", count_line);
	limit(RLIMIT_DATA, (pages_data + more) * PAGE, FOREVER);
}

/* Runs fn in a child, since hard limits and small ones stay. */
static void in_child(const char *name, void (*fn)(void))
{
	int status = 0;
	pid_t pid;

	printf("-- %s\n", name);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		fn();
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	printf("   status %#x\n", status);
}

/* ---- calls ---- */

static long map(const char *what, unsigned long page, unsigned long pages, int prot, int flags)
{
	return show(what, syscall(SYS_mmap, AT(page), pages * PAGE, prot, ANON | flags, -1, 0));
}

static void unmap(unsigned long page, unsigned long pages)
{
	munmap((void *)AT(page), pages * PAGE);
}

static void protect(const char *what, unsigned long page, unsigned long pages, int prot)
{
	show(what, mprotect((void *)AT(page), pages * PAGE, prot));
}

static void remap(const char *what, unsigned long page, unsigned long old, unsigned long new,
		  int flags, unsigned long to)
{
	long r = syscall(SYS_mremap, AT(page), old * PAGE, new *PAGE, flags, AT(to));

	show(what, r == -1 ? r : r == (long)AT(page) || r == (long)AT(to));
}

/* By how much the break moves. */
static void grow_break(const char *what, unsigned long bytes)
{
	unsigned long before = (unsigned long)syscall(SYS_brk, 0);
	unsigned long after = (unsigned long)syscall(SYS_brk, before + bytes);

	show(what, (long)(after - before));
}

/* ---- the calls of limits ---- */

static void show_limit(const char *what, int resource)
{
	struct rlimit r = {1, 2};

	if (getrlimit(resource, &r))
		show(what, -1);
	else
		printf("%-44s %#lx %#lx\n", what, (unsigned long)r.rlim_cur,
		       (unsigned long)r.rlim_max);
}

static void the_calls(void)
{
	static const int endless[] = {RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK,
				      RLIMIT_RSS,   RLIMIT_AS,	 RLIMIT_LOCKS};
	struct rlimit r = {5, 4}, good = {1ul << 30, 1ul << 40};

	show("resource 16", syscall(SYS_getrlimit, 16, &r));
	show("resource -1", syscall(SYS_getrlimit, -1, &r));
	show("bad pointer", syscall(SYS_getrlimit, RLIMIT_AS, NOWHERE));
	show("set, resource 16", syscall(SYS_setrlimit, 16, &good));
	show("set, bad pointer", syscall(SYS_setrlimit, RLIMIT_AS, NOWHERE));
	show("set, both bad", syscall(SYS_setrlimit, 16, NOWHERE));
	show("set, soft above hard", syscall(SYS_setrlimit, RLIMIT_AS, &r));
	show("set, soft above hard, resource 16", syscall(SYS_setrlimit, 16, &r));
	show_limit("address space", RLIMIT_AS);
	for (size_t i = 0; i < sizeof(endless) / sizeof(endless[0]); i++) {
		limit(endless[i], 1ul << 30, 1ul << 41);
		show_limit("was set", endless[i]);
	}
	limit(RLIMIT_NOFILE, 3, 5);
	show_limit("both lowered", RLIMIT_NOFILE);
	show("prlimit, resource 16", syscall(SYS_prlimit64, 0, 16, NULL, NULL));
	show("prlimit, no process", syscall(SYS_prlimit64, 0x7ffffff, RLIMIT_AS, NULL, NULL));
	show("prlimit, nothing", syscall(SYS_prlimit64, 0, RLIMIT_AS, NULL, NULL));
	show("prlimit, bad new", syscall(SYS_prlimit64, 0, RLIMIT_AS, NOWHERE, NULL));
	show("prlimit, bad old", syscall(SYS_prlimit64, 0, RLIMIT_AS, &good, NOWHERE));
	show_limit("was set all the same", RLIMIT_AS);
	r = (struct rlimit){1ul << 29, 1ul << 39};
	show("prlimit, the old one", syscall(SYS_prlimit64, getpid(), RLIMIT_AS, &r, &good));
	printf("%#lx %#lx\n", (unsigned long)good.rlim_cur, (unsigned long)good.rlim_max);
}

/* ---- address space ---- */

static void address_space(void)
{
	map("something first", 0, 2, RW, MAP_FIXED);
	limit_as(6);
	map("too much", 100, 7, RW, MAP_FIXED);
	map("four of six", 100, 4, PROT_NONE, MAP_FIXED | MAP_NORESERVE);
	map("too much", 200, 3, RW, MAP_FIXED);
	map("over four, six", 100, 6, RW, MAP_FIXED);
	map("over six, seven", 99, 7, RW, MAP_FIXED);
	map("over six, six", 100, 6, PROT_READ, MAP_FIXED);
	map("anywhere", 0, 1, RW, 0);
	protect("no page more", 100, 6, RW);
	grow_break("break", PAGE);
	remap("in place", 100, 6, 7, 0, 0);
	remap("or elsewhere", 100, 6, 7, MREMAP_MAYMOVE, 0);
	remap("moved", 100, 6, 6, MREMAP_MAYMOVE | MREMAP_FIXED, 300);
	remap("doubled", 300, 6, 6, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
	remap("smaller", 300, 6, 3, 0, 0);
	remap("doubled", 300, 3, 3, MREMAP_MAYMOVE | MREMAP_DONTUNMAP | MREMAP_FIXED, 400);
	remap("larger than there is room", 300, 3, 4, MREMAP_MAYMOVE, 0);
	unmap(400, 2);
	remap("in place", 300, 3, 5, 0, 0);
	grow_break("break", 1);
	unmap(300, 1);
	grow_break("break, a page", PAGE);
	area_show(BASE, AT(PAGES));
	limit(RLIMIT_AS, 0, FOREVER);
	map("limit 0", 500, 1, RW, MAP_FIXED);
	map("limit 0, over something", 301, 1, RW, MAP_FIXED);
	unmap(301, 1);
	limit(RLIMIT_AS, FOREVER, FOREVER);
	map("no limit", 500, 100, RW, MAP_FIXED);
}

/* ---- data ---- */

static void data(void)
{
	map("something first", 0, 2, PROT_READ, MAP_FIXED);
	limit_data(6);
	map("too much", 100, 7, RW, MAP_FIXED);
	map("not data", 100, 7, PROT_READ | PROT_EXEC, MAP_FIXED);
	map("not data", 200, 3, RW, MAP_FIXED | MAP_GROWSDOWN);
	map("over seven that are none", 100, 7, RW, MAP_FIXED);
	unmap(100, 7);
	limit_data(6);
	map("five of six", 300, 5, PROT_WRITE, MAP_FIXED);
	protect("two become data", 0, 2, RW);
	protect("one", 0, 1, RW);
	protect("and it can be had again", 300, 2, PROT_NONE);
	protect("the other", 0, 2, RW);
	area_show(BASE, AT(400));
	remap("larger", 300, 2, 4, MREMAP_MAYMOVE, 0);
	remap("larger data", 302, 3, 5, MREMAP_MAYMOVE, 0);
	remap("larger data", 302, 3, 4, MREMAP_MAYMOVE, 0);
	grow_break("break", 8 * PAGE);
	unmap(0, 400);
	limit_data(4);
	grow_break("break", 5 * PAGE);
	grow_break("break", 3 * PAGE);
	limit(RLIMIT_DATA, 0, FOREVER);
	map("soft limit 0", 500, 4, RW, MAP_FIXED);
	grow_break("break, soft limit 0", PAGE);
	grow_break("break down", -PAGE);
	limit(RLIMIT_DATA, 0, 0);
	map("hard limit 0", 510, 4, RW, MAP_FIXED);
	map("hard limit 0, not data", 510, 4, PROT_READ, MAP_FIXED);
	protect("hard limit 0, becomes data", 510, 4, RW);
	protect("hard limit 0, is none", 510, 4, PROT_NONE);
}

/* How far the break goes under a limit in bytes that only the break knows. */
static void data_bytes(void)
{
	unsigned long start = (unsigned long)syscall(SYS_brk, 0), low, high;

	for (unsigned long limit_pages = 16; limit_pages <= 1024; limit_pages *= 4) {
		limit(RLIMIT_DATA, limit_pages * PAGE + 123, FOREVER);
		low = 0;
		high = limit_pages * PAGE + PAGE;
		while (high - low > 1) {
			unsigned long middle = (low + high) / 2;

			*((unsigned long)syscall(SYS_brk, start + middle) == start + middle
				  ? &low
				  : &high) = middle;
			syscall(SYS_brk, start);
		}
		printf("limit %lu pages: break %#lx\n", limit_pages, low);
	}
}

/* ---- stacks ---- */

static void stacks(void)
{
	limit(RLIMIT_STACK, 10 * PAGE + 5, FOREVER);
	map("stack", 1000, 2, RW, MAP_FIXED | MAP_GROWSDOWN);
	area_touch("a page too far", AT(991), 1);
	area_touch("as far as may be", AT(992), 1);
	map("larger from the start", 2000, 20, RW, MAP_FIXED | MAP_GROWSDOWN);
	area_touch("below", AT(1999), 1);
	limit(RLIMIT_STACK, 0, FOREVER);
	map("stack", 3000, 2, RW, MAP_FIXED | MAP_GROWSDOWN);
	area_touch("limit 0", AT(2999), 1);
	limit(RLIMIT_STACK, FOREVER, FOREVER);
	area_touch("no limit", AT(2500), 1);
	limit_as(3);
	area_touch("address space, four more", AT(2496), 1);
	area_touch("three more", AT(2497), 1);
	area_touch("none more", AT(2496), 1);
	limit(RLIMIT_AS, FOREVER, FOREVER);
	limit_data(0);
	area_touch("it is no data", AT(2490), 1);
	area_show(BASE, AT(PAGES));
}

/* ---- fork, execve ---- */

static void inherited(void)
{
	int status = 0;
	pid_t pid;

	limit_as(2);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		map("the child's", 0, 3, RW, MAP_FIXED);
		map("the child's", 0, 2, RW, MAP_FIXED);
		limit(RLIMIT_AS, FOREVER, FOREVER);
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	map("the parent's", 0, 3, RW, MAP_FIXED);
	pid = vfork();
	if (!pid) {
		static const struct rlimit r = {FOREVER, FOREVER};

		syscall(SYS_setrlimit, RLIMIT_AS, &r);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	map("the parent's, after vfork", 0, 3, RW, MAP_FIXED);
}

static char program[] = "abi_limits", again[] = "again";
static char *again_argv[] = {program, again, NULL}, *no_env[] = {NULL};

static void exec_again(void)
{
	fflush(stdout);
	show("execve", execve("/proc/self/exe", again_argv, no_env));
}

static void exec_small_stack(void)
{
	limit(RLIMIT_STACK, 64 << 10, FOREVER);
	exec_again();
}

static void exec_large_stack(void)
{
	limit(RLIMIT_STACK, 1ul << 30, FOREVER);
	exec_again();
}

static void exec_endless_stack(void)
{
	limit(RLIMIT_STACK, FOREVER, FOREVER);
	exec_again();
}

static void exec_no_room(void)
{
	limit(RLIMIT_AS, 16 * PAGE, FOREVER);
	exec_again();
}

static void exec_long_strings(void)
{
	static char word[100001];
	char *argv[] = {program, again, word, word, word, NULL};

	memset(word, 'x', sizeof(word) - 1);
	limit(RLIMIT_STACK, 512 << 10, FOREVER);
	fflush(stdout);
	show("300000 bytes", execve("/proc/self/exe", argv, no_env));
	argv[4] = NULL;
	show("200000 bytes", execve("/proc/self/exe", argv, no_env));
	argv[3] = NULL;
	show("100000 bytes", execve("/proc/self/exe", argv, no_env));
}

static void show_stack(char *line)
{
	if (strstr(line, "[stack]"))
		printf("%.30s\n", line);
}

static void run_again(void)
{
	show_limit("stack", RLIMIT_STACK);
	area_each_line("/proc/self/maps", show_stack);
	printf("mappings are made near %#lx\n",
	       (unsigned long)mmap(NULL, 1ul << 30, PROT_NONE, ANON | MAP_NORESERVE, -1, 0) >> 31);
}

/* ---- descriptors ---- */

static void descriptors(void)
{
	static const struct rlimit endless = {30, FOREVER};
	int fds[2];

	limit(RLIMIT_NOFILE, 5, 40);
	for (int i = 0; i < 3; i++)
		show("open", open("/dev/null", O_RDONLY));
	show("dup2 to 5", dup2(0, 5));
	show("dup2 to 4", dup2(0, 4));
	show("fcntl from 5", fcntl(0, F_DUPFD, 5));
	close(4);
	show("pipe", pipe(fds));
	close(3);
	show("pipe", pipe(fds));
	show("fcntl from 4", fcntl(0, F_DUPFD, 4));
	limit(RLIMIT_NOFILE, 0, 40);
	close(4);
	show("limit 0", open("/dev/null", O_RDONLY));
	show("what is open stays open", fcntl(1, F_GETFD));
	limit(RLIMIT_NOFILE, 30, FOREVER);
	show("endless", setrlimit(RLIMIT_NOFILE, &endless));
	show_limit("descriptors", RLIMIT_NOFILE);
	show("dup2 to 29", dup2(0, 29));
}

int main(int argc, char **argv)
{
	area_catch_faults();
	if (argc > 1 && !strcmp(argv[1], again)) {
		run_again();
		return 0;
	}
	in_child("calls", the_calls);
	in_child("address space", address_space);
	in_child("data", data);
	in_child("break", data_bytes);
	in_child("stacks", stacks);
	in_child("fork", inherited);
	in_child("execve, small stack", exec_small_stack);
	in_child("execve, large stack", exec_large_stack);
	in_child("execve, endless stack", exec_endless_stack);
	in_child("execve, no room", exec_no_room);
	in_child("execve, long strings", exec_long_strings);
	in_child("descriptors", descriptors);
	return 0;
}
