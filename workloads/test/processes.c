/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What only the stub can be asked about processes: the end of memory, of process numbers, of
 * everybody's patience. The first argument says which case; processes_test.sh knows what to expect.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096ul

static int reap(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return status;
}

/* A child that writes more than there is: it is killed, and nobody else. */
static int out_of_memory(void)
{
	for (int i = 0; i < 3; i++) {
		pid_t pid = fork();

		if (!pid) {
			char *p = mmap(NULL, 1ul << 40, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

			for (unsigned long at = 0;; at += PAGE)
				p[at] = 1;
		}
		printf("status %#x\n", reap(pid));
	}
	return 0;
}

/* ---- who is killed ---- */

/* Writes `pages` pages, says so, waits to be told to go on, and looks whether they are as they
 * were. */
static int eat(unsigned long pages, const char *adj, int ready, int go)
{
	unsigned long *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);
	char c = 0;

	if (p == MAP_FAILED || write(fd, adj, strlen(adj)) < 0)
		return 2;
	for (unsigned long i = 0; i < pages; i++)
		p[i * PAGE / sizeof(*p)] = i * 7 + 1;
	if (write(ready, &c, 1) != 1 || read(go, &c, 1) != 0)
		return 3;
	for (unsigned long i = 0; i < pages; i++)
		if (p[i * PAGE / sizeof(*p)] != i * 7 + 1)
			return 4;
	return 0;
}

struct eater {
	unsigned long pages;
	const char *adj;
	pid_t pid;
};

static void eater_start(struct eater *e, int ready[2], int go[2])
{
	char c;

	e->pid = fork();
	if (!e->pid) {
		close(go[1]);
		close(ready[0]);
		_exit(eat(e->pages, e->adj, ready[1], go[0]));
	}
	/* The last one may not get so far, and then somebody else is dead. */
	close(ready[1]);
	if (read(ready[0], &c, 1) < 0)
		perror("read");
}

/* Three processes, one after the other, the last of which asks for more than is left. */
static void eaters(const char *what, struct eater e[3])
{
	int ready[2], go[2];

	if (pipe(go))
		exit(9);
	for (int i = 0; i < 3; i++) {
		if (pipe(ready))
			exit(9);
		eater_start(&e[i], ready, go);
		close(ready[0]);
	}
	close(go[0]);
	close(go[1]);
	printf("%s:", what);
	for (int i = 0; i < 3; i++)
		printf(" %#x", reap(e[i].pid));
	printf("\n");
}

/* Of about 6,500 to 7,000 pages. */
static int oom_victims(void)
{
	for (int round = 0; round < 3; round++) {
		eaters("the largest",
		       (struct eater[]){{300, "0", 0}, {4000, "0", 0}, {3500, "0", 0}});
		eaters("the hungry",
		       (struct eater[]){{300, "0", 0}, {2000, "0", 0}, {9000, "0", 0}});
		eaters("not that one",
		       (struct eater[]){{300, "0", 0}, {4000, "-1000", 0}, {3500, "0", 0}});
		eaters("the favourite",
		       (struct eater[]){{1200, "1000\n", 0}, {2900, "0", 0}, {2900, "0", 0}});
	}
	return 0;
}

/* How many children there is room for; each waits. */
static int crowd(pid_t *pid, int max)
{
	int n = 0;

	while (n < max) {
		pid[n] = fork();
		if (pid[n] < 0)
			break;
		if (!pid[n])
			for (;;)
				pause();
		n++;
	}
	return n;
}

/* Signals and reaps them: how many ended by that. The others must have been killed for lack of
 * memory, as they began. */
static int disperse(const pid_t *pid, int n)
{
	int stayed = 0, status;

	for (int i = 0; i < n; i++)
		kill(pid[i], SIGTERM);
	for (int i = 0; i < n; i++) {
		status = reap(pid[i]);
		stayed += status == SIGTERM;
		if (status != SIGTERM && status != SIGKILL)
			printf("a child ended otherwise: %#x\n", status);
	}
	return stayed;
}

