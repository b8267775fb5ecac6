/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every bit of every call's flags, alone and together with what the call needs: what is done, what
 * is taken and means nothing, what is refused and how.
 *
 *   abi_flags [FEATURES]
 *
 * FEATURES: host_features.h. Without it, what a host's kernel may lack is left out.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "abi.h"
#include "host_features.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define BIT(n) (1ul << (n))
#define TYPES 16ul
#define VALIDATE 3ul
#define DROPPABLE 8ul
#define SYNC 0x80000ul
#define HUGE_SHIFT 26
#define SIZE_2MB (21ul << HUGE_SHIFT)
#define SIZE_1GB (30ul << HUGE_SHIFT)
#define HUGE_PAGE (2ul << 20)
#define LOW_START 0x40000000ul
#define LOW_END 0x80000000ul
#define DONTUNMAP 4ul /* not in every libc's headers */

static unsigned long features;
static int zero_fd, exe_fd, null_fd;

static int has(unsigned long feature)
{
	return (features & feature) == feature;
}

/* One line: the call's flags, and its error or "ok". */
static void say(const char *what, unsigned long flags, long r)
{
	if (r == -1)
		printf("%-28s %#lx: error %d\n", what, flags, errno);
	else
		printf("%-28s %#lx: ok\n", what, flags);
}

/* ---- mmap ---- */

static long map(unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags,
		int fd, unsigned long offset)
{
	return syscall(SYS_mmap, addr, len, prot, flags, fd, offset);
}

/* Where a mapping came to lie, in a word that holds on every host; it goes again. */
static void say_place(const char *what, unsigned long flags, long at, unsigned long len)
{
	unsigned long start = (unsigned long)at;

	if (at == -1) {
		say(what, flags, at);
		return;
	}
	printf("%-28s %#lx: %s\n", what, flags,
	       start == BASE				      ? "as asked for"
	       : start >= LOW_START && start + len <= LOW_END ? "from 1 to 2 GiB"
	       : start < LOW_START			      ? "below 1 GiB"
							      : "high");
	munmap((void *)start, len);
}

static void mmap_bit(const char *what, unsigned long flags, int fd)
{
	say_place(what, flags, map(BASE, PAGE, PROT_READ, flags, fd, 0), PAGE);
}

static void mmap_bits(void)
{
	for (int bit = 4; bit < 64; bit++) {
		if (BIT(bit) == MAP_HUGETLB)
			continue;
		mmap_bit("mmap anonymous", ANON | BIT(bit), -1);
		mmap_bit("mmap shared", MAP_SHARED | MAP_ANONYMOUS | BIT(bit), -1);
		mmap_bit("mmap /dev/zero", MAP_PRIVATE | BIT(bit), zero_fd);
		mmap_bit("mmap /dev/zero validated", VALIDATE | BIT(bit), zero_fd);
		mmap_bit("mmap file validated", VALIDATE | BIT(bit), exe_fd);
		if (BIT(bit) == SYNC)
			continue; /* what else a file says to it, its file system decides */
		mmap_bit("mmap file", MAP_PRIVATE | BIT(bit), exe_fd);
		mmap_bit("mmap file shared", MAP_SHARED | BIT(bit), exe_fd);
	}
}

static void mmap_types(void)
{
	for (unsigned long type = 0; type < TYPES; type++) {
		if (type == DROPPABLE && !has(HAS_DROPPABLE))
			continue;
		mmap_bit("mmap type anonymous", type | MAP_ANONYMOUS, -1);
		mmap_bit("mmap type grows", type | MAP_ANONYMOUS | MAP_GROWSDOWN, -1);
		mmap_bit("mmap type locked", type | MAP_ANONYMOUS | MAP_LOCKED, -1);
		mmap_bit("mmap type file", type, exe_fd);
		mmap_bit("mmap type file grows", type | MAP_GROWSDOWN, exe_fd);
		mmap_bit("mmap type device", type, null_fd);
	}
}

static void mmap_prots(void)
{
	for (int bit = 0; bit < 64; bit++)
		say("mmap prot", BIT(bit), map(BASE, PAGE, BIT(bit), ANON | MAP_FIXED, -1, 0));
	munmap((void *)BASE, PAGE);
}

