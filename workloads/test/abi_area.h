/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For abi_* programs that look at mappings and touch memory that may not be there. */
#ifndef ABI_AREA_H
#define ABI_AREA_H

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi.h"

static sigjmp_buf area_back;
static siginfo_t area_signal;
static char area_signal_stack[1 << 16]; /* so that a signal's frame makes no stack grow */

static inline void area_on_fault(int signo, siginfo_t *si, void *context)
{
	(void)signo;
	(void)context;
	area_signal = *si;
	siglongjmp(area_back, 1);
}

static inline void area_catch_faults(void)
{
	stack_t stack = {.ss_sp = area_signal_stack, .ss_size = sizeof(area_signal_stack)};
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = area_on_fault;
	sa.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
}

/* Reads a byte or, with value >= 0, writes it; prints what came of it. */
static inline void area_touch(const char *what, unsigned long addr, int value)
{
	volatile unsigned char *p = (volatile unsigned char *)addr;

	if (sigsetjmp(area_back, 0)) {
		printf("%-44s signal %d code %d at %#lx\n", what, area_signal.si_signo,
		       area_signal.si_code, (unsigned long)area_signal.si_addr);
		return;
	}
	if (value >= 0)
		*p = (unsigned char)value;
	printf("%-44s %d\n", what, *p);
}

/* Calls fn with each line of a file of /proc, which is read whole first. */
static inline void area_each_line(const char *path, void (*fn)(char *line))
{
	static char text[1 << 18];
	int fd = open(path, O_RDONLY);
	size_t size = 0;
	ssize_t n;

	while (fd >= 0 && size < sizeof(text) - 1 &&
	       (n = read(fd, text + size, sizeof(text) - 1 - size)) > 0)
		size += (size_t)n;
	text[size] = 0;
	close(fd);
	for (char *at = text, *line; (line = strsep(&at, "\n")) && *line;)
		fn(line);
}

static unsigned long area_low, area_high;

static inline void area_show_line(char *line)
{
	char *rest;
	unsigned long start = strtoul(line, &rest, 16), end = strtoul(rest + 1, &rest, 16);

	if (start >= area_low && end <= area_high)
		printf("  %#lx-%#lx%.5s%s\n", start, end, rest, strchr(rest, '/') ? " file" : "");
}

/* The mappings in [low, high), as /proc/self/maps has them. */
static inline void area_show(unsigned long low, unsigned long high)
{
	area_low = low;
	area_high = high;
	area_each_line("/proc/self/maps", area_show_line);
}

#endif
