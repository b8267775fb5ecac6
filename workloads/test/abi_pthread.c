/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a thread library makes of the kernel's calls: mutexes, conditions, barriers, read-write
 * locks, semaphores, robust and shared mutexes, thread-local storage, cancelling, detaching,
 * signals to threads, sigwait, fork and exec among threads. Only what every schedule gives is
 * printed. */
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "abi.h"

#define THREADS 8

static const struct timespec tick = {0, 10000000};
static char *program;
static pthread_t threads[THREADS];

static void *const none = NULL;

static void start(int n, void *(*fn)(void *))
{
	for (int i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, fn, (void *)(intptr_t)i))
			printf("pthread_create failed\n");
}

/* The sum of what they return. */
static long join(int n)
{
	long sum = 0;

	for (int i = 0; i < n; i++) {
		void *result = none;
		int error = pthread_join(threads[i], &result);

		if (error)
			printf("pthread_join: %s\n", strerror(error));
		sum += (long)(intptr_t)result;
	}
	return sum;
}

/* An error number, as pthread functions return it. */
static void show_error(const char *what, int error)
{
	printf("%-44s %s\n", what, error ? strerror(error) : "good");
}

static struct timespec soon(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_nsec += tick.tv_nsec;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return t;
}

/* ---- mutexes ---- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile long counter; /* volatile: read and written apart */

static void *counts(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		pthread_mutex_lock(&mutex);
		counter = counter + 1;
		if (i % 500 == 0)
			sched_yield();
		pthread_mutex_unlock(&mutex);
	}
	return arg;
}

static void *holds(void *arg)
{
	pthread_mutex_lock(&mutex);
	counter = 1;
	while (counter == 1)
		sched_yield();
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void mutexes(void)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t checked, recursive;
	struct timespec t;

	start(THREADS, counts);
	printf("joined %ld", join(THREADS));
	printf(", counted %ld\n", counter);
	counter = 0;
	pthread_create(&threads[0], NULL, holds, NULL);
	while (!counter)
		sched_yield();
	show_error("trylock", pthread_mutex_trylock(&mutex));
	t = soon(CLOCK_REALTIME);
	show_error("timedlock", pthread_mutex_timedlock(&mutex, &t));
	counter = 2;
	join(1);
	show_error("lock", pthread_mutex_lock(&mutex));
	show_error("unlock", pthread_mutex_unlock(&mutex));
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&checked, &attr);
	pthread_mutex_lock(&checked);
	show_error("lock again, checked", pthread_mutex_lock(&checked));
	pthread_mutex_unlock(&checked);
	show_error("unlock again, checked", pthread_mutex_unlock(&checked));
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&recursive, &attr);
	pthread_mutex_lock(&recursive);
	show_error("lock again, recursive", pthread_mutex_lock(&recursive));
}

/* ---- conditions ---- */

static pthread_cond_t nonempty = PTHREAD_COND_INITIALIZER, nonfull = PTHREAD_COND_INITIALIZER;
static int queue[4], queued, taken;
static long total;

static void *produces(void *arg)
{
	for (int i = 1; i <= 200; i++) {
		pthread_mutex_lock(&mutex);
		while (queued == 4)
			pthread_cond_wait(&nonfull, &mutex);
		queue[queued++] = i;
		pthread_cond_signal(&nonempty);
		pthread_mutex_unlock(&mutex);
	}
	return arg;
}

