/* SPDX-License-Identifier: GPL-2.0-or-later */
/* futex by its system call: every command, what is refused, timeouts, private and shared words, and
 * the robust list of a thread that ends. Waiters are threads of the C library's. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "abi_poke.h"

enum {
	FUTEX_WAIT = 0,
	FUTEX_WAKE = 1,
	FUTEX_FD = 2,
	FUTEX_REQUEUE = 3,
	FUTEX_CMP_REQUEUE = 4,
	FUTEX_WAKE_OP = 5,
	FUTEX_WAIT_BITSET = 9,
	FUTEX_WAKE_BITSET = 10,
	FUTEX_PRIVATE = 128,
	FUTEX_REALTIME = 256,
};
#define FUTEX_WAITERS 0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define ALL 0xffffffffu
#define MAX_WAITERS 8

static const struct timespec short_time = {0, 5000000};
static uint32_t word, other;

static long futex(void *addr, int op, uint32_t value, const void *timeout, void *second,
		  uint32_t third)
{
	return syscall(SYS_futex, addr, op, value, timeout, second, third);
}

/* ---- waiters ---- */

struct waiter {
	pthread_t thread;
	int op;
	uint32_t bits;
	volatile long result; /* 1: it waits still */
};

static struct waiter waiters[MAX_WAITERS];
static void *wait_here(void *arg)
{
	struct waiter *w = arg;

	w->result = futex(&word, w->op, word, NULL, NULL, w->bits) ? -errno : 0;
	return NULL;
}

/* How many wait there: a requeue to the same word moves nobody, and counts them. */
static long count(void *addr, int op)
{
	return futex(addr, FUTEX_REQUEUE | (op & FUTEX_PRIVATE), 0, (void *)100, addr, 0);
}

/* n waiters on `word`, one after the other. */
static void start(int n, int op, uint32_t bits)
{
	for (int i = 0; i < n; i++) {
		waiters[i] = (struct waiter){.op = op, .bits = bits, .result = 1};
		pthread_create(&waiters[i].thread, NULL, wait_here, &waiters[i]);
		while (count(&word, op) <= i)
			sched_yield();
	}
}

/* Which of the n have gone on, once that many have. */
static void show_woken(int n, int expected)
{
	for (int gone = 0; gone < expected; sched_yield()) {
		gone = 0;
		for (int i = 0; i < n; i++)
			gone += waiters[i].result != 1;
	}
	printf("  woken:");
	for (int i = 0; i < n; i++)
		if (waiters[i].result != 1)
			printf(" %d(%ld)", i, waiters[i].result);
	printf("\n");
}

static void finish(int n)
{
	futex(&word, FUTEX_WAKE, MAX_WAITERS, NULL, NULL, 0);
	futex(&word, FUTEX_WAKE | FUTEX_PRIVATE, MAX_WAITERS, NULL, NULL, 0);
	futex(&other, FUTEX_WAKE, MAX_WAITERS, NULL, NULL, 0);
	futex(&other, FUTEX_WAKE | FUTEX_PRIVATE, MAX_WAITERS, NULL, NULL, 0);
	for (int i = 0; i < n; i++)
		pthread_join(waiters[i].thread, NULL);
}

/* ---- what is refused ---- */

