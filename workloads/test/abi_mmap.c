/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mmap, munmap, mprotect, madvise, brk: results, errors, and the maps that they leave. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define TOP 0x7ffffffff000ul

/* The lines of /proc/self/maps that lie in the test's own range. */
static void show_maps(const char *when)
{
	static char line[512];
	unsigned long start;
	FILE *f = fopen("/proc/self/maps", "r");

	printf("maps %s:\n", when);
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-", &start) == 1 && start >= BASE &&
		    start < BASE + (1ul << 32))
			printf("  %s", line);
	if (f)
		fclose(f);
}

static long map(unsigned long addr, unsigned long len, int prot, int flags)
{
	return syscall(SYS_mmap, addr, len, prot, flags, -1, 0);
}

static void mmap_errors(void)
{
	show("mmap length 0", map(0, 0, RW, ANON));
	show("mmap length wraps", map(0, ~0ul, RW, ANON));
	show("mmap length beyond user space", map(0, 1ul << 47, RW, ANON));
	show("mmap no type", map(0, PAGE, RW, MAP_ANONYMOUS));
	show("mmap FIXED unaligned", map(BASE + 1, PAGE, RW, ANON | MAP_FIXED));
	show("mmap FIXED beyond user space", map(TOP, PAGE, RW, ANON | MAP_FIXED));
	show("mmap FIXED in the kernel's half", map(KERNEL, PAGE, RW, ANON | MAP_FIXED));
	show("mmap FIXED_NOREPLACE on the program",
	     map(0x400000, PAGE, RW, ANON | MAP_FIXED_NOREPLACE));
	show("mmap bad descriptor", syscall(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, 99, 0));
	show("mmap offset unaligned", syscall(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, 99, 1));
	show("mmap length rounds up", map(BASE, 1, RW, ANON | MAP_FIXED));
	show("mmap FIXED_NOREPLACE free", map(BASE + PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE));
	show("mmap FIXED_NOREPLACE taken", map(BASE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE));
	show("mmap hint free", map(BASE + 16 * PAGE, PAGE, RW, ANON));
	show("mmap hint unaligned", map(BASE + 32 * PAGE + 5, PAGE, RW, ANON));
	show_maps("after mmap");
	show("munmap all", munmap((void *)BASE, 64 * PAGE));
}

static void munmap_errors(void)
{
	show("munmap length 0", munmap((void *)BASE, 0));
	show("munmap unaligned", munmap((void *)(BASE + 1), PAGE));
	show("munmap nothing there", munmap((void *)NOWHERE, PAGE));
	show("munmap kernel", munmap((void *)KERNEL, PAGE));
	show("munmap across the top", munmap((void *)(TOP - PAGE), 2 * PAGE));
	show("munmap length wraps", munmap((void *)BASE, ~0ul));
}

static void mprotect_errors(void)
{
	map(BASE, 8 * PAGE, RW, ANON | MAP_FIXED);
	show("mprotect length 0", mprotect((void *)BASE, 0, PROT_READ));
	show("mprotect unaligned", mprotect((void *)(BASE + 1), PAGE, PROT_READ));
	show("mprotect bad prot", mprotect((void *)BASE, PAGE, 0x100));
	show("mprotect nothing there", mprotect((void *)NOWHERE, PAGE, PROT_READ));
	show("mprotect hole behind", mprotect((void *)(BASE + 7 * PAGE), 2 * PAGE, PROT_READ));
	show_maps("after mprotect up to a hole");
	show("mprotect length wraps", mprotect((void *)BASE, ~0ul, PROT_READ));
	show("mprotect kernel", mprotect((void *)KERNEL, PAGE, PROT_READ));
	show("mprotect growsdown on none",
	     mprotect((void *)BASE, PAGE, PROT_READ | PROT_GROWSDOWN));
	munmap((void *)BASE, 8 * PAGE);
}

static void split_and_merge(void)
{
	show("mmap 9 pages", map(BASE, 9 * PAGE, RW, ANON | MAP_FIXED));
	show("mprotect the middle", mprotect((void *)(BASE + 4 * PAGE), PAGE, PROT_READ));
	show_maps("split in three");
	show("mprotect back", mprotect((void *)(BASE + 4 * PAGE), PAGE, RW));
	show_maps("merged");
	show("munmap the middle", munmap((void *)(BASE + 2 * PAGE), 3 * PAGE));
	show_maps("with a hole");
	show("mmap fills the hole", map(BASE + 2 * PAGE, 3 * PAGE, RW, ANON | MAP_FIXED));
	show_maps("filled");
	show("mprotect none", mprotect((void *)BASE, PAGE, PROT_NONE));
	show("mprotect exec", mprotect((void *)(BASE + PAGE), PAGE, PROT_READ | PROT_EXEC));
	show_maps("with other rights");
	show("mmap FIXED over it all", map(BASE, 9 * PAGE, PROT_READ, ANON | MAP_FIXED));
	show_maps("replaced");
	show("mmap NORESERVE next to it",
	     map(BASE + 9 * PAGE, PAGE, PROT_READ, ANON | MAP_FIXED | MAP_NORESERVE));
	show_maps("with a NORESERVE neighbour");
	show("munmap", munmap((void *)BASE, 16 * PAGE));
	show_maps("empty");
}