static void *consumes(void *arg)
{
	for (;;) {
		pthread_mutex_lock(&mutex);
		while (!queued && taken < 4 * 200)
			pthread_cond_wait(&nonempty, &mutex);
		if (!queued)
			break;
		total += queue[--queued];
		if (++taken == 4 * 200)
			pthread_cond_broadcast(&nonempty);
		pthread_cond_signal(&nonfull);
		pthread_mutex_unlock(&mutex);
	}
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void conditions(void)
{
	struct timespec t;

	start(4, produces);
	for (int i = 4; i < 8; i++)
		pthread_create(&threads[i], NULL, consumes, NULL);
	join(8);
	printf("taken %d, total %ld\n", taken, total);
	pthread_mutex_lock(&mutex);
	t = soon(CLOCK_REALTIME);
	show_error("timedwait", pthread_cond_timedwait(&nonempty, &mutex, &t));
	pthread_mutex_unlock(&mutex);
}

/* ---- barriers, read-write locks, semaphores, once ---- */

static pthread_barrier_t barrier;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t sem;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static volatile int round_of[THREADS], onces;
static volatile long a, b;

static void *in_step(void *arg)
{
	int self = (int)(intptr_t)arg, serial = 0, wrong = 0;

	for (int round = 1; round <= 20; round++) {
		round_of[self] = round;
		serial += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
		for (int i = 0; i < THREADS; i++)
			wrong += round_of[i] != round;
		pthread_barrier_wait(&barrier);
	}
	return (void *)(intptr_t)(serial + 1000 * wrong);
}

static void *reads_and_writes(void *arg)
{
	long torn = 0;

	for (int i = 0; i < 300; i++) {
		if (i % 8 == (int)(intptr_t)arg) {
			pthread_rwlock_wrlock(&rwlock);
			a = a + 1;
			sched_yield();
			b = b + 1;
		} else {
			pthread_rwlock_rdlock(&rwlock);
			torn += a != b;
		}
		pthread_rwlock_unlock(&rwlock);
	}
	return (void *)torn;
}

static void *posts(void *arg)
{
	for (int i = 0; i < 100; i++)
		sem_post(&sem);
	return arg;
}

static void do_once(void)
{
	onces++;
}

static void *calls_once(void *arg)
{
	pthread_once(&once, do_once);
	return arg;
}

static void others(void)
{
	struct timespec t;

	pthread_barrier_init(&barrier, NULL, THREADS);
	start(THREADS, in_step);
	printf("barrier: %ld\n", join(THREADS));
	start(THREADS, reads_and_writes);
	printf("read-write lock: %ld", join(THREADS));
	printf(", %d\n", a == b);
	sem_init(&sem, 0, 0);
	start(4, posts);
	for (int i = 0; i < 400; i++)
		sem_wait(&sem);
	join(4);
	show("sem_trywait", sem_trywait(&sem));
	t = soon(CLOCK_REALTIME);
	show("sem_timedwait", sem_timedwait(&sem, &t));
	start(4, calls_once);
	join(4);
	printf("once: %d\n", onces);
}

/* ---- robust mutexes, between processes' threads too ---- */

static pthread_mutex_t robust;

static void *dies_with_lock(void *arg)
{
	pthread_mutex_lock(&robust);
	return arg;
}

static void *waits_for_robust(void *arg)
{
	int error = pthread_mutex_lock(&robust);

	(void)arg;
	if (error == EOWNERDEAD)
		pthread_mutex_consistent(&robust);
	pthread_mutex_unlock(&robust);
	return (void *)(intptr_t)error;
}

static void *holds_a_while(void *arg)
{
	pthread_mutex_lock(&robust);
	counter = 1;
	nanosleep(&tick, NULL);
	return arg; /* with the lock */
}

static void robust_mutexes(void)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust, &attr);
	start(1, dies_with_lock);
	join(1);
	show_error("lock of who died", pthread_mutex_lock(&robust));
	show_error("made consistent", pthread_mutex_consistent(&robust));
	show_error("unlock", pthread_mutex_unlock(&robust));
	show_error("lock", pthread_mutex_lock(&robust));
	pthread_mutex_unlock(&robust);
	counter = 0;
	start(1, holds_a_while);
	while (!counter)
		sched_yield();
	pthread_create(&threads[1], NULL, waits_for_robust, NULL);
	printf("waited for who died: %d\n", join(2) == EOWNERDEAD);
	start(1, dies_with_lock);
	join(1);
	pthread_mutex_lock(&robust);
	pthread_mutex_unlock(&robust);
	show_error("not made consistent", pthread_mutex_lock(&robust));
}

/* ---- thread-local storage, stacks, attributes ---- */

