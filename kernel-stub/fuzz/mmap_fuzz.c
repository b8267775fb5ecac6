/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer: calls against the flat model (test/mmap_model.h), mm_check after each. Four bytes an
 * operation: the call, with one bit that has its second allocation refused; the first page; the
 * number of pages; prot (and whether it is shared memory) or advice. A difference panics, which
 * aborts.
 */
#include "test/mmap_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REFUSE 0x80u

static struct model model;

static struct model_op decode(const uint8_t *b)
{
	struct model_op op = {.call = (b[0] & ~REFUSE) % MODEL_NR_CALLS};

	op.first = b[1] % model.n;
	op.count = 1 + b[2] % (model.n - op.first);
	op.arg = b[3] & (VM_ACCESS_FLAGS | VM_SHARED);
	if (op.call == MODEL_MADVISE)
		op.arg = b[3] % (MADV_DONTNEED_ + 1);
	else if (op.call > MODEL_EXCL)
		op.arg &= VM_ACCESS_FLAGS;
	op.value = 1 + b[3];
	return op;
}

/* With the second allocation refused. If the call was, then both sides are as before it. */
static void do_refused(const struct model_op *op)
{
	struct model before = model;
	int64_t expected = model_predict(&model, op), got;

	hosted_fail_nth(2);
	got = model_call(&model, op);
	if (got <= 0 && hosted_fail_refused())
		model = before;
	else
		ASSERT(got == expected);
	hosted_fail_none();
	if (op->call <= MODEL_EXCL && got > 0 && (uint64_t)got < model.base)
		ASSERT(vm_munmap(world_mm, (uint64_t)got, op->count * PAGE_SIZE) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	model_open(&model, MODEL_MAX);
	for (; size >= 4; data += 4, size -= 4) {
		struct model_op op = decode(data);

		if (data[0] & REFUSE)
			do_refused(&op);
		else
			model_do(&model, &op);
		model_compare(&model);
		world_check();
		hosted_tlb_check();
	}
	for (unsigned i = 0; i < model.n; i++)
		model_compare_value(&model, i);
	world_close();
	return 0;
}
