/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Argument and environment strings on their way into a new address space (Linux fs/exec.c):
 *
 *  1. The pointers are counted, those of the arguments first.
 *  2. Strings and pointers may take a quarter of RLIMIT_STACK, 6 MiB at most, and 128 KiB in any
 * case; but then the new stack has to hold the strings, which grows to RLIMIT_STACK, and within
 *     RLIMIT_AS. A string is at most 128 KiB.
 *  3. The strings are measured, from the last of the environment to the first of the arguments, as
 *     Linux copies them: of several errors it is the same one.
 *  4. Then there is memory for them, and they are copied.
 */
#include "kern/exec/args.h"

#include "arch/x86_64/arch.h"
#include "kern/lib/str.h"
#include "kern/task/task.h"
#include "mm/base/mm_errno.h"
#include "mm/mm.h"
#include "mm/pgtable/vmalloc.h"
#include "mm/phys/slab.h"

#define ARG_STRINGS_MAX (6ull << 20)
#define ARG_STRINGS_MIN (128ull << 10)
#define ARG_STRING_MAX (32 * PAGE_SIZE)
#define ARG_PIECE 256u		    /* bytes that are looked at at once */
#define ARG_KMALLOC_MAX (64u << 10) /* a larger buffer need not be contiguous */

/* ---- buffers ---- */

/* In the slot that never takes a fault: no address space is to be told. */
int64_t args_buffer_alloc(struct args_buffer *b, uint64_t size)
{
	b->size = size;
	if (size)
		b->base = size <= ARG_KMALLOC_MAX ? kmalloc(size)
						  : vmalloc_slot(VMALLOC_EAGER_SLOT, size);
	return !size || b->base ? 0 : -MM_ENOMEM;
}

void args_buffer_free(const struct args_buffer *b)
{
	if (b->size <= ARG_KMALLOC_MAX)
		kfree(b->base);
	else
		vfree(b->base);
}

void args_free(const struct args *a)
{
	args_buffer_free(&a->argv.buffer);
	args_buffer_free(&a->envp.buffer);
}

/* ---- 2. ---- */

uint64_t args_limit(void)
{
	uint64_t limit = current()->process->limits.of[RLIMIT_STACK].cur / 4;

	limit = limit < ARG_STRINGS_MAX ? limit : ARG_STRINGS_MAX;
	return limit > ARG_STRINGS_MIN ? limit : ARG_STRINGS_MIN;
}

/* The new stack grows with the strings, its first page apart: by whole pages, 8 bytes at its top
 * are taken. */
static uint64_t stack_room(unsigned resource)
{
	uint64_t limit = current()->process->limits.of[resource].cur & PAGE_MASK;

	return (limit ? limit : PAGE_SIZE) - 8;
}

/* Takes n bytes of the room: 0 or -E2BIG. */
static int64_t take_room(struct args *a, uint64_t n)
{
	if (n > a->room)
		return -MM_E2BIG;
	a->room -= n;
	return 0;
}

/* Sets a->room for so many pointers, and takes the path's part of it. */
static int64_t make_room(struct args *a, const char *path, uint64_t pointers)
{
	uint64_t stack = stack_room(RLIMIT_STACK), as = stack_room(RLIMIT_AS), limit = args_limit();

	if (limit <= pointers * sizeof(uint64_t))
		return -MM_E2BIG;
	a->room = limit - pointers * sizeof(uint64_t);
	a->room = a->room < stack ? a->room : stack;
	a->room = a->room < as ? a->room : as;
	return take_room(a, str_length(path) + 1);
}

/* ---- 1. ---- */

/* How many pointers there are before the NULL; no array: none. */
static int64_t count_pointers(uint64_t user, uint64_t *count)
{
	uint64_t string = 0;

	for (*count = 0; user; user += sizeof(string), ++*count) {
		if (copy_from_user(&string, user, sizeof(string)))
			return -MM_EFAULT;
		if (!string)
			break;
	}
	return 0;
}

/* ---- 3. ---- */

/* A string's bytes with its NUL, or Linux's error. */
static int64_t measure_string(uint64_t user)
{
	char piece[ARG_PIECE];

	for (uint64_t length = 0; length < ARG_STRING_MAX; length += ARG_PIECE) {
		int64_t n = strncpy_from_user(piece, user + length, ARG_PIECE);

		if (n < 0)
			return n;
		if (n < ARG_PIECE)
			return (int64_t)length + n + 1;
	}
	return -MM_E2BIG;
}

/* s->size of the s->count strings that ring 3's array names. */
static int64_t strings_measure(struct args *a, struct strings *s, uint64_t user)
{
	for (uint64_t i = s->count; i--;) {
		uint64_t string;
		int64_t n, error;

		if (copy_from_user(&string, user + i * sizeof(string), sizeof(string)))
			return -MM_EFAULT;
		n = measure_string(string);
		error = n < 0 ? n : take_room(a, (uint64_t)n);
		if (error)
			return error;
		s->size += (uint64_t)n;
	}
	return 0;
}

/* ---- 4. ---- */

/* The strings themselves. Another thread may have changed them: a string or a pointer that is not
 * what it was is a bad one. */
static int64_t strings_copy(struct strings *s, uint64_t user)
{
	uint64_t done = 0, string;
	int64_t error = args_buffer_alloc(&s->buffer, s->size);

	if (error)
		return error;
	s->base = s->buffer.base;
	for (uint64_t i = 0; i < s->count; i++) {
		int64_t n, left = (int64_t)(s->size - done);

		if (copy_from_user(&string, user + i * sizeof(string), sizeof(string)))
			return -MM_EFAULT;
		n = strncpy_from_user(s->buffer.base + done, string, (uint64_t)left);
		if (n < 0 || n >= left)
			return -MM_EFAULT;
		done += (uint64_t)n + 1;
	}
	s->size = done;
	return 0;
}

/* ---- the whole ---- */

/* Linux: a program without argv[0] gets an empty one. */
static int64_t no_arguments(struct args *a)
{
	int64_t error = take_room(a, 1);

	a->argv.base = "";
	a->argv.size = a->argv.count = 1;
	return error;
}

int64_t args_read(struct args *a, const char *path, uint64_t user_argv, uint64_t user_envp)
{
	uint64_t argc = 0, envc = 0;
	int64_t error = count_pointers(user_argv, &argc);

	if (!error)
		error = count_pointers(user_envp, &envc);
	a->argv.count = argc;
	a->envp.count = envc;
	if (!error)
		error = make_room(a, path, (argc ? argc : 1) + envc);
	if (!error)
		error = strings_measure(a, &a->envp, user_envp);
	if (!error)
		error = strings_measure(a, &a->argv, user_argv);
	if (!error)
		error = strings_copy(&a->envp, user_envp);
	if (!error)
		error = argc ? strings_copy(&a->argv, user_argv) : no_arguments(a);
	return error;
}
