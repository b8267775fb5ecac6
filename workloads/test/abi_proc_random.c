/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Seeded random trees of processes: Linux and the stub must print the same.
 *
 *   abi_proc_random [FIRST-SEED [SEEDS]]
 *
 * Each process follows a script that its seed alone decides, and folds what it saw into a digest.
 * Its exit status is seven bits of that, which its parent folds in turn; the root prints its own.
 * Nothing depends on who runs when. The operations:
 *
 *   1. write, check, DONTNEED private pages that were inherited: nobody else's writes may show
 *   2. fork a child with a script of its own; wait for one, or for all at the end
 *   3. kill a child that waits, sleeps or spins
 *   4. read all that a child writes, more than a pipe holds; or close early, so that it ends of
 *      SIGPIPE
 *   5. a child that dies by a fault, or at a page that its parent made read-only
 *   6. a child that sends its parent a signal, and is waited for
 *   7. a child that runs this program again by execve, leaf of the tree
 *   8. call wait without a child
 *   9. beside each of these, one call whose flags may have any bit
 *
 * Seed 8 alone does each of them, with 27 forks: few enough for a KVM that interprets ring 0.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "abi.h"

#define AREA_PAGES 16u
#define OPERATIONS 10
#define MAX_DEPTH 3
#define MAX_CHILDREN 3

static char *program;
static uint64_t rng, digest;
static int depth;
static pid_t children[MAX_CHILDREN];
static int nr_children;
static unsigned char *const area = (unsigned char *)BASE;
static unsigned char shadow[AREA_PAGES];
static volatile sig_atomic_t got_usr1;

static uint32_t random_below(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 33) % n;
}

static void fold(uint64_t v)
{
	digest = (digest ^ v) * 0x9e3779b97f4a7c15u;
	digest ^= digest >> 29;
}

static _Noreturn void end_with_digest(void)
{
	_exit((int)(digest >> 11 & 0x7f));
}

/* fork, or the end of everything. */
static pid_t must_fork(void)
{
	pid_t pid = fork();

	if (pid < 0) {
		printf("fork: %s\n", strerror(errno));
		fflush(stdout);
		_exit(200);
	}
	return pid;
}

static void fold_wait(pid_t pid)
{
	pid_t got;
	int status = 0;

	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	fold(got == pid);
	fold((uint64_t)status);
}

/* ---- 1. ---- */

static void write_page(void)
{
	uint32_t page = random_below(AREA_PAGES);

	shadow[page] = (unsigned char)random_below(256);
	area[page * PAGE + page * 7] = shadow[page];
}

static void check_pages(void)
{
	for (uint32_t page = 0; page < AREA_PAGES; page++)
		fold(area[page * PAGE + page * 7] == shadow[page]);
}

static void drop_pages(void)
{
	uint32_t first = random_below(AREA_PAGES), n = 1 + random_below(AREA_PAGES - first);

	fold((uint64_t)madvise(area + first * PAGE, n * PAGE, MADV_DONTNEED));
	memset(shadow + first, 0, n);
}

/* ---- 2. ---- */

static void run_script(void);

static void fork_child(void)
{
	uint64_t seed = (uint64_t)random_below(~0u) << 20 | 1;
	pid_t parent = getpid(), pid;

	if (depth == MAX_DEPTH || nr_children == MAX_CHILDREN)
		return;
	pid = must_fork();
	if (!pid) {
		rng = digest = seed;
		depth++;
		nr_children = 0;
		fold(getppid() == parent && getpid() != parent);
		run_script();
		end_with_digest();
	}
	children[nr_children++] = pid;
}

static void wait_child(void)
{
	uint32_t i;

	if (!nr_children)
		return;
	i = random_below((uint32_t)nr_children);
	fold_wait(children[i]);
	children[i] = children[--nr_children];
}

/* ---- 3. ---- */

static _Noreturn void never_end(uint32_t how)
{
	struct timespec hour = {3600, 0};
	int fd[2];
	char byte;

	if (how == 0)
		nanosleep(&hour, NULL);
	if (how == 1 && !pipe(fd))
		fold((uint64_t)read(fd[0], &byte, 1));
	for (;;)
		__asm__ volatile("");
}

