/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults of every class on some CPUs against each change of the address space on others: real
 * threads, one a CPU, each with a software TLB of its own that only a shootdown cleans. Built with
 * AddressSanitizer, and again with ThreadSanitizer (race_test-tsan).
 *
 *   WORLD_BASE   anonymous memory, PAGES pages across two page tables
 *   FILE_AT      a private mapping of the file
 *   STEADY_AT    anonymous memory that nobody unmaps: what is written there stays
 *
 * Each CPU writes words of its own, and knows what it wrote last. What it reads must be that, or
 * zero where somebody may have dropped the page since. In STEADY_AT a word that all CPUs increment
 * ends as the sum: a write that went to a page after it was copied would be missing there.
 */
#include <pthread.h>

#include "test/fault_world.h"
#include "test/random.h"

enum { CPUS = 3, PAGES = 24, STEADY = 8, ROUNDS = 20000 };

#define ANON_AT (WORLD_BASE + PMD_SIZE - PAGES / 2 * PAGE_SIZE)
#define FILE_AT (WORLD_BASE + 8 * PMD_SIZE)
#define STEADY_AT (WORLD_BASE + 16 * PMD_SIZE)
#define MOVED_AT (WORLD_BASE + 24 * PMD_SIZE)
#define HEAP_AT (WORLD_BASE + 32 * PMD_SIZE)

/* One CPU. */
struct racer {
	unsigned cpu;
	uint64_t seed, last;
	uint64_t wrote[PAGES]; /* its word in each page of ANON_AT, as it was written last */
	uint64_t steady[STEADY];
	uint64_t added; /* to the common words of STEADY_AT */
	uint64_t classes[FL_NR_CLASSES];
};

static struct racer racers[CPUS];
static pthread_barrier_t start;
static void (*change)(struct racer *r);
static bool keeps; /* the change drops no page */

/* ---- accesses ---- */

/* As touch(), for a thread: NULL if the fault is refused. Counts classes. */
static void *reach(struct racer *r, struct mm *in, uint64_t va, enum hosted_access_kind kind)
{
	for (;;) {
		struct hosted_access a = hosted_access(in, va, kind, true);
		struct fault_access access = {va, a.fault};
		struct fault_verdict v;

		if (a.host)
			return a.host;
		v = vm_fault(in, &access);
		r->classes[v.class]++;
		if (v.outcome != FAULT_DONE)
			return NULL;
	}
}

static uint64_t load(const void *p)
{
	return __atomic_load_n((const uint64_t *)p, __ATOMIC_RELAXED);
}

static void store(void *p, uint64_t v)
{
	__atomic_store_n((uint64_t *)p, v, __ATOMIC_RELAXED);
}

static uint64_t random_page(struct racer *r, unsigned n)
{
	return random_below(&r->seed, n);
}

/* Writes or reads its word in a page of ANON_AT. */
static void use_anon(struct racer *r)
{
	uint64_t i = random_page(r, PAGES), va = ANON_AT + i * PAGE_SIZE + 8 * r->cpu, found;
	bool write = random_below(&r->seed, 2);
	void *p = reach(r, mm, va, write ? HOSTED_WRITE : HOSTED_READ);

	if (!p)
		return;
	found = load(p);
	if (found != r->wrote[i] && (keeps || found))
		port_panic("CPU %u: %lx where %lx was written", r->cpu, found, r->wrote[i]);
	r->wrote[i] = found;
	if (write)
		store(p, r->wrote[i] = ++r->last << 8 | r->cpu);
}

