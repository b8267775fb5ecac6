/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a program may do to a kernel that trusts it: `hostile CASE [SEED]`. The kernel must outlive
 * each case, or end the program as Linux would. hostile_test.sh says how each must end; those whose
 * output does not depend on the system are compared with Linux.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "abi.h"

#define BEYOND 0x800000000000ul /* the first address that is not canonical */
#define TOP 0x7ffffffff000ul
#define SELECTOR_USER32 0x23 /* 32-bit code, in Linux's table and in the stub's */
#define STATUS_FLAGS 0xcd5ul /* OF DF SF ZF AF PF CF */

static sigjmp_buf back;
static char alternate[65536];
static uint64_t rng;

static unsigned long draw(unsigned long below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (rng >> 11) % below;
}

static void on_every(void (*handler)(int, siginfo_t *, void *))
{
	static const int signals[] = {SIGFPE, SIGILL, SIGTRAP, SIGBUS, SIGSEGV, SIGUSR1, SIGSYS};
	stack_t ss = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = handler;
	sa.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
	sigaltstack(&ss, NULL);
}

/* Prints the signal and goes back to before. */
static void report(int sig, siginfo_t *si, void *context)
{
	const greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;

	/* QEMU 7.2 makes 16 of the 8 bytes of a gate in the error code of `int n`. */
	printf("  signal %d code %d addr %p err %#llx cs %llx\n", sig, si->si_code, si->si_addr,
	       r[REG_TRAPNO] == 13 && r[REG_ERR] & 2 ? 2 : r[REG_ERR], r[REG_CSGSFS] & 0xffff);
	__asm__ volatile("cld");
	siglongjmp(back, 1);
}

static void quiet(int sig, siginfo_t *si, void *context)
{
	(void)sig;
	(void)si;
	(void)context;
	__asm__ volatile("cld");
	siglongjmp(back, 1);
}

/* ---- system calls with garbage for arguments ---- */

static unsigned long garbage(void)
{
	static char scratch[8192];
	static const unsigned long odd[] = {0,
					    1,
					    2,
					    7,
					    PAGE,
					    NOWHERE,
					    KERNEL,
					    NONCANONICAL,
					    BEYOND,
					    BEYOND - 1,
					    TOP,
					    TOP - 1,
					    TOP - PAGE,
					    ~0ul,
					    ~0ul - 1,
					    ~0ul << 12,
					    1ul << 31,
					    1ul << 32,
					    INT64_MAX,
					    1ul << 63,
					    0x7fffffff,
					    1025,
					    (uint32_t)-1,
					    (uint32_t)-100,
					    ~0ul - PAGE,
					    0xffffffff80200000ul};

	switch (draw(8)) {
	case 0:
		return (unsigned long)scratch + draw(sizeof(scratch));
	case 1:
		return draw(64);
	case 2:
		return rng;
	case 3:
		return 1ul << draw(64);
	default:
		return odd[draw(sizeof(odd) / sizeof(odd[0]))];
	}
}

/* Those that would end the program, make more of it, wait, or take its own memory or descriptors
 * away, prove nothing. */
static int left_out(long nr, unsigned long a)
{
	switch (nr) {
	case SYS_exit:
	case SYS_exit_group:
	case SYS_rt_sigreturn:
	case SYS_rt_sigaction:
	case SYS_kill:
	case SYS_tkill:
	case SYS_tgkill:
	case SYS_close:
	case SYS_dup2:
	case SYS_dup3:
	case SYS_fork:
	case SYS_vfork:
	case SYS_clone:
	case SYS_clone3:
	case SYS_execve:
	case SYS_wait4:
	case SYS_waitid:
	case SYS_pause:
	case SYS_rt_sigsuspend:
	case SYS_rt_sigtimedwait:
	case SYS_futex: /* threads() has it, and clone and clone3 */
	case SYS_nanosleep:
	case SYS_clock_nanosleep:
	case SYS_brk: /* with it, garbage can be gigabytes of good memory: that takes long */
	case SYS_getrandom:
		return 1;
	case SYS_arch_prctl:
		return a == 0x1002; /* ARCH_SET_FS: the thread pointer */
	case SYS_munmap:
	case SYS_mprotect:
	case SYS_mmap:
	case SYS_madvise:
		return a < BASE || a > TOP - (1ul << 30);
	case SYS_write: /* not to the console or into a pipe, where it might have to wait */
	case SYS_writev:
		return (uint32_t)a != 4 && (uint32_t)a < 64;
	case SYS_read:
	case SYS_readv:
		return (uint32_t)a != 0 && (uint32_t)a != 5 && (uint32_t)a < 64;
	default:
		return 0;
	}
}