/* From 1 to 2 GiB, from the lowest hole up. A hint may lie below. */
static void mmap_32bit(void)
{
	static const struct {
		unsigned long addr, len, flags;
	} rows[] = {
		{0, PAGE, ANON},
		{0, PAGE, MAP_SHARED | MAP_ANONYMOUS},
		{0, LOW_END - LOW_START, ANON | MAP_NORESERVE},
		{0, LOW_END - LOW_START + PAGE, ANON | MAP_NORESERVE},
		{0, LOW_END + PAGE, ANON | MAP_NORESERVE},
		{LOW_START - PAGE, PAGE, ANON},
		{LOW_START - PAGE + 1, PAGE, ANON},
		{LOW_END - PAGE, PAGE, ANON},
		{LOW_END - PAGE, 2 * PAGE, ANON},
		{LOW_END, PAGE, ANON},
		{BASE, PAGE, ANON},
		{BASE, PAGE, ANON | MAP_FIXED},
		{LOW_START, PAGE, ANON | MAP_FIXED_NOREPLACE},
		{1, PAGE, ANON},
		{PAGE + 1, PAGE, ANON},
		{0, PAGE, ANON | 0x80}, /* MAP_ABOVE4G: has no say then */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		long at =
			map(rows[i].addr, rows[i].len, PROT_NONE, rows[i].flags | MAP_32BIT, -1, 0);

		printf("mmap 32bit %#lx %#lx %#lx: %#lx", rows[i].addr, rows[i].len, rows[i].flags,
		       (unsigned long)at);
		printf(at == -1 ? " error %d\n" : "\n", errno);
		if (at != -1)
			munmap((void *)at, rows[i].len);
	}
}

