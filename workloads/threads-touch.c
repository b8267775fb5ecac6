/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory calls and first touches by many threads of one process at once: the micro-benchmarks by
 * which papers on the scaling of virtual memory compare themselves.
 *
 *   op           each thread, of its `pages` pages        after will-it-scale
 *   fault        writes to each, mapped before
 *   mmap         maps them, a chunk a call
 *   mmap_fault   maps a chunk, writes to its pages
 *   unmap        unmaps chunks that it wrote to before
 *   unmap_virt   unmaps chunks that nobody touched
 *   page_fault1  maps a chunk, writes, unmaps it          page_fault1
 *   mmap1        maps a chunk and unmaps it               mmap1
 *
 * and region says how near to one another they do so (A, B: the threads' pages; | the ends of VMAs,
 * or chunks, and of 2 MiB):
 *
 *   private      |AAAAAAAA|   |BBBBBBBB|   low contention: VMAs and page tables of their own
 *   shared       |ABABABABABABABAB|        high: for fault in one VMA, for the calls chunk by chunk
 *                                          in one stretch of addresses
 *   contended    |XXXXXXXX|                every thread writes to every page (fault only): one of
 *                                          them allocates it, the others find it there
 *
 * Each thread leaves a word of its own in each page that it writes to, and all of them must be
 * there at the end: a page that two faults put in place one after the other would have lost one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "team.h"

#define BIG_PAGE (512u * (uint64_t)WL_PAGE)
#define BASE (1ull << 44) /* of all that is mapped; nothing else is near */

enum op { OP_FAULT, OP_MMAP, OP_MMAP_FAULT, OP_UNMAP, OP_UNMAP_VIRT, OP_PAGE_FAULT1, OP_MMAP1 };
enum region { REGION_PRIVATE, REGION_SHARED, REGION_CONTENDED };

enum { ROW_MMAP, ROW_FAULT, ROW_UNMAP, NR_ROWS };

struct threads_touch {
	struct wl_run *run;
	enum op op;
	enum region region;
	uint64_t n, pages, chunk; /* threads; pages of each thread, and of a call */
	char *base;		  /* of all the addresses, BIG_PAGE-aligned */
	uint64_t stride;	  /* private: from one thread's addresses to the next one's */
	int place[NR_ROWS];	  /* of a row among the worker's; -1: not measured */
};

/* ---- where things are ---- */

static bool by_chunks(const struct threads_touch *t)
{
	return t->op != OP_FAULT;
}

/* Chunks are a page apart, so that no two VMAs merge. */
static uint64_t chunk_stride(const struct threads_touch *t)
{
	return (t->chunk + 1) * WL_PAGE;
}

static uint64_t nr_chunks(const struct threads_touch *t)
{
	return (t->pages + t->chunk - 1) / t->chunk;
}

/* The last chunk of a thread may be shorter. */
static uint64_t chunk_pages(const struct threads_touch *t, uint64_t chunk)
{
	uint64_t left = t->pages - chunk * t->chunk;

	return left < t->chunk ? left : t->chunk;
}

static char *chunk_at(const struct threads_touch *t, uint64_t id, uint64_t chunk)
{
	if (t->region == REGION_PRIVATE)
		return t->base + id * t->stride + chunk * chunk_stride(t);
	return t->base + (chunk * t->n + id) * chunk_stride(t);
}

/* The page-th page of a thread, of those that op=fault writes to. */
static char *page_at(const struct threads_touch *t, uint64_t id, uint64_t page)
{
	switch (t->region) {
	case REGION_PRIVATE:
		return t->base + id * t->stride + page * WL_PAGE;
	case REGION_SHARED:
		return t->base + (page * t->n + id) * WL_PAGE;
	default:
		return t->base + page * WL_PAGE;
	}
}

static uint64_t bytes_of_a_thread(const struct threads_touch *t)
{
	return by_chunks(t) ? nr_chunks(t) * chunk_stride(t) : t->pages * WL_PAGE;
}

static uint64_t bytes_of_all(const struct threads_touch *t)
{
	switch (t->region) {
	case REGION_PRIVATE:
		return t->n * t->stride;
	case REGION_SHARED:
		return t->n * bytes_of_a_thread(t);
	default:
		return bytes_of_a_thread(t);
	}
}

/* Far from where kernels put what they place themselves. */
static void choose_addresses(struct threads_touch *t)
{
	t->stride = (bytes_of_a_thread(t) / BIG_PAGE + 2) * BIG_PAGE;
	t->base = (char *)BASE;
}

/* ---- the words that show who was there ---- */

/* In a contended page each thread has a word of its own; elsewhere its words move about. */
static uint64_t *word_of(const struct threads_touch *t, char *page, uint64_t id)
{
	uint64_t number = (uint64_t)page / WL_PAGE;

	return (uint64_t *)page + (t->region == REGION_CONTENDED ? id : number % 512);
}

