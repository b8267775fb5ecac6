/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What execve is given for the new program's stack: argument and environment strings. */
#ifndef KERN_EXEC_ARGS_H
#define KERN_EXEC_ARGS_H

#include <stdint.h>

/* Kernel memory of some size, or none. */
struct args_buffer {
	char *base;
	uint64_t size;
};

/* NUL-terminated strings one after the other. */
struct strings {
	const char *base;
	uint64_t size, count;
	struct args_buffer buffer; /* where they are, unless the initrd has them */
};

/* All zero at first. */
struct args {
	struct strings argv, envp;
	uint64_t room; /* bytes that strings may still take */
};

/* How many bytes the running process may hand on: strings and pointers to them. */
uint64_t args_limit(void);

/* Copies what ring 3's arrays name for a program of that path: 0; Linux's error, E2BIG by the
 * running process's limits; or -MM_ENOMEM. On failure too, args_free is due. */
int64_t args_read(struct args *a, const char *path, uint64_t user_argv, uint64_t user_envp);
void args_free(const struct args *a);

/* 0 or -MM_ENOMEM. The reverse; one that is all zero is fine. */
int64_t args_buffer_alloc(struct args_buffer *b, uint64_t size);
void args_buffer_free(const struct args_buffer *b);

#endif
