/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A walk over a user buffer in pieces: what read, write, readv and writev hand to a file. */
#ifndef KERN_USER_ITER_H
#define KERN_USER_ITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct iovec {
	uint64_t base, len;
};

struct user_iter {
	const struct iovec *iov; /* the piece the walk is in */
	uint64_t offset;	 /* into it */
	uint64_t left;		 /* bytes until the end of the last piece */
};

/* Whether [addr, addr + n) lies in user space: what Linux asks before it looks at anything else. */
bool user_range_ok(uint64_t addr, uint64_t n);

/* Copies up to n bytes to or from where the walk is, and moves it past them. The number copied:
 * less than min(n, left) means that a bad address follows. */
size_t user_iter_copy_in(void *to, size_t n, struct user_iter *it);
size_t user_iter_copy_out(const void *from, size_t n, struct user_iter *it);
size_t user_iter_zero(size_t n, struct user_iter *it);

#endif
