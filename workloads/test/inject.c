/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Want of memory in the middle of each operation, on the debug stub: each of its allocations fails
 * in turn. The call then says so, or, where it needs not that much, succeeds; nothing is lost,
 * every invariant holds, and the next attempt, with all of the memory there, does what it should.
 *
 * For each operation: prepare; then for n = 1, 2, … the n-th allocation fails, until an attempt is
 * through before that. An operation that succeeded is undone before the next attempt.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stubctl.h"

#define PAGE 4096ul
#define BASE ((char *)0x100000000)
#define FAR (1ul << 40) /* page tables of its own */
#define PAGES 9ul
#define ATTEMPTS 200u

static const char *name; /* of the operation under test */

static _Noreturn void fail(const char *what, long a, long b)
{
	printf("%s: %s: %ld, %ld\n", name, what, a, b);
	exit(1);
}

/* ---- memory ---- */

static void *map(char *at, size_t pages, int prot, int flags)
{
	return mmap(at, pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | flags, -1, 0);
}

/* PAGES pages that are there, with something in each. */
static void prepare_pages(void)
{
	map(BASE, PAGES, PROT_READ | PROT_WRITE, 0);
	for (unsigned long i = 0; i < PAGES; i++)
		BASE[i * PAGE] = (char)(i + 1);
}

static void drop_pages(void)
{
	munmap(BASE, 2 * PAGES * PAGE);
	munmap(BASE + FAR, 2 * PAGES * PAGE);
}

/* The pages from `first` on are as prepare_pages() left them; 0, or the first that is not. */
static long pages_differ(const char *at, unsigned long first, unsigned long end)
{
	for (unsigned long i = first; i < end; i++)
		if (at[i * PAGE] != (char)(i + 1))
			return (long)i + 1;
	return 0;
}

static void nothing(void)
{
}

/* ---- operations: 0 or -1 and errno ---- */

static long op_mmap(void)
{
	return map(BASE + FAR, 3, PROT_READ | PROT_WRITE, 0) == MAP_FAILED ? -1 : 0;
}

static long op_mmap_over(void)
{
	return map(BASE + 4 * PAGE, 1, PROT_READ, 0) == MAP_FAILED ? -1 : 0;
}

static long op_munmap(void)
{
	return munmap(BASE + 4 * PAGE, PAGE);
}

static long op_mprotect(void)
{
	return mprotect(BASE + 4 * PAGE, PAGE, PROT_READ);
}

static long op_madvise(void)
{
	return madvise(BASE + 4 * PAGE, PAGE, MADV_DONTFORK);
}

static long op_dontneed(void)
{
	return madvise(BASE, PAGES * PAGE, MADV_DONTNEED);
}

static long op_mremap(void)
{
	void *p = mremap(BASE, PAGES * PAGE, 2 * PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			 BASE + FAR);

	if (p == MAP_FAILED)
		return -1;
	return pages_differ(p, 0, PAGES) ? (errno = EIO, -1) : 0;
}

static long op_populate(void)
{
	return madvise(BASE + FAR, 3 * PAGE, 23 /* MADV_POPULATE_WRITE */);
}

static void prepare_far(void)
{
	map(BASE + FAR, 3, PROT_READ | PROT_WRITE, 0);
}

/* A fault says nothing: without memory it is made again. */
static long op_write(void)
{
	volatile char *p = BASE + FAR;

	*p = 1;
	return 0;
}

static long op_read(void)
{
	return *(volatile char *)(BASE + FAR);
}

static long op_write_read(void)
{
	return op_read() ? -1 : op_write();
}

/* ---- shared memory ---- */

static long op_mmap_shared(void)
{
	void *p = mmap(BASE + FAR, 3 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	return p == MAP_FAILED ? -1 : 0;
}

static void prepare_object(void)
{
	op_mmap_shared();
}

/* The same pages a second time. */
static long op_mremap_shared(void)
{
	void *p = mremap(BASE + FAR, 0, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, BASE);

	return p == MAP_FAILED ? -1 : 0;
}

static long op_mlock(void)
{
	return mlock(BASE + 4 * PAGE, PAGE);
}

static long program_break;

static void prepare_brk(void)
{
	program_break = syscall(SYS_brk, 0);
}

static long op_brk(void)
{
	long want = program_break + (64 << 20);

	return syscall(SYS_brk, want) == want ? 0 : (errno = ENOMEM, -1);
}

static void undo_brk(void)
{
	syscall(SYS_brk, program_break);
}

/* ---- processes ---- */

static pid_t child;

static long op_fork(void)
{
	child = (pid_t)syscall(SYS_fork);
	if (child)
		return child < 0 ? -1 : 0;
	_exit(pages_differ(BASE, 0, PAGES) != 0);
}

static long op_vfork(void)
{
	child = vfork();
	if (!child)
		_exit(0);
	return child < 0 ? -1 : 0;
}

/* The child's end, and its own want of memory: it may be killed, but not otherwise fail. */
static void undo_child(void)
{
	int status = 0;

	if (child > 0 && waitpid(child, &status, 0) == child && status &&
	    !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
		fail("the child's status", status, 0);
	child = 0;
	drop_pages();
}

/* What the next attempt has to fail, for operations that say so themselves. */
static unsigned plan;

/* In a child, which goes on wanting memory as the new program begins: it may be killed (as on Linux
 * by SIGSEGV once the old memory has gone), and its libc may give up (127). */
static long op_execve(void)
{
	static char program[] = "inject", argument[] = "nothing";
	static char *const argv[] = {program, argument, NULL};
	int status;

	child = fork();
	if (!child) {
		stubctl(FL_STUBCTL_FAIL_NTH, plan, 0);
		execve("/proc/self/exe", argv, environ);
		_exit(errno == ENOMEM ? 77 : 78);
	}
	if (waitpid(child, &status, 0) != child)
		return -1;
	errno = ENOMEM;
	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGSEGV))
		return -1;
	if (WIFEXITED(status) && (WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 127))
		return -1;
	if (status)
		fail("the end of a program that began without memory", status, plan);
	return 0;
}

