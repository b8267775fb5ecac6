/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which memory a futex may lie in: each kind of memory with each operation, private and shared, as
 * first and as second address; what pages come of it; who meets at the same word. */
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "abi_area.h"

enum {
	FUTEX_WAIT = 0,
	FUTEX_WAKE = 1,
	FUTEX_REQUEUE = 3,
	FUTEX_CMP_REQUEUE = 4,
	FUTEX_WAKE_OP = 5,
	FUTEX_WAIT_BITSET = 9,
	FUTEX_WAKE_BITSET = 10,
	FUTEX_PRIVATE = 128,
};
#define ALL 0xffffffffu
#define OTHER_VALUE 0x12345678u /* what no word here holds */
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static uint32_t good;
static int fd;

static int futex(void *addr, int op, uint32_t value, long fourth, void *second, uint32_t third)
{
	return syscall(SYS_futex, addr, op, value, fourth, second, third) < 0 ? -errno : 0;
}

/* ---- kinds of memory: one page at BASE ---- */

static volatile uint32_t *at = (volatile uint32_t *)BASE;

static void map(int prot, int flags, int file)
{
	mmap((void *)BASE, PAGE, prot, flags | MAP_FIXED, file, 0);
}

static void protect(int prot)
{
	mprotect((void *)BASE, PAGE, prot);
}

static void unmapped(void)
{
	munmap((void *)BASE, PAGE);
}

static void none(void)
{
	map(PROT_NONE, ANON, -1);
}

static void none_written(void)
{
	map(PROT_READ | PROT_WRITE, ANON, -1);
	*at = 1;
	protect(PROT_NONE);
}

static void ro(void)
{
	map(PROT_READ, ANON, -1);
}

static void ro_read(void)
{
	ro();
	(void)*at;
}

static void ro_written(void)
{
	none_written();
	protect(PROT_READ);
}

static void rw(void)
{
	map(PROT_READ | PROT_WRITE, ANON, -1);
}

static void rw_read(void)
{
	rw();
	(void)*at;
}

static void rw_written(void)
{
	rw();
	*at = 1;
}

static void write_only(void)
{
	map(PROT_WRITE, ANON, -1);
}

static void file_ro(void)
{
	map(PROT_READ, MAP_PRIVATE, fd);
}