static __thread long own = 5;
static __thread char large[3000];
static pthread_key_t key;
static volatile int destroyed;

static void destroy(void *value)
{
	__atomic_fetch_add(&destroyed, (int)(intptr_t)value, __ATOMIC_SEQ_CST);
}

static void *uses_own(void *arg)
{
	own += (long)(intptr_t)arg;
	large[2999] = (char)own;
	pthread_setspecific(key, (void *)(intptr_t)own);
	sched_yield();
	return (void *)(intptr_t)(own + large[0]);
}

static void *deep(void *arg)
{
	volatile char buf[200000];

	for (unsigned i = 0; i < sizeof(buf); i += 1000)
		buf[i] = (char)i;
	return (void *)(intptr_t)(buf[1000] + (arg != NULL));
}

static void storage(void)
{
	static char stack[1 << 20] __attribute__((aligned(4096)));
	pthread_attr_t attr;
	size_t size;
	int state;

	pthread_key_create(&key, destroy);
	start(THREADS, uses_own);
	printf("own: %ld", join(THREADS));
	printf(", here %ld, destroyed %d\n", own, destroyed);
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, stack, sizeof(stack));
	show_error("on one's own stack", pthread_create(&threads[0], &attr, deep, NULL));
	printf("deep: %ld\n", join(1));
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 1 << 18);
	show_error("with a size", pthread_create(&threads[0], &attr, deep, NULL));
	printf("deep: %ld\n", join(1));
	pthread_attr_getguardsize(&attr, &size);
	pthread_attr_getdetachstate(&attr, &state);
	printf("joinable %d, equal %d\n", state == PTHREAD_CREATE_JOINABLE,
	       pthread_equal(pthread_self(), pthread_self()) != 0);
}

/* ---- detached threads, the end while others are at work ---- */

static void *detached(void *arg)
{
	__atomic_fetch_add((int *)arg, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void detaching(void)
{
	static int done;

	for (int i = 0; i < 50; i++) {
		pthread_t t;

		pthread_create(&t, NULL, detached, &done);
		if (i % 2)
			pthread_detach(t);
		else
			pthread_join(t, NULL);
	}
	while (__atomic_load_n(&done, __ATOMIC_SEQ_CST) < 50)
		sched_yield();
	printf("detached: %d\n", done);
}

static void *endless(void *arg)
{
	for (;;)
		counter = counter + 1;
	return arg;
}

static void *exits_process(void *arg)
{
	nanosleep(&tick, NULL);
	_exit(40 + (int)(intptr_t)arg);
}

static void reap(const char *what, pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) == -1)
		;
	if (WIFEXITED(status))
		printf("%-44s exited %d\n", what, WEXITSTATUS(status));
	else
		printf("%-44s killed by %d\n", what, WTERMSIG(status));
}

static void ends(void)
{
	pid_t pid;

	for (int i = 0; i < 5; i++) {
		pid = fork();
		if (!pid) {
			start(4, endless);
			pthread_create(&threads[4], NULL, exits_process, (void *)0);
			pthread_exit(NULL);
		}
		reap("_exit in a thread", pid);
	}
	pid = fork();
	if (!pid) {
		start(THREADS, endless);
		raise(SIGTERM);
	}
	reap("a signal", pid);
}

/* ---- cancelling ---- */

static void cleanup(void *arg)
{
	*(int *)arg += 1;
}

static volatile int in_wait;

