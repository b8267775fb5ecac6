/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints the number that says what this Linux can do (host_features.h), and on standard error what
 * it can't. By trying: a version says nothing of how a kernel was built and set up.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <glob.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi.h"
#include "host_features.h"

#define HUGE_PAGE (2ul << 20)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define DROPPABLE 8 /* not in every libc's headers */
#define HUGE_SHIFT 26
#define EMPTY_PATH 0x1000

static long map(unsigned long addr, unsigned long len, int flags, int fd)
{
	return syscall(SYS_mmap, addr, len, PROT_READ | PROT_WRITE, flags, fd, 0);
}

/* Is memory of that length put on a border of huge pages, three times in a row? */
static int aligned(unsigned long len, int flags, int fd)
{
	int yes = 1;

	for (int i = 0; i < 3; i++) {
		long at = map(0, len, flags, fd);

		map(0, PAGE, PRIVATE, -1); /* else the next would be on one anyway */
		yes &= at != -1 && !(at % (long)HUGE_PAGE);
	}
	return yes;
}

static int has_aligned(void)
{
	return aligned(HUGE_PAGE, PRIVATE, -1) && !aligned(HUGE_PAGE + PAGE, PRIVATE, -1) &&
	       !aligned(HUGE_PAGE, MAP_SHARED | MAP_ANONYMOUS, -1);
}

static int has_zero_aligned(void)
{
	return aligned(HUGE_PAGE + PAGE, MAP_PRIVATE, open("/dev/zero", O_RDWR));
}

static int has_droppable(void)
{
	return map(0, PAGE, DROPPABLE | MAP_ANONYMOUS, -1) != -1;
}

/* Two neighbours that are one mapping: then mremap takes them as one. */
static int merges(int flags)
{
	map(BASE, PAGE, PRIVATE | MAP_FIXED, -1);
	map(BASE + PAGE, PAGE, PRIVATE | MAP_FIXED | flags, -1);
	return mremap((void *)BASE, 2 * PAGE, 3 * PAGE, 0) != MAP_FAILED;
}

static int has_stack_small(void)
{
	return merges(0) && !merges(MAP_STACK);
}

/* Does that file of sysfs have `word` chosen? */
static int chosen(const char *path, const char *word)
{
	char text[128] = "";
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	return n > 0 && strstr(text, word);
}

static int has_advice_huge(void)
{
	static const char pattern[] = "/sys/kernel/mm/transparent_hugepage/hugepages-*/enabled";
	int small = 1;
	glob_t sizes;

	if (glob(pattern, 0, NULL, &sizes))
		return 0;
	for (size_t i = 0; i < sizes.gl_pathc; i++)
		small &= strstr(sizes.gl_pathv[i], "-2048kB") ||
			 chosen(sizes.gl_pathv[i], "[never]");
	return small && !madvise((void *)map(0, PAGE, PRIVATE, -1), PAGE, MADV_HUGEPAGE);
}

static int has_empty_stat(void)
{
	struct stat st;

	return !syscall(SYS_newfstatat, open("/dev/null", O_RDONLY), NULL, &st, EMPTY_PATH | 1);
}

/* Refused for want of pages, and for a size that there is not. */
static int has_hugetlb(void)
{
	static const struct {
		int log, error;
	} sizes[] = {{0, ENOMEM}, {21, ENOMEM}, {30, ENOMEM}, {13, EINVAL}};
	int yes = 1;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		yes &= map(0, HUGE_PAGE, PRIVATE | MAP_HUGETLB | sizes[i].log << HUGE_SHIFT, -1) ==
			       -1 &&
		       errno == sizes[i].error;
	return yes;
}

int main(void)
{
	static int (*const has[NR_FEATURES])(void) = {
		has_aligned,	 has_zero_aligned, has_droppable, has_stack_small,
		has_advice_huge, has_empty_stat,   has_hugetlb,
	};
	static const char *const what[NR_FEATURES] = {
#define FEATURE_TEXT(name, text) text,
		FEATURES(FEATURE_TEXT)};
	unsigned long all = 0;

	for (int i = 0; i < NR_FEATURES; i++) {
		if (has[i]())
			all |= 1ul << i;
		else
			fprintf(stderr, "host_features: not here: %s\n", what[i]);
	}
	printf("%#lx\n", all);
	return 0;
}
