/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lock-order check over every pair of classes, and the locks themselves under threads. */
#include <atf-c.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "mm/vma/mmap_lock.h"
#include "port/hosted/hosted.h"

static const char *const class_names[] = {
#define LOCK_CLASS(id, name, doc) [LOCK_##id] = name,
#include "mm/base/lock_class.def"
#undef LOCK_CLASS
};

/* ---- order ---- */

static struct spinlock spin_a, spin_b;
static struct mm mm;

struct pair {
	enum lock_class first, second;
	bool second_mm; /* the second is mm->lock, for writing */
};

static void take_pair(void *arg)
{
	const struct pair *p = arg;

	spin_lock(&spin_a, p->first);
	if (p->second_mm)
		mmap_write_lock_class(&mm, p->second);
	else
		spin_lock(&spin_b, p->second);
	lock_check_none_held();
}

static void reset_locks(void)
{
	spin_a.word = spin_b.word = 0;
	mm = (struct mm){0};
	port_mm_cpu()->reading = NULL;
}

ATF_TC_WITHOUT_HEAD(order_of_all_pairs);
ATF_TC_BODY(order_of_all_pairs, tc)
{
	struct pair p;
	char want[128];

	(void)tc;
	hosted_boot(64);
	for (unsigned i = 0; i < NR_LOCK_CLASSES * NR_LOCK_CLASSES * 2; i++) {
		p.second_mm = i % 2;
		p.first = (enum lock_class)(i / 2 % NR_LOCK_CLASSES);
		p.second = (enum lock_class)(i / 2 / NR_LOCK_CLASSES);
		if (p.second > p.first)
			snprintf(want, sizeof(want), "lock order: %s still held",
				 class_names[p.second]);
		else
			snprintf(want, sizeof(want), "lock order: taking %s while holding %s",
				 class_names[p.second], class_names[p.first]);
		ATF_REQUIRE_STREQ(want, hosted_catch_panic(take_pair, &p));
		reset_locks();
	}
}

static void take_all(void *arg)
{
	static struct spinlock locks[NR_LOCK_CLASSES];

	for (unsigned c = 0; c < NR_LOCK_CLASSES; c++)
		spin_lock(&locks[c], (enum lock_class)c);
	/* Released in another order than the reverse one: allowed. */
	for (unsigned c = 0; c < NR_LOCK_CLASSES; c++)
		spin_unlock(&locks[c], (enum lock_class)c);
	lock_check_none_held();
	(void)arg;
}

static void release_in_between(void *arg)
{
	(void)arg;
	spin_lock(&spin_a, LOCK_MMAP);
	spin_lock(&spin_b, LOCK_PTL);
	spin_unlock(&spin_a, LOCK_MMAP);
	spin_lock(&spin_a, LOCK_PTL_UPPER); /* ptl is still held */
}

static void release_unheld(void *arg)
{
	(void)arg;
	spin_unlock(&spin_a, LOCK_LRU);
}

static void release_other(void *arg)
{
	(void)arg;
	spin_lock(&spin_a, LOCK_LRU);
	spin_unlock(&spin_b, LOCK_LRU);
}

static void release_writer_twice(void *arg)
{
	(void)arg;
	mmap_write_lock(&mm);
	mmap_write_unlock(&mm);
	mmap_write_unlock(&mm);
}

static void read_inside_spinlock(void *arg)
{
	(void)arg;
	port_load_mm(&mm);
	spin_lock(&spin_a, LOCK_PTL);
	mmap_read_lock(&mm);
}

static void read_unloaded(void *arg)
{
	(void)arg;
	port_load_mm(NULL);
	mmap_read_lock(&mm);
}

ATF_TC_WITHOUT_HEAD(release);
ATF_TC_BODY(release, tc)
{
	static const struct {
		void (*fn)(void *);
		const char *says;
	} rows[] = {
		{release_in_between, "lock order: taking ptl-upper while holding ptl"},
		{release_unheld, "lock order: releasing lru, which is not held"},
		{release_other, "lock order: releasing another lru than the one held"},
		{release_writer_twice, "lock order: releasing mmap, which is not held"},
		{read_inside_spinlock, "lock order: taking mmap while holding ptl"},
		{read_unloaded, "lock check: reading an mm that is not loaded"},
	};

	(void)tc;
	hosted_boot(64);
	ATF_REQUIRE_EQ(hosted_catch_panic(take_all, NULL), NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ATF_REQUIRE_STREQ(rows[i].says, hosted_catch_panic(rows[i].fn, NULL));
		reset_locks();
	}
}

/* ---- docs/locking.md has a row for each class, in the order of lock_class.def ---- */