static void system_calls(void)
{
	static const char *const paths[] = {"/dev/zero", "/dev/null", "/proc/self/maps"};
	static unsigned long failed;

	for (int i = 0; i < 3; i++) /* descriptors 3 to 5 */
		if (syscall(SYS_open, paths[i], i == 1 ? 2 : 0) != 3 + i)
			return;
	on_every(quiet);
	for (volatile unsigned i = 0; i < 8000; i++) {
		volatile long nr = draw(4) ? (long)draw(335) : (long)draw(513);
		unsigned long a[6];

		for (int k = 0; k < 6; k++)
			a[k] = garbage();
		if (left_out(nr, a[0]) || sigsetjmp(back, 1))
			continue;
		failed += syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]) == -1;
	}
	for (volatile long nr = 0; nr <= 512; nr++)
		if (!left_out(nr, ~0ul) && nr != SYS_munmap && !sigsetjmp(back, 1))
			failed += syscall(nr, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul) == -1;
	for (unsigned i = 0; i < 64; i++)
		failed += syscall((long)garbage() | 1l << 32, 0) == -1;
	fprintf(stderr, "%lu calls failed\n", failed);
	printf("went on\n");
}

/* ---- threads, futexes and robust lists of garbage ---- */

/* What a copy of the program does to itself; it need not come back. */
static void spoil_threads(void)
{
	static const unsigned long sharing[] = {0, 0x100, 0x900, 0x10900, 0x10f00, 0x4100};
	static unsigned long list[8];
	struct timespec soon = {0, 1000};
	long r;

	for (int i = 0; i < 8; i++)
		list[i] = draw(3) ? (unsigned long)&list[draw(8)] : garbage();
	syscall(SYS_set_robust_list, draw(2) ? (unsigned long)list : garbage(), 24);
	syscall(SYS_set_tid_address, garbage());
	for (int i = 0; i < 6; i++) {
		unsigned long timeout = draw(4) ? (unsigned long)&soon : garbage();

		syscall(SYS_futex, garbage(), draw(2) ? draw(14) | draw(2) << 7 : garbage(),
			garbage(), timeout, garbage(), garbage());
	}
	if (draw(2))
		r = syscall(SYS_clone, sharing[draw(6)] | (rng & 0x1380000) | draw(65),
			    draw(2) ? 0 : garbage(), garbage(), garbage(), garbage());
	else
		r = syscall(SYS_clone3, draw(2) ? (unsigned long)list : garbage(),
			    64 + 8 * draw(4));
	if (!r)
		syscall(draw(2) ? SYS_exit : SYS_exit_group, 0);
}

/* Some of the copies wait for ever, and some children of theirs: all are killed. */
static void threads(void)
{
	for (int i = 0; i < 300; i++) {
		pid_t pid;

		garbage();
		pid = fork();
		if (!pid) {
			spoil_threads();
			syscall(draw(2) ? SYS_exit : SYS_exit_group, 0);
		}
		for (int n = 0; n < 20 && waitpid(pid, NULL, __WALL | WNOHANG) == 0; n++)
			nanosleep(&(struct timespec){0, 100000}, NULL);
		kill(-1, SIGKILL);
		while (waitpid(-1, NULL, __WALL) > 0)
			;
	}
	printf("went on\n");
}

/* ---- flags that the kernel must not keep ---- */

#define WITH_FLAGS(flags, code)                                                                    \
	__asm__ volatile("pushfq\n\tpopq %%rbx\n\tmovq %%rbx, %%rax\n\torq %0, %%rax\n\t"          \
			 "pushq %%rax\n\tpopfq\n\t" code "\n\tpushq %%rbx\n\tpopfq"                \
			 :                                                                         \
			 : "r"((unsigned long)(flags))                                             \
			 : "rax", "rbx", "rcx", "r11", "memory", "cc")