/* Holes that are too small, and a stack's guard gap. */
static void mmap_32bit_holes(void)
{
	map(LOW_START, PAGE, PROT_NONE, ANON | MAP_FIXED, -1, 0);
	map(LOW_START + 3 * PAGE, PAGE, PROT_NONE, ANON | MAP_FIXED, -1, 0);
	map(LOW_START + 1024 * PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	for (unsigned long pages = 1; pages < 2048; pages = pages * 3 / 2 + 1) {
		long at = map(0, pages * PAGE, PROT_NONE, ANON | MAP_32BIT, -1, 0);

		printf("mmap 32bit %lu pages: %#lx\n", pages, (unsigned long)at);
		munmap((void *)at, pages * PAGE);
	}
	munmap((void *)LOW_START, 1025 * PAGE);
}

static void mmap_hugetlb(void)
{
	static const struct {
		unsigned long addr, len, flags, offset;
	} rows[] = {
		{0, HUGE_PAGE, ANON, 0},
		{0, 0, ANON, 0},
		{0, ~0ul, ANON, 0},
		{0, -PAGE, ANON, 0},
		{0, 1ul << 47, ANON, 0},
		{0, PAGE, ANON, PAGE},
		{0, PAGE, ANON, HUGE_PAGE},
		{0, PAGE, MAP_ANONYMOUS, 0},
		{0, PAGE, MAP_ANONYMOUS | MAP_SHARED, 0},
		{0, PAGE, MAP_ANONYMOUS | VALIDATE, 0},
		{0, PAGE, MAP_ANONYMOUS | VALIDATE | SYNC, 0},
		{0, PAGE, MAP_ANONYMOUS | VALIDATE | BIT(40), 0},
		{0, PAGE, MAP_ANONYMOUS | DROPPABLE, 0},
		{0, PAGE, ANON | MAP_GROWSDOWN, 0},
		{0, PAGE, ANON | MAP_32BIT, 0},
		{BASE, PAGE, ANON | MAP_FIXED, 0},
		{BASE, PAGE, ANON | MAP_FIXED_NOREPLACE, 0},
		{BASE + PAGE, PAGE, ANON | MAP_FIXED, 0},
		{BASE + PAGE, PAGE, ANON, 0},
		{LOW_START + HUGE_PAGE, PAGE, ANON | MAP_FIXED | SIZE_1GB, 0},
		{0x7ffffffff000, PAGE, ANON | MAP_FIXED, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		say("mmap hugetlb", rows[i].flags,
		    map(rows[i].addr, rows[i].len, RW, rows[i].flags | MAP_HUGETLB, -1,
			rows[i].offset));
	for (unsigned long log = 0; log < 64; log++)
		say("mmap hugetlb size", log,
		    map(0, HUGE_PAGE, RW, ANON | MAP_HUGETLB | log << HUGE_SHIFT, -1, 0));
	say("mmap hugetlb file", 0, map(0, PAGE, PROT_READ, MAP_PRIVATE | MAP_HUGETLB, exe_fd, 0));
	say("mmap hugetlb no file", 0, map(0, PAGE, PROT_READ, MAP_PRIVATE | MAP_HUGETLB, -1, 0));
}

/* What was at a fixed place is gone, if nothing but the pages was missing. */
static void mmap_hugetlb_replaces(void)
{
	static const unsigned long flags[] = {ANON, MAP_ANONYMOUS | DROPPABLE, ANON | MAP_GROWSDOWN,
					      ANON | SIZE_2MB, ANON | SIZE_1GB};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		map(BASE, 4 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
		say("mmap hugetlb over", flags[i],
		    map(BASE, PAGE, RW, flags[i] | MAP_HUGETLB | MAP_FIXED, -1, 0));
		say("... mincore", 0, mincore((void *)BASE, PAGE, (unsigned char[1]){0}));
	}
	munmap((void *)BASE, 4 * PAGE);
}

/* ---- the other calls of memory ---- */

static void mremap_bits(void)
{
	for (int bit = 0; bit < 64; bit++) {
		map(BASE, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
		say("mremap", BIT(bit),
		    syscall(SYS_mremap, BASE, PAGE, PAGE, BIT(bit), BASE + 4 * PAGE));
		say("mremap may move", 1 | BIT(bit),
		    syscall(SYS_mremap, BASE, PAGE, PAGE, 1 | BIT(bit), BASE + 4 * PAGE));
		munmap((void *)BASE, 8 * PAGE);
	}
}

static void mprotect_bits(void)
{
	map(BASE, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
	for (int bit = 0; bit < 64; bit++) {
		say("mprotect", BIT(bit), syscall(SYS_mprotect, BASE, PAGE, BIT(bit)));
		say("mprotect empty", BIT(bit), syscall(SYS_mprotect, BASE, 0, BIT(bit)));
	}
	munmap((void *)BASE, 2 * PAGE);
}

/* Whether it is known at all; of what the stub refuses (docs/linux-abi.md) nothing is said. */
static void advices(void)
{
	static const int not_here[] = {9, 12, 13, 25, 100, 101, 102, 103};

	map(BASE, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
	for (int advice = -1; advice < 128; advice++) {
		int skip = (advice == MADV_HUGEPAGE || advice == MADV_NOHUGEPAGE) &&
			   !has(HAS_ADVICE_HUGE);

		for (size_t i = 0; i < sizeof(not_here) / sizeof(not_here[0]); i++)
			skip |= advice == not_here[i];
		if (!skip)
			say("madvise", (unsigned)advice, madvise((void *)BASE, PAGE, advice));
	}
	munmap((void *)BASE, 2 * PAGE);
}

static void mlock_bits(void)
{
	map(BASE, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
	for (int bit = 0; bit < 64; bit++) {
		say("mlock2", BIT(bit), syscall(SYS_mlock2, BASE, PAGE, BIT(bit)));
		say("mlockall", BIT(bit), syscall(SYS_mlockall, BIT(bit)));
		munlockall();
	}
	munmap((void *)BASE, 2 * PAGE);
}

/* ---- what flags leave behind: VMAs that are one, or not, and their letters in smaps ---- */

static void show_vmas(const char *what)
{
	static char text[1 << 16];
	int fd = open("/proc/self/smaps", O_RDONLY), inside = 0;
	size_t size = 0;
	ssize_t n;

	while ((n = read(fd, text + size, sizeof(text) - 1 - size)) > 0)
		size += (size_t)n;
	text[size] = 0;
	close(fd);
	printf("%s:\n", what);
	for (char *at = text, *line; (line = strsep(&at, "\n")) && *line;) {
		char *end;
		unsigned long start = strtoul(line, &end, 16);

		if (*end == '-')
			inside = start >= BASE && start < BASE + 64 * PAGE;
		if (inside &&
		    (*end == '-' || !strncmp(line, "VmFlags", 7) || !strncmp(line, "Rss", 3)))
			printf("  %.34s%s\n", line, strchr(line, '/') ? " file" : "");
	}
}

static void stacks(void)
{
	map(BASE, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	map(BASE + PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_STACK, -1, 0);
	map(BASE + 2 * PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_STACK, -1, 0);
	show_vmas("MAP_STACK");
	munmap((void *)BASE, 3 * PAGE);
}

/* Of a file it asks for persistent memory. Of none it is kept. */
static void syncs(void)
{
	map(BASE, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	map(BASE + PAGE, PAGE, RW, ANON | MAP_FIXED | SYNC, -1, 0);
	map(BASE + 2 * PAGE, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED | SYNC, -1, 0);
	show_vmas("MAP_SYNC");
	munmap((void *)BASE, 3 * PAGE);
}

static void huge_advice(void)
{
	map(BASE, 4 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
	say("madvise huge", 0, madvise((void *)(BASE + PAGE), PAGE, MADV_HUGEPAGE));
	say("madvise no huge", 0, madvise((void *)(BASE + 2 * PAGE), PAGE, MADV_NOHUGEPAGE));
	show_vmas("advised");
	say("madvise huge", 0, madvise((void *)BASE, 4 * PAGE, MADV_HUGEPAGE));
	show_vmas("all of it");
	munmap((void *)BASE, 4 * PAGE);
}

static void droppable(void)
{
	static const int advices[] = {MADV_KEEPONFORK, MADV_WIPEONFORK, MADV_DODUMP, MADV_DONTDUMP,
				      MADV_DONTFORK,   MADV_DOFORK,	MADV_FREE,   MADV_DONTNEED};
	unsigned long flags = DROPPABLE | MAP_ANONYMOUS | MAP_FIXED;

	map(BASE, 4 * PAGE, RW, flags, -1, 0);
	map(BASE + 4 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	show_vmas("droppable");
	say("mlock", 0, mlock((void *)BASE, 5 * PAGE));
	show_vmas("locked");
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
		say("madvise droppable", (unsigned)advices[i],
		    madvise((void *)BASE, PAGE, advices[i]));
	say("mlockall", 0, mlockall(MCL_FUTURE));
	map(BASE + 8 * PAGE, 2 * PAGE, RW, flags, -1, 0);
	munlockall();
	map(BASE + 16 * PAGE, 2 * PAGE, RW, flags | MAP_POPULATE, -1, 0);
	say("mprotect", 0, mprotect((void *)(BASE + 17 * PAGE), PAGE, PROT_READ));
	show_vmas("all of it");
	munmap((void *)BASE, 32 * PAGE);
}

/* ---- files ---- */

#define OPEN_DIRECT 040000u  /* the file system of the program decides */
#define OPEN_PATH 010000000u /* not in every libc's headers */

/* What became of an open: the error, or the descriptor's flags. */
static void open_bit(const char *path, unsigned long flags)
{
	long fd = syscall(SYS_openat, AT_FDCWD, path, flags, 0);

	printf("open %-16s %#lx: ", path, flags);
	if (fd == -1) {
		printf("error %d\n", errno);
		return;
	}
	printf("%#x %d", (unsigned)fcntl((int)fd, F_GETFL), fcntl((int)fd, F_GETFD));
	printf(" read %d", read((int)fd, &(char){0}, 1) == -1 ? errno : 0);
	printf(" write %d\n", write((int)fd, "", 0) == -1 ? errno : 0);
	close((int)fd);
}

static void open_bits(void)
{
	for (unsigned mode = 0; mode < 4; mode++)
		for (int bit = 2; bit < 64; bit++) {
			open_bit("/dev/null", mode | BIT(bit));
			open_bit("/dev/zero", mode | BIT(bit));
		}
	for (int bit = 2; bit < 64; bit++)
		if (BIT(bit) != OPEN_DIRECT && BIT(bit) != O_TRUNC)
			open_bit("/proc/self/exe", BIT(bit));
	for (int bit = 2; bit < 32; bit++) {
		open_bit("/dev/null", OPEN_PATH | BIT(bit));
		open_bit("/dev/null", O_DIRECTORY | BIT(bit));
		open_bit("/dev/null", O_CREAT | O_EXCL | BIT(bit));
		if (BIT(bit) != O_CREAT)
			open_bit("/nothing", BIT(bit));
		open_bit("/", OPEN_PATH | BIT(bit));
		open_bit("/", O_WRONLY | (BIT(bit) & ~0x410000u)); /* no file that has no name */
		open_bit("/proc/self/exe", O_NOFOLLOW | BIT(bit));
		open_bit("/proc/self/exe", O_NOFOLLOW | OPEN_PATH | BIT(bit));
	}
}

static void say_mode(const char *what, unsigned long flags, long r, const struct stat *st)
{
	if (r == -1)
		say(what, flags, r);
	else
		printf("%-28s %#lx: mode %#o\n", what, flags, st->st_mode & S_IFMT);
}

/* A place, not an open file: what it can be asked. */
static void places(void)
{
	static const char *const paths[] = {"/dev/null", "/proc/self/exe", "/"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int fd = open(paths[i], OPEN_PATH | O_NOFOLLOW), other = dup(fd);
		struct stat st;

		say_mode("O_PATH fstat", i, fstat(fd, &st), &st);
		say_mode("O_PATH newfstatat", i, syscall(SYS_newfstatat, fd, "", &st, 0x1000), &st);
		say("O_PATH lseek", i, lseek(fd, 0, SEEK_SET));
		say("O_PATH dup", i, other);
		say("O_PATH F_SETFL", i, fcntl(other, F_SETFL, O_NONBLOCK));
		say("O_PATH F_SETFD", i, fcntl(other, F_SETFD, FD_CLOEXEC));
		say("O_PATH fcntl", i, fcntl(other, 12345, 0));
		say("O_PATH mmap", i, map(0, PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
		say("O_PATH close", i, close(fd));
		say("O_PATH close", i, close(other));
	}
}

static void setfl_bits(void)
{
	int pipes[2], fds[4] = {null_fd, zero_fd};

	if (pipe(pipes))
		return;
	fds[2] = pipes[0];
	fds[3] = pipes[1];
	for (int i = 0; i < 4; i++)
		for (int bit = 0; bit < 64; bit++) {
			if (i >= 2 && BIT(bit) == OPEN_DIRECT)
				continue; /* packets: abi_pipe */
			say("F_SETFL", BIT(bit), syscall(SYS_fcntl, fds[i], F_SETFL, BIT(bit)));
			printf("  %#x\n", (unsigned)fcntl(fds[i], F_GETFL));
			fcntl(fds[i], F_SETFL, 0);
		}
	close(pipes[0]);
	close(pipes[1]);
}

static void fd_bits(void)
{
	int fds[2];

	for (int bit = 0; bit < 64; bit++) {
		say("dup3", BIT(bit), syscall(SYS_dup3, null_fd, 40, BIT(bit)));
		say("F_SETFD", BIT(bit), syscall(SYS_fcntl, 40, F_SETFD, BIT(bit)));
		printf("  %d\n", fcntl(40, F_GETFD));
		close(40);
		say("fcntl command", F_GETFD | BIT(bit),
		    bit < 32 ? 0 : syscall(SYS_fcntl, 0, F_GETFD | BIT(bit)));
		if (BIT(bit) == O_EXCL)
			continue; /* pipes of notices: as the kernel was built */
		say("pipe2", BIT(bit), syscall(SYS_pipe2, fds, BIT(bit)));
	}
}

static void stat_bits(void)
{
	struct stat st;

	for (int bit = 0; bit < 64; bit++) {
		unsigned long flags = BIT(bit);

		say_mode("newfstatat", flags,
			 syscall(SYS_newfstatat, AT_FDCWD, "/dev/null", &st, flags), &st);
		say_mode("newfstatat link", flags,
			 syscall(SYS_newfstatat, AT_FDCWD, "/proc/self/exe", &st, flags), &st);
		flags |= 0x1000; /* AT_EMPTY_PATH */
		say_mode("newfstatat here", flags,
			 syscall(SYS_newfstatat, AT_FDCWD, "", &st, flags), &st);
		if (!(BIT(bit) & 0x7900) && !has(HAS_EMPTY_STAT))
			continue;
		say_mode("newfstatat empty", flags,
			 syscall(SYS_newfstatat, null_fd, "", &st, flags), &st);
		say("newfstatat nobody", flags, syscall(SYS_newfstatat, 99, "", &st, flags));
		say("newfstatat less", flags, syscall(SYS_newfstatat, -1, "", &st, flags));
		if (has(HAS_EMPTY_STAT))
			say_mode("newfstatat no path", flags,
				 syscall(SYS_newfstatat, null_fd, NULL, &st, flags), &st);
	}
	say_mode("lstat", 0, lstat("/proc/self/exe", &st), &st);
}

static void lseek_modes(void)
{
	long size = lseek(exe_fd, 0, SEEK_END);
	int fds[2];

	if (pipe(fds))
		return;
	for (int whence = -1; whence < 7; whence++) {
		say("lseek null", (unsigned)whence, lseek(null_fd, 1, whence));
		say("lseek pipe", (unsigned)whence, lseek(fds[0], 1, whence));
		say("lseek file", (unsigned)whence, lseek(exe_fd, size - 1, whence));
		say("lseek file, its end", (unsigned)whence, lseek(exe_fd, size, whence));
		say("lseek file, before", (unsigned)whence, lseek(exe_fd, -1, whence));
	}
	printf("data %d hole %d\n", lseek(exe_fd, 5, 3) == 5, lseek(exe_fd, 5, 4) == size);
	say("lseek high", BIT(32), syscall(SYS_lseek, exe_fd, 0, BIT(32)));
}

/* ---- processes ---- */

static void wait_bits(void)
{
	for (int bit = 0; bit < 64; bit++) {
		say("wait4", BIT(bit), syscall(SYS_wait4, -1, NULL, BIT(bit), NULL));
		say("waitid", BIT(bit), syscall(SYS_waitid, 0, 0, NULL, BIT(bit), NULL));
		say("waitid exited", BIT(bit) | 4,
		    syscall(SYS_waitid, 0, 0, NULL, BIT(bit) | 4, NULL));
	}
	for (int type = 0; type < 6; type++)
		for (int id = -1; id < 3; id++)
			say("waitid type", (unsigned)(type << 8 | (id + 1)),
			    syscall(SYS_waitid, type, type == 3 && id > 0 ? 60 + id : id, NULL,
				    WEXITED, NULL));
}

/* A child by clone, which ends at once, and what its parent sees of it. */
static void clone_bit(unsigned long flags)
{
	int status = 0;
	long pid;

	fflush(stdout);
	pid = syscall(SYS_clone, flags, 0, NULL, NULL, 0);
	if (!pid)
		_exit(7);
	if (pid == -1)
		say("clone", flags, pid);
	else
		printf("%-28s %#lx: status %#x\n", "clone", flags,
		       syscall(SYS_wait4, pid, &status, 0x40000000, NULL) == pid ? (unsigned)status
										 : ~0u);
}

/* Without those that make what a test should not, or that the stub refuses: namespaces, a
 * descriptor of the process; a thread. */
#define CLONE_LEFT_OUT (0x7e020000ul | 0x1000ul)

static void clone_bits(void)
{
	struct {
		unsigned long flags, rest[7];
	} args = {0};

	signal(SIGCHLD | 0x20, SIG_IGN); /* what the end of a child may send */
	for (int bit = 5; bit < 64; bit++) {
		if (BIT(bit) & (CLONE_LEFT_OUT | CLONE_VM | CLONE_PARENT | CLONE_SETTLS))
			continue;
		clone_bit(SIGCHLD | BIT(bit));
	}
	for (int bit = 33; bit < 64; bit++) {
		args.flags = BIT(bit);
		if (bit != 33)
			say("clone3", args.flags, syscall(SYS_clone3, &args, sizeof(args)));
	}
	for (int bit = 0; bit < 8; bit++) {
		args.flags = BIT(bit);
		if (bit != 7)
			say("clone3", args.flags, syscall(SYS_clone3, &args, sizeof(args)));
	}
	args.flags = 0x400000; /* CLONE_DETACHED */
	say("clone3", args.flags, syscall(SYS_clone3, &args, sizeof(args)));
}

/* ---- signals and the rest ---- */

static void sigaction_bits(void)
{
	struct {
		void (*handler)(int);
		unsigned long flags;
		void (*restorer)(void);
		unsigned long mask;
	} new = {SIG_IGN, 0, NULL, 0}, old;

	for (int bit = 0; bit < 64; bit++) {
		new.flags = BIT(bit);
		say("rt_sigaction", BIT(bit), syscall(SYS_rt_sigaction, SIGUSR1, &new, NULL, 8));
		syscall(SYS_rt_sigaction, SIGUSR1, NULL, &old, 8);
		printf("  %#lx\n", old.flags);
	}
	for (int how = -1; how < 5; how++)
		say("rt_sigprocmask", (unsigned)how,
		    syscall(SYS_rt_sigprocmask, how, &(unsigned long){0}, NULL, 8));
}

static void sigaltstack_bits(void)
{
	static char stack[65536];
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)}, old;

	for (int bit = 0; bit < 32; bit++) {
		for (int mode = 0; mode < 4; mode++) {
			ss.ss_flags = (int)(BIT(bit) | (unsigned)mode);
			say("sigaltstack", (unsigned)ss.ss_flags,
			    syscall(SYS_sigaltstack, &ss, NULL));
			syscall(SYS_sigaltstack, NULL, &old);
			printf("  %#x\n", (unsigned)old.ss_flags);
		}
	}
	ss.ss_flags = SS_DISABLE;
	sigaltstack(&ss, NULL);
}

static void other_bits(void)
{
	struct timespec no_time = {0, 0};
	int word = 1;
	char byte;

	for (int bit = 0; bit < 64; bit++) {
		say("getrandom", BIT(bit),
		    syscall(SYS_getrandom, &byte, 1, BIT(bit)) == 1 ? 0 : -1);
		say("getrandom", BIT(bit) | 2,
		    syscall(SYS_getrandom, &byte, 1, BIT(bit) | 2) == 1 ? 0 : -1);
		say("clock_nanosleep", BIT(bit),
		    -!!syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, BIT(bit), &no_time, NULL));
		if (bit >= 32) {
			say("clock_gettime", BIT(bit),
			    syscall(SYS_clock_gettime, BIT(bit), &no_time));
			no_time = (struct timespec){0, 0};
		}
		if (bit >= 7 && bit != 8)
			say("futex", BIT(bit),
			    syscall(SYS_futex, &word, BIT(bit), 0, NULL, NULL, 0));
	}
}

int main(int argc, char **argv)
{
	features = features_of(argc > 1 ? argv[1] : NULL);
	zero_fd = open("/dev/zero", O_RDWR);
	null_fd = open("/dev/null", O_RDWR);
	exe_fd = open("/proc/self/exe", O_RDONLY);
	mmap_bits();
	mmap_types();
	mmap_prots();
	mmap_32bit();
	mmap_32bit_holes();
	mremap_bits();
	mprotect_bits();
	advices();
	mlock_bits();
	open_bits();
	places();
	setfl_bits();
	fd_bits();
	stat_bits();
	lseek_modes();
	wait_bits();
	clone_bits();
	sigaction_bits();
	sigaltstack_bits();
	other_bits();
	if (has(HAS_HUGETLB | HAS_DROPPABLE)) {
		mmap_hugetlb();
		mmap_hugetlb_replaces();
	}
	syncs();
	if (has(HAS_STACK_SMALL))
		stacks();
	if (has(HAS_ADVICE_HUGE))
		huge_advice();
	if (has(HAS_DROPPABLE))
		droppable();
	return 0;
}
