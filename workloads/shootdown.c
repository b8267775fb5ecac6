/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLB shootdown: one thread takes pages away, or takes the right to write to them away, that the
 * threads on all other CPUs have just used. The call must not return before none of them can use
 * its old translation, so it costs an interrupt on each of those CPUs, and the wait for the
 * slowest.
 *
 * One round:
 *   1. worker 0 writes new values to the pages;
 *   2. all others read every page and check it: their TLBs hold the translations;
 *   3. worker 0 makes the call, timed, while the others spin in ring 3. The kernel's measured phase
 *      is open for this alone: it has no fault at all, and exactly one flush of the others a round;
 *   4. op=mprotect: each of the others lets the kernel write to one of the pages: it must refuse. A
 *      translation that is still there would let it through;
 *   5. worker 0 makes the pages usable again. After munmap and DONTNEED it gives the frames that
 *      came free to other pages first, so that what is read in the next step 2 through an old
 *      translation is another page's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "team.h"

enum op { OP_MUNMAP, OP_MPROTECT, OP_DONTNEED };

struct shootdown {
	struct wl_run *run;
	enum op op;
	uint64_t pages, rounds;
	char *base;  /* the pages */
	char *decoy; /* as many others */
	int zero;    /* /dev/zero */
};

static uint64_t *word_at(char *base, uint64_t page)
{
	return (uint64_t *)(base + page * WL_PAGE) + page % 512;
}

static uint64_t value_of(const struct shootdown *s, uint64_t round, uint64_t page)
{
	return (s->run->seed + round * s->pages + page) * 0x9e3779b97f4a7c15ull | 1;
}

static void fill(struct shootdown *s, uint64_t round)
{
	for (uint64_t p = 0; p < s->pages; p++)
		*word_at(s->base, p) = value_of(s, round, p);
}

static void look(struct team_worker *w, uint64_t round)
{
	struct shootdown *s = w->arg;

	for (uint64_t p = 0; p < s->pages; p++)
		if (*(volatile uint64_t *)word_at(s->base, p) != value_of(s, round, p))
			wl_fail(s->run, "round %lu: worker %u sees an old page %lu", round, w->id,
				p);
}

/* Step 3. */
static void take_away(struct team_worker *w)
{
	static const long nr[] = {SYS_munmap, SYS_mprotect, SYS_madvise};
	struct shootdown *s = w->arg;
	const struct timing_call call = {.nr = nr[s->op],
					 .a = {(uint64_t)s->base, s->pages * WL_PAGE,
					       s->op == OP_DONTNEED ? MADV_DONTNEED : PROT_READ}};
	struct timing t;
	long result;

	wl_begin(s->run);
	t = timing_syscall(&call, &result);
	wl_end(s->run);
	if (result)
		wl_fail(s->run, "the call returned %ld", result);
	wl_sample(&w->rows[0], t);
}

/* Step 4. */
static void try_to_write(struct team_worker *w)
{
	struct shootdown *s = w->arg;
	uint64_t *word = word_at(s->base, random_below(&w->random, s->pages));

	if (read(s->zero, word, sizeof *word) != -1 || errno != EFAULT)
		wl_fail(s->run, "worker %u can still write to a page that is read-only", w->id);
}

static void map_again(struct shootdown *s)
{
	if (mmap(s->base, s->pages * WL_PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != s->base)
		wl_fail(s->run, "mmap at %p: %m", (void *)s->base);
	(void)madvise(s->base, s->pages * WL_PAGE, MADV_NOHUGEPAGE);
}

/* Step 5. The decoys' old frames come free only when the new pages have theirs. */
static void give_back(struct shootdown *s, uint64_t round)
{
	if (s->op == OP_MPROTECT) {
		if (mprotect(s->base, s->pages * WL_PAGE, PROT_READ | PROT_WRITE))
			wl_fail(s->run, "mprotect back: %m");
		fill(s, round);
		return;
	}
	if (s->op == OP_MUNMAP)
		map_again(s);
	for (uint64_t p = 0; p < s->pages; p++)
		*word_at(s->decoy, p) = ~value_of(s, round, p);
	fill(s, round);
	if (madvise(s->decoy, s->pages * WL_PAGE, MADV_DONTNEED))
		wl_fail(s->run, "madvise of the decoys: %m");
}

static void work(struct team_worker *w)
{
	struct shootdown *s = w->arg;

	for (uint64_t round = 0; round < s->rounds; round++) {
		if (w->id)
			look(w, round);
		team_barrier(w);
		if (!w->id)
			take_away(w);
		team_barrier(w);
		if (w->id && s->op == OP_MPROTECT)
			try_to_write(w);
		team_barrier(w);
		if (!w->id)
			give_back(s, round + 1);
		team_barrier(w);
	}
}

static void shootdown(struct wl_run *run)
{
	static const char *const phases[] = {"munmap", "mprotect", "dontneed"};
	struct shootdown s = {
		.run = run,
		.op = wl_enum(run, "op"),
		.pages = wl_uint(run, "pages"),
		.rounds = wl_rounds(run, wl_uint(run, "rounds")),
	};
	struct wl_row *rows[] = {wl_row(run, phases[s.op], 0, TIMING_CALL), NULL};
	struct team team;

	s.zero = open("/dev/zero", O_RDONLY);
	if (s.zero < 0)
		wl_fail(run, "/dev/zero: %m");
	s.base = wl_map(run, s.pages * WL_PAGE, PROT_READ | PROT_WRITE);
	s.decoy = wl_map(run, s.pages * WL_PAGE, PROT_READ | PROT_WRITE);
	fill(&s, 0);
	team_open(run, &team, team_cpus(), work, &s, rows);
	team_go(&team);
	team_close(&team);
	wl_unmap(run, s.base, s.pages * WL_PAGE);
	wl_unmap(run, s.decoy, s.pages * WL_PAGE);
	close(s.zero);
}

const struct workload workload = {
	.name = "shootdown",
	.doc = "one thread takes pages away that the threads on all other CPUs have in their TLBs",
	.params = WL_PARAMS(WL_CHOICE("op", "munmap", "munmap|mprotect|dontneed",
				      "the call; mprotect: to read-only"),
			    WL_NUMBER("pages", "1", 1, 4096, "4 KiB pages of one call"),
			    WL_NUMBER("rounds", "64", 1, 1u << 20, "calls")),
	.phases = WL_PHASES({"munmap", "one munmap of all the pages"},
			    {"mprotect", "one mprotect of all the pages to read-only"},
			    {"dontneed", "one madvise(MADV_DONTNEED) of all the pages"}),
	.body = shootdown,
};
