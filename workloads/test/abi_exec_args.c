/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much execve takes: strings and pointers against RLIMIT_STACK and RLIMIT_AS, to the byte;
 * which of several errors it is. With an argument, the large ones. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi.h"

#define SELF "/proc/self/exe"
#define PATH_BYTES sizeof(SELF)
#define KIB 1024ul
#define MIB (KIB * KIB)
#define STRING_MAX (128 * KIB) /* with its NUL */

/* ---- the program that is started ---- */

static unsigned long sum(char **strings, unsigned long *bytes)
{
	unsigned long total = 0, n = 0;

	for (; *strings; strings++, n++)
		for (const char *c = *strings;; c++) {
			total = total * 31 + (unsigned char)*c;
			++*bytes;
			if (!*c)
				break;
		}
	return total ^ n;
}

static int started(char **argv)
{
	unsigned long bytes = 0, a = sum(argv, &bytes), e = sum(environ, &bytes);

	printf("  started with %lu bytes, %lx %lx\n", bytes, a, e);
	return 0;
}

/* ---- trials ---- */

static char *area; /* as many bytes as any trial needs, without a NUL */
static char **argv, **envp;
static char go[] = "go", empty[] = "";

static void set_limit(int resource, rlim_t value)
{
	struct rlimit limit = {value, RLIM_INFINITY};

	if (value && setrlimit(resource, &limit))
		_exit(98);
}

/* In a child: limits (0: as they are), then execve of these arrays. */
static void try_exec(const char *what, rlim_t stack, rlim_t as, char **args, char **env)
{
	int status;
	pid_t pid;

	printf("%s\n", what);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		set_limit(RLIMIT_STACK, stack);
		set_limit(RLIMIT_AS, as);
		syscall(SYS_execve, SELF, args, env);
		printf("  error %d\n", errno);
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (status)
		printf("  status %#x\n", status & 0x7f);
}

/* argv of "go" and, in turn with envp, as few strings as make up `bytes` in all. */
static void fill(unsigned long bytes)
{
	unsigned a = 1, e = 0;
	char *at = area;

	argv[0] = go;
	bytes -= 3;
	for (unsigned i = 0; bytes; i++) {
		unsigned long n = bytes < STRING_MAX ? bytes : STRING_MAX;

		memset(at, 'a' + (int)(i % 26), n);
		at[n - 1] = 0;
		if (i & 1)
			envp[e++] = at;
		else
			argv[a++] = at;
		at += n;
		bytes -= n;
	}
	argv[a] = envp[e] = NULL;
}

/* Pointers that fill() makes for so many bytes. */
static unsigned long pointers(unsigned long bytes)
{
	return 1 + (bytes - 3 + STRING_MAX - 1) / STRING_MAX;
}

/* Strings that with the path and their pointers are `limit` bytes, and one byte more. */
static void around(const char *what, unsigned long limit, rlim_t stack)
{
	unsigned long bytes = limit - PATH_BYTES, n = 1;

	while (n != pointers(bytes)) {
		n = pointers(bytes);
		bytes = limit - PATH_BYTES - n * sizeof(char *);
	}
	fill(bytes);
	try_exec(what, stack, 0, argv, envp);
	fill(bytes + 1);
	try_exec("  one more", stack, 0, argv, envp);
}

/* The stack's pages hold the strings, 8 bytes at its top, and whatever the program needs. */
static void small_stacks(void)
{
	static const unsigned pages[] = {2, 8, 12};
	char what[64];

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		unsigned long most = pages[i] * PAGE - 8 - PATH_BYTES;

		snprintf(what, sizeof(what), "a stack of %u pages, all for strings", pages[i]);
		fill(most);
		try_exec(what, pages[i] * PAGE, 0, argv, envp);
		fill(most + 1);
		try_exec("  one more", pages[i] * PAGE, 0, argv, envp);
		fill(most + 1);
		try_exec("  one more, limit not in pages", pages[i] * PAGE + PAGE - 1, 0, argv,
			 envp);
		if (pages[i] < 8)
			continue;
		fill(most - 6 * PAGE);
		try_exec("  with room for the program", pages[i] * PAGE, 0, argv, envp);
	}
	fill(PAGE - 8 - PATH_BYTES);
	try_exec("less than a page", 1, 0, argv, envp);
	fill(PAGE - 8 - PATH_BYTES + 1);
	try_exec("  one more", 1, 0, argv, envp);
}