static int thread_id; /* until its end */

static int thread(void *arg)
{
	(void)arg;
	return 0;
}

static long op_thread(void)
{
	static char stack[16 * PAGE] __attribute__((aligned(16)));
	int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
		    CLONE_CHILD_CLEARTID;

	thread_id = 1;
	return clone(thread, stack + sizeof(stack), flags, NULL, NULL, NULL, &thread_id) < 0 ? -1
											     : 0;
}

static void undo_thread(void)
{
	while (__atomic_load_n(&thread_id, __ATOMIC_ACQUIRE))
		sched_yield();
}

/* A write to a page that a child still has. */
static int hold[2];

static void prepare_shared(void)
{
	char c;

	prepare_pages();
	if (pipe(hold))
		fail("pipe", errno, 0);
	child = fork();
	if (!child) {
		close(hold[1]);
		_exit(read(hold[0], &c, 1) != 0 || pages_differ(BASE, 0, PAGES));
	}
}

static long op_cow(void)
{
	volatile char *p = BASE;

	*p = 1;
	return 0;
}

static void undo_shared(void)
{
	close(hold[0]);
	close(hold[1]);
	undo_child();
}

/* ---- files ---- */

static int fds[2];

static long op_pipe(void)
{
	return pipe(fds);
}

static void undo_pipe(void)
{
	close(fds[0]);
	close(fds[1]);
}

static long op_open(void)
{
	fds[0] = open("/proc/self/maps", O_RDONLY);
	return fds[0] < 0 ? -1 : 0;
}

static long op_open_null(void)
{
	fds[0] = open("/dev/null", O_WRONLY);
	return fds[0] < 0 ? -1 : 0;
}

static void undo_open(void)
{
	close(fds[0]);
}

/* More pieces than fit into a stack. */
static long op_writev(void)
{
	static struct iovec iov[1000];

	for (unsigned i = 0; i < 1000; i++)
		iov[i] = (struct iovec){BASE, 1};
	return writev(fds[0], iov, 1000) == 1000 ? 0 : -1;
}

static void prepare_null(void)
{
	prepare_pages();
	op_open_null();
	op_writev(); /* its own data is there */
}

static void undo_null(void)
{
	undo_open();
	drop_pages();
}

/* ---- kernel memory ---- */

static long area;

static long op_vmalloc(void)
{
	area = stubctl(FL_STUBCTL_VMALLOC, 40 * PAGE, 3);
	if (area < 0 && area > -4096)
		return errno = (int)-area, -1;
	return 0;
}

static void undo_vmalloc(void)
{
	stubctl(FL_STUBCTL_VFREE, (uint64_t)area, 0);
}

/* ---- the list ---- */