static void *waits_for_ever(void *arg)
{
	pthread_cleanup_push(cleanup, arg);
	pthread_mutex_lock(&mutex);
	in_wait = 1;
	for (;;)
		pthread_cond_wait(&nonempty, &mutex);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *reads_for_ever(void *arg)
{
	int fd[2];
	char byte;

	pthread_cleanup_push(cleanup, arg);
	if (pipe(fd))
		return NULL;
	in_wait = 1;
	while (read(fd[0], &byte, 1) >= 0)
		;
	pthread_cleanup_pop(0);
	return NULL;
}

static void *sleeps_for_ever(void *arg)
{
	struct timespec t = {1000, 0};

	pthread_cleanup_push(cleanup, arg);
	in_wait = 1;
	for (;;)
		nanosleep(&t, NULL);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *computes_for_ever(void *arg)
{
	pthread_cleanup_push(cleanup, arg);
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	in_wait = 1;
	for (;;)
		counter = counter + 1;
	pthread_cleanup_pop(0);
	return NULL;
}

static void cancel(const char *what, void *(*fn)(void *))
{
	int cleaned = 0;
	void *result;

	in_wait = 0;
	pthread_create(&threads[0], NULL, fn, &cleaned);
	while (!in_wait)
		sched_yield();
	nanosleep(&tick, NULL);
	show_error(what, pthread_cancel(threads[0]));
	pthread_join(threads[0], &result);
	printf("  cancelled %d, cleaned up %d\n", result == PTHREAD_CANCELED, cleaned);
}

static void cancelling(void)
{
	cancel("in pthread_cond_wait", waits_for_ever);
	pthread_mutex_unlock(&mutex); /* cancelled with it */
	cancel("in read", reads_for_ever);
	cancel("in nanosleep", sleeps_for_ever);
	cancel("anywhere", computes_for_ever);
}

/* ---- signals ---- */

static volatile sig_atomic_t handled_by[THREADS + 1];
static __thread int number = THREADS;

static void on_signal(int signo)
{
	(void)signo;
	handled_by[number]++;
}

static volatile int ready, stop;

static void *takes_signals(void *arg)
{
	number = (int)(intptr_t)arg;
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	while (!stop)
		sched_yield();
	return NULL;
}

static void *blocks_signals(void *arg)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	return takes_signals(arg);
}

static void show_handled(const char *what)
{
	printf("%-44s", what);
	for (int i = 0; i <= THREADS; i++) {
		printf(" %d", handled_by[i]);
		handled_by[i] = 0;
	}
	printf("\n");
}

static int all_handled(void)
{
	int sum = 0;

	for (int i = 0; i <= THREADS; i++)
		sum += handled_by[i];
	return sum;
}

static void to_threads(void)
{
	sigset_t usr1;

	signal(SIGUSR1, on_signal);
	ready = stop = 0;
	start(4, takes_signals);
	while (ready < 4)
		sched_yield();
	for (int i = 0; i < 4; i++) {
		for (int n = 0; n <= i; n++) {
			pthread_kill(threads[i], SIGUSR1);
			while (handled_by[i] <= n)
				sched_yield();
		}
	}
	show_handled("pthread_kill");
	raise(SIGUSR1);
	show_handled("raise");
	kill(getpid(), SIGUSR1);
	show_handled("kill, the first thread takes it");
	stop = 1;
	join(4);
	ready = stop = 0;
	pthread_create(&threads[0], NULL, blocks_signals, (void *)0);
	pthread_create(&threads[1], NULL, takes_signals, (void *)1);
	pthread_create(&threads[2], NULL, blocks_signals, (void *)2);
	while (ready < 3)
		sched_yield();
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &usr1, NULL);
	kill(getpid(), SIGUSR1);
	while (!all_handled())
		sched_yield();
	show_handled("kill, one thread only");
	stop = 1;
	join(3);
	kill(getpid(), SIGUSR1);
	show_handled("kill, everybody blocks");
	pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
	show_handled("unblocked");
	signal(SIGUSR1, SIG_DFL);
}

static void *waits_for_signals(void *arg)
{
	sigset_t set;
	long sum = 0;
	int signo;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGRTMIN + 3);
	do {
		sigwait(&set, &signo);
		sum = sum * 100 + signo;
		ready = (int)sum;
	} while (signo != SIGUSR2);
	(void)arg;
	return (void *)(intptr_t)sum;
}