static void kill_child(void)
{
	static const int signals[] = {SIGTERM, SIGKILL, SIGHUP, SIGUSR2, SIGINT};
	int signo = signals[random_below(5)];
	uint32_t how = random_below(3);
	pid_t pid = must_fork();

	if (!pid)
		never_end(how);
	if (random_below(2)) {
		struct timespec ms = {0, 1000000};

		nanosleep(&ms, NULL);
	}
	fold((uint64_t)kill(pid, signo));
	fold_wait(pid);
}

/* ---- 4. ---- */

static _Noreturn void write_much(int fd, uint32_t n, uint32_t piece)
{
	unsigned char buf[5000];

	for (uint32_t at = 0; at < n;) {
		uint32_t want = n - at < piece ? n - at : piece;
		ssize_t put;

		for (uint32_t i = 0; i < want; i++)
			buf[i] = (unsigned char)((at + i) * 31 >> 3);
		put = write(fd, buf, want);
		if (put <= 0)
			_exit(100 + errno);
		at += (uint32_t)put;
	}
	_exit(42);
}

/* Reads up to n bytes in pieces; the number that were wrong. */
static uint32_t read_checked(int fd, uint32_t n, uint32_t piece, uint32_t *got)
{
	unsigned char buf[5000];
	uint32_t wrong = 0;
	ssize_t r = 1;

	for (*got = 0; *got < n && r > 0; *got += (uint32_t)r) {
		uint32_t want = n - *got < piece ? n - *got : piece;

		r = read(fd, buf, want);
		if (r < 0)
			return ~0u;
		for (ssize_t i = 0; i < r; i++)
			wrong += buf[i] != (unsigned char)((*got + (uint32_t)i) * 31 >> 3);
	}
	return wrong;
}

static void pipe_from_child(int all)
{
	uint32_t n = random_below(200000), piece = 1 + random_below(5000), got;
	uint32_t read_piece = 1 + random_below(5000), limit = all ? ~0u : 1 + random_below(1000);
	int fd[2];
	pid_t pid;

	if (!all)
		n += 100000; /* more than the pipe holds and the parent reads */
	if (piece < 200)
		n %= 4000;
	if (pipe(fd))
		return;
	pid = must_fork();
	if (!pid) {
		close(fd[0]);
		write_much(fd[1], n, piece);
	}
	close(fd[1]);
	fold(read_checked(fd[0], limit, read_piece, &got));
	fold(got);
	close(fd[0]);
	if (all || n > 80000)
		fold_wait(pid);
	else
		waitpid(pid, NULL, 0); /* all may have fitted in before the end was closed */
}

/* ---- 5. ---- */

static void child_dies(void)
{
	uint32_t how = random_below(3);
	pid_t pid;

	if (how == 0)
		fold((uint64_t)mprotect(area, AREA_PAGES * PAGE, PROT_READ));
	pid = must_fork();
	if (!pid) {
		if (how == 0)
			area[5] = 1;
		if (how == 1)
			*(volatile char *)NOWHERE = 1;
		__asm__ volatile("ud2");
	}
	fold_wait(pid);
	if (how == 0)
		fold((uint64_t)mprotect(area, AREA_PAGES * PAGE, PROT_READ | PROT_WRITE));
}

/* ---- 6. ---- */

static void on_usr1(int signo)
{
	(void)signo;
	got_usr1++;
}

static void signal_from_child(void)
{
	int before = got_usr1;
	pid_t pid = must_fork();

	if (!pid)
		_exit(kill(getppid(), SIGUSR1) ? 1 : 0);
	fold_wait(pid);
	fold((uint64_t)(got_usr1 - before));
}

/* ---- 7. ---- */

#define TUNABLES "GLIBC_TUNABLES="

/* What the kvm engine may have told glibc of the CPU, or NULL. */
static char *tunables(void)
{
	for (char **e = environ; *e; e++)
		if (!strncmp(*e, TUNABLES, strlen(TUNABLES)))
			return *e;
	return NULL;
}

