/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a program finds at its start, and the calls of its C library: as far as the results can be
 * the same on two kernels. */
#define _GNU_SOURCE
#include <elf.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "abi.h"

static void aux_vector(void)
{
	static const unsigned long types[] = {AT_PAGESZ, AT_CLKTCK, AT_PHENT, AT_BASE,
					      AT_FLAGS,	 AT_SECURE, AT_ENTRY};

	for (unsigned i = 0; i < sizeof(types) / sizeof(*types); i++)
		printf("auxv %lu: %#lx\n", types[i], getauxval(types[i]));
	printf("program headers: %#lx, %lu\n", getauxval(AT_PHDR), getauxval(AT_PHNUM));
	printf("platform %s\n", (char *)getauxval(AT_PLATFORM));
	printf("random bytes: %d\n", getauxval(AT_RANDOM) != 0);
	printf("ids %ld %ld\n", getauxval(AT_UID), getauxval(AT_GID));
}

static void stack(int argc, char **argv)
{
	uintptr_t p = (uintptr_t)argv;

	printf("argc %d, argument vector aligned %d, near the top %d\n", argc, (p & 15) == 8,
	       0x7ffffffff000ul - p < 65536);
	printf("argv ends in null %d\n", argv[argc] == NULL);
}

static void thread_state(void)
{
	unsigned long fs = 0, gs = 1;

	show("arch_prctl GET_FS", syscall(SYS_arch_prctl, 0x1003, &fs));
	printf("fs base set: %d\n", fs != 0);
	show("arch_prctl GET_GS", syscall(SYS_arch_prctl, 0x1004, &gs));
	printf("gs base %#lx\n", gs);
	show("arch_prctl SET_GS", syscall(SYS_arch_prctl, 0x1001, BASE));
	syscall(SYS_arch_prctl, 0x1004, &gs);
	printf("gs base %#lx\n", gs);
	show("arch_prctl SET_GS kernel", syscall(SYS_arch_prctl, 0x1001, KERNEL));
	show("arch_prctl unknown", syscall(SYS_arch_prctl, 0x7777, 0));
	show("arch_prctl bad pointer", syscall(SYS_arch_prctl, 0x1003, NOWHERE));
	printf("thread id is the process id: %d\n", syscall(SYS_gettid) == getpid());
	printf("set_tid_address gives it: %d\n", syscall(SYS_set_tid_address, 0) == getpid());
	show("set_robust_list bad size", syscall(SYS_set_robust_list, 0, 23));
	show("set_robust_list", syscall(SYS_set_robust_list, 0, 24));
}

static void limits(void)
{
	struct rlimit r;

	show("getrlimit stack", getrlimit(RLIMIT_STACK, &r));
	printf("stack %lu\n", (unsigned long)r.rlim_cur);
	show("getrlimit unknown", syscall(SYS_getrlimit, 16, &r));
	show("prlimit unknown", syscall(SYS_prlimit64, 0, 16, 0, &r));
	show("prlimit bad pointer", syscall(SYS_prlimit64, 0, RLIMIT_STACK, 0, NOWHERE));
	show("prlimit nobody", syscall(SYS_prlimit64, 0x3fffffff, RLIMIT_STACK, 0, &r));
	show("prlimit nothing asked", syscall(SYS_prlimit64, 0, RLIMIT_STACK, 0, 0));
}

static void others(void)
{
	struct timespec a, b;
	struct utsname u;
	char buf[64];

	show("uname", uname(&u));
	printf("%s %s\n", u.sysname, u.machine);
	show("uname bad pointer", syscall(SYS_uname, NOWHERE));
	show("getrandom", syscall(SYS_getrandom, buf, 33, 0));
	show("getrandom bad flags", syscall(SYS_getrandom, buf, 1, 8));
	show("getrandom random and insecure", syscall(SYS_getrandom, buf, 1, 6));
	show("getrandom nowhere", syscall(SYS_getrandom, NOWHERE, 8, 0));
	show("clock_gettime", clock_gettime(CLOCK_MONOTONIC, &a));
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("time goes on: %d\n",
	       b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec > a.tv_nsec));
	show("clock_gettime unknown", syscall(SYS_clock_gettime, 12345, &a));
	show("clock_gettime bad pointer", syscall(SYS_clock_gettime, CLOCK_REALTIME, NOWHERE));
	show("readlink not a link", readlink("/dev/zero", buf, sizeof(buf)));
	show("readlink nothing", readlink("/no/such/file", buf, sizeof(buf)));
	show("readlink size 0", readlink("/proc/self/exe", buf, 0));
	show("readlink bad buffer", syscall(SYS_readlink, "/proc/self/exe", NOWHERE, 5));
	show("a call that does not exist", syscall(1000));
	show("another", syscall(-1));
	show("stubctl's number", syscall(0x7fffffff));
}

static void heap(void)
{
	static void *p[60];
	unsigned long sum = 0;

	for (int i = 0; i < 60; i++) {
		size_t n = (size_t)(i * i * 60 + 1);

		p[i] = malloc(n);
		memset(p[i], i, n);
	}
	for (int i = 0; i < 60; i += 2)
		free(p[i]);
	for (int i = 1; i < 60; i += 2) {
		p[i] = realloc(p[i], (size_t)(i * i * 90 + 1));
		sum += *((unsigned char *)p[i] + i * i * 60);
		free(p[i]);
	}
	printf("heap sum %lu\n", sum);
}

int main(int argc, char **argv)
{
	aux_vector();
	stack(argc, argv);
	thread_state();
	limits();
	others();
	heap();
	fflush(stdout);
	abort();
}
