/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operations that Linux was measured with (docs/linux-comparison.md), measured the same way:
 * the time-stamp counter before and after one access or call, the pair's own cost taken off, the
 * median of many. Under `faultline exec -e tcg` a tick is an instruction, and each row stands next
 * to what Linux 6.1 needs on the same terms; elsewhere the ticks are printed as they are.
 *
 * "net" leaves out the loop that zeroes or copies a page: `rep stosq` and `rep movsq` count 512
 * ticks more than the one instruction that they are. Everything else counts. (A fork makes page
 * tables: 7 for this program, 16 with 4096 pages populated.)
 *
 * Each mapping here stands between guard pages with other rights, so that it merges with nothing
 * that happens to be next to it, and within 2 MiB of a page that is present, so that no row pays
 * for page tables but by its own work.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "segv.h"
#include "vma_field.h"
#include "workload.h"

#define MAX_SAMPLES 4096
#define ROUNDS 1000
#define BIG_ROUNDS 64 /* of those that work on 512 pages */
#define BIG_PAGES 512
#define FORK_PAGES 4096 /* populated in the larger of the processes that fork */
#define PAGE_ZERO_TICKS 512
#define NO_CALL 1000 /* no system call has this number */
#define TABLE_REACH ((uint64_t)2 << 20)
#define RW (PROT_READ | PROT_WRITE)

enum probe {
	NOSYS,
	WRITE,
	READ,
	COW_ZERO,
	COW_COPY,
	COW_REUSE,
	FORK_SMALL,
	FORK_LARGE,
	MAPERR,
	MAPERR_NULL,
	ACCERR,
	MMAP_MUNMAP,
	MMAP_TOUCH_MUNMAP,
	MPROTECT_SPLIT,
	MPROTECT_MERGE,
	DONTNEED_1,
	DONTNEED_512,
	MUNMAP_512,
	COPY_GOOD,
	COPY_BAD,
	COPY_LAZY,
	GROWTH, /* from here on: four operations for each number of VMAs */
};

enum growth { GROW_HOLE, GROW_NO_HOLE, GROW_WRITE, GROW_SPLIT, NR_GROWTH };
static const uint64_t growth_vmas[] = {10, 1000, 60000, 1000000};
#define NR_SIZES 4
#define NR_LINUX_SIZES 3 /* Linux ends at 65530 */
#define NR_PROBES (GROWTH + NR_GROWTH * NR_SIZES)

struct result {
	uint64_t p50;
	double mean;
};

static struct result results[NR_PROBES];

struct baseline {
	struct wl_run *run;
	uint64_t samples[MAX_SAMPLES];
	size_t n;
	int zero;
};

/* ---- samples ---- */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The samples so far are those of `probe`. */
static void finish(struct baseline *b, unsigned probe)
{
	uint64_t sum = 0;

	qsort(b->samples, b->n, sizeof *b->samples, by_value);
	for (size_t i = 0; i < b->n; i++)
		sum += b->samples[i];
	results[probe].p50 = b->samples[(b->n - 1) / 2];
	results[probe].mean = (double)sum / (double)b->n;
	b->n = 0;
}

static void add(struct baseline *b, uint64_t ticks)
{
	b->samples[b->n++] = ticks;
}

static uint64_t net_of(uint64_t ticks, uint64_t overhead)
{
	return ticks > overhead ? ticks - overhead : 0;
}

static uint64_t write_ticks(struct baseline *b, void *p)
{
	return net_of(timing_write(p, 1).ticks, b->run->overhead[TIMING_ACCESS]);
}

static uint64_t read_ticks(struct baseline *b, void *p)
{
	uint64_t value, ticks = timing_read(p, &value).ticks;

	if (value)
		wl_fail(b->run, "a first read did not find zero");
	return net_of(ticks, b->run->overhead[TIMING_ACCESS]);
}

/* Ticks of a call that must return `want`. */
static uint64_t call_ticks(struct baseline *b, struct timing_call call, long want)
{
	long got;
	uint64_t ticks = timing_syscall(&call, &got).ticks;

	if (got != want)
		wl_fail(b->run, "system call %ld returned %ld, not %ld", call.nr, got, want);
	return net_of(ticks, b->run->overhead[TIMING_CALL]);
}

static uint64_t munmap_ticks(struct baseline *b, void *p, size_t len)
{
	return call_ticks(b, (struct timing_call){SYS_munmap, {(uint64_t)p, len}}, 0);
}

