/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lock-order check over every pair of classes, and the locks themselves under threads. */
#include <atf-c.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "hosted.h"
#include "lock.h"

static const char *const class_names[] = {
#define LOCK_CLASS(id, name, doc) [LOCK_##id] = name,
#include "lock_class.def"
#undef LOCK_CLASS
};

/* ---- order ---- */

static struct spinlock spin_a, spin_b;
static struct rwlock rw_a, rw_b;

struct pair {
	enum lock_class first, second;
	unsigned kinds; /* bit 0: the first is an rwlock; bit 1: so is the second */
};

static void take_pair(void *arg)
{
	const struct pair *p = arg;

	if (p->kinds & 1)
		read_lock(&rw_a, p->first);
	else
		spin_lock(&spin_a, p->first);
	if (p->kinds & 2)
		write_lock(&rw_b, p->second);
	else
		spin_lock(&spin_b, p->second);
	lock_check_none_held();
}

static void reset_locks(void)
{
	spin_a.word = spin_b.word = 0;
	rw_a.word = rw_b.word = 0;
}

ATF_TC_WITHOUT_HEAD(order_of_all_pairs);
ATF_TC_BODY(order_of_all_pairs, tc)
{
	struct pair p;
	char want[128];

	(void)tc;
	for (unsigned i = 0; i < NR_LOCK_CLASSES * NR_LOCK_CLASSES * 4; i++) {
		p.kinds = i % 4;
		p.first = (enum lock_class)(i / 4 % NR_LOCK_CLASSES);
		p.second = (enum lock_class)(i / 4 / NR_LOCK_CLASSES);
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
	read_lock(&rw_a, LOCK_PTL_UPPER); /* ptl is still held */
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
	write_lock(&rw_a, LOCK_MMAP);
	write_unlock(&rw_a, LOCK_MMAP);
	write_unlock(&rw_a, LOCK_MMAP);
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
	};

	(void)tc;
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
	struct rwlock rw;
	uint64_t a, b; /* plain: the lock is all that orders them */
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

/* One round in eight writes. */
static void *rw_worker(void *arg)
{
	begin(arg);
	for (unsigned i = 0; i < ROUNDS; i++)
		if (i % 8 == 0) {
			write_lock(&shared.rw, LOCK_MMAP);
			change_both(i);
			write_unlock(&shared.rw, LOCK_MMAP);
		} else {
			read_lock(&shared.rw, LOCK_MMAP);
			ASSERT(shared.a == shared.b);
			read_unlock(&shared.rw, LOCK_MMAP);
		}
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

ATF_TC_WITHOUT_HEAD(rw_threads);
ATF_TC_BODY(rw_threads, tc)
{
	(void)tc;
	run_threads(rw_worker);
	ATF_REQUIRE_EQ(shared.a, THREADS * ROUNDS / 8);
	ATF_REQUIRE_EQ(shared.rw.word, 0);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, order_of_all_pairs);
	ATF_TP_ADD_TC(tp, release);
	ATF_TP_ADD_TC(tp, documented);
	ATF_TP_ADD_TC(tp, spin_threads);
	ATF_TP_ADD_TC(tp, rw_threads);
	return atf_no_error();
}
