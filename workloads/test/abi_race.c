/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page faults of every kind in some threads, against one that changes the address space under them:
 * munmap, mmap over it, mprotect, MADV_DONTNEED, mremap, fork. What the faulting threads meet is up
 * to chance (a value, a zero, a SIGSEGV); what they must never meet is the same everywhere:
 *
 *   - a value that was never written to that page: each is marked with its page's number. After
 *     pages went, their frames are filled with POISON elsewhere, so that a stale translation shows
 *   - what is gone: who gave MADV_DONTNEED for a page sees it empty when the call returns, though
 * another thread may have been first and is not done yet
 *   - a write that succeeds after mprotect took the right away and returned: a missing shootdown
 *   - in the parent, what a child wrote after fork, or the other way round
 *
 * One line for each contest. The argument: rounds of each (default 3).
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi.h"

#define PAGES 48u
#define THREADS 3u
#define AREA ((char *)BASE)
#define AWAY ((char *)(BASE + (1ul << 30)))
#define SCRATCH ((char *)(BASE + (2ul << 30)))
#define DROPPED ((char *)(BASE + (3ul << 30)) + (2ul << 20) - DROPPED_PAGES / 2 * PAGE)
#define DROPPED_PAGES 256u
#define DROPPED_TWICE 8u
#define MARK 0xfa17000000000000ull
#define POISON 0xdeadbeefdeadbeefull
#define CHILDS 0xc41dc41dc41dc41dull
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)
#ifndef MADV_POPULATE_READ /* musl has not heard of them */
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

static volatile int stop, paused;
static int bad, idle; /* atomic: what must not be; threads that wait for `paused` to end */
static __thread sigjmp_buf fault;

static void on_segv(int signo)
{
	(void)signo;
	siglongjmp(fault, 1);
}

static void fail(void)
{
	__atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
}

static volatile uint64_t *word(char *area, unsigned page, unsigned slot)
{
	return (volatile uint64_t *)(area + page * PAGE) + slot;
}

static uint64_t next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static void check_value(uint64_t value, unsigned page)
{
	if (value && value != (MARK | page))
		fail();
}

/* ---- the threads that fault ---- */

static void touch(char *area, uint64_t r, unsigned slot)
{
	unsigned page = (unsigned)(r >> 8) % PAGES;

	if (sigsetjmp(fault, 0))
		return;
	if (r & 1)
		*word(area, page, slot) = MARK | page;
	check_value(*word(area, page, (unsigned)(r >> 4) % THREADS), page);
}

static void wait_while_paused(void)
{
	if (!paused)
		return;
	__atomic_fetch_add(&idle, 1, __ATOMIC_SEQ_CST);
	while (paused)
		sched_yield();
	__atomic_fetch_sub(&idle, 1, __ATOMIC_SEQ_CST);
}

static void *faulter(void *arg)
{
	unsigned slot = (unsigned)(uintptr_t)arg;
	uint64_t random = 88172645463325252ull + slot;

	for (unsigned n = 0; !stop; n++) {
		uint64_t r = next_random(&random);

		touch(r & 2 ? AWAY : AREA, r, slot);
		wait_while_paused();
		if (n % 64 == 0)
			sched_yield(); /* for a machine of one processor */
	}
	return NULL;
}

/* ---- what is done to them: one round each ---- */

static void map_fresh(char *area)
{
	if (mmap(area, PAGES * PAGE, RW, ANON | MAP_FIXED, -1, 0) != area)
		fail();
}

/* The frames that were given back find another use. */
static void reuse_frames(void)
{
	for (unsigned i = 0; i < PAGES; i++)
		*word(SCRATCH, i, 0) = *word(SCRATCH, i, 1) = *word(SCRATCH, i, 2) = POISON;
	if (madvise(SCRATCH, PAGES * PAGE, MADV_DONTNEED))
		fail();
}

static void let_run(void)
{
	for (int i = 0; i < 8; i++)
		sched_yield();
}

static void do_munmap(unsigned round)
{
	unsigned first = round % (PAGES / 2);

	if (munmap(AREA + first * PAGE, PAGES / 2 * PAGE))
		fail();
	reuse_frames();
	let_run();
	map_fresh(AREA);
}

static void do_replace(unsigned round)
{
	map_fresh(round & 1 ? AREA : AWAY);
	reuse_frames();
}

static void do_dontneed(unsigned round)
{
	if (madvise(AREA + round % PAGES * PAGE, (PAGES - round % PAGES) * PAGE, MADV_DONTNEED))
		fail();
	reuse_frames();
}

/* Nobody may write now: what is there stays. */
static void expect_still(void)
{
	static uint64_t before[PAGES][THREADS];

	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned page = 0; page < PAGES; page++)
			for (unsigned slot = 0; slot < THREADS; slot++) {
				uint64_t now = *word(AREA, page, slot);

				if (pass && now != before[page][slot])
					fail();
				before[page][slot] = now;
			}
		let_run();
	}
}

static void do_mprotect(unsigned round)
{
	static const int lost[] = {PROT_READ, PROT_READ, PROT_NONE};
	int prot = lost[round % 3];

	if (madvise(AREA, PAGES * PAGE, MADV_DONTNEED)) /* so that a late write shows */
		fail();
	let_run();
	if (mprotect(AREA, PAGES * PAGE, prot))
		fail();
	if (prot == PROT_READ)
		expect_still();
	let_run();
	if (mprotect(AREA + PAGES / 3 * PAGE, PAGES / 3 * PAGE, RW) ||
	    mprotect(AREA, PAGES * PAGE, RW))
		fail();
}