static void errors(void)
{
	static const int none[] = {FUTEX_FD, 14, 99};
	struct timespec bad = {0, 1000000000}, negative = {-1, 0};
	char *page =
		mmap((void *)BASE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	uint32_t *odd = (uint32_t *)((char *)&word + 1);

	show("wait, another value", futex(&word, FUTEX_WAIT, 1, NULL, NULL, 0));
	show("wait, odd address", futex(odd, FUTEX_WAIT, 0, NULL, NULL, 0));
	show("wait, nowhere", futex((void *)NOWHERE, FUTEX_WAIT, 0, NULL, NULL, 0));
	show("wait, the kernel's", futex((void *)KERNEL, FUTEX_WAIT, 0, NULL, NULL, 0));
	show("wait, nowhere, private",
	     futex((void *)NOWHERE, FUTEX_WAIT | FUTEX_PRIVATE, 0, NULL, NULL, 0));
	show("wait, read-only", futex(page, FUTEX_WAIT | FUTEX_PRIVATE, 0, &short_time, NULL, 0));
	show("wait, bad time", futex(&word, FUTEX_WAIT, 0, &bad, NULL, 0));
	show("wait, negative time", futex(&word, FUTEX_WAIT, 0, &negative, NULL, 0));
	show("wait, bad timeout pointer", futex(&word, FUTEX_WAIT, 1, (void *)NOWHERE, NULL, 0));
	show("wait, realtime", futex(&word, FUTEX_WAIT | FUTEX_REALTIME, 1, &short_time, NULL, 0));
	show("wait bitset, no bits", futex(&word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0));
	show("wake bitset, no bits", futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0));
	show("wake, nobody", futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0));
	show("wake, odd address", futex(odd, FUTEX_WAKE, 1, NULL, NULL, 0));
	show("wake, nowhere, private",
	     futex((void *)NOWHERE, FUTEX_WAKE | FUTEX_PRIVATE, 1, NULL, NULL, 0));
	show("wake, realtime", futex(&word, FUTEX_WAKE | FUTEX_REALTIME, 1, NULL, NULL, 0));
	show("requeue, negative", futex(&word, FUTEX_REQUEUE, (uint32_t)-1, NULL, &other, 0));
	show("requeue, negative", futex(&word, FUTEX_REQUEUE, 1, (void *)-1l, &other, 0));
	show("cmp requeue, another value",
	     futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)1, &other, 1));
	show("requeue, odd second", futex(&word, FUTEX_REQUEUE, 1, (void *)1, odd, 0));
	show("wake op, nowhere",
	     futex(&word, FUTEX_WAKE_OP | FUTEX_PRIVATE, 1, (void *)1, (void *)NOWHERE, 0));
	show("wake op, read-only",
	     futex(&word, FUTEX_WAKE_OP | FUTEX_PRIVATE, 1, (void *)1, page, 0));
	show("wake op, no such operation",
	     futex(&word, FUTEX_WAKE_OP, 1, (void *)1, &other, 6u << 28));
	show("wake op, no such comparison",
	     futex(&word, FUTEX_WAKE_OP, 1, (void *)1, &other, 7u << 24));
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		show("no such command", futex(&word, none[i], 0, NULL, NULL, 0));
	munmap(page, PAGE);
}

/* ---- timeouts ---- */

static long ns(const struct timespec *t)
{
	return t->tv_sec * 1000000000 + t->tv_nsec;
}

static void timed(const char *what, int op, clockid_t clock, int absolute)
{
	struct timespec before, after, t = short_time;

	clock_gettime(clock, &before);
	if (absolute) {
		t.tv_sec = before.tv_sec;
		t.tv_nsec = before.tv_nsec + short_time.tv_nsec;
		if (t.tv_nsec >= 1000000000) {
			t.tv_nsec -= 1000000000;
			t.tv_sec++;
		}
	}
	show(what, futex(&word, op, 0, &t, NULL, ALL));
	clock_gettime(clock, &after);
	printf("  it took long enough: %d\n", ns(&after) - ns(&before) >= ns(&short_time));
}

static void timeouts(void)
{
	struct timespec past = {0, 1};

	timed("wait, relative", FUTEX_WAIT, CLOCK_MONOTONIC, 0);
	timed("wait, private", FUTEX_WAIT | FUTEX_PRIVATE, CLOCK_MONOTONIC, 0);
	timed("wait bitset", FUTEX_WAIT_BITSET, CLOCK_MONOTONIC, 1);
	timed("wait bitset, realtime", FUTEX_WAIT_BITSET | FUTEX_REALTIME, CLOCK_REALTIME, 1);
	show("wait bitset, until the past", futex(&word, FUTEX_WAIT_BITSET, 0, &past, NULL, ALL));
	past.tv_nsec = 0;
	show("wait, no time", futex(&word, FUTEX_WAIT, 0, &past, NULL, 0));
}