/* Adds one to the common word, and looks at its own. */
static void use_steady(struct racer *r)
{
	uint64_t i = random_page(r, STEADY), va = STEADY_AT + i * PAGE_SIZE;
	void *p = reach(r, mm, va, HOSTED_WRITE);

	if (!p)
		return;
	__atomic_fetch_add((uint64_t *)p, 1, __ATOMIC_RELAXED);
	r->added++;
	p = reach(r, mm, va + 8 * r->cpu, random_below(&r->seed, 2) ? HOSTED_READ : HOSTED_WRITE);
	if (!p)
		return;
	if (load(p) != r->steady[i])
		port_panic("CPU %u: %lx where %lx was written", r->cpu, load(p), r->steady[i]);
	p = reach(r, mm, va + 8 * r->cpu, HOSTED_WRITE);
	if (p)
		store(p, ++r->steady[i]);
}

/* Reads a page of the file, or writes to it. */
static void use_file(struct racer *r)
{
	uint64_t i = random_page(r, FILE_PAGES), va = FILE_AT + i * PAGE_SIZE;
	void *p;

	if (random_below(&r->seed, 3) == 0) {
		p = reach(r, mm, va + 64 + 8 * r->cpu, HOSTED_WRITE);
		if (p)
			store(p, r->cpu);
		return;
	}
	p = reach(r, mm, va, HOSTED_READ);
	if (p && load(p) != file_word(i))
		port_panic("CPU %u: page %lu of the file holds %lx", r->cpu, i, load(p));
}

/* Where nothing is, or may be: the heap, the far end of a move. */
static void use_elsewhere(struct racer *r)
{
	uint64_t at = random_below(&r->seed, 2) ? MOVED_AT : HEAP_AT;
	enum hosted_access_kind kind = (enum hosted_access_kind)random_below(&r->seed, 3);

	reach(r, mm, at + random_page(r, PAGES) * PAGE_SIZE + 512, kind);
}

/* ---- changes ---- */

/* A piece of ANON_AT. */
static uint64_t some(struct racer *r, uint64_t *len)
{
	uint64_t first = random_page(r, PAGES);

	*len = (1 + random_below(&r->seed, PAGES - first)) * PAGE_SIZE;
	return ANON_AT + first * PAGE_SIZE;
}

static void map_fixed(uint64_t at, uint64_t len, struct vm_file *of, uint64_t pgoff)
{
	ASSERT(vm_mmap(mm, at, len, RW, MAP_PRIVATE_ | MAP_FIXED_, of, pgoff, 0) == (int64_t)at);
}

static void change_unmap(struct racer *r)
{
	uint64_t len, at = some(r, &len);

	ASSERT(vm_munmap(mm, at, len) == 0);
	if (random_below(&r->seed, 4))
		map_fixed(at, len, NULL, 0);
}

static void change_map_over(struct racer *r)
{
	uint64_t len, at = some(r, &len);

	map_fixed(at, len, NULL, 0);
	map_fixed(FILE_AT, FILE_PAGES * PAGE_SIZE, &file, 0);
}

static void change_rights(struct racer *r)
{
	static const unsigned rights[] = {RW, RO, RW, 0, RW | PROT_EXEC_};
	uint64_t len, at = some(r, &len);
	unsigned prot = rights[random_below(&r->seed, 5)];

	ASSERT(vm_mprotect(mm, at, len, prot) == 0);
	ASSERT(vm_mprotect(mm, STEADY_AT, STEADY * PAGE_SIZE, prot | RO) == 0);
	if (random_below(&r->seed, 2))
		ASSERT(vm_mprotect(mm, ANON_AT, PAGES * PAGE_SIZE, RW) == 0);
}

/* The child sees what there was, and nothing of what comes. */
static void live_as(struct racer *r, struct mm *child)
{
	uint64_t seen[STEADY];

	port_load_mm(child);
	for (unsigned i = 0; i < STEADY; i++)
		seen[i] = load(reach(r, child, STEADY_AT + i * PAGE_SIZE, HOSTED_READ));
	for (unsigned i = 0; i < STEADY; i++) {
		void *p = reach(r, child, STEADY_AT + i * PAGE_SIZE,
				i % 2 ? HOSTED_READ : HOSTED_WRITE);

		if (!p)
			continue; /* read-only just now */
		if (load(p) != seen[i])
			port_panic("CPU %u: a page of the child has changed", r->cpu);
		if (i % 2 == 0)
			store(p, ~0ull);
	}
	port_load_mm(mm);
	mm_destroy(child);
}