static void small_spaces(void)
{
	fill(15 * PAGE);
	try_exec("address space of 16 pages: the strings fit", 8 * MIB, 16 * PAGE, argv, envp);
	fill(16 * PAGE);
	try_exec("  they don't", 8 * MIB, 16 * PAGE, argv, envp);
}

static void one_string(void)
{
	char *args[] = {go, area, NULL}, *none[] = {NULL};

	memset(area, 'x', STRING_MAX + 2);
	area[STRING_MAX - 1] = 0;
	try_exec("the longest string", 0, 0, args, none);
	area[STRING_MAX - 1] = 'x';
	area[STRING_MAX] = 0;
	try_exec("  one more", 0, 0, args, none);
	try_exec("  in the environment", 0, 0, none, args);
}

static void errors(void)
{
	char *bad = (char *)NOWHERE, *end = (char *)BASE + PAGE, *too_long = area;
	char *none[] = {NULL}, *bad_long[] = {bad, too_long, NULL},
	     *long_bad[] = {too_long, bad, NULL}, *a_bad[] = {go, bad, NULL},
	     *a_long[] = {go, too_long, NULL}, *runs_off[] = {go, end - 100, NULL};

	memset(area, 'x', STRING_MAX + 1);
	mmap((void *)BASE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
	     -1, 0);
	memset((char *)BASE, 'y', PAGE);
	try_exec("a bad string, then one too long", 0, 0, bad_long, none);
	try_exec("one too long, then a bad one", 0, 0, long_bad, none);
	try_exec("a bad one, a long one in the environment", 0, 0, a_bad, a_long);
	try_exec("a long one, a bad one in the environment", 0, 0, a_long, a_bad);
	try_exec("a string that runs off", 0, 0, runs_off, none);
	try_exec("a bad environment", 0, 0, a_long, (char **)NOWHERE);
	try_exec("bad arguments, a long one in the environment", 0, 0, (char **)NOWHERE, a_long);
	try_exec("pointers that run off", 0, 0, (char **)BASE, none);
	fill(129 * KIB);
	argv[0] = bad;
	try_exec("too much behind a bad one", 512 * KIB, 0, argv, envp);
	fill(129 * KIB);
	envp[0] = bad;
	try_exec("too much, a bad one in the environment", 512 * KIB, 0, argv, envp);
}

/* ---- large ones ---- */

/* So many empty strings that with their pointers they are `limit` bytes, or that many more. */
static void empty_strings(const char *what, unsigned long limit, unsigned long more)
{
	unsigned long n = (limit - PATH_BYTES - 3 - 8) / 9 + more;

	argv[0] = go;
	for (unsigned long i = 1; i <= n; i++)
		argv[i] = empty;
	argv[n + 1] = envp[0] = NULL;
	try_exec(what, RLIM_INFINITY, 0, argv, envp);
}

static void large(void)
{
	around("128 KiB are always allowed", 128 * KIB, 300 * KIB);
	around("a quarter of 1 MiB", 256 * KIB, MIB);
	around("a quarter of 8 MiB", 2 * MIB, 8 * MIB);
	around("a quarter of 23 MiB", 23 * MIB / 4, 23 * MIB);
	around("a quarter of 24 MiB", 6 * MIB, 24 * MIB);
	around("6 MiB are the most", 6 * MIB, 64 * MIB);
	around("without a limit", 6 * MIB, RLIM_INFINITY);
	empty_strings("many pointers", 6 * MIB, 0);
	empty_strings("  one more", 6 * MIB, 1);
	empty_strings("more pointers than fit", 8 * MIB, 0);
}

int main(int argc, char **args)
{
	if (argc && !strcmp(args[0], "go"))
		return started(args);
	area = malloc(8 * MIB);
	argv = malloc(8 * MIB);
	envp = malloc(MIB);
	if (argc > 1) {
		one_string();
		large();
		return 0;
	}
	small_stacks();
	small_spaces();
	errors();
	return 0;
}