static uint64_t mprotect_ticks(struct baseline *b, void *p, size_t len, int prot)
{
	return call_ticks(b, (struct timing_call){SYS_mprotect, {(uint64_t)p, len, (uint64_t)prot}},
			  0);
}

static uint64_t dontneed_ticks(struct baseline *b, void *p, size_t len)
{
	return call_ticks(b, (struct timing_call){SYS_madvise, {(uint64_t)p, len, MADV_DONTNEED}},
			  0);
}

/* mmap where the kernel likes; the address is left in *p. */
static uint64_t mmap_ticks(struct baseline *b, char **p, size_t len, int prot)
{
	struct timing_call call = {
		SYS_mmap, {0, len, (uint64_t)prot, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0}};
	long got;
	uint64_t ticks = timing_syscall(&call, &got).ticks;

	if (got < 0)
		wl_fail(b->run, "mmap returned %ld", got);
	*p = (char *)got;
	return net_of(ticks, b->run->overhead[TIMING_CALL]);
}

/* ---- places ---- */

/* `pages` read-write pages between two that allow nothing. */
static char *guarded_map(struct baseline *b, size_t pages)
{
	char *p = wl_map(b->run, (pages + 2) * WL_PAGE, PROT_NONE);

	if (mprotect(p + WL_PAGE, pages * WL_PAGE, RW))
		wl_fail(b->run, "mprotect: %m");
	return p + WL_PAGE;
}

static void guarded_unmap(struct baseline *b, char *p, size_t pages)
{
	wl_unmap(b->run, p - WL_PAGE, (pages + 2) * WL_PAGE);
}

static void touch(char *p, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		*(volatile char *)(p + i * WL_PAGE) = 1;
}

/* Fills the address space down to the middle of a page table's 2 MiB, read-only, and makes that
 * table present: what is mapped next comes right below. */
static char *anchor_map(struct baseline *b, size_t *len)
{
	char *probe = wl_map(b->run, WL_PAGE, PROT_READ), *p;
	uint64_t end = (uint64_t)probe + WL_PAGE;

	wl_unmap(b->run, probe, WL_PAGE);
	*len = end - ((end & ~(TABLE_REACH - 1)) - TABLE_REACH / 2);
	p = wl_map(b->run, *len, PROT_READ);
	(void)*(volatile char *)p;
	return p;
}

/* ---- calls and faults ---- */

static void probe_nosys(struct baseline *b)
{
	for (unsigned i = 0; i < ROUNDS; i++)
		add(b, call_ticks(b, (struct timing_call){.nr = NO_CALL}, -ENOSYS));
	finish(b, NOSYS);
}

/* One sample a page of n. */
static void touches(struct baseline *b, char *p, unsigned n,
		    uint64_t (*touch_ticks)(struct baseline *, void *), enum probe probe)
{
	for (unsigned i = 0; i < n; i++)
		add(b, touch_ticks(b, p + (size_t)i * WL_PAGE));
	finish(b, probe);
}

static void probe_touches(struct baseline *b)
{
	char *p = guarded_map(b, MAX_SAMPLES);

	touches(b, p, MAX_SAMPLES, write_ticks, WRITE);
	guarded_unmap(b, p, MAX_SAMPLES);
	p = guarded_map(b, ROUNDS);
	touches(b, p, ROUNDS, read_ticks, READ);
	touches(b, p, ROUNDS, write_ticks, COW_ZERO);
	guarded_unmap(b, p, ROUNDS);
}

static void move_rip(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)signo;
	(void)info;
	uc->uc_mcontext.gregs[REG_RIP] = (greg_t)segv_resume;
}

static void make_writable(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	sys_call(SYS_mprotect, (uint64_t)info->si_addr & ~(uint64_t)(WL_PAGE - 1), WL_PAGE, RW, 0,
		 0, 0);
}

static void handle_segv(struct baseline *b, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

	sigemptyset(&sa.sa_mask);
	if (sigaction(SIGSEGV, &sa, NULL))
		wl_fail(b->run, "sigaction: %m");
}

/* Loads where no VMA is. */
static void maperrs(struct baseline *b, char *p, enum probe probe)
{
	for (unsigned i = 0; i < ROUNDS; i++)
		add(b, net_of(segv_access(SEGV_READ, p).ticks, b->run->overhead[TIMING_ACCESS]));
	finish(b, probe);
}