static void exec_child(void)
{
	char number[24], word[] = "leaf", one[] = "A=1", two[] = "B=22";
	char *argv[] = {program, word, number, NULL}, *envp[] = {one, two, tunables(), NULL};
	pid_t pid;

	snprintf(number, sizeof(number), "%u", random_below(1u << 30));
	pid = must_fork();
	if (!pid) {
		execve(program, argv, envp);
		_exit(100 + errno);
	}
	fold_wait(pid);
}

/* What the program run again does. */
static int leaf(const char *number, char **envp)
{
	int nr_env = 0;

	for (; envp[nr_env] && strncmp(envp[nr_env], TUNABLES, strlen(TUNABLES)); nr_env++)
		for (const char *p = envp[nr_env]; *p; p++)
			fold((unsigned char)*p);
	fold(strtoull(number, NULL, 10));
	fold(area == mmap(area, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
	fold(area[0]);
	fold((uint64_t)nr_env);
	return (int)(digest >> 11 & 0x7f);
}

/* ---- 8. ---- */

static void wait_without_child(void)
{
	if (nr_children)
		return;
	errno = 0;
	fold((uint64_t)wait(NULL));
	fold((uint64_t)errno);
}

/* ---- 9. ---- */

/* The result, or the error as a negative number. */
static void fold_result(long r)
{
	fold((uint64_t)(r == -1 ? -errno : r));
}

static void close_if(long fd)
{
	if (fd >= 0)
		close((int)fd);
}

/* Not packets, which are abi_pipe's, nor notices, which a kernel may be built without. */
static void odd_pipe2(uint64_t bits)
{
	int fd[2] = {-1, -1};
	long r = syscall(SYS_pipe2, fd, bits & ~(uint64_t)(O_DIRECT | O_EXCL));

	fold_result(r);
	if (!r)
		fold_result(fcntl(fd[1], F_GETFL) ^ fcntl(fd[0], F_GETFD));
	close_if(fd[0]);
	close_if(fd[1]);
}

/* Not O_DIRECTORY with O_CREAT, which Linux refuses since 6.4. */
static void odd_open(uint64_t bits)
{
	long fd = syscall(SYS_openat, AT_FDCWD, bits & 1 ? "/dev/null" : "/dev/zero",
			  bits & ~(uint64_t)O_CREAT, 0);

	fold_result(fd < 0 ? fd : 0);
	if (fd >= 0)
		fold_result(fcntl((int)fd, F_GETFL));
	close_if(fd);
}

static void odd_descriptor(uint64_t bits)
{
	int fd = open("/dev/null", O_WRONLY), other = fd + 20;
	long r = syscall(SYS_dup3, fd, other, bits);

	fold(r == other);
	fold_result(syscall(SYS_fcntl, fd, F_SETFL, bits));
	fold_result(fcntl(fd, F_GETFL));
	fold_result(syscall(SYS_fcntl, fd, F_SETFD, bits));
	fold_result(fcntl(fd, F_GETFD));
	close_if(fd);
	if (r == other)
		close(other);
}

/* With a path: what is looked at without one has changed in 6.11. */
static void odd_stat(uint64_t bits)
{
	struct stat st = {0};

	fold_result(syscall(SYS_newfstatat, AT_FDCWD, "/proc/self/exe", &st, bits));
	fold(st.st_mode & S_IFMT);
}

static void odd_wait(uint64_t bits)
{
	pid_t nobody = getpid();

	fold_result(syscall(SYS_wait4, nobody, NULL, bits, NULL));
	fold_result(syscall(SYS_waitid, P_PID, nobody, NULL, bits, NULL));
	fold_result(syscall(SYS_waitid, P_PID, nobody, NULL, bits | WEXITED, NULL));
}

/* A child that ends at once: with no stack or memory of its parent's, no other signal than SIGCHLD,
 * no namespace or descriptor of its own, no other parent. */
static void odd_clone(uint64_t bits)
{
	const uint64_t left_out = 0x7e0a91fful;
	long pid = syscall(SYS_clone, (bits & ~left_out) | SIGCHLD, 0, NULL, NULL, 0);

	if (!pid)
		_exit(3);
	fold_result(pid < 0 ? pid : 0);
	if (pid > 0)
		fold_wait((pid_t)pid);
}

static void odd_signal(uint64_t bits)
{
	static char stack[1 << 16];
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack), .ss_flags = (int)bits}, old;
	struct {
		uint64_t handler, flags, restorer, mask;
	} action = {0, bits, 0, 0}, kept;

	fold_result(syscall(SYS_sigaltstack, &ss, NULL));
	fold_result(syscall(SYS_sigaltstack, NULL, &old));
	fold((uint64_t)(unsigned)old.ss_flags);
	ss.ss_flags = SS_DISABLE;
	syscall(SYS_sigaltstack, &ss, NULL);
	fold_result(syscall(SYS_rt_sigaction, SIGURG, &action, NULL, 8));
	fold_result(syscall(SYS_rt_sigaction, SIGURG, NULL, &kept, 8));
	fold(kept.flags);
	fold_result(syscall(SYS_rt_sigprocmask, bits, &(uint64_t){0}, NULL, 8));
}