/* ---- signals ---- */

static volatile int handled;

static void on_signal(int signo)
{
	(void)signo;
	handled++;
}

static void interrupted(const char *what, int flags, const struct timespec *timeout)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = flags};
	pid_t pid;

	handled = 0;
	sigaction(SIGUSR1, &sa, NULL);
	pid = poke_start(SIGUSR1);
	poke_show(pid, what, futex(&word, FUTEX_WAIT, 0, timeout, NULL, 0));
	printf("  handled: %d\n", handled > 0);
}

static void signals(void)
{
	struct timespec long_time = {1000, 0};

	interrupted("wait, interrupted", 0, NULL);
	interrupted("wait with a timeout, interrupted", 0, &long_time);
	interrupted("wait with a timeout, SA_RESTART", SA_RESTART, &long_time);
	signal(SIGUSR1, SIG_DFL);
}

/* ---- waking ---- */

static void wakes(void)
{
	start(4, FUTEX_WAIT, 0);
	show("wake one", futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0));
	show_woken(4, 1);
	show("wake none", futex(&word, FUTEX_WAKE, 0, NULL, NULL, 0));
	show_woken(4, 2);
	show("wake -1", futex(&word, FUTEX_WAKE, (uint32_t)-1, NULL, NULL, 0));
	show_woken(4, 3);
	show("wake all", futex(&word, FUTEX_WAKE, 100, NULL, NULL, 0));
	finish(4);
	start(2, FUTEX_WAIT | FUTEX_PRIVATE, 0);
	show("private waiters, shared wake", futex(&word, FUTEX_WAKE, 2, NULL, NULL, 0));
	show("private waiters, private wake",
	     futex(&word, FUTEX_WAKE | FUTEX_PRIVATE, 2, NULL, NULL, 0));
	finish(2);
	start(2, FUTEX_WAIT, 0);
	show("shared waiters, private wake",
	     futex(&word, FUTEX_WAKE | FUTEX_PRIVATE, 2, NULL, NULL, 0));
	finish(2);
	start(3, FUTEX_WAIT_BITSET, 6);
	show("wake bitset, other bits", futex(&word, FUTEX_WAKE_BITSET, 3, NULL, NULL, 1));
	show("wake bitset, one bit", futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 2));
	show("wake bitset, another", futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 4));
	show("wake", futex(&word, FUTEX_WAKE, 3, NULL, NULL, 0));
	finish(3);
}

static void requeues(void)
{
	start(5, FUTEX_WAIT | FUTEX_PRIVATE, 0);
	show("cmp requeue 1, 2",
	     futex(&word, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE, 1, (void *)2, &other, 0));
	show_woken(5, 1);
	show("wake of the second", futex(&other, FUTEX_WAKE | FUTEX_PRIVATE, 100, NULL, NULL, 0));
	show_woken(5, 3);
	show("requeue 0, all",
	     futex(&word, FUTEX_REQUEUE | FUTEX_PRIVATE, 0, (void *)100, &other, 0));
	show("wake of the first", futex(&word, FUTEX_WAKE | FUTEX_PRIVATE, 100, NULL, NULL, 0));
	show("wake of the second", futex(&other, FUTEX_WAKE | FUTEX_PRIVATE, 100, NULL, NULL, 0));
	show_woken(5, 5);
	finish(5);
	start(3, FUTEX_WAIT, 0);
	show("requeue to itself", futex(&word, FUTEX_REQUEUE, 1, (void *)100, &word, 0));
	show_woken(3, 1);
	show("wake", futex(&word, FUTEX_WAKE, 100, NULL, NULL, 0));
	finish(3);
}

/* ---- FUTEX_WAKE_OP ---- */

