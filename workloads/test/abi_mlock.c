/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mlock, mlock2, munlock, mlockall, munlockall, MAP_LOCKED: results, how mappings split and merge,
 * which pages are there afterwards, what a locked mapping refuses, what fork, mremap and brk make
 * of it.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/wait.h>

#include "abi_area.h"

#ifndef MADV_FREE /* musl */
#define MADV_FREE 8
#endif
#ifndef MADV_COLD
#define MADV_COLD 20
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#define ONFAULT 1 /* MLOCK_ONFAULT, which musl lacks */
#define CURRENT 1
#define FUTURE 2
#define ALL_ONFAULT 4
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define AT(page) (BASE + (page)*PAGE)
#define PAGES 64ul

static void show_all(void)
{
	unsigned char in;

	area_show(BASE, AT(PAGES));
	printf("  ");
	for (unsigned long i = 0; i < PAGES; i++)
		putchar(syscall(SYS_mincore, AT(i), PAGE, &in) ? '.' : in & 1 ? '1' : '0');
	printf("\n");
}

static void map(unsigned long page, unsigned long pages, int prot, int flags)
{
	if (mmap((void *)AT(page), pages * PAGE, prot, ANON | MAP_FIXED | flags, -1, 0) ==
	    MAP_FAILED)
		printf("mmap: %s\n", strerror(errno));
}

static void clear(void)
{
	munmap((void *)BASE, PAGES * PAGE);
}

static void lock(const char *what, unsigned long page, unsigned long pages)
{
	show(what, mlock((void *)AT(page), pages * PAGE));
	show_all();
}

static void lock_onfault(const char *what, unsigned long page, unsigned long pages)
{
	show(what, syscall(SYS_mlock2, AT(page), pages * PAGE, ONFAULT));
	show_all();
}

static void unlock(const char *what, unsigned long page, unsigned long pages)
{
	show(what, munlock((void *)AT(page), pages * PAGE));
	show_all();
}

static void advise(const char *what, unsigned long page, unsigned long pages, int advice)
{
	show(what, madvise((void *)AT(page), pages * PAGE, advice));
}

static void arguments(void)
{
	map(0, 8, RW, 0);
	show("not aligned", syscall(SYS_mlock, AT(2) + 100, 10));
	show("over the end of a page", syscall(SYS_mlock, AT(4) + 4000, 200));
	show_all();
	show("not aligned", syscall(SYS_munlock, AT(2) + 100, PAGE));
	show_all();
	show("length 0", syscall(SYS_mlock, AT(0), 0));
	show("length 0 of nothing", syscall(SYS_mlock, AT(20), 0));
	show("length -1", syscall(SYS_mlock, AT(0), -1ul));
	show("length -1, not aligned", syscall(SYS_mlock, AT(0) + 2, -1ul));
	show("length -2 pages", syscall(SYS_mlock, AT(0), -2 * PAGE));
	show("munlock, length -2 pages", syscall(SYS_munlock, AT(0), -2 * PAGE));
	show("up to the top", syscall(SYS_mlock, AT(0), -AT(0)));
	show("in the kernel", syscall(SYS_mlock, KERNEL, PAGE));
	show("the last page", syscall(SYS_mlock, -PAGE, PAGE));
	show("nowhere", syscall(SYS_mlock, NOWHERE, PAGE));
	show("munlock nowhere", syscall(SYS_munlock, NOWHERE, PAGE));
	show("mlock2, flag 2", syscall(SYS_mlock2, AT(0), PAGE, 2));
	show("mlock2, flag -1", syscall(SYS_mlock2, AT(0), PAGE, -1));
	show("mlockall, 0", syscall(SYS_mlockall, 0));
	show("mlockall, 8", syscall(SYS_mlockall, 8));
	show("mlockall, on fault alone", syscall(SYS_mlockall, ALL_ONFAULT));
	clear();
}

static void splits(void)
{
	map(0, 16, RW, 0);
	lock("in the middle", 4, 4);
	lock("next to it", 8, 2);
	lock("twice", 3, 3);
	unlock("its middle", 5, 2);
	unlock("all", 0, 16);
	lock("all", 0, 16);
	unlock("the end", 12, 4);
	unlock("twice", 10, 6);
	lock_onfault("on fault", 8, 8);
	lock("and at once", 12, 2);
	lock_onfault("on fault again", 10, 4);
	map(16, 4, RW, MAP_LOCKED);
	show_all();
	map(20, 4, RW, 0);
	show_all();
	munmap((void *)AT(6), 12 * PAGE);
	show_all();
	clear();
}

static void holes(void)
{
	map(0, 4, RW, 0);
	map(8, 4, RW, 0);
	lock("over a hole", 2, 8);
	lock("from a hole", 6, 4);
	lock("up to a hole", 8, 6);
	unlock("over a hole", 0, 12);
	clear();
	map(0, 4, RW, 0);
	map(4, 4, PROT_NONE, 0);
	map(8, 4, PROT_READ, 0);
	map(12, 4, PROT_WRITE, 0);
	lock("over what has no rights", 2, 12);
	lock_onfault("the same on fault", 2, 14);
	lock("read-only", 8, 4);
	lock("write-only", 12, 4);
	show("becomes writable", mprotect((void *)AT(4), 8 * PAGE, RW));
	show_all();
	clear();
}

