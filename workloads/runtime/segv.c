/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "segv.h"

#include <signal.h>
#include <stddef.h>
#include <ucontext.h>

volatile struct segv_seen segv_seen;
uint64_t segv_resume;

static void segv_handler(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	segv_seen.count++;
	segv_seen.signo = signo;
	segv_seen.code = info->si_code;
	segv_seen.addr = (uint64_t)info->si_addr;
	segv_seen.trap = (uint64_t)uc->uc_mcontext.gregs[REG_TRAPNO];
	segv_seen.err = (uint64_t)uc->uc_mcontext.gregs[REG_ERR];
	segv_seen.cr2 = (uint64_t)uc->uc_mcontext.gregs[REG_CR2];
	uc->uc_mcontext.gregs[REG_RIP] = (greg_t)segv_resume;
}

int segv_install(void)
{
	struct sigaction sa = {.sa_sigaction = segv_handler, .sa_flags = SA_SIGINFO};

	sigemptyset(&sa.sa_mask);
	return sigaction(SIGSEGV, &sa, NULL);
}

/* The op, and the place behind it as segv_resume. */
#define SEGV_TIMED(op)                                                                             \
	TIMING_VARS;                                                                               \
	asm volatile("leaq 1f(%%rip), %%rax\n\tmovq %%rax, %[resume]\n\t" TIMING_PAIR(op "\n1:")   \
		     : TIMING_OUT, [resume] "=m"(segv_resume)                                      \
		     : [p] "r"(p), [v] "r"(0)                                                      \
		     : "memory", "cc")

static __attribute__((noinline)) struct timing segv_read(void *p)
{
	SEGV_TIMED("cmpb (%[p]), %b[v]");
	return TIMING_RESULT;
}

static __attribute__((noinline)) struct timing segv_write(void *p)
{
	SEGV_TIMED("movb %b[v], (%[p])");
	return TIMING_RESULT;
}

/* A jump, not a call: nothing is left on the stack for the handler to clean up. */
static __attribute__((noinline)) struct timing segv_exec(void *p)
{
	SEGV_TIMED("jmp *%[p]");
	return TIMING_RESULT;
}

struct timing segv_access(enum segv_kind kind, void *p)
{
	switch (kind) {
	case SEGV_READ:
		return segv_read(p);
	case SEGV_WRITE:
		return segv_write(p);
	default:
		return segv_exec(p);
	}
}