static void wake_op(unsigned op, unsigned cmp, uint32_t op_arg, uint32_t cmp_arg, uint32_t before)
{
	uint32_t value = op << 28 | cmp << 24 | (op_arg & 0xfff) << 12 | (cmp_arg & 0xfff);
	long r;

	start(2, FUTEX_WAIT, 0);
	other = before;
	r = futex(&other, FUTEX_WAKE_OP, 1, (void *)1, &word, value);
	printf("op %u cmp %u, %#x and %#x: %ld\n", op, cmp, op_arg, cmp_arg, r);
	word = 0;
	r = futex(&word, FUTEX_WAKE_OP, 1, (void *)1, &other, value);
	printf("  from %#x to %#x: %ld\n", before, other, r);
	word = other = 0;
	finish(2);
}

static void wake_ops(void)
{
	static const uint32_t args[][2] = {{1, 0}, {0xfff, 5}, {3, 0xffe}, {0x7ff, 0x800}};

	for (unsigned op = 0; op < 5; op++)
		wake_op(op, op, args[op % 4][0], args[op % 4][1], 5);
	wake_op(8, 5, 4, 0, 1);
	wake_op(9, 2, 31, 0, 0x80000000u);
	wake_op(10, 0, 33, 7, 7);
}

/* ---- robust lists ---- */

struct head {
	void *next;
	long offset;
	void *pending;
};

struct lock {
	void *next;
	uint32_t word;
};

static struct head head;
static struct lock locks[4];
static struct lock *volatile pending;
static int bad_list;
static volatile uint32_t death_tid;

/* Holds some of the locks, and ends so. */
static void *dies(void *arg)
{
	uint32_t tid = (uint32_t)syscall(SYS_set_tid_address, &death_tid); /* cleared last */

	(void)arg;
	head = (struct head){&locks[0], offsetof(struct lock, word), pending};
	for (int i = 0; i < 4; i++)
		locks[i].next = i < 3 ? (void *)&locks[i + 1] : (void *)&head;
	if (bad_list)
		locks[1].next = (void *)NOWHERE;
	locks[0].word = tid;
	locks[1].word = tid | FUTEX_WAITERS;
	locks[2].word = tid + 1000;
	locks[3].word = tid;
	syscall(SYS_set_robust_list, &head, sizeof(head));
	while (count(&locks[1].word, 0) < 1)
		sched_yield();
	syscall(SYS_exit, 0);
	return NULL;
}

static char death_stack[65536] __attribute__((aligned(64)));

static void robust(const char *what)
{
	pthread_attr_t attr;
	pthread_t thread;

	printf("%s\n", what);
	memset(locks, 0, sizeof(locks));
	death_tid = 1;
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, death_stack, sizeof(death_stack));
	pthread_create(&thread, &attr, dies, NULL);
	while (!__atomic_load_n(&locks[3].word, __ATOMIC_SEQ_CST))
		sched_yield();
	show("wait for a lock", futex(&locks[1].word, FUTEX_WAIT, locks[1].word, NULL, NULL, 0));
	while (death_tid)
		sched_yield();
	for (int i = 0; i < 4; i++)
		printf("  lock %d: died %d, waiters %d, owner %d\n", i,
		       !!(locks[i].word & FUTEX_OWNER_DIED), !!(locks[i].word & FUTEX_WAITERS),
		       !!(locks[i].word & ~(FUTEX_OWNER_DIED | FUTEX_WAITERS)));
}

static void robust_lists(void)
{
	void *at = NULL;
	size_t size = 0;

	show("set_robust_list, bad size", syscall(SYS_set_robust_list, &head, 23));
	show("get_robust_list", syscall(SYS_get_robust_list, 0, &at, &size));
	printf("  size %zu\n", size);
	show("get_robust_list of nobody", syscall(SYS_get_robust_list, 1 << 21, &at, &size));
	show("get_robust_list, bad pointer", syscall(SYS_get_robust_list, 0, NOWHERE, &size));
	robust("a good list");
	pending = &locks[3];
	robust("the last one pending");
	pending = NULL;
	bad_list = 1;
	robust("a bad list");
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	errors();
	timeouts();
	signals();
	wakes();
	requeues();
	wake_ops();
	robust_lists();
	return 0;
}