static void probe_signals(struct baseline *b)
{
	char *p = guarded_map(b, 2);

	touch(p, 2);
	wl_unmap(b->run, p + WL_PAGE, WL_PAGE);
	handle_segv(b, move_rip);
	maperrs(b, p + WL_PAGE, MAPERR);
	maperrs(b, NULL, MAPERR_NULL);
	handle_segv(b, make_writable);
	for (unsigned i = 0; i < ROUNDS; i++) {
		mprotect_ticks(b, p, WL_PAGE, PROT_READ);
		add(b, write_ticks(b, p));
	}
	finish(b, ACCERR);
	signal(SIGSEGV, SIG_DFL);
	guarded_unmap(b, p, 2);
}

static void probe_mmap(struct baseline *b)
{
	size_t len;
	char *anchor = anchor_map(b, &len), *p;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t ticks = mmap_ticks(b, &p, WL_PAGE, RW);

		add(b, ticks + munmap_ticks(b, p, WL_PAGE));
	}
	finish(b, MMAP_MUNMAP);
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t ticks = mmap_ticks(b, &p, WL_PAGE, RW);

		ticks += write_ticks(b, p);
		add(b, ticks + munmap_ticks(b, p, WL_PAGE));
	}
	finish(b, MMAP_TOUCH_MUNMAP);
	wl_unmap(b->run, anchor, len);
}

static void probe_mprotect(struct baseline *b)
{
	uint64_t merge[ROUNDS];
	char *p = guarded_map(b, 3);

	touch(p, 3);
	for (unsigned i = 0; i < ROUNDS; i++) {
		add(b, mprotect_ticks(b, p + WL_PAGE, WL_PAGE, PROT_READ));
		merge[i] = mprotect_ticks(b, p + WL_PAGE, WL_PAGE, RW);
	}
	finish(b, MPROTECT_SPLIT);
	for (unsigned i = 0; i < ROUNDS; i++)
		add(b, merge[i]);
	finish(b, MPROTECT_MERGE);
	guarded_unmap(b, p, 3);
}

static void probe_dontneed(struct baseline *b)
{
	char *p = guarded_map(b, BIG_PAGES);

	for (unsigned i = 0; i < ROUNDS; i++) {
		touch(p, 1);
		add(b, dontneed_ticks(b, p, WL_PAGE));
	}
	finish(b, DONTNEED_1);
	for (unsigned i = 0; i < BIG_ROUNDS; i++) {
		touch(p, BIG_PAGES);
		add(b, dontneed_ticks(b, p, BIG_PAGES * WL_PAGE));
	}
	finish(b, DONTNEED_512);
	guarded_unmap(b, p, BIG_PAGES);
}

static void probe_munmap(struct baseline *b)
{
	for (unsigned i = 0; i < BIG_ROUNDS; i++) {
		char *p = guarded_map(b, BIG_PAGES);

		touch(p, BIG_PAGES);
		add(b, munmap_ticks(b, p, BIG_PAGES * WL_PAGE) / BIG_PAGES);
		wl_unmap(b->run, p - WL_PAGE, WL_PAGE);
		wl_unmap(b->run, p + BIG_PAGES * WL_PAGE, WL_PAGE);
	}
	finish(b, MUNMAP_512);
}

static uint64_t zero_ticks(struct baseline *b, char *p, long want)
{
	return call_ticks(b, (struct timing_call){SYS_read, {(uint64_t)b->zero, (uint64_t)p, 1}},
			  want);
}

static void probe_uaccess(struct baseline *b)
{
	char *p = guarded_map(b, ROUNDS);

	touch(p, 1);
	for (unsigned i = 0; i < ROUNDS; i++)
		add(b, zero_ticks(b, p, 1));
	finish(b, COPY_GOOD);
	for (unsigned i = 1; i < ROUNDS; i++)
		add(b, zero_ticks(b, p + (size_t)i * WL_PAGE, 1));
	finish(b, COPY_LAZY);
	wl_unmap(b->run, p + WL_PAGE, WL_PAGE);
	for (unsigned i = 0; i < ROUNDS; i++)
		add(b, zero_ticks(b, p + WL_PAGE, -EFAULT));
	finish(b, COPY_BAD);
	guarded_unmap(b, p, ROUNDS);
}

/* ---- fork ---- */