static uint64_t value_of(const struct threads_touch *t, const char *page, uint64_t id)
{
	return (t->run->seed ^ (uint64_t)page) * 0x9e3779b97f4a7c15ull + id * 2 + 1;
}

static void check_word(struct threads_touch *t, char *page, uint64_t id)
{
	if (*word_of(t, page, id) != value_of(t, page, id))
		wl_fail(t->run, "thread %lu's word is not in page %p", id, (void *)page);
}

/* ---- one call or touch ---- */

static void sample(struct team_worker *w, int row, struct timing timing)
{
	const struct threads_touch *t = w->arg;

	if (t->place[row] >= 0)
		wl_sample(&w->rows[t->place[row]], timing);
}

static void touch(struct team_worker *w, char *page)
{
	struct threads_touch *t = w->arg;

	sample(w, ROW_FAULT, timing_write(word_of(t, page, w->id), value_of(t, page, w->id)));
}

static void map_at(struct team_worker *w, char *at, uint64_t pages)
{
	const struct timing_call call = {
		.nr = SYS_mmap,
		.a = {(uint64_t)at, pages * WL_PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, ~0ull, 0}};
	long result;
	struct timing t = timing_syscall(&call, &result);

	if (result != (long)at)
		wl_fail(w->run, "mmap at %p returned %ld", (void *)at, result);
	sample(w, ROW_MMAP, t);
}

static void unmap_at(struct team_worker *w, char *at, uint64_t pages)
{
	const struct timing_call call = {.nr = SYS_munmap, .a = {(uint64_t)at, pages * WL_PAGE}};
	long result;
	struct timing t = timing_syscall(&call, &result);

	if (result)
		wl_fail(w->run, "munmap at %p returned %ld", (void *)at, result);
	sample(w, ROW_UNMAP, t);
}

static void touch_chunk(struct team_worker *w, char *at, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++)
		touch(w, at + i * WL_PAGE);
}

static void check_chunk(struct team_worker *w, char *at, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++)
		check_word(w->arg, at + i * WL_PAGE, w->id);
}

/* ---- the work ---- */

static void do_chunk(struct team_worker *w, char *at, uint64_t pages)
{
	const struct threads_touch *t = w->arg;

	switch (t->op) {
	case OP_MMAP:
		map_at(w, at, pages);
		break;
	case OP_MMAP_FAULT:
		map_at(w, at, pages);
		touch_chunk(w, at, pages);
		break;
	case OP_UNMAP:
		check_chunk(w, at, pages);
		unmap_at(w, at, pages);
		break;
	case OP_UNMAP_VIRT:
		unmap_at(w, at, pages);
		break;
	case OP_PAGE_FAULT1:
		map_at(w, at, pages);
		touch_chunk(w, at, pages);
		check_chunk(w, at, pages);
		unmap_at(w, at, pages);
		break;
	default:
		map_at(w, at, pages);
		unmap_at(w, at, pages);
	}
}

static void work(struct team_worker *w)
{
	struct threads_touch *t = w->arg;

	for (uint64_t i = 0; !by_chunks(t) && i < t->pages; i++)
		touch(w, page_at(t, w->id, i));
	for (uint64_t i = 0; by_chunks(t) && i < nr_chunks(t); i++)
		do_chunk(w, chunk_at(t, w->id, i), chunk_pages(t, i));
}

/* ---- before and after ---- */

static void map_fixed(struct threads_touch *t, char *at, uint64_t bytes)
{
	if (mmap(at, bytes, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) != at)
		wl_fail(t->run, "mmap at %p: %m", (void *)at);
	(void)madvise(at, bytes, MADV_NOHUGEPAGE);
}

/* Chunk by chunk for what is to be unmapped, with the words in them for op=unmap. */
static void prepare_chunks(struct threads_touch *t, uint64_t id)
{
	for (uint64_t i = 0; i < nr_chunks(t); i++) {
		char *at = chunk_at(t, id, i);

		map_fixed(t, at, chunk_pages(t, i) * WL_PAGE);
		for (uint64_t p = 0; t->op == OP_UNMAP && p < chunk_pages(t, i); p++) {
			char *page = at + p * WL_PAGE;

			*word_of(t, page, id) = value_of(t, page, id);
		}
	}
}

static void prepare(struct threads_touch *t)
{
	bool apart = t->region == REGION_PRIVATE;

	for (uint64_t id = 0; id < t->n; id++) {
		if (t->op == OP_UNMAP || t->op == OP_UNMAP_VIRT)
			prepare_chunks(t, id);
		else if (t->op == OP_FAULT && (apart || id == 0))
			map_fixed(t, page_at(t, id, 0),
				  apart ? bytes_of_a_thread(t) : bytes_of_all(t));
	}
}

