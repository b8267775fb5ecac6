/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that share the processor, willing or not:
 *
 *   1. each keeps its registers, its address space and its segment bases while others run
 *   2. one that never makes a call does not stop the others
 *   3. sleeps last as long as they must, and end in the order of their times
 *   4. faults of one go on being served right while others fault
 *   5. processes wait for one another through pipes, and yield
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "abi.h"

#define SPIN_MS 50 /* several time slices when all children have had theirs */
#define CHILDREN 4
#define CROWD 8
/* ARCH_SET_GS and so on: musl has no names for them. */
#define SET_GS 0x1001
#define SET_FS 0x1002
#define GET_FS 0x1003

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void sleep_ms(unsigned ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000l};

	nanosleep(&t, NULL);
}

static void show_status(const char *what, int i, int status)
{
	if (WIFSIGNALED(status))
		printf("%s, child %d: signal %d\n", what, i, WTERMSIG(status));
	else
		printf("%s, child %d: status %d\n", what, i, WEXITSTATUS(status));
}

/* A child for each i, that ends with body(i) as its status; all of them run before any is waited
 * for. */
static void with_children(const char *what, int n, int (*body)(int i))
{
	pid_t pids[CROWD];
	int status;

	fflush(stdout);
	for (int i = 0; i < n; i++) {
		pids[i] = fork();
		if (!pids[i])
			_exit(body(i));
	}
	for (int i = 0; i < n; i++) {
		if (waitpid(pids[i], &status, 0) != pids[i])
			printf("%s, child %d: not waited for\n", what, i);
		else
			show_status(what, i, status);
	}
}

/* ---- 1. ---- */

/* Fills the registers with values made of `base`, counts `loops` down, and compares: 0, or bits
 * that say which were lost. 1: general; 2: SSE; 4: x87; 8: control words; 16: flags. */
unsigned spin_with_registers(uint64_t base, uint64_t loops, uint32_t mxcsr, uint16_t fcw);
__asm__("	.text\n"
	"spin_with_registers:\n"
	"	pushq %rbx\n"
	"	pushq %rbp\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	subq $40, %rsp\n"
	"	movl %edx, (%rsp)\n"
	"	movw %cx, 4(%rsp)\n"
	"	stmxcsr 8(%rsp)\n"
	"	fnstcw 12(%rsp)\n"
	"	ldmxcsr (%rsp)\n"
	"	fldcw 4(%rsp)\n"
	"	movq %rdi, 16(%rsp)\n"
	"	fildq 16(%rsp)\n"
	"	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
	"	leaq 100+\\n(%rdi), %rax\n"
	"	movq %rax, %xmm\\n\n"
	"	punpcklqdq %xmm\\n, %xmm\\n\n"
	"	.endr\n"
	"	movq %rsi, %rcx\n"
	"	.irp n, 8, 9, 10, 11, 12, 13, 14, 15\n"
	"	leaq \\n(%rdi), %r\\n\n"
	"	.endr\n"
	"	leaq 1(%rdi), %rax\n"
	"	leaq 2(%rdi), %rbx\n"
	"	leaq 3(%rdi), %rbp\n"
	"	leaq 4(%rdi), %rdx\n"
	"	leaq 5(%rdi), %rsi\n"
	"	stc\n"
	"1:	decq %rcx\n" /* leaves the carry as it is */
	"	jnz 1b\n"
	"	jnc 2f\n"
	"	jmp 3f\n"
	"2:	orl $16, %ecx\n"
	"3:	.irp r, rax, rbx, rbp, rdx, rsi, r8, r9, r10, r11, r12, r13, r14, r15\n"
	"	subq %rdi, %\\r\n"
	"	.endr\n"
	"	decq %rax\n"
	"	subq $2, %rbx\n"
	"	subq $3, %rbp\n"
	"	subq $4, %rdx\n"
	"	subq $5, %rsi\n"
	"	.irp n, 8, 9, 10, 11, 12, 13, 14, 15\n"
	"	subq $\\n, %r\\n\n"
	"	.endr\n"
	"	.irp r, rbx, rbp, rdx, rsi, r8, r9, r10, r11, r12, r13, r14, r15\n"
	"	orq %\\r, %rax\n"
	"	.endr\n"
	"	cmpq 16(%rsp), %rdi\n"
	"	jne 4f\n"
	"	testq %rax, %rax\n"
	"	jz 5f\n"
	"4:	orl $1, %ecx\n"
	"5:	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
	"	movq %xmm\\n, %rax\n"
	"	subq %rdi, %rax\n"
	"	subq $100+\\n, %rax\n"
	"	movhlps %xmm\\n, %xmm\\n\n"
	"	movq %xmm\\n, %rdx\n"
	"	subq %rdi, %rdx\n"
	"	subq $100+\\n, %rdx\n"
	"	orq %rdx, %rax\n"
	"	jz 6f\n"
	"	orl $2, %ecx\n"
	"6:\n"
	"	.endr\n"
	"	stmxcsr 24(%rsp)\n"
	"	fnstcw 28(%rsp)\n"
	"	fistpq 32(%rsp)\n"
	"	cmpq %rdi, 32(%rsp)\n"
	"	je 7f\n"
	"	orl $4, %ecx\n"
	"7:	movl 24(%rsp), %eax\n"
	"	cmpl %eax, (%rsp)\n"
	"	jne 8f\n"
	"	movw 28(%rsp), %ax\n"
	"	cmpw %ax, 4(%rsp)\n"
	"	je 9f\n"
	"8:	orl $8, %ecx\n"
	"9:	ldmxcsr 8(%rsp)\n"
	"	fldcw 12(%rsp)\n"
	"	movl %ecx, %eax\n"
	"	addq $40, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbp\n"
	"	popq %rbx\n"
	"	ret\n");