/* As many processes as there is room for, several times: as many each time, but for `slack` (the
 * first time caches fill, and in the end it matters who is killed for lack of memory). */
static int crowds(int rounds, int slack)
{
	static pid_t pid[5000];
	int first = 0, n, error;

	for (int i = 0; i < rounds; i++) {
		n = crowd(pid, 5000);
		error = errno;
		n = disperse(pid, n);
		if (i == 1)
			first = n;
		if (i && (n < first - slack || n > first + slack))
			printf("round %d: %d processes, not %d\n", i, n, first);
		printf("round %d: %s\n", i, strerror(error));
	}
	return 0;
}

static int run_by_fork(const char *program)
{
	pid_t pid = fork();

	if (!pid) {
		execl(program, program, "nothing", (char *)NULL);
		_exit(1);
	}
	return reap(pid);
}

static int run_by_vfork(const char *program)
{
	pid_t pid = vfork();

	if (!pid) {
		execl(program, program, "nothing", (char *)NULL);
		_exit(1);
	}
	return reap(pid);
}

/* Children that run the program anew, one after the other. */
static int turnover(const char *program)
{
	int good = 0;

	for (int i = 0; i < 200; i++)
		good += !run_by_fork(program) + !run_by_vfork(program);
	printf("%d children\n", good);
	return 0;
}

/* Nobody will ever write: everybody waits. */
static int deadlock(void)
{
	char byte;
	int fd[2];

	if (pipe(fd) || fork() < 0)
		return 1;
	return (int)read(fd[0], &byte, 1);
}

/* The first process ends; its children never would. */
static int first_ends(void)
{
	for (int i = 0; i < 3; i++)
		if (!fork())
			for (volatile unsigned long n = 0;; n++)
				;
	usleep(50000);
	return 7;
}

/* Children that compute take turns by the timer; the clock says when all was done. */
static int clock_at_end(void)
{
	struct timespec t;

	for (int i = 0; i < 4; i++)
		if (!fork()) {
			for (volatile unsigned long n = 0; n < 2000000; n++)
				;
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	clock_gettime(CLOCK_MONOTONIC, &t);
	printf("%ld.%09ld\n", t.tv_sec, t.tv_nsec);
	return 0;
}

static unsigned long ticks(void)
{
	unsigned low, high;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (unsigned long)high << 32 | low;
}

static unsigned long fork_ticks(void)
{
	unsigned long begin = ticks(), end;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	end = ticks();
	reap(pid);
	return end - begin;
}

static unsigned long sleep_ticks(void)
{
	struct timespec t = {.tv_nsec = 100000};
	unsigned long begin = ticks();

	nanosleep(&t, NULL);
	return ticks() - begin;
}

/* What the first sleep, fork or both pay more than the second: their own page tables and the like,
 * but for nothing that the kernel puts off until there is a deadline. */
static int first_deadline(unsigned long (*operation)(void))
{
	unsigned long first = operation(), second = operation();

	printf("%lu, then %lu\n", first, second);
	return first > second + 10000;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IONBF, 0);
	if (!strcmp(name, "nothing"))
		return 0;
	if (!strcmp(name, "out_of_memory"))
		return out_of_memory();
	if (!strcmp(name, "oom_victims"))
		return oom_victims();
	if (!strcmp(name, "crowds"))
		return crowds(argc > 2 ? atoi(argv[2]) : 1, argc > 3 ? atoi(argv[3]) : 3);
	if (!strcmp(name, "turnover"))
		return turnover("/proc/self/exe");
	if (!strcmp(name, "deadlock"))
		return deadlock();
	if (!strcmp(name, "first_ends"))
		return first_ends();
	if (!strcmp(name, "clock_at_end"))
		return clock_at_end();
	if (!strcmp(name, "first_fork"))
		return first_deadline(fork_ticks);
	if (!strcmp(name, "first_sleep"))
		return first_deadline(sleep_ticks);
	fprintf(stderr, "processes: no case %s\n", name);
	return 2;
}
