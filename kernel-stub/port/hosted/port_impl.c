/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hosted port: arena, CPUs, failure injection, panics. See hosted.h. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "mm/phys/buddy.h"
#include "mm/phys/mm_cpu.h"
#include "mm/phys/slab.h"
#include "port/hosted/hosted.h"

unsigned char *hosted_arena;
struct page *hosted_vmemmap;
uint64_t hosted_pages;
uint64_t hosted_kernel_root;

static struct mm_cpu cpus[MAX_CPUS];
static int64_t vmstat_rows[MAX_CPUS][FL_NR_VMSTAT];
_Thread_local unsigned hosted_cpu_id;
_Thread_local struct mm_cpu *hosted_cpu = &cpus[0];

/* ---- set-up ---- */

static void *map_zeroed(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		perror("hosted port: mmap of the arena");
		abort();
	}
	return p;
}

void hosted_set_cpu(unsigned cpu)
{
	ASSERT(cpu < MAX_CPUS);
	hosted_cpu_id = cpu;
	hosted_cpu = &cpus[cpu];
	pcp_init_cpu();
}

/* One thread plays all CPUs: the others rest. */
void port_pcp_take(unsigned cpu, struct pcp *to)
{
	ASSERT(cpu != port_cpu_id());
	pcp_give(mm_cpu_of(cpu), to);
}

void hosted_init(uint64_t pages)
{
	ASSERT(pages >= 2);
	if (hosted_arena) {
		munmap(hosted_arena, hosted_pages * PAGE_SIZE);
		munmap(hosted_vmemmap, hosted_pages * sizeof(struct page));
	}
	hosted_pages = pages;
	hosted_kernel_root = 0;
	hosted_arena = map_zeroed(pages * PAGE_SIZE);
	hosted_vmemmap = map_zeroed(pages * sizeof(struct page));
	for (uint64_t pfn = 0; pfn < HOSTED_FIRST_PFN; pfn++)
		hosted_vmemmap[pfn].flags = 1u << PG_RESERVED;
	memset(cpus, 0, sizeof(cpus));
	memset(vmstat_rows, 0, sizeof(vmstat_rows));
	for (unsigned i = 0; i < MAX_CPUS; i++)
		cpus[i].vmstat = vmstat_rows[i];
	hosted_set_cpu(0);
	hosted_fail_none();
	hosted_softmmu_reset();
}

void hosted_boot(uint64_t pages)
{
	hosted_init(pages);
	buddy_init();
	ASSERT(buddy_add_range(HOSTED_FIRST_PFN, pages) == 0);
	slab_init();
}

void hosted_kernel_half(void)
{
	struct page *root = page_alloc_kernel();

	ASSERT(root && !hosted_kernel_root);
	hosted_kernel_root = page_to_pfn(root);
}

int64_t hosted_vmstat(enum fl_vmstat item)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < MAX_CPUS; i++)
		sum += vmstat_rows[i][item];
	return sum;
}

void hosted_count_received(unsigned cpu)
{
	vmstat_rows[cpu][FL_VMSTAT_TLB_REMOTE_FLUSH_RECEIVED]++;
}

void port_cpu_relax(void)
{
	hosted_answer();
	sched_yield();
}

uint64_t port_tsc(void)
{
	static uint64_t tsc;

	return __atomic_add_fetch(&tsc, 1, __ATOMIC_RELAXED);
}

/* ---- failure injection ---- */

static struct {
	enum { FAIL_NONE, FAIL_NTH, FAIL_RANDOM } mode;
	unsigned one_in;
	uint64_t nth, random, asked, refused;
} fail;

void hosted_fail_none(void)
{
	memset(&fail, 0, sizeof(fail));
}

void hosted_fail_nth(uint64_t n)
{
	hosted_fail_none();
	fail.mode = FAIL_NTH;
	fail.nth = n;
}

void hosted_fail_random(uint64_t seed, unsigned one_in)
{
	ASSERT(one_in > 0);
	hosted_fail_none();
	fail.mode = FAIL_RANDOM;
	fail.random = seed;
	fail.one_in = one_in;
}

uint64_t hosted_fail_asked(void)
{
	return fail.asked;
}

uint64_t hosted_fail_refused(void)
{
	return fail.refused;
}

/* A linear congruential generator (Knuth, MMIX's constants); the upper half is the good one. */
static uint32_t next_random(void)
{
	fail.random = fail.random * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(fail.random >> 32);
}

bool port_should_fail(void)
{
	bool refuse;

	if (fail.mode == FAIL_NONE)
		return false;
	fail.asked++;
	refuse = fail.mode == FAIL_NTH ? fail.asked == fail.nth : next_random() % fail.one_in == 0;
	fail.refused += refuse;
	return refuse;
}

/* ---- messages and panics ---- */

static _Thread_local jmp_buf *panic_target;
static _Thread_local char panic_message[256];

void port_printk(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
}

_Noreturn void port_panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(panic_message, sizeof(panic_message), fmt, ap);
	va_end(ap);
	if (panic_target)
		longjmp(*panic_target, 1);
	fprintf(stderr, "panic: %s\n", panic_message);
	abort();
}

const char *hosted_catch_panic(void (*fn)(void *), void *arg)
{
	jmp_buf target;

	if (setjmp(target)) {
		panic_target = NULL;
		memset(&hosted_cpu->lock_check, 0, sizeof(hosted_cpu->lock_check));
		return panic_message;
	}
	panic_target = &target;
	fn(arg);
	panic_target = NULL;
	return NULL;
}
