/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything that a signal frame holds, from a fault and from a system call, and everything that
 * comes back from it: each register, siginfo to its last byte, the x87/SSE state in the handler and
 * after it. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "abi.h"

static const char *const names[] = {"r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15",
				    "rdi", "rsi", "rbp", "rbx", "rdx", "rax", "rcx"};

enum { NR_GENERAL = sizeof(names) / sizeof(names[0]) }; /* in the order of gregs */

static struct {
	greg_t regs[NGREG];
	unsigned char info[128], reserved[64];
	stack_t stack;
	uint64_t mask;
	unsigned mxcsr, mxcsr_frame;
	uint16_t control, control_frame;
	uint64_t xmm5;
	int aligned, signals;
} seen;

static int change;					 /* the handler changes every register */
static int forget_fp;					 /* the handler takes the state away */
__attribute__((used)) static uint64_t after[NR_GENERAL]; /* in the order of `names` */
__attribute__((used)) static unsigned mxcsr_after;
__attribute__((used)) static uint16_t control_after;
__attribute__((used)) static uint64_t xmm5_after;
__attribute__((used)) static int pid;
extern char resume[];

static void note_fp(void)
{
	__asm__ volatile("stmxcsr %0\n\tfnstcw %1\n\tmovq %%xmm5, %2"
			 : "=m"(seen.mxcsr), "=m"(seen.control), "=m"(seen.xmm5));
}

static void handler(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	note_fp();
	seen.signals = sig;
	memcpy(seen.regs, uc->uc_mcontext.gregs, sizeof(seen.regs));
	memcpy(seen.info, si, sizeof(seen.info));
	memcpy(seen.reserved, uc->uc_mcontext.__reserved1, sizeof(seen.reserved));
	seen.stack = uc->uc_stack;
	memcpy(&seen.mask, &uc->uc_sigmask, sizeof(seen.mask));
	seen.mxcsr_frame = uc->uc_mcontext.fpregs->mxcsr;
	seen.control_frame = uc->uc_mcontext.fpregs->cwd;
	seen.aligned = !((uintptr_t)uc->uc_mcontext.fpregs & 63) && uc->uc_link == NULL;
	if (sig == SIGSEGV)
		uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)resume;
	for (int i = 0; change && i < NR_GENERAL; i++)
		if (i != REG_RBP)
			uc->uc_mcontext.gregs[i] += 0x1000000;
	if (forget_fp)
		uc->uc_mcontext.fpregs = NULL;
}

/* Which registers say the same on every system: a call's depend on the process. */
static int comparable(int reg)
{
	return reg != REG_RBP && (seen.signals == SIGSEGV || (reg != REG_RCX && reg != REG_RDI));
}

/* Every register gets a value, then `how` is executed, then what they hold is stored. rbp keeps
 * the compiler's frame. */
#define WITH_REGISTERS(how, label)                                                                 \
	__asm__ volatile(                                                                          \
		"movq $0x108, %%r8\n\tmovq $0x109, %%r9\n\tmovq $0x10a, %%r10\n\t"                 \
		"movq $0x10b, %%r11\n\tmovq $0x10c, %%r12\n\tmovq $0x10d, %%r13\n\t"               \
		"movq $0x10e, %%r14\n\tmovq $0x10f, %%r15\n\tmovq $0x207, %%rbx\n\t"               \
		"movq $0x202, %%rdx\n\tmovq $0x201, %%rcx\n\t" how "\n" label ":\n\t"              \
		"movq %%r8, after\n\tmovq %%r9, after+8\n\tmovq %%r10, after+16\n\t"               \
		"movq %%r11, after+24\n\tmovq %%r12, after+32\n\tmovq %%r13, after+40\n\t"         \
		"movq %%r14, after+48\n\tmovq %%r15, after+56\n\tmovq %%rdi, after+64\n\t"         \
		"movq %%rsi, after+72\n\tmovq %%rbx, after+88\n\tmovq %%rdx, after+96\n\t"         \
		"movq %%rax, after+104\n\tmovq %%rcx, after+112\n\t"                               \
		"stmxcsr mxcsr_after\n\tfnstcw control_after\n\tmovq %%xmm5, xmm5_after\n\t"       \
		"fninit" ::                                                                        \
			: "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rdi", "rsi",      \
			  "rbx", "rdx", "rax", "rcx", "xmm5", "memory", "cc")