static void change_fork(struct racer *r)
{
	struct mm *child = mm_fork(mm);

	ASSERT(child);
	live_as(r, child);
}

/* There and back. Where another CPU does the same, it finds nothing to move. */
static void change_move(struct racer *r)
{
	uint64_t half = PAGES / 2 * PAGE_SIZE, from = ANON_AT + half / 2;

	(void)r;
	if (vm_mremap(mm, from, half, half, MREMAP_MAYMOVE_ | MREMAP_FIXED_, MOVED_AT) > 0)
		vm_mremap(mm, MOVED_AT, half, half, MREMAP_MAYMOVE_ | MREMAP_FIXED_, from);
}

static void change_any(struct racer *r);

/* Where others move pages meanwhile it may find a hole. */
static void change_drop(struct racer *r)
{
	uint64_t len, at = some(r, &len);
	int64_t error;

	if (random_below(&r->seed, 2))
		len = PAGE_SIZE;
	error = vm_madvise(mm, at, len, MADV_DONTNEED_);
	ASSERT(!error || (error == -MM_ENOMEM && change == change_any));
	/* What it wrote there is gone, though another CPU may have dropped it; unless that moved
	 * it. */
	for (uint64_t va = at; change == change_drop && va < at + len; va += PAGE_SIZE)
		r->wrote[(va - ANON_AT) >> PAGE_SHIFT] = 0;
	ASSERT(vm_madvise(mm, FILE_AT, FILE_PAGES * PAGE_SIZE, MADV_DONTNEED_) == 0);
}

static void change_heap(struct racer *r)
{
	vm_brk(mm, HEAP_AT + random_page(r, PAGES) * PAGE_SIZE);
}

static void change_any(struct racer *r)
{
	static void (*const all[])(struct racer *) = {
		change_map_over, change_rights, change_fork, change_move, change_drop, change_heap,
	};

	all[random_below(&r->seed, sizeof(all) / sizeof(all[0]))](r);
}

/* ---- the race ---- */

/* The last CPU changes more than it uses. */
static void *race(void *arg)
{
	struct racer *r = arg;

	hosted_cpu_begin(r->cpu);
	pthread_barrier_wait(&start);
	port_load_mm(mm);
	for (unsigned i = 0; i < ROUNDS; i++) {
		bool changes = random_below(&r->seed, r->cpu == CPUS ? 3 : 100) == 0;

		if (changes)
			change(r);
		use_anon(r);
		use_steady(r);
		use_file(r);
		if (i % 4 == 0)
			use_elsewhere(r);
		if (i % 16 == 0)
			port_cpu_relax();
	}
	hosted_cpu_end();
	return NULL;
}

static void set_up(void)
{
	world_open();
	mm->start_brk = mm->brk = HEAP_AT;
	map_at(ANON_AT, PAGES, RW);
	map_at(STEADY_AT, STEADY, RW);
	map_file(FILE_AT, FILE_PAGES, RW, 0);
	memset(racers, 0, sizeof(racers));
	for (unsigned i = 0; i < CPUS; i++) {
		racers[i].cpu = i + 1;
		racers[i].seed = i + 1;
	}
}

/* No increment was lost. */
static void check_sums(void)
{
	uint64_t sum = 0, added = 0;

	ATF_REQUIRE_EQ(vm_mprotect(mm, STEADY_AT, STEADY * PAGE_SIZE, RW), 0);
	for (unsigned i = 0; i < STEADY; i++)
		sum += read_word(STEADY_AT + i * PAGE_SIZE);
	for (unsigned i = 0; i < CPUS; i++)
		added += racers[i].added;
	ATF_CHECK_EQ(sum, added);
}

static uint64_t served(enum fl_class class)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < CPUS; i++)
		n += racers[i].classes[class];
	return n;
}