/* First touch in different orders: anonymous memory that has no anon_vma in common must not merge.
 */
static void touched_merge(void)
{
	char *p = (char *)BASE;

	map(BASE, PAGE, RW, ANON | MAP_FIXED);
	map(BASE + 2 * PAGE, PAGE, RW, ANON | MAP_FIXED);
	p[0] = 1;
	p[2 * PAGE] = 2;
	map(BASE + PAGE, PAGE, RW, ANON | MAP_FIXED);
	show_maps("after filling between two touched pages");
	munmap(p, 3 * PAGE);
}

static void data_checks(void)
{
	unsigned char *p = (unsigned char *)BASE;
	unsigned long sum = 0;

	map(BASE, 4 * PAGE, RW, ANON | MAP_FIXED);
	for (unsigned long i = 0; i < 4 * PAGE; i += 64)
		sum += p[i];
	printf("untouched memory sums to %lu\n", sum);
	memset(p, 7, 4 * PAGE);
	show("madvise DONTNEED one page", madvise(p + PAGE, PAGE, MADV_DONTNEED));
	printf("pages hold %d %d %d %d\n", p[0], p[PAGE], p[2 * PAGE], p[3 * PAGE]);
	mprotect(p, PAGE, PROT_READ);
	mprotect(p, PAGE, RW);
	p[0] = 8;
	printf("page 0 holds %d %d\n", p[0], p[1]);
	show("madvise unaligned", madvise(p + 1, PAGE, MADV_DONTNEED));
	show("madvise bad advice", madvise(p, PAGE, 12345));
	show("madvise length 0", madvise(p, 0, MADV_DONTNEED));
	show("madvise nothing there", madvise((void *)NOWHERE, PAGE, MADV_DONTNEED));
	show("madvise hole behind", madvise(p + 3 * PAGE, 2 * PAGE, MADV_DONTNEED));
	show("madvise WILLNEED anonymous", madvise(p, PAGE, MADV_WILLNEED));
	show("madvise NORMAL", madvise(p, PAGE, MADV_NORMAL));
	printf("pages hold %d %d %d %d\n", p[0], p[PAGE], p[2 * PAGE], p[3 * PAGE]);
	munmap(p, 4 * PAGE);
}

static void brk_calls(void)
{
	unsigned long start = (unsigned long)syscall(SYS_brk, 0);
	unsigned long up = (start + PAGE - 1) & ~(PAGE - 1);
	char *p = (char *)up;

	printf("brk grows: %d\n", (unsigned long)syscall(SYS_brk, up + 4 * PAGE) == up + 4 * PAGE);
	p[4 * PAGE - 1] = 3;
	printf("brk unaligned: %d\n", (unsigned long)syscall(SYS_brk, up + 5) == up + 5);
	printf("still there: %d\n", p[4]);
	printf("brk back: %d\n", (unsigned long)syscall(SYS_brk, up + 4 * PAGE) == up + 4 * PAGE);
	printf("fresh: %d\n", p[4 * PAGE - 1]);
	printf("brk below start refused: %d\n",
	       (unsigned long)syscall(SYS_brk, 4096) == up + 4 * PAGE);
	printf("brk too far refused: %d\n",
	       (unsigned long)syscall(SYS_brk, 0x7fffffff0000ul) == up + 4 * PAGE);
	map(up + 8 * PAGE, PAGE, RW, ANON | MAP_FIXED);
	printf("brk into a mapping refused: %d\n",
	       (unsigned long)syscall(SYS_brk, up + 9 * PAGE) == up + 4 * PAGE);
	munmap((void *)(up + 8 * PAGE), PAGE);
	syscall(SYS_brk, start);
}

static void file_mappings(void)
{
	int fd = open("/proc/self/exe", O_RDONLY), zero = open("/dev/zero", O_RDONLY);
	unsigned char *p;

	(void)zero;
	if (fd < 0)
		return;
	show("mmap the program",
	     (long)mmap((void *)BASE, 2 * PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, 0));
	p = (unsigned char *)BASE;
	printf("%02x %c%c%c\n", p[0], p[1], p[2], p[3]);
	p[1] = 'x';
	printf("%02x %c%c%c\n", p[0], p[1], p[2], p[3]);
	show("madvise DONTNEED file", madvise(p, PAGE, MADV_DONTNEED));
	printf("%02x %c%c%c\n", p[0], p[1], p[2], p[3]);
	show("mmap offset not a page", syscall(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, fd, 512));
	show("mmap offset overflows",
	     syscall(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, fd, 0xfffffffffffff000ul));
	show("munmap", munmap(p, 2 * PAGE));
	close(fd);
}

int main(void)
{
	mmap_errors();
	munmap_errors();
	mprotect_errors();
	split_and_merge();
	touched_merge();
	data_checks();
	brk_calls();
	file_mappings();
	return 0;
}