static void refused(void)
{
	map(0, 8, RW, 0);
	lock("locked", 2, 4);
	*(volatile char *)AT(1) = *(volatile char *)AT(3) = 7;
	advise("DONTNEED", 2, 1, MADV_DONTNEED);
	advise("DONTNEED of all", 0, 8, MADV_DONTNEED);
	show_all();
	advise("FREE", 2, 1, MADV_FREE);
	advise("COLD", 2, 1, MADV_COLD);
	advise("PAGEOUT", 2, 1, MADV_PAGEOUT);
	advise("WILLNEED", 2, 1, MADV_WILLNEED);
	advise("RANDOM", 2, 1, MADV_RANDOM);
	show_all();
	area_touch("what was written", AT(3), -1);
	advise("DONTNEED_LOCKED", 1, 4, MADV_DONTNEED_LOCKED);
	show_all();
	area_touch("what was written", AT(3), -1);
	clear();
}

static void mapped_locked(void)
{
	map(0, 4, RW, MAP_LOCKED);
	show_all();
	map(0, 4, PROT_READ, MAP_LOCKED);
	map(4, 4, PROT_NONE, MAP_LOCKED);
	map(8, 4, RW, MAP_LOCKED | MAP_POPULATE | MAP_NONBLOCK);
	show_all();
	show("larger", syscall(SYS_mremap, AT(8), 4 * PAGE, 8 * PAGE, 0, 0));
	show_all();
	show("moved and larger", syscall(SYS_mremap, AT(8), 8 * PAGE, 10 * PAGE,
					 MREMAP_MAYMOVE | MREMAP_FIXED, AT(32)));
	show_all();
	show("a part moved", syscall(SYS_mremap, AT(34), 2 * PAGE, 2 * PAGE,
				     MREMAP_MAYMOVE | MREMAP_FIXED, AT(52)));
	show_all();
	map(48, 1, RW, MAP_LOCKED | MAP_GROWSDOWN);
	area_touch("a locked stack grows", AT(45), 1);
	show_all();
	clear();
}

static void forked(void)
{
	int status = 0;
	pid_t pid;

	map(0, 8, RW, 0);
	lock("the parent's", 0, 4);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		show_all();
		advise("DONTNEED by the child", 0, 2, MADV_DONTNEED);
		show_all();
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	advise("DONTNEED by the parent", 0, 2, MADV_DONTNEED);
	show_all();
	clear();
}

static void all(void)
{
	unsigned long brk;
	unsigned char in;

	map(0, 4, RW, 0);
	map(4, 4, PROT_NONE, 0);
	map(8, 4, PROT_READ, 0);
	show("current", mlockall(CURRENT));
	show_all();
	map(16, 4, RW, 0);
	show_all();
	advise("DONTNEED", 0, 1, MADV_DONTNEED);
	show("future", mlockall(FUTURE));
	map(20, 4, RW, 0);
	map(24, 4, PROT_NONE, 0);
	show_all();
	brk = ((unsigned long)syscall(SYS_brk, 0) + PAGE - 1) & -PAGE;
	syscall(SYS_brk, brk + 4 * PAGE);
	show("the break is there", syscall(SYS_mincore, brk + 3 * PAGE, PAGE, &in));
	printf("%d\n", in & 1);
	syscall(SYS_brk, brk);
	show("both, on fault", syscall(SYS_mlockall, CURRENT | FUTURE | ALL_ONFAULT));
	map(32, 4, RW, 0);
	map(36, 4, RW, MAP_LOCKED);
	map(40, 4, RW, MAP_POPULATE);
	show_all();
	show("none", munlockall());
	map(48, 4, RW, 0);
	show_all();
	advise("DONTNEED", 0, 4, MADV_DONTNEED);
	show_all();
	clear();
}

/* mprotect brings locked memory in VMA by VMA: what has got pages of its own by that no longer
 * joins memory that had others before. */
static void written_at_once(void)
{
	map(4, 1, RW, 0);
	area_touch("a page of its own", AT(4), 1);
	map(0, 1, PROT_READ, 0);
	map(1, 3, PROT_NONE, 0);
	lock("as far as there are rights", 0, 5);
	show("mprotect", mprotect((void *)AT(4), PAGE, PROT_READ | PROT_EXEC));
	show_all();
	show("mprotect over all", mprotect((void *)AT(0), 5 * PAGE, RW));
	show_all();
	clear();
}

static void lazily_freed(void)
{
	map(0, 8, RW, 0);
	map(10, 2, PROT_READ, 0);
	memset((void *)AT(0), 5, 6 * PAGE);
	advise("FREE", 1, 3, MADV_FREE);
	advise("FREE over a hole", 4, 7, MADV_FREE);
	area_touch("contents stay", AT(2), -1);
	area_touch("and can be written", AT(3), 6);
	advise("COLD", 0, 8, MADV_COLD);
	advise("COLD over a hole", 4, 7, MADV_COLD);
	show_all();
	area_touch("contents stay", AT(0), -1);
	advise("PAGEOUT", 0, 8, MADV_PAGEOUT);
	area_touch("contents stay without swap", AT(0), -1);
	area_touch("what was written again, too", AT(3), -1);
	advise("advice 1000", 0, 1, 1000);
	advise("DONTDUMP", 2, 2, 16);
	show_all();
	advise("DODUMP", 0, 8, 17);
	show_all();
	clear();
}

int main(void)
{
	area_catch_faults();
	arguments();
	splits();
	holes();
	refused();
	mapped_locked();
	forked();
	all();
	written_at_once();
	lazily_freed();
	return 0;
}
