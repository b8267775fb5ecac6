/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kern/fs/user_iter.h"

#include "arch/x86_64/arch.h"
#include "port/port.h"

bool user_range_ok(uint64_t addr, uint64_t n)
{
	return n <= TASK_SIZE && addr <= TASK_SIZE - n;
}

enum iter_op { ITER_IN, ITER_OUT, ITER_ZERO };

/* The bytes not done, as copy_to_user. */
static size_t one_piece(enum iter_op op, uint64_t user, char *kernel, size_t n)
{
	switch (op) {
	case ITER_IN:
		return copy_from_user(kernel, user, n);
	case ITER_OUT:
		return copy_to_user(user, kernel, n);
	default:
		return clear_user(user, n);
	}
}

static inline size_t walk(enum iter_op op, char *kernel, size_t n, struct user_iter *it)
{
	size_t done = 0;

	if (n > it->left)
		n = it->left;
	while (done < n) {
		uint64_t piece = it->iov->len - it->offset, chunk, bad;

		if (!piece) {
			it->iov++;
			it->offset = 0;
			continue;
		}
		chunk = n - done < piece ? n - done : piece;
		bad = one_piece(op, it->iov->base + it->offset, kernel + done, chunk);
		done += chunk - bad;
		it->offset += chunk - bad;
		if (bad)
			break;
	}
	it->left -= done;
	return done;
}

size_t user_iter_copy_in(void *to, size_t n, struct user_iter *it)
{
	return walk(ITER_IN, to, n, it);
}

size_t user_iter_copy_out(const void *from, size_t n, struct user_iter *it)
{
	return walk(ITER_OUT, (char *)(uintptr_t)from, n, it);
}

size_t user_iter_zero(size_t n, struct user_iter *it)
{
	return walk(ITER_ZERO, NULL, n, it);
}