static void do_mremap(unsigned round)
{
	(void)round;
	if (mremap(AREA, PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, AWAY) != AWAY)
		fail();
	let_run();
	map_fresh(AREA);
	reuse_frames();
}

/* The child sees a moment of the area, and what it writes is its own. */
static void child(void)
{
	int wrong = 0;

	for (unsigned page = 0; page < PAGES; page++)
		for (unsigned slot = 0; slot < THREADS; slot++) {
			uint64_t value = *word(AREA, page, slot);

			wrong |= value && value != (MARK | page);
			*word(AREA, page, slot) = CHILDS;
		}
	_exit(wrong);
}

static void do_fork(unsigned round)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		child();
	if (round & 1)
		let_run(); /* the parent writes meanwhile */
	if (waitpid(pid, &status, 0) != pid || status)
		fail();
	if (round % 4 == 3)
		do_dontneed(round);
}

/* First reads, which map the zero page; then everybody writes. */
static void do_read_first(unsigned round)
{
	(void)round;
	if (madvise(AREA, PAGES * PAGE, MADV_DONTNEED))
		fail();
	for (unsigned page = 0; page < PAGES; page++)
		check_value(*word(AREA, page, 0), page);
	let_run();
}

static void do_populate(unsigned round)
{
	if (madvise(AREA, PAGES * PAGE, MADV_DONTNEED) ||
	    madvise(AREA, PAGES * PAGE, round & 1 ? MADV_POPULATE_READ : MADV_POPULATE_WRITE))
		fail();
}

static volatile int used, dropping; /* the second thread its pages; the first one is about to */

static void linger(unsigned turns)
{
	for (volatile unsigned n = 0; n < turns; n++)
		;
}

static void all_pause(void)
{
	paused = 1;
	while (__atomic_load_n(&idle, __ATOMIC_SEQ_CST) != THREADS)
		sched_yield();
}

/* To that one of the CPUs that there are, if there are so many. */
static void pin(int nth)
{
	cpu_set_t all, one;

	CPU_ZERO(&all);
	CPU_ZERO(&one);
	if (sched_getaffinity(0, sizeof(all), &all) || CPU_COUNT(&all) <= nth)
		return;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &all) && !nth--)
			CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

/* The second thread: a few pages of what the first one drops as a whole. */
static void *drop_some(void *turns)
{
	pin(1);
	for (unsigned i = 0; i < DROPPED_TWICE; i++)
		check_value(*word(DROPPED, i, 0), i);
	used = 1;
	for (unsigned n = 1; !dropping; n++)
		if (n % 100000 == 0)
			sched_yield(); /* for a machine of one processor */
	linger((unsigned)(uintptr_t)turns);
	for (unsigned i = 0; i < DROPPED_TWICE; i++)
		if (madvise(DROPPED + i * PAGE, PAGE, MADV_DONTNEED) || *word(DROPPED, i, 0))
			fail();
	return NULL;
}

/* The pages lie in two page tables: while the first thread is at the second of them, it has taken
 * what was in the first out, and not flushed it yet. */
static void do_drop_twice(unsigned round)
{
	pthread_t other;
	cpu_set_t cpus;

	all_pause();
	if (mmap(DROPPED, DROPPED_PAGES * PAGE, RW, ANON | MAP_FIXED, -1, 0) != DROPPED)
		fail();
	for (unsigned i = 0; i < DROPPED_PAGES; i++)
		*word(DROPPED, i, 0) = MARK | i;
	used = dropping = 0;
	if (pthread_create(&other, NULL, drop_some, (void *)(uintptr_t)(round * 50)))
		exit(2);
	while (!used)
		sched_yield();
	sched_getaffinity(0, sizeof(cpus), &cpus);
	pin(0);
	dropping = 1;
	if (madvise(DROPPED, DROPPED_PAGES * PAGE, MADV_DONTNEED))
		fail();
	for (unsigned i = 0; i < DROPPED_PAGES; i++)
		if (*word(DROPPED, i, 0))
			fail();
	pthread_join(other, NULL);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	paused = 0;
}

static const struct contest {
	const char *name;
	void (*disturb)(unsigned round);
} contests[] = {
	{"munmap", do_munmap},
	{"mmap over it", do_replace},
	{"MADV_DONTNEED", do_dontneed},
	{"mprotect", do_mprotect},
	{"mremap", do_mremap},
	{"fork", do_fork},
	{"reads first", do_read_first},
	{"populate", do_populate},
	{"dropped twice", do_drop_twice},
};

/* Everything as at the start, while nobody looks. */
static void quiet(void)
{
	all_pause();
	map_fresh(AREA);
	map_fresh(AWAY);
	map_fresh(SCRATCH);
	paused = 0;
}

int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_handler = on_segv, .sa_flags = SA_NODEFER};
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 3;
	pthread_t thread[THREADS];
	int failed = 0;

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	for (unsigned i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, faulter, (void *)(uintptr_t)i))
			return 2;
	for (unsigned i = 0; i < sizeof(contests) / sizeof(*contests); i++) {
		quiet();
		for (unsigned round = 0; round < rounds; round++)
			contests[i].disturb(round);
		failed |= bad;
		printf("%-16s %s\n", contests[i].name, bad ? "BAD" : "as it must be");
		bad = 0;
	}
	stop = 1;
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	return (failed | bad) != 0;
}