static __attribute__((noinline)) void fault(void)
{
	WITH_REGISTERS("movq $0x204, %%rsi\n\tmovq $0x205, %%rdi\n\tmovq $0x10000000, %%rax\n\t"
		       "stc\n\tmovb $1, (%%rax)",
		       "resume");
}

/* tkill(getpid(), SIGUSR1): rcx and r11 are then of `syscall`'s making. */
static __attribute__((noinline)) void call(void)
{
	pid = getpid();
	WITH_REGISTERS(
		"movl pid, %%edi\n\tmovl $10, %%esi\n\tmovl $200, %%eax\n\ttestl %%eax, %%eax\n\tsyscall",
		"resume_call");
}

static void poison(void)
{
	volatile unsigned char low[8192];

	for (unsigned i = 0; i < sizeof(low); i++)
		low[i] = 0xa5;
}

static void print_bytes(const char *what, const unsigned char *p, size_t n)
{
	printf("  %s", what);
	for (size_t i = 0; i < n; i++)
		printf("%s%02x", i % 8 ? "" : " ", p[i]);
	printf("\n");
}

static void print_seen(const char *what)
{
	printf("%s: signal %d\n", what, seen.signals);
	for (int i = 0; i < NR_GENERAL; i++)
		if (comparable(i))
			printf("  %s %#llx\n", names[i], seen.regs[i]);
	printf("  carry %lld selectors %#llx err %#llx trapno %lld oldmask %#llx cr2 %#llx\n",
	       seen.regs[REG_EFL] & 1, seen.regs[REG_CSGSFS], seen.regs[REG_ERR],
	       seen.regs[REG_TRAPNO], seen.regs[REG_OLDMASK], seen.regs[REG_CR2]);
	printf("  stack %p %#x %zu mask %#lx aligned %d\n", seen.stack.ss_sp,
	       (unsigned)seen.stack.ss_flags, seen.stack.ss_size, seen.mask, seen.aligned);
	if (seen.signals == SIGSEGV)
		print_bytes("siginfo", seen.info, sizeof(seen.info));
	else
		print_bytes("siginfo", seen.info + 24, sizeof(seen.info) - 24);
	print_bytes("reserved", seen.reserved, sizeof(seen.reserved));
	printf("  in the frame: mxcsr %#x control %#x; in the handler: mxcsr %#x control %#x "
	       "xmm5 %#lx\n",
	       seen.mxcsr_frame, seen.control_frame, seen.mxcsr, seen.control, seen.xmm5);
	for (int i = 0; i < NR_GENERAL; i++)
		if (comparable(i))
			printf("  afterwards %s %#lx\n", names[i], after[i]);
	printf("  afterwards: mxcsr %#x control %#x xmm5 %#lx\n", mxcsr_after, control_after,
	       xmm5_after);
}

static void set_fp(void)
{
	static const unsigned mxcsr = 0x3f80;
	static const uint16_t control = 0x27f;
	static const uint64_t x = 0x123456789;

	__asm__ volatile("ldmxcsr %0\n\tfldcw %1\n\tmovq %2, %%xmm5" ::"m"(mxcsr), "m"(control),
			 "m"(x)
			 : "xmm5");
}

static void once(const char *what, void (*how)(void))
{
	memset(&seen, 0, sizeof(seen));
	poison();
	set_fp();
	how();
	__asm__ volatile("ldmxcsr %0" ::"m"((const unsigned){0x1f80}));
	print_seen(what);
}

static void on(int sig, int flags)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = handler;
	sa.sa_flags = SA_SIGINFO | flags;
	sigaddset(&sa.sa_mask, SIGUSR2);
	sigaction(sig, &sa, NULL);
}

static void rounds(void)
{
	change = forget_fp = 0;
	once("fault", fault);
	once("call", call);
	change = 1;
	once("fault, changed", fault);
	once("call, changed", call);
	forget_fp = 1;
	once("fault, no fpregs", fault);
	once("call, no fpregs", call);
}

int main(void)
{
	static char alternate[65536];
	stack_t ss = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
	sigset_t set;

	on(SIGSEGV, 0);
	on(SIGUSR1, 0);
	rounds();
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	on(SIGSEGV, SA_NODEFER);
	rounds();
	sigaltstack(&ss, NULL);
	seen.stack = (stack_t){0};
	on(SIGSEGV, SA_ONSTACK);
	change = forget_fp = 0;
	fault();
	printf("on the alternate stack: size %zu flags %#x, afterwards r12 %#lx\n",
	       seen.stack.ss_size, (unsigned)seen.stack.ss_flags, after[REG_R12]);
	return 0;
}