/* A futex operation of a drawn number would be any, so the bits come on top of one that returns. */
static void odd_rest(uint64_t bits)
{
	struct timespec none = {0, 0};
	uint32_t word = 1;
	char byte;

	fold_result(syscall(SYS_getrandom, &byte, 1, bits));
	fold_result(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, bits, &none, NULL));
	if (!(bits & 0x7f))
		fold_result(syscall(SYS_futex, &word, bits, 0, NULL, NULL, 0));
	fold_result(syscall(SYS_lseek, 0x7fffffff, 0, bits));
}

/* Bits from a generator of its own, so that the others go their way: one to three of 64. */
static void odd_call(void)
{
	static void (*const calls[])(uint64_t bits) = {
		odd_pipe2, odd_open,  odd_descriptor, odd_stat,
		odd_wait,  odd_clone, odd_signal,     odd_rest,
	};
	uint64_t r = (rng ^ digest) * 0x9e3779b97f4a7c15u, bits = 1ull << (r >> 32 & 63);

	bits |= r & 1 ? 1ull << (r >> 40 & 31) : 0;
	bits |= r & 2 ? 1ull << (r >> 48 & 31) : 0;
	calls[r >> 58 & 7](r & 12 ? bits : 0);
}

static void operation(void)
{
	switch (random_below(16)) {
	case 0:
	case 1:
	case 2:
		write_page();
		break;
	case 3:
		drop_pages();
		break;
	case 4:
	case 5:
	case 6:
	case 7:
		fork_child();
		break;
	case 8:
		wait_child();
		break;
	case 9:
		kill_child();
		break;
	case 10:
		pipe_from_child(1);
		break;
	case 11:
		pipe_from_child(0);
		break;
	case 12:
		child_dies();
		break;
	case 13:
		signal_from_child();
		break;
	case 14:
		exec_child();
		break;
	case 15:
		wait_without_child();
		break;
	}
	odd_call();
	check_pages();
}

static void run_script(void)
{
	for (int i = 0; i < OPERATIONS; i++)
		operation();
	while (nr_children)
		wait_child();
	wait_without_child();
}

int main(int argc, char **argv, char **envp)
{
	unsigned long first = argc > 1 ? strtoul(argv[1], NULL, 0) : 8;
	unsigned long seeds = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;
	struct sigaction sa = {.sa_handler = on_usr1, .sa_flags = SA_RESTART};

	program = argv[0];
	if (argc == 3 && !strcmp(argv[1], "leaf"))
		return leaf(argv[2], envp);
	sigaction(SIGUSR1, &sa, NULL);
	mmap(area, AREA_PAGES * PAGE, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	for (unsigned long seed = first; seed < first + seeds; seed++) {
		rng = digest = seed * 0x9e3779b97f4a7c15u;
		run_script();
		printf("seed %lu: %016lx\n", seed, digest);
		fflush(stdout);
	}
	return 0;
}