static void run(void (*what)(struct racer *), bool keeps_pages)
{
	pthread_t threads[CPUS];

	set_up();
	change = what;
	keeps = keeps_pages;
	port_load_mm(NULL);
	ATF_REQUIRE_EQ(pthread_barrier_init(&start, NULL, CPUS), 0);
	for (unsigned i = 0; i < CPUS; i++)
		ATF_REQUIRE_EQ(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	for (unsigned i = 0; i < CPUS; i++)
		ATF_REQUIRE_EQ(pthread_join(threads[i], NULL), 0);
	ATF_CHECK_EQ(mm->cpus, 0);
	ATF_CHECK(hosted_vmstat(FL_VMSTAT_TLB_REMOTE_FLUSH) > 0);
	ATF_CHECK(hosted_vmstat(FL_VMSTAT_TLB_REMOTE_FLUSH_RECEIVED) >=
		  hosted_vmstat(FL_VMSTAT_TLB_REMOTE_FLUSH));
	port_load_mm(mm);
	check_sums();
	world_close();
}

#define SERVED(class_) ATF_CHECK_MSG(served(FL_CLASS_##class_) > 0, "no " #class_)

/* Every change comes upon these. */
static void common_classes(void)
{
	SERVED(USER_MINOR_ANON_ALLOC);
	SERVED(USER_MINOR_ANON_ZERO);
	SERVED(USER_MINOR_COW_ZERO);
	SERVED(USER_MINOR_FILE_MAP);
	SERVED(USER_MINOR_FILE_COW);
	SERVED(USER_INVALID_MAPERR);
}

ATF_TC_WITHOUT_HEAD(munmap);
ATF_TC_BODY(munmap, tc)
{
	(void)tc;
	run(change_unmap, false);
	common_classes();
}

ATF_TC_WITHOUT_HEAD(mmap_fixed);
ATF_TC_BODY(mmap_fixed, tc)
{
	(void)tc;
	run(change_map_over, false);
	common_classes();
}

ATF_TC_WITHOUT_HEAD(mprotect);
ATF_TC_BODY(mprotect, tc)
{
	(void)tc;
	run(change_rights, true);
	common_classes();
	SERVED(USER_INVALID_ACCERR);
}

ATF_TC_WITHOUT_HEAD(fork);
ATF_TC_BODY(fork, tc)
{
	(void)tc;
	run(change_fork, true);
	common_classes();
	SERVED(USER_MINOR_COW_COPY);
	SERVED(USER_MINOR_COW_REUSE);
	SERVED(USER_MINOR_SPURIOUS);
}

ATF_TC_WITHOUT_HEAD(mremap);
ATF_TC_BODY(mremap, tc)
{
	(void)tc;
	run(change_move, true);
	common_classes();
}

ATF_TC_WITHOUT_HEAD(dontneed);
ATF_TC_BODY(dontneed, tc)
{
	(void)tc;
	run(change_drop, false);
	common_classes();
}

ATF_TC_WITHOUT_HEAD(brk);
ATF_TC_BODY(brk, tc)
{
	(void)tc;
	run(change_heap, true);
	common_classes();
}

ATF_TC_WITHOUT_HEAD(all);
ATF_TC_BODY(all, tc)
{
	(void)tc;
	run(change_any, false);
	common_classes();
	SERVED(USER_MINOR_COW_COPY);
	SERVED(USER_MINOR_COW_REUSE);
	SERVED(USER_MINOR_SPURIOUS);
	SERVED(USER_INVALID_ACCERR);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, munmap);
	ATF_TP_ADD_TC(tp, mmap_fixed);
	ATF_TP_ADD_TC(tp, mprotect);
	ATF_TP_ADD_TC(tp, fork);
	ATF_TP_ADD_TC(tp, mremap);
	ATF_TP_ADD_TC(tp, dontneed);
	ATF_TP_ADD_TC(tp, brk);
	ATF_TP_ADD_TC(tp, all);
	return atf_no_error();
}
