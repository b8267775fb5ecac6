/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sequences of calls against the flat model (mmap_model.h), mm_check after each. */
#include <atf-c.h>

#include "test/mmap_model.h"

static struct model model;

/* ---- every sequence ---- */

#define SMALL 6u
#define MAX_OPS 256u
#ifndef RANDOM_CALLS
#define RANDOM_CALLS 250000u
#endif

static struct model_op ops[MAX_OPS];
static unsigned nr_ops;

static void add_ops(enum model_call call, unsigned arg)
{
	for (unsigned first = 0; first < SMALL; first++)
		for (unsigned count = 1; first + count <= SMALL; count++) {
			ATF_REQUIRE(nr_ops < MAX_OPS);
			ops[nr_ops++] = (struct model_op){call, first, count, arg, 0};
		}
}

static void add_writes(void)
{
	for (unsigned first = 0; first < SMALL; first++)
		ops[nr_ops++] = (struct model_op){MODEL_WRITE, first, 1, 0, 0x1000 + first};
}

static void compare_all(void)
{
	model_compare(&model);
	for (unsigned i = 0; i < model.n; i++)
		model_compare_value(&model, i);
	world_check();
}

static void start_again(const struct model_op *op, bool written)
{
	const struct model_op clear = {MODEL_MUNMAP, 0, SMALL, 0, 0};

	model_do(&model, &clear);
	model_do(&model, op);
	for (unsigned i = op->first; written && i < op->first + op->count; i++)
		model_do(&model, &(struct model_op){MODEL_WRITE, i, 1, 0, 0x2000 + i});
}

/* The two calls after every first one. */
static void every_pair(const struct model_op *first, bool written)
{
	for (unsigned a = 0; a < nr_ops; a++)
		for (unsigned b = 0; b < nr_ops; b++) {
			start_again(first, written);
			model_do(&model, &ops[a]);
			model_do(&model, &ops[b]);
			model_compare(&model);
			world_check();
		}
}

ATF_TC(every_sequence);
ATF_TC_HEAD(every_sequence, tc)
{
	atf_tc_set_md_var(
		tc, "descr",
		"every sequence of three calls over six pages, the first an mmap (nothing "
		"else changes an empty address space), its pages untouched or written");
}
ATF_TC_BODY(every_sequence, tc)
{
	unsigned nr_first;

	(void)tc;
	model_open(&model, SMALL);
	add_ops(MODEL_MMAP, PROT_READ_ | PROT_WRITE_);
	nr_first = nr_ops;
	add_ops(MODEL_MUNMAP, 0);
	add_ops(MODEL_MPROTECT, PROT_READ_);
	add_ops(MODEL_MPROTECT, PROT_READ_ | PROT_WRITE_);
	add_writes();
	for (unsigned i = 0; i < nr_first; i++) {
		every_pair(&ops[i], false);
		every_pair(&ops[i], true);
	}
	world_close();
}

/* ---- random ones ---- */

static uint64_t random_state;

/* SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). */
static uint64_t random_next(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static unsigned random_below(unsigned n)
{
	return (unsigned)(random_next() % n);
}

static struct model_op random_op(void)
{
	static const unsigned prots[] = {0,
					 PROT_READ_,
					 PROT_WRITE_,
					 PROT_EXEC_,
					 PROT_READ_ | PROT_WRITE_,
					 PROT_READ_ | PROT_WRITE_,
					 PROT_READ_ | PROT_WRITE_,
					 PROT_READ_ | PROT_EXEC_};
	struct model_op op = {.call = random_below(MODEL_NR_CALLS)};

	op.first = random_below(model.n);
	op.count = 1 + random_below(model.n - op.first);
	if (random_below(2))
		op.count = 1 + random_below(op.count < 4 ? op.count : 4);
	op.arg = op.call == MODEL_MADVISE ? random_below(MADV_DONTNEED_ + 1)
					  : prots[random_below(8)];
	if (op.call <= MODEL_EXCL && random_below(4) == 0)
		op.arg |= VM_SHARED;
	op.value = random_next() | 1;
	return op;
}

static void random_sequence(uint64_t seed, unsigned pages, unsigned length)
{
	random_state = seed;
	model_open(&model, pages);
	for (unsigned i = 0; i < length; i++) {
		struct model_op op = random_op();

		model_do(&model, &op);
		model_compare(&model);
		model_compare_value(&model, random_below(model.n));
		world_check();
		hosted_tlb_check();
		if (i % 256 == 0)
			compare_all();
	}
	compare_all();
	world_close();
}

ATF_TC(random_sequences);
ATF_TC_HEAD(random_sequences, tc)
{
	atf_tc_set_md_var(tc, "descr", "random calls, everything checked after each");
}
ATF_TC_BODY(random_sequences, tc)
{
	(void)tc;
	random_sequence(1, 4, RANDOM_CALLS);
	random_sequence(2, 8, RANDOM_CALLS);
	random_sequence(3, 12, RANDOM_CALLS);
	random_sequence(4, MODEL_MAX, RANDOM_CALLS);
}

/* ---- random ones, short of memory ---- */

/* A call that may be refused memory: if it was, both sides are as before it. */
static bool try_op(const struct model_op *op)
{
	struct model before = model;
	int64_t expected = model_predict(&model, op), got;
	bool refused;

	got = model_call(&model, op);
	/* mprotect over a hole ends in ENOMEM with memory, too. */
	refused = got != expected || (got < 0 && hosted_fail_refused());
	if (refused) {
		int64_t error = op->call == MODEL_MADVISE ? -MM_EAGAIN : -MM_ENOMEM;

		ATF_REQUIRE(hosted_fail_refused() > 0);
		ATF_REQUIRE_EQ(got, op->call >= MODEL_WRITE ? 0 : error);
		model = before;
	}
	hosted_fail_none();
	if (op->call <= MODEL_EXCL && got > 0 && (uint64_t)got < model.base)
		ATF_REQUIRE_EQ(vm_munmap(world_mm, (uint64_t)got, op->count * PAGE_SIZE), 0);
	return refused;
}

ATF_TC(out_of_memory);
ATF_TC_HEAD(out_of_memory, tc)
{
	atf_tc_set_md_var(tc, "descr",
			  "random calls that are refused memory: -ENOMEM, and nothing has changed");
}
ATF_TC_BODY(out_of_memory, tc)
{
	unsigned refused = 0;

	(void)tc;
	random_state = 5;
	model_open(&model, MODEL_MAX);
	for (unsigned i = 0; i < 50000; i++) {
		struct model_op op = random_op();

		hosted_fail_nth(1 + random_below(3));
		refused += try_op(&op);
		hosted_fail_none();
		model_compare(&model);
		world_check();
		if (i % 16 == 0)
			compare_all();
	}
	ATF_REQUIRE(refused > 1000);
	compare_all();
	world_close();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, every_sequence);
	ATF_TP_ADD_TC(tp, random_sequences);
	ATF_TP_ADD_TC(tp, out_of_memory);
	return atf_no_error();
}
