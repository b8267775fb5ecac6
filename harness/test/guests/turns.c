/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * turns [SECONDS]: two threads that take a word from one another as often as they get to run.
 * Prints how often each took it, and the most rounds of its loop, of five instructions each,
 * between two times. With SECONDS, both sleep as long, take turns once more, and the clock is
 * printed too.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 1000000

static _Alignas(64) uint32_t owner = 2;
static _Alignas(64) uint32_t ready;
static uint32_t longest;

/* No pause: nothing but the end of its turn takes the processor from a thread. */
static uint32_t take_turns(uint32_t who)
{
	uint32_t taken = 0, since = 0, left = ROUNDS;

	__asm__ volatile("1: incl %[since]\n\t"
			 "cmpl %[who], %[owner]\n\t"
			 "je 2f\n\t"
			 "movl %[who], %[owner]\n\t"
			 "incl %[taken]\n\t"
			 "cmpl %[longest], %[since]\n\t"
			 "jbe 3f\n\t"
			 "movl %[since], %[longest]\n\t"
			 "3: xorl %[since], %[since]\n\t"
			 "2: decl %[left]\n\t"
			 "jnz 1b"
			 : [since] "+&r"(since), [taken] "+&r"(taken), [left] "+&r"(left),
			   [owner] "+m"(owner), [longest] "+m"(longest)
			 : [who] "r"(who)
			 : "cc");
	return taken;
}

/* Until both have been here that often. */
static void meet(uint32_t times)
{
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) < 2 * times)
		__builtin_ia32_pause();
}

/* Of 1 ns to 60 us, another each time for each thread: often both sleep, for one to wake at once.
 */
static void nap(uint32_t who)
{
	for (long i = 0; i < 1000; i++)
		nanosleep(&(struct timespec){0, 1 + (i + 1) * (7919 + 1000 * who) % 60000}, NULL);
}

static uint32_t work(uint32_t who, unsigned seconds)
{
	uint32_t taken;

	meet(1);
	taken = take_turns(who);
	if (!seconds)
		return taken;
	sleep(seconds);
	nap(who);
	meet(2);
	return taken + take_turns(who);
}

static unsigned seconds;

static void *other(void *taken)
{
	*(uint32_t *)taken = work(1, seconds);
	return NULL;
}

static void print_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	printf("%ld.%09ld\n", (long)t.tv_sec, t.tv_nsec);
}

int main(int argc, char **argv)
{
	uint32_t taken[2];
	pthread_t thread;

	seconds = argc > 1 ? (unsigned)atoi(argv[1]) : 0;
	if (pthread_create(&thread, NULL, other, &taken[1]))
		return 1;
	taken[0] = work(0, seconds);
	pthread_join(thread, NULL);
	printf("%u %u %u\n", taken[0], taken[1], longest);
	if (seconds)
		print_clock();
	return 0;
}