static void file_rw(void)
{
	map(PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
}

static void file_ro_written(void)
{
	file_rw();
	*at = 1;
	protect(PROT_READ);
}

static void file_none(void)
{
	map(PROT_NONE, MAP_PRIVATE, fd);
}

static void file_shared(void)
{
	map(PROT_READ, MAP_SHARED, fd);
}

static void file_beyond(void)
{
	mmap((void *)BASE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 1l << 30);
}

static void shared_rw(void)
{
	map(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
}

static void shared_ro(void)
{
	map(PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1);
}

static void shared_none(void)
{
	map(PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1);
}

static const struct {
	const char *name;
	void (*make)(void);
} kinds[] = {
	{"unmapped", unmapped},
	{"none", none},
	{"none, written before", none_written},
	{"read-only", ro},
	{"read-only, read", ro_read},
	{"read-only, written before", ro_written},
	{"read-write", rw},
	{"read-write, read", rw_read},
	{"read-write, written", rw_written},
	{"write-only", write_only},
	{"file, read-only", file_ro},
	{"file, read-write", file_rw},
	{"file, read-only, written before", file_ro_written},
	{"file, none", file_none},
	{"file, shared, read-only", file_shared},
	{"file, beyond its end", file_beyond},
	{"shared, read-write", shared_rw},
	{"shared, read-only", shared_ro},
	{"shared, none", shared_none},
};
#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* ---- each operation on each of them ---- */

static int wait_other(void *addr, int private)
{
	return futex(addr, FUTEX_WAIT | private, OTHER_VALUE, 0, NULL, 0);
}

static int wait_bitset(void *addr, int private)
{
	return futex(addr, FUTEX_WAIT_BITSET | private, OTHER_VALUE, 0, NULL, ALL);
}

static int wake(void *addr, int private)
{
	return futex(addr, FUTEX_WAKE | private, 1, 0, NULL, 0);
}

static int wake_bitset(void *addr, int private)
{
	return futex(addr, FUTEX_WAKE_BITSET | private, 1, 0, NULL, ALL);
}

static int requeue(void *addr, int private)
{
	return futex(addr, FUTEX_REQUEUE | private, 1, 1, &good, 0);
}

static int requeue_to(void *addr, int private)
{
	return futex(&good, FUTEX_REQUEUE | private, 1, 1, addr, 0);
}

static int cmp_requeue(void *addr, int private)
{
	return futex(addr, FUTEX_CMP_REQUEUE | private, 1, 1, &good, OTHER_VALUE);
}

static int cmp_requeue_to(void *addr, int private)
{
	return futex(&good, FUTEX_CMP_REQUEUE | private, 1, 1, addr, 0);
}

static int wake_op(void *addr, int private)
{
	return futex(addr, FUTEX_WAKE_OP | private, 1, 1, &good, 2u << 28);
}

static int wake_op_on(void *addr, int private)
{
	return futex(&good, FUTEX_WAKE_OP | private, 1, 1, addr, 2u << 28); /* or with 0 */
}

static const struct {
	const char *name;
	int (*call)(void *addr, int private);
} ops[] = {
	{"WAIT", wait_other},
	{"WAIT_BITSET", wait_bitset},
	{"WAKE", wake},
	{"WAKE_BITSET", wake_bitset},
	{"REQUEUE from", requeue},
	{"REQUEUE to", requeue_to},
	{"CMP_REQUEUE from", cmp_requeue},
	{"CMP_REQUEUE to", cmp_requeue_to},
	{"WAKE_OP first", wake_op},
	{"WAKE_OP second", wake_op_on},
};

static int in_memory(void)
{
	unsigned char there = 0;

	return mincore((void *)BASE, PAGE, &there) ? -1 : there & 1;
}

/* Result, and whether a page is there then. Of files Linux keeps in memory what it likes. And to
 * change a word QEMU's TCG reads it first, where a processor says at once that it writes. */
static void try_all(size_t kind)
{
	int anonymous = strncmp(kinds[kind].name, "file", 4);

	printf("%s\n", kinds[kind].name);
	for (size_t op = 0; op < sizeof(ops) / sizeof(ops[0]); op++) {
		int shared, private, pages[2];

		kinds[kind].make();
		shared = ops[op].call((void *)BASE, 0);
		pages[0] = in_memory();
		kinds[kind].make();
		private = ops[op].call((void *)BASE, FUTEX_PRIVATE);
		pages[1] = in_memory();
		printf("  %-18s shared %4d private %4d", ops[op].name, shared, private);
		if (anonymous)
			printf(" there %d", pages[0]);
		if (anonymous && ops[op].call != wake_op_on)
			printf(" %d", pages[1]);
		printf("\n");
	}
}

static void addresses(void)
{
	static const unsigned long bad[] = {KERNEL, ~3ul, NONCANONICAL, 0, BASE + 1, BASE + 2};

	rw();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		for (size_t op = 0; op < sizeof(ops) / sizeof(ops[0]); op++)
			printf("%#lx %-18s shared %4d private %4d\n", bad[i], ops[op].name,
			       ops[op].call((void *)bad[i], 0),
			       ops[op].call((void *)bad[i], FUTEX_PRIVATE));
}

/* ---- who meets ---- */

/* A child waits in memory of one kind; this process wakes in its own of another, at the same page
 * of the same file or, shared, of the same mapping. */
static void meet(const char *what, void (*childs)(void), void (*parents)(void), int expected)
{
	static const struct timespec tick = {0, 1000000};
	struct timespec second = {0, expected ? 2000000000l / 2 - 1 : 100000000};
	int status, woken = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (childs)
			childs();
		_exit(!!futex((void *)BASE, FUTEX_WAIT, *at, (long)&second, NULL, 0));
	}
	if (parents)
		parents();
	for (int i = 0; !woken && i < (expected ? 900 : 50); i++) {
		nanosleep(&tick, NULL);
		woken = (int)syscall(SYS_futex, BASE, FUTEX_WAKE, 1, 0, 0, 0);
	}
	waitpid(pid, &status, 0);
	printf("%-44s %s\n", what, woken == 1 && !status ? "met" : "didn't meet");
}

static void meetings(void)
{
	meet("file: private and shared", file_ro, file_shared, 1);
	meet("file: private and private", file_ro, file_ro, 1);
	meet("file: read-write and shared", file_rw, file_shared, 0);
	shared_rw();
	*at = 3;
	meet("shared memory", NULL, NULL, 1);
	rw_written();
	meet("private memory", NULL, NULL, 0);
}

int main(void)
{
	fd = open("/proc/self/exe", O_RDONLY);
	for (size_t kind = 0; kind < NR_KINDS; kind++)
		try_all(kind);
	addresses();
	meetings();
	return 0;
}