static void flags(void)
{
	static const unsigned long sets[] = {0x400, 0x4000, 0x40000, 0x44400, 0x100, 0x200000};

	on_every(report);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		printf("flags %#lx\n", sets[i]);
		if (!sigsetjmp(back, 1))
			WITH_FLAGS(sets[i], "movl $39, %%eax\n\tsyscall");
		if (sets[i] & 0x40000)
			continue; /* the handler's own accesses would not be aligned */
		if (!sigsetjmp(back, 1))
			WITH_FLAGS(sets[i], "xorl %%ecx, %%ecx\n\tmovb (%%rcx), %%al");
		if (!sigsetjmp(back, 1))
			WITH_FLAGS(sets[i], "ud2");
	}
}

/* ---- 32-bit code ---- */

/* Runs `code` in 32-bit mode; it comes back by a far jump if it can. (Not by far returns: QEMU 7.2
 * pops for them with the kernel's rights.) */
#define IN_32_BITS(code)                                                                           \
	__asm__ volatile(                                                                          \
		"movq %%rsp, %%r12\n\tmovq %1, %%rsp\n\tpushq $0\n\tmovl $1f, (%%rsp)\n\t"         \
		"movl %0, 4(%%rsp)\n\tljmp *(%%rsp)\n\t.code32\n1:\n\tmovl $0x2b, "                \
		"%%eax\n\tmovl %%eax, %%ds\n\t" code                                               \
		"\n\tljmp $0x33, $2f\n\t.code64\n2:\n\tmovq %%r12, %%rsp"                          \
		:                                                                                  \
		: "i"(SELECTOR_USER32), "r"(low_stack + sizeof(low_stack) - 64)                    \
		: "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",       \
		  "memory", "cc")