/* The next row of the first table, its first cell in `name`; false at the section's end. */
static bool next_row(FILE *file, char name[64])
{
	char line[1024];

	while (fgets(line, sizeof(line), file) &&
	       strcmp(line, "## What makes a pointer stay good\n"))
		if (sscanf(line, "| `%63[^`]` |", name) == 1)
			return true;
	return false;
}

ATF_TC_WITHOUT_HEAD(documented);
ATF_TC_BODY(documented, tc)
{
	char path[4096], name[64];
	FILE *file;

	if (!atf_tc_has_config_var(tc, "top"))
		atf_tc_skip("needs the configuration variable `top`");
	snprintf(path, sizeof(path), "%s/docs/locking.md", atf_tc_get_config_var(tc, "top"));
	file = fopen(path, "r");
	ATF_REQUIRE_MSG(file != NULL, "%s does not open", path);
	for (unsigned c = 0; c < NR_LOCK_CLASSES; c++) {
		ATF_REQUIRE_MSG(next_row(file, name), "no row for %s", class_names[c]);
		ATF_REQUIRE_STREQ(name, class_names[c]);
	}
	ATF_REQUIRE(!next_row(file, name));
	fclose(file);
}

/* ---- threads: two words that a holder of the lock never sees differ ---- */

enum { THREADS = 3, ROUNDS = 1000 };

static pthread_barrier_t start;

static struct {
	struct spinlock spin;
	struct mm mm;
	int64_t writes; /* of mm_worker */
	uint64_t a, b;	/* plain: the lock is all that orders them */
} shared;

static void begin(void *cpu)
{
	hosted_set_cpu((unsigned)(uintptr_t)cpu);
	pthread_barrier_wait(&start);
}

/* Changes both words, now and then with a chance for the others in between. */
static void change_both(unsigned round)
{
	shared.a++;
	if (round % 64 == 0)
		sched_yield();
	ASSERT(shared.a == ++shared.b);
}

static void *spin_worker(void *arg)
{
	begin(arg);
	for (unsigned i = 0; i < ROUNDS; i++) {
		spin_lock(&shared.spin, LOCK_LRU);
		change_both(i);
		spin_unlock(&shared.spin, LOCK_LRU);
	}
	return NULL;
}

/* One round in eight writes. Now and then the mm is not loaded for a while; then it can be written
 * all the same. */
static void *mm_worker(void *arg)
{
	uint64_t writes = 0;

	begin(arg);
	port_load_mm(&shared.mm);
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (i % 32 == 16)
			port_load_mm(NULL);
		if (i % 32 == 24)
			port_load_mm(&shared.mm);
		if (i % 8 == 0 || i % 32 / 8 == 2) {
			mmap_write_lock(&shared.mm);
			change_both(i);
			mmap_write_unlock(&shared.mm);
			writes++;
		} else {
			mmap_read_lock(&shared.mm);
			ASSERT(shared.a == shared.b);
			mmap_read_unlock(&shared.mm);
		}
	}
	port_load_mm(NULL);
	port_xadd64(&shared.writes, (int64_t)writes);
	return NULL;
}

static void run_threads(void *(*worker)(void *))
{
	pthread_t threads[THREADS];

	hosted_boot(64);
	memset(&shared, 0, sizeof(shared));
	ATF_REQUIRE_EQ(pthread_barrier_init(&start, NULL, THREADS), 0);
	for (uintptr_t i = 0; i < THREADS; i++)
		ATF_REQUIRE_EQ(pthread_create(&threads[i], NULL, worker, (void *)(i + 1)), 0);
	for (unsigned i = 0; i < THREADS; i++)
		ATF_REQUIRE_EQ(pthread_join(threads[i], NULL), 0);
}

ATF_TC_WITHOUT_HEAD(spin_threads);
ATF_TC_BODY(spin_threads, tc)
{
	(void)tc;
	run_threads(spin_worker);
	ATF_REQUIRE_EQ(shared.a, THREADS * ROUNDS);
	ATF_REQUIRE_EQ(shared.spin.word, 0);
}

ATF_TC_WITHOUT_HEAD(mm_threads);
ATF_TC_BODY(mm_threads, tc)
{
	(void)tc;
	run_threads(mm_worker);
	ATF_REQUIRE(shared.writes > THREADS * ROUNDS / 8);
	ATF_REQUIRE_EQ(shared.a, (uint64_t)shared.writes);
	ATF_REQUIRE_EQ(shared.mm.lock.writer, 0);
	ATF_REQUIRE_EQ(shared.mm.cpus, 0);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, order_of_all_pairs);
	ATF_TP_ADD_TC(tp, release);
	ATF_TP_ADD_TC(tp, documented);
	ATF_TP_ADD_TC(tp, spin_threads);
	ATF_TP_ADD_TC(tp, mm_threads);
	return atf_no_error();
}