static void waiting_for_signals(void)
{
	struct timespec none_at_all = {0, 0}, t = tick;
	union sigval value = {.sival_int = 77};
	sigset_t set, pending;
	siginfo_t si;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGRTMIN + 3);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	ready = 0;
	start(1, waits_for_signals);
	kill(getpid(), SIGUSR1);
	while (ready != SIGUSR1)
		sched_yield();
	pthread_kill(threads[0], SIGUSR1);
	while (ready != SIGUSR1 * 101)
		sched_yield();
	kill(getpid(), SIGUSR2);
	printf("sigwait: %ld\n", join(1));
	show("sigtimedwait, nothing", sigtimedwait(&set, &si, &none_at_all));
	show("sigtimedwait, in vain", sigtimedwait(&set, &si, &t));
	for (int i = 0; i < 3; i++) {
		value.sival_int = 77 + i;
		show("sigqueue", sigqueue(getpid(), SIGRTMIN + 3, value));
	}
	raise(SIGUSR1);
	raise(SIGUSR1);
	sigpending(&pending);
	printf("pending %d %d %d\n", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGUSR2),
	       sigismember(&pending, SIGRTMIN + 3));
	for (int i = 0; i < 5; i++) {
		int signo = sigtimedwait(&set, &si, &none_at_all);

		if (signo == SIGRTMIN + 3)
			printf("queued: code %d value %d mine %d\n", si.si_code,
			       si.si_value.sival_int, si.si_pid == getpid());
		else
			printf("signal %d\n", signo);
	}
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static volatile int suspended_mask;

static void looks_at_mask(int signo)
{
	sigset_t now;

	pthread_sigmask(SIG_SETMASK, NULL, &now);
	suspended_mask = sigismember(&now, signo) + 2 * sigismember(&now, SIGUSR2) +
			 4 * sigismember(&now, SIGALRM);
}

static void suspending(void)
{
	struct sigaction sa = {.sa_handler = looks_at_mask};
	sigset_t usr1, all_but, now;
	pid_t pid;

	sigaddset(&sa.sa_mask, SIGALRM);
	sigaction(SIGUSR1, &sa, NULL);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &usr1, NULL);
	sigemptyset(&all_but);
	sigaddset(&all_but, SIGUSR2);
	raise(SIGUSR1);
	show("sigsuspend, one is pending", sigsuspend(&all_but));
	printf("  in the handler %d\n", suspended_mask);
	pid = fork();
	if (!pid) {
		nanosleep(&tick, NULL);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	show("sigsuspend", sigsuspend(&all_but));
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	printf("  the mask is back: %d %d\n", sigismember(&now, SIGUSR1),
	       sigismember(&now, SIGUSR2));
	reap("sender", pid);
	pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
	signal(SIGUSR1, SIG_DFL);
}

/* ---- fork and exec among threads ---- */

static void *forks(void *arg)
{
	long sum = 0;

	(void)arg;
	for (int i = 0; i < 3; i++) {
		pid_t pid = fork();
		int status;

		if (!pid) {
			pthread_t t;
			void *result;

			pthread_create(&t, NULL, uses_own, (void *)3);
			pthread_join(t, &result);
			_exit((int)(intptr_t)result);
		}
		while (waitpid(pid, &status, 0) == -1)
			;
		sum += WEXITSTATUS(status);
	}
	return (void *)sum;
}

static void *execs(void *arg)
{
	char *argv[] = {program, arg, NULL};

	execve(program, argv, environ);
	return NULL;
}

static void forking(void)
{
	static char leaf[] = "leaf";
	pid_t pid;

	start(4, forks);
	printf("forks: %ld\n", join(4));
	for (int i = 0; i < 3; i++) {
		fflush(stdout);
		pid = fork();
		if (!pid) {
			start(4, i ? endless : sleeps_for_ever);
			pthread_create(&threads[4], NULL, execs, leaf);
			if (i == 2)
				pthread_exit(NULL);
			for (;;)
				pause();
		}
		reap("exec in a thread", pid);
	}
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	program = argv[0];
	if (argc > 1) {
		start(4, uses_own);
		return (int)join(4);
	}
	mutexes();
	conditions();
	others();
	robust_mutexes();
	storage();
	detaching();
	ends();
	cancelling();
	to_threads();
	waiting_for_signals();
	suspending();
	forking();
	return 0;
}