/* Ticks of a fork in the parent. The child ends at once or, if there is a pipe, when the parent has
 * closed it. */
static uint64_t fork_ticks(struct baseline *b, const int *hold, pid_t *child)
{
	struct timing_call call = {.nr = SYS_fork};
	long got;
	uint64_t ticks = timing_syscall(&call, &got).ticks;
	char c;

	if (got == 0) {
		if (hold) {
			close(hold[1]);
			_exit(read(hold[0], &c, 1) != 0);
		}
		_exit(0);
	}
	if (got < 0)
		wl_fail(b->run, "fork returned %ld", got);
	*child = (pid_t)got;
	return net_of(ticks, b->run->overhead[TIMING_CALL]);
}

static void wait_for(struct baseline *b, pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) != child || status)
		wl_fail(b->run, "a child did not end well");
}

/* The parent writes to pages that a child has too; then to pages that a child had. */
static void probe_cow(struct baseline *b)
{
	char *p = guarded_map(b, ROUNDS);
	int hold[2];
	pid_t child;

	touch(p, ROUNDS);
	if (pipe(hold))
		wl_fail(b->run, "pipe: %m");
	fork_ticks(b, hold, &child);
	touches(b, p, ROUNDS, write_ticks, COW_COPY);
	close(hold[0]);
	close(hold[1]);
	wait_for(b, child);
	fork_ticks(b, NULL, &child);
	wait_for(b, child);
	touches(b, p, ROUNDS, write_ticks, COW_REUSE);
	guarded_unmap(b, p, ROUNDS);
}

static void probe_fork(struct baseline *b)
{
	pid_t child;
	char *p;

	for (unsigned i = 0; i < ROUNDS; i++) {
		add(b, fork_ticks(b, NULL, &child));
		wait_for(b, child);
	}
	finish(b, FORK_SMALL);
	p = guarded_map(b, FORK_PAGES);
	for (unsigned i = 0; i < BIG_ROUNDS; i++) {
		touch(p, FORK_PAGES);
		add(b, fork_ticks(b, NULL, &child));
		wait_for(b, child);
	}
	finish(b, FORK_LARGE);
	guarded_unmap(b, p, FORK_PAGES);
}

/* ---- growth with the number of VMAs ---- */

static unsigned growth_probe(enum growth op, unsigned size)
{
	return GROWTH + size * NR_GROWTH + op;
}

static void growth_mmap(struct baseline *b, unsigned probe, size_t len)
{
	char *p;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t ticks = mmap_ticks(b, &p, len, PROT_READ);

		add(b, ticks + munmap_ticks(b, p, len));
	}
	finish(b, probe);
}

static void growth_write(struct baseline *b, struct vma_field *f, unsigned probe)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		char *p = vma_field_random(f, &b->run->random);

		add(b, write_ticks(b, p));
		dontneed_ticks(b, p, WL_PAGE);
	}
	finish(b, probe);
}

static void growth_split(struct baseline *b, struct vma_field *f, unsigned probe)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		char *p = vma_field_random(f, &b->run->random) + WL_PAGE;

		add(b, munmap_ticks(b, p, WL_PAGE));
		if (mmap(p, WL_PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
			 0) != p)
			wl_fail(b->run, "mmap of the page taken out: %m");
	}
	finish(b, probe);
}

static void probe_growth(struct baseline *b, unsigned size)
{
	struct vma_field f;

	vma_field_map(b->run, &f, growth_vmas[size]);
	growth_mmap(b, growth_probe(GROW_HOLE, size), WL_PAGE);
	growth_mmap(b, growth_probe(GROW_NO_HOLE, size), 2 * WL_PAGE);
	growth_write(b, &f, growth_probe(GROW_WRITE, size));
	growth_split(b, &f, growth_probe(GROW_SPLIT, size));
	vma_field_unmap(b->run, &f);
}

/* ---- tables ---- */

struct line {
	const char *title;
	enum probe probe, less; /* less: another row's p50 is taken off (NOSYS: none) */
	bool mean;
	unsigned pages_zeroed;
	unsigned linux_net, goal;
};

static const struct line lines[] = {
#define BASELINE_ROW(...) {__VA_ARGS__},
#include "baseline_rows.def"
#undef BASELINE_ROW
};

