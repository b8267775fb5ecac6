/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For programs that print what system calls do, to be run on Linux and on the stub alike: the two
 * outputs must be equal. Addresses that are printed are fixed ones, clear of a program's own. */
#ifndef ABI_H
#define ABI_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PAGE 4096ul
#define BASE 0x100000000ul	    /* 4 GiB: nothing lies near it */
#define NOWHERE 0x200000000ul	    /* never mapped */
#define KERNEL 0xffff888000000000ul /* the kernel's half */
#define NONCANONICAL 0x8000000000000000ul

/* One line: what was called, and its result or its error. */
static inline long show(const char *what, long r)
{
	if (r == -1)
		printf("%-44s error %d (%s)\n", what, errno, strerror(errno));
	else
		printf("%-44s %#lx\n", what, r);
	return r;
}

#endif