static uint64_t of_this_process;

/* libc's own syscall() may use what %fs points to. */
static void arch_prctl(long code, const void *base)
{
	long r = SYS_arch_prctl;

	__asm__ volatile("syscall" : "+a"(r) : "D"(code), "S"(base) : "rcx", "r11", "memory");
}

/* One round with this child's own base of %fs, which libc needs back before it is called again. */
static unsigned spin_with_fs(int i, uint64_t *base)
{
	uint32_t mxcsr = 0x1f80 | (uint32_t)i << 13; /* the rounding mode */
	uint16_t fcw = (uint16_t)(0x37f | i << 10);
	const void *libc_base;
	uint64_t fs, gs;
	unsigned lost;

	arch_prctl(GET_FS, &libc_base);
	arch_prctl(SET_FS, base);
	lost = spin_with_registers(0x123456789abcd000ul * (uint64_t)(i + 1) >> 1, 1000000, mxcsr,
				   fcw);
	__asm__ volatile("movq %%fs:(,%1,8), %0" : "=r"(fs) : "r"((uint64_t)i));
	__asm__ volatile("movq %%gs:(,%1,8), %0" : "=r"(gs) : "r"((uint64_t)i));
	arch_prctl(SET_FS, libc_base);
	if (of_this_process != (uint64_t)i || fs != (uint64_t)i || gs != (uint64_t)i)
		lost |= 32;
	return lost;
}

static int keeps_registers(int i)
{
	uint64_t *base = (uint64_t *)((uintptr_t)&of_this_process - 8 * (uintptr_t)i);
	uint64_t end = now_us() + SPIN_MS * 1000 * CHILDREN;
	unsigned lost = 0;

	of_this_process = (uint64_t)i;
	arch_prctl(SET_GS, base);
	do
		lost |= spin_with_fs(i, base);
	while (now_us() < end);
	return (int)lost;
}

/* ---- 2. ---- */

static void stubborn(void)
{
	pid_t pids[CHILDREN];
	int status;

	fflush(stdout);
	for (int i = 0; i < CHILDREN; i++) {
		pids[i] = fork();
		while (!pids[i])
			__asm__ volatile("");
	}
	sleep_ms(30);
	for (int i = 0; i < CHILDREN; i++) {
		show("kill of one that spins", kill(pids[i], i & 1 ? SIGKILL : SIGTERM));
		waitpid(pids[i], &status, 0);
		show_status("one that spins", i, status);
	}
}

/* ---- 3. ---- */

static void sleep_at_least(unsigned us)
{
	struct timespec t = {0, us * 1000l};
	uint64_t start = now_us();
	int r = nanosleep(&t, NULL);

	printf("nanosleep of %u us: %d, %s\n", us, r,
	       now_us() - start >= us ? "long enough" : "too short");
}

/* The last to be forked wakes up first. Into order[]: who woke when. False: they did not in time.
 */
static int sleep_in_turn(char order[CHILDREN])
{
	struct timespec at;
	int fd[2], got[CHILDREN], good = 1;

	if (pipe(fd))
		return 0;
	fflush(stdout);
	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += 1; /* all are asleep by then */
	for (int i = 0; i < CHILDREN; i++)
		if (!fork()) {
			char name = (char)('0' + i);

			at.tv_sec += (CHILDREN - i) / 2;
			at.tv_nsec = (CHILDREN - i) % 2 * 500000000l;
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
			_exit(write(fd[1], &name, 1) != 1);
		}
	for (int i = 0; i < CHILDREN; i++)
		if (read(fd[0], &order[i], 1) != 1)
			order[i] = '?';
	for (int i = 0; i < CHILDREN; i++) {
		wait(&got[i]);
		good &= order[i] == '0' + CHILDREN - 1 - i;
	}
	close(fd[0]);
	close(fd[1]);
	return good;
}