static const struct operation {
	const char *name;
	void (*prepare)(void);
	long (*run)(void);
	void (*undo)(void); /* of prepare, and of run if that succeeded */
	void (*undo_failed)(void);
	bool plans; /* it makes its allocations fail itself */
	int error;  /* what it says (Linux: madvise, when it cannot split) */
} operations[] = {
	{"execve", nothing, op_execve, nothing, nothing, true, ENOMEM},
	{"mmap", nothing, op_mmap, drop_pages, drop_pages, false, ENOMEM},
	{"mmap over a mapping", prepare_pages, op_mmap_over, drop_pages, drop_pages, false, ENOMEM},
	{"munmap that splits", prepare_pages, op_munmap, drop_pages, drop_pages, false, ENOMEM},
	{"mprotect that splits", prepare_pages, op_mprotect, drop_pages, drop_pages, false, ENOMEM},
	{"madvise that splits", prepare_pages, op_madvise, drop_pages, drop_pages, false, EAGAIN},
	{"madvise DONTNEED", prepare_pages, op_dontneed, drop_pages, drop_pages, false, ENOMEM},
	{"mremap that moves", prepare_pages, op_mremap, drop_pages, drop_pages, false, ENOMEM},
	{"madvise POPULATE_WRITE", prepare_far, op_populate, drop_pages, drop_pages, false, ENOMEM},
	{"first write", prepare_far, op_write, drop_pages, drop_pages, false, ENOMEM},
	{"first read", prepare_far, op_read, drop_pages, drop_pages, false, ENOMEM},
	{"write after a read", prepare_far, op_write_read, drop_pages, drop_pages, false, ENOMEM},
	{"mmap of shared memory", nothing, op_mmap_shared, drop_pages, drop_pages, false, ENOMEM},
	{"mremap of shared memory", prepare_object, op_mremap_shared, drop_pages, drop_pages, false,
	 ENOMEM},
	{"first write to shared memory", prepare_object, op_write, drop_pages, drop_pages, false,
	 ENOMEM},
	{"mlock that splits", prepare_pages, op_mlock, drop_pages, drop_pages, false, ENOMEM},
	{"brk", prepare_brk, op_brk, undo_brk, undo_brk, false, ENOMEM},
	{"fork", prepare_pages, op_fork, undo_child, drop_pages, false, ENOMEM},
	{"vfork", prepare_pages, op_vfork, undo_child, drop_pages, false, ENOMEM},
	{"clone of a thread", nothing, op_thread, undo_thread, nothing, false, ENOMEM},
	{"write to a shared page", prepare_shared, op_cow, undo_shared, undo_shared, false, ENOMEM},
	{"pipe", nothing, op_pipe, undo_pipe, nothing, false, ENOMEM},
	{"open /proc/self/maps", nothing, op_open, undo_open, nothing, false, ENOMEM},
	{"open /dev/null", nothing, op_open_null, undo_open, nothing, false, ENOMEM},
	{"writev", prepare_null, op_writev, undo_null, undo_null, false, ENOMEM},
	{"vmalloc", nothing, op_vmalloc, undo_vmalloc, nothing, false, ENOMEM},
};
#define NR_OPERATIONS (sizeof operations / sizeof *operations)

/* ---- attempts ---- */

struct state {
	uint64_t pages, objects;
};

static struct state look(void)
{
	struct state s;

	if (stubctl(FL_STUBCTL_CHECK, (uint64_t)&s, 0))
		fail("check", 0, 0);
	return s;
}

static void same(struct state before)
{
	struct state now = look();

	if (now.pages != before.pages)
		fail("pages, before and after", (long)before.pages, (long)now.pages);
	if (now.objects != before.objects)
		fail("objects, before and after", (long)before.objects, (long)now.objects);
}

/* The end of an attempt: how many allocations failed in it. */
static unsigned judge(const struct operation *o, long result, int error)
{
	long counts = stubctl(FL_STUBCTL_FAIL_NTH, 0, 0);

	if (counts < 0)
		fail("no failing allocations in this stub", -counts, 0);
	if (result && (error != o->error || !(counts >> 32)))
		fail("result, error", result, error);
	if (result)
		o->undo_failed();
	else
		o->undo();
	return (unsigned)(counts >> 32);
}

/* One attempt whose n-th allocation fails (0: none): how many did. */
static unsigned attempt(const struct operation *o, unsigned n)
{
	long result;
	int error;

	o->prepare();
	plan = n;
	if (n && !o->plans)
		stubctl(FL_STUBCTL_FAIL_NTH, n, 0);
	result = o->run();
	error = errno;
	return judge(o, result, error);
}
/* Twice first, so that what is kept for good is there. */
static struct state settle(const struct operation *o)
{
	name = o->name;
	attempt(o, 0);
	attempt(o, 0);
	return look();
}

static void each_in_turn(const struct operation *o)
{
	struct state before = settle(o);
	unsigned n = 0, refused;

	do {
		if (++n > ATTEMPTS)
			fail("no end after so many attempts", n, 0);
		refused = attempt(o, n);
		same(before);
		attempt(o, 0);
		same(before);
	} while (refused);
	printf("%s: %u allocations\n", name, n - 1);
}

/* One allocation in four fails, by chance. */
static void at_random(const struct operation *o, unsigned seeds)
{
	struct state before = settle(o);
	long result;

	for (unsigned seed = 1; seed <= seeds && !o->plans; seed++) {
		o->prepare();
		stubctl(FL_STUBCTL_FAIL_RANDOM, seed, 4);
		result = o->run();
		judge(o, result, errno);
		same(before);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "nothing"))
		return 0;
	setvbuf(stdout, NULL, _IONBF, 0);
	for (size_t i = 0; i < NR_OPERATIONS; i++)
		each_in_turn(&operations[i]);
	for (size_t i = 0; i < NR_OPERATIONS; i++)
		at_random(&operations[i], 40);
	printf("done\n");
	return 0;
}