static void compatibility(void)
{
	static char low_stack[4096] __attribute__((aligned(16)));

	on_every(report);
	printf("32-bit code\n");
	if (!sigsetjmp(back, 1)) {
		IN_32_BITS("nop");
		printf("  came back\n");
	}
	printf("32-bit ud2\n");
	if (!sigsetjmp(back, 1))
		IN_32_BITS("ud2");
	printf("32-bit fault\n");
	if (!sigsetjmp(back, 1))
		IN_32_BITS("xorl %%eax, %%eax\n\tmovl (%%eax), %%eax");
	printf("32-bit first touch\n");
	mmap((void *)0x10000000ul, PAGE, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (!sigsetjmp(back, 1)) {
		IN_32_BITS("movl $1, 0x10000000");
		printf("  came back\n");
	}
	fflush(stdout);
}

/* As AMD's processors have it, `syscall` works in 32-bit code too, by an entry of its own; on
 * Intel's it is undefined. */
static void compatibility_syscall(void)
{
	static char low_stack[4096] __attribute__((aligned(16)));

	on_every(quiet);
	if (!sigsetjmp(back, 1))
		IN_32_BITS("movl $20, %%eax\n\tsyscall");
	if (!sigsetjmp(back, 1))
		IN_32_BITS("movl $20, %%eax\n\tsysenter");
	printf("went on\n");
}

/* ---- every interrupt ---- */

static void interrupts(void)
{
	unsigned char *code = mmap((void *)BASE, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	on_every(report);
	for (int n = 0; n < 256; n++) {
		if (n == 0x80)
			continue; /* Linux's 32-bit calls */
		printf("int %#x\n", n);
		code[0] = 0xcd;
		code[1] = (unsigned char)n;
		code[2] = 0xc3;
		if (!sigsetjmp(back, 1))
			((void (*)(void))code)();
	}
}

static void privileged(void)
{
	static const struct {
		const char *name;
		unsigned char code[8];
	} list[] = {
		{"cli", {0xfa}},
		{"sti", {0xfb}},
		{"lgdt", {0x0f, 0x01, 0x14, 0x24}},
		{"lidt", {0x0f, 0x01, 0x1c, 0x24}},
		{"ltr", {0x0f, 0x00, 0xd8}},
		{"mov cr3", {0x0f, 0x22, 0xd8}},
		{"mov from cr0", {0x0f, 0x20, 0xc0}},
		{"mov dr7", {0x0f, 0x23, 0xf8}},
		{"wrmsr", {0x0f, 0x30}},
		{"rdmsr", {0x0f, 0x32}},
		{"swapgs", {0x0f, 0x01, 0xf8}},
		{"sysretq", {0x48, 0x0f, 0x07}},
		{"invlpg", {0x0f, 0x01, 0x3c, 0x24}},
		{"wbinvd", {0x0f, 0x09}},
		{"clts", {0x0f, 0x06}},
		{"in", {0xe4, 0xf4}},
		{"lock nop", {0xf0, 0x90}},
		{"too long", {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66}},
	};
	unsigned char *code = mmap((void *)BASE, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	on_every(report);
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		printf("%s\n", list[i].name);
		memset(code, 0x66, 64);
		memcpy(code, list[i].code, 8);
		if (!sigsetjmp(back, 1))
			((void (*)(void))code)();
	}
}

/* ---- stacks ---- */

static void at_stack(unsigned long sp)
{
	printf("fault with the stack at %#lx\n", sp);
	if (!sigsetjmp(back, 1))
		__asm__ volatile("movq %0, %%rsp\n\tmovb (%1), %%al" ::"r"(sp), "r"(0ul)
				 : "rax", "memory");
	printf("call with the stack at %#lx\n", sp);
	if (!sigsetjmp(back, 1))
		__asm__ volatile("movq %0, %%rsp\n\tmovl $39, %%eax\n\tsyscall\n\tud2" ::"r"(sp)
				 : "rax", "rcx", "r11", "memory");
}

static void stacks(void)
{
	static const unsigned long places[] = {
		0,	    1,		7,   8,	      NOWHERE + 3,  KERNEL, KERNEL + 5, BEYOND,
		BEYOND - 1, BEYOND + 8, TOP, TOP + 1, NONCANONICAL, ~0ul,   ~0ul - 7};

	on_every(report);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		at_stack(places[i]);
}

/* Alternate stacks that no frame fits on: each ends the program, so one a run. */
static void altstack(unsigned long which)
{
	static const stack_t stacks[] = {
		{.ss_sp = (void *)NOWHERE, .ss_size = 65536},
		{.ss_sp = (void *)KERNEL, .ss_size = 65536},
		{.ss_sp = (void *)NONCANONICAL, .ss_size = 65536},
		{.ss_sp = (void *)~0ul, .ss_size = ~0ul},
		{.ss_sp = (void *)NOWHERE, .ss_size = 1ul << 40},
		{.ss_sp = NULL, .ss_size = ~0ul},
		{.ss_sp = (void *)8, .ss_size = 4096},
	};
	stack_t old;

	on_every(report);
	show("sigaltstack", sigaltstack(&stacks[which % 7], NULL));
	show("sigaltstack asks", sigaltstack(NULL, &old));
	printf("  %p %#x %#zx\n", old.ss_sp, old.ss_flags, old.ss_size);
	fflush(stdout);
	if (!sigsetjmp(back, 1))
		*(volatile char *)NOWHERE = 1;
	printf("went on\n");
}

/* ---- frames of garbage ---- */

static void spoil(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;
	greg_t *r = uc->uc_mcontext.gregs;

	if (sig != SIGUSR1) {
		printf("  signal %d code %d addr %p at %#llx err %#llx flags %#llx cs %#llx ss %#llx\n",
		       sig, si->si_code, si->si_addr, r[REG_RIP],
		       si->si_code == SI_KERNEL
			       ? 0
			       : r[REG_ERR], /* which fault was first, the CPU decides */
		       r[REG_EFL] & STATUS_FLAGS, r[REG_CSGSFS] & 0xffff,
		       (unsigned long long)r[REG_CSGSFS] >> 48);
		if (r[REG_RSP] < (greg_t)(TOP - (1ul << 24)) || r[REG_RSP] >= (greg_t)TOP)
			printf("    rsp %#llx\n", r[REG_RSP]); /* not the program's own */
		__asm__ volatile("cld");
		siglongjmp(back, 1);
	}
	for (int i = 0; i < 4; i++) {
		static const int chosen[] = {REG_RIP, REG_RSP, REG_CSGSFS, REG_RIP, REG_RSP,
					     REG_RAX, REG_ERR, REG_TRAPNO, REG_CR2, REG_OLDMASK};

		r[chosen[draw(10)]] = (greg_t)garbage();
	}
	r[REG_RIP] = draw(2) ? r[REG_RIP] & ~0xffffffl : (greg_t)(NOWHERE + draw(PAGE));
	r[REG_EFL] = (greg_t)(rng & ~0x40100ul); /* TF and AC would be obeyed */
	if (!draw(4))
		r[REG_CSGSFS] = (greg_t)(draw(128) | draw(2) << 48);
	if (draw(2)) { /* refused: with a good size, whether it is depends on Linux's version */
		uc->uc_stack.ss_sp = (void *)garbage();
		uc->uc_stack.ss_size = draw(2048);
	}
	if (!draw(4))
		uc->uc_mcontext.fpregs = (void *)(draw(2) ? NOWHERE : KERNEL);
}

/* No address of the program's own may show: garbage() gives some, so they are not printed. */
static void frames(void)
{
	on_every(spoil);
	for (unsigned i = 0; i < 2000; i++) {
		stack_t ss = {.ss_sp = alternate, .ss_size = sizeof(alternate)};

		if (!sigsetjmp(back, 1)) {
			sigaltstack(&ss, NULL);
			raise(SIGUSR1);
			printf("  went on\n");
		}
		__asm__ volatile("pushfq\n\tandq $~0x40000, (%%rsp)\n\tpopfq" ::: "memory", "cc");
	}
}

/* ---- want of memory ---- */

static void out_of_pages(void)
{
	for (volatile char *p = (char *)BASE;; p += 1ul << 30) {
		mmap((void *)p, 1ul << 30, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
		for (unsigned long i = 0; i < 1ul << 30; i += PAGE)
			p[i] = 1;
	}
}

/* Only page tables: the zero page costs nothing. */
static void out_of_tables(void)
{
	char *p = mmap((void *)BASE, 1ul << 45, PROT_READ,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);

	for (unsigned long i = 0; i < 1ul << 45; i += 1ul << 21)
		(void)*(volatile char *)(p + i);
}

/* The same in a system call's own accesses. */
static void out_of_pages_in_call(void)
{
	int fds[2];
	char *p = mmap((void *)BASE, 1ul << 40, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);

	if (pipe(fds))
		return;
	for (unsigned long i = 0; i < 1ul << 40; i += PAGE)
		if (write(fds[1], "x", 1) != 1 || read(fds[0], p + i, 1) != 1)
			break;
	printf("refused: %s\n", strerror(errno));
	fflush(stdout);
	out_of_pages();
}

static void *larger(char *at)
{
	return mmap(at, 9 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

/* As many VMAs as there may be; then still munmap, mprotect, a fault. */
static void out_of_vmas(void)
{
	unsigned long n = 0;
	char *p = (char *)BASE;

	while (mmap(p + n * 2 * PAGE, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != MAP_FAILED)
		n++;
	printf("mmap: %s\n", strerror(errno));
	fprintf(stderr, "%lu VMAs\n", n);
	show("munmap", munmap(p, PAGE));
	show("mmap of a larger one", larger(p + n * 2 * PAGE) == MAP_FAILED ? -1 : 0);
	show("mmap", larger(p) == MAP_FAILED ? -1 : 0);
	show("munmap in the middle", munmap(p + n * 2 * PAGE + 4 * PAGE, PAGE));
	show("mprotect in the middle",
	     mprotect(p + n * 2 * PAGE + 4 * PAGE, PAGE, PROT_READ | PROT_WRITE));
	p[8 * PAGE] = 1;
	show("brk", syscall(SYS_brk, 0) != 0);
	show("munmap of all", munmap(p, (n * 2 + 16) * PAGE));
}

/* Descriptors and pipes until there are none. */
static void out_of_descriptors(void)
{
	int fds[2];

	while (!pipe(fds))
		;
	printf("pipe: %s\n", strerror(errno));
	while (dup(0) >= 0 || syscall(SYS_open, "/proc/self/maps", 0) >= 0)
		;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = {
		{"system_calls", system_calls},
		{"threads", threads},
		{"flags", flags},
		{"compatibility", compatibility},
		{"compatibility_syscall", compatibility_syscall},
		{"interrupts", interrupts},
		{"privileged", privileged},
		{"stacks", stacks},
		{"frames", frames},
		{"out_of_pages", out_of_pages},
		{"out_of_tables", out_of_tables},
		{"out_of_pages_in_call", out_of_pages_in_call},
		{"out_of_vmas", out_of_vmas},
		{"out_of_descriptors", out_of_descriptors},
	};
	unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;

	rng = seed * 0x9e3779b97f4a7c15ul + 1;
	if (argc > 1 && !strcmp(argv[1], "altstack")) {
		altstack(seed);
		return 0;
	}
	for (size_t i = 0; argc > 1 && i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!strcmp(argv[1], cases[i].name)) {
			cases[i].run();
			return 0;
		}
	return 2;
}