/* A machine may be too busy to fork all of them, or to run one, in time: then they try again. */
static void sleep_order(void)
{
	char order[CHILDREN];

	for (int tries = 0; tries < 10 && !sleep_in_turn(order); tries++)
		;
	printf("sleepers in order: %.*s\n", CHILDREN, order);
}

static void bad_sleeps(void)
{
	struct timespec t = {0, 1000000000}, negative = {-1, 0}, none = {0, 0};

	show("nanosleep of 10^9 ns", nanosleep(&t, NULL));
	show("nanosleep of -1 s", nanosleep(&negative, NULL));
	show("nanosleep of nothing", nanosleep(&none, NULL));
	show("nanosleep of a bad pointer", syscall(SYS_nanosleep, NOWHERE, 0));
}

/* ---- 4. ---- */

#define STORM_PAGES 64ul

static int storm_round(unsigned char *area, unsigned char mark)
{
	for (unsigned long p = 0; p < STORM_PAGES; p++)
		area[p * PAGE + p] = (unsigned char)(mark + p);
	for (unsigned long p = 0; p < STORM_PAGES; p++)
		if (area[p * PAGE + p] != (unsigned char)(mark + p) || area[p * PAGE + PAGE - 1])
			return 1;
	return madvise(area, STORM_PAGES * PAGE, MADV_DONTNEED) ? 2 : 0;
}

static int storm(int i)
{
	unsigned char *area = mmap((void *)BASE, STORM_PAGES * PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	uint64_t end = now_us() + SPIN_MS * 1000;
	unsigned char mark = (unsigned char)(i * 50);
	int wrong;

	do
		wrong = storm_round(area, mark++);
	while (!wrong && now_us() < end);
	return wrong;
}

/* ---- 5. ---- */

#define RING 4
#define ROUNDS 20

/* A token goes round; each adds its number. */
static void ring(void)
{
	int fd[RING + 1][2], token = 0, status, bad = 0;

	fflush(stdout);
	for (int i = 0; i <= RING; i++)
		if (pipe(fd[i]))
			return;
	for (int i = 0; i < RING; i++)
		if (!fork()) {
			for (int n = 0; n < ROUNDS; n++) {
				if (read(fd[i][0], &token, sizeof(token)) != sizeof(token))
					_exit(1);
				token += i + 1;
				if (write(fd[i + 1][1], &token, sizeof(token)) != sizeof(token))
					_exit(2);
			}
			_exit(0);
		}
	for (int n = 0; n < ROUNDS; n++)
		if (write(fd[0][1], &token, sizeof(token)) != sizeof(token) ||
		    read(fd[RING][0], &token, sizeof(token)) != sizeof(token))
			bad++;
	for (int i = 0; i < RING; i++) {
		wait(&status);
		bad += status != 0;
	}
	for (int i = 0; i <= RING; i++) {
		close(fd[i][0]);
		close(fd[i][1]);
	}
	printf("ring: token %d, %d bad\n", token, bad);
}

/* Many at once, that all start when the pipe's last writer goes. */
static void crowd(void)
{
	int fd[2], status, sum = 0, ended = 0;
	char byte;

	if (pipe(fd))
		return;
	fflush(stdout);
	for (int i = 0; i < CROWD; i++)
		if (!fork()) {
			close(fd[1]);
			_exit(read(fd[0], &byte, 1) == 0 ? i : 255);
		}
	close(fd[1]);
	while (wait(&status) > 0) {
		sum += WEXITSTATUS(status);
		ended++;
	}
	printf("crowd: %d ended, sum %d, then: %s\n", ended, sum, strerror(errno));
	close(fd[0]);
}

static int yields(int i)
{
	for (int n = 0; n < 200; n++)
		if (sched_yield())
			return 255;
	return i;
}

int main(void)
{
	with_children("registers", CHILDREN, keeps_registers);
	stubborn();
	sleep_at_least(1);
	sleep_at_least(100);
	sleep_at_least(20000);
	sleep_order();
	bad_sleeps();
	with_children("storm", CHILDREN, storm);
	ring();
	crowd();
	with_children("yield", CHILDREN, yields);
	return 0;
}