static bool is_mapped(char *at)
{
	unsigned char there;

	return !mincore(at, WL_PAGE, &there) || errno != ENOMEM;
}

static void check_a_chunk(struct threads_touch *t, uint64_t id, uint64_t chunk)
{
	bool stays = t->op == OP_MMAP || t->op == OP_MMAP_FAULT;
	char *at = chunk_at(t, id, chunk);

	if (is_mapped(at) != stays)
		wl_fail(t->run, "the chunk at %p is %smapped", (void *)at, stays ? "not " : "");
	for (uint64_t i = 0; t->op == OP_MMAP_FAULT && i < chunk_pages(t, chunk); i++)
		check_word(t, at + i * WL_PAGE, id);
}

static void check(struct threads_touch *t)
{
	for (uint64_t id = 0; id < t->n; id++) {
		for (uint64_t i = 0; by_chunks(t) && i < nr_chunks(t); i++)
			check_a_chunk(t, id, i);
		for (uint64_t i = 0; !by_chunks(t) && i < t->pages; i++)
			check_word(t, page_at(t, id, i), id);
	}
	wl_unmap(t->run, t->base, bytes_of_all(t));
}

static void add_row(struct threads_touch *t, const char *phase, int row, bool wanted,
		    enum timing_pair pair, struct wl_row **rows, int *n)
{
	t->place[row] = wanted ? *n : -1;
	if (wanted)
		rows[(*n)++] = wl_row(t->run, phase, 0, pair);
}

/* What the op consists of, as rows. */
static void make_rows(struct threads_touch *t, struct wl_row **rows)
{
	enum op op = t->op;
	bool maps = op == OP_MMAP || op == OP_MMAP_FAULT || op == OP_PAGE_FAULT1 || op == OP_MMAP1;
	bool touches = op == OP_FAULT || op == OP_MMAP_FAULT || op == OP_PAGE_FAULT1;
	bool unmaps =
		op == OP_UNMAP || op == OP_UNMAP_VIRT || op == OP_PAGE_FAULT1 || op == OP_MMAP1;
	int n = 0;

	add_row(t, "mmap", ROW_MMAP, maps, TIMING_CALL, rows, &n);
	add_row(t, "fault", ROW_FAULT, touches, TIMING_ACCESS, rows, &n);
	add_row(t, "unmap", ROW_UNMAP, unmaps, TIMING_CALL, rows, &n);
	rows[n] = NULL;
}

static void threads_touch(struct wl_run *run)
{
	struct threads_touch t = {
		.run = run,
		.op = wl_enum(run, "op"),
		.region = wl_enum(run, "region"),
		.n = team_cpus() * wl_uint(run, "per_cpu"),
		.pages = wl_rounds(run, wl_uint(run, "pages")),
		.chunk = wl_uint(run, "chunk"),
	};
	struct wl_row *rows[NR_ROWS + 1], *elapsed = wl_row(run, "elapsed", 0, TIMING_ACCESS);
	struct team team;

	if (t.region == REGION_CONTENDED && by_chunks(&t))
		wl_unsupported(run, "region=contended is for op=fault: two threads can't map the "
				    "same addresses");
	if (t.n > TEAM_MAX)
		wl_unsupported(run, "%lu threads: at most %u", t.n, TEAM_MAX);
	make_rows(&t, rows);
	choose_addresses(&t);
	prepare(&t);
	team_open(run, &team, (unsigned)t.n, work, &t, rows);
	wl_begin(run);
	team_go(&team);
	wl_end(run);
	wl_span(elapsed, team_elapsed(&team));
	team_close(&team);
	check(&t);
}

const struct workload workload = {
	.name = "threads-touch",
	.doc = "memory calls and first touches by many threads at once, far from one another or near",
	.params = WL_PARAMS(
		WL_CHOICE("op", "fault", "fault|mmap|mmap_fault|unmap|unmap_virt|page_fault1|mmap1",
			  "what each thread does"),
		WL_CHOICE(
			"region", "private", "private|shared|contended",
			"private: VMAs and page tables of its own; shared: one region, dealt in turn; "
			"contended: the same pages"),
		WL_NUMBER("pages", "1024", 1, 1u << 20, "4 KiB pages of each thread"),
		WL_NUMBER("chunk", "4", 1, 511,
			  "pages of one mmap or munmap; too few for a huge page"),
		WL_NUMBER("per_cpu", "1", 1, 8, "threads on each CPU that there is")),
	.phases = WL_PHASES({"mmap", "one mmap of a chunk"}, {"fault", "one store to a page"},
			    {"unmap", "one munmap of a chunk"},
			    {"elapsed", "from the first thread's begin to the last one's end"}),
	.body = threads_touch,
};