static const struct {
	const char *title;
	unsigned linux_p50[NR_LINUX_SIZES];
} growth_lines[NR_GROWTH] = {
	[GROW_HOLE] = {"mmap + munmap into a hole", {10316, 14022, 18165}},
	[GROW_NO_HOLE] = {"… with no hole that fits", {12407, 27405, 37403}},
	[GROW_WRITE] = {"write fault", {2811, 2958, 3100}},
	[GROW_SPLIT] = {"munmap that splits", {14223, 19439, 33191}},
};

static int64_t line_ticks(const struct line *l)
{
	int64_t ticks =
		l->mean ? (int64_t)(results[l->probe].mean + 0.5) : (int64_t)results[l->probe].p50;

	return l->less == NOSYS ? ticks : ticks - (int64_t)results[l->less].p50;
}

static void print_against_linux(void)
{
	printf("| operation | stub | stub, net | Linux 6.1, net | Linux / stub | goal, net |\n"
	       "|---|---:|---:|---:|---:|---:|\n");
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		const struct line *l = &lines[i];
		int64_t ticks = line_ticks(l), net = ticks - l->pages_zeroed * PAGE_ZERO_TICKS;

		printf("| %s | %" PRId64 " | %" PRId64 " | %u | %.1f | %u%s |\n", l->title, ticks,
		       net, l->linux_net, net > 0 ? l->linux_net / (double)net : 0.0, l->goal,
		       net > l->goal ? ", missed" : "");
	}
}

/* How many of growth_vmas were measured. */
static unsigned nr_sizes(const struct wl_run *run)
{
	unsigned n = 1;

	while (!run->warming && n < NR_SIZES && growth_vmas[n] <= wl_uint(run, "vmas"))
		n++;
	return n;
}

static void print_growth(unsigned sizes, bool with_linux)
{
	printf("\n| operation |");
	for (unsigned i = 0; i < sizes; i++)
		printf(" %" PRIu64 "%s |", growth_vmas[i], i ? "" : " VMAs");
	printf(" growth |%s\n|---|---:|",
	       with_linux ? " Linux 6.1: 10 | 1000 | 60000 | growth |" : "");
	for (unsigned i = 0; i < sizes; i++)
		printf("---:|");
	printf("%s\n", with_linux ? "---:|---:|---:|---:|" : "");
	for (unsigned op = 0; op < NR_GROWTH; op++) {
		const unsigned *theirs = growth_lines[op].linux_p50;
		uint64_t first = results[growth_probe(op, 0)].p50, ours = first;

		printf("| %s |", growth_lines[op].title);
		for (unsigned i = 0; i < sizes; i++) {
			ours = results[growth_probe(op, i)].p50;
			printf(" %" PRIu64 " |", ours);
		}
		printf(" %.2f |", (double)ours / (double)first);
		if (with_linux)
			printf(" %u | %u | %u | %.2f |", theirs[0], theirs[1], theirs[2],
			       theirs[2] / (double)theirs[0]);
		printf("\n");
	}
}

static void print_alone(void)
{
	printf("| operation | ticks of the time-stamp counter |\n|---|---:|\n");
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		printf("| %s | %" PRId64 " |\n", lines[i].title, line_ticks(&lines[i]));
}

static void baseline(struct wl_run *run)
{
	static struct baseline b;
	bool exact = timing_counts_instructions();

	b.run = run;
	b.zero = open("/dev/zero", O_RDONLY);
	if (b.zero < 0)
		wl_fail(run, "/dev/zero: %m");
	probe_nosys(&b);
	probe_touches(&b);
	probe_signals(&b);
	probe_mmap(&b);
	probe_mprotect(&b);
	probe_dontneed(&b);
	probe_munmap(&b);
	probe_uaccess(&b);
	probe_cow(&b);
	probe_fork(&b);
	for (unsigned size = 0; size < nr_sizes(run); size++)
		probe_growth(&b, size);
	close(b.zero);
	if (run->warming)
		return;
	if (exact)
		print_against_linux();
	else
		print_alone();
	print_growth(nr_sizes(run), exact);
}

const struct workload workload = {
	.name = "baseline",
	.doc = "the operations that Linux was measured with, for the comparison in the docs",
	.params = WL_PARAMS(WL_NUMBER("vmas", "60000", 10, 1000000,
				      "the most VMAs of the table of growth; 1000000 need map_max "
				      "and 512 MiB")),
	.phases = (const struct wl_phase[]){{0}},
	.prints = true,
	.body = baseline,
};
