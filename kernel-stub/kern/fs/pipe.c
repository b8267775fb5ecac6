/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pipes: a ring of 64 KiB between two open files. A reader waits for a byte or for the last writer
 * to close, a writer for room or for the last reader to close, unless the open file has O_NONBLOCK.
 * Whoever changes the ring makes the other side look again. A chunk of up to a page is moved whole
 * or, on a bad address, not at all, as Linux moves its pages (fs/pipe.c).
 */
#include "arch/x86_64/arch.h"
#include "kern/fs/file_table.h"
#include "kern/signal/kern_signal.h"
#include "kern/sys/kern_syscall.h"
#include "kern/task/task.h"
#include "mm/base/mm_errno.h"
#include "mm/phys/buddy.h"
#include "mm/phys/slab.h"

#define PIPE_ORDER 4u
#define PIPE_SIZE (PAGE_SIZE << PIPE_ORDER)

struct pipe {
	bool has_reader, has_writer;
	uint64_t head, tail; /* bytes written and read since it was empty */
	char *ring;
	struct wait_queue readers, writers;
};

/* 0: look again. */
static int64_t wait_in(struct wait_queue *q, const struct file *file)
{
	return file->flags & O_NONBLOCK ? -MM_EAGAIN : wait_queue_sleep(q);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* How much of `want` is to be moved at once at ring position pos. */
static uint64_t chunk_at(uint64_t pos, uint64_t want)
{
	return least(least(want, PAGE_SIZE), PIPE_SIZE - pos % PIPE_SIZE);
}

/* Moves what there is; the bytes moved, or -EFAULT. */
static int64_t take(struct pipe *p, struct user_iter *to)
{
	int64_t done = 0;

	while (to->left && p->head != p->tail) {
		uint64_t n = chunk_at(p->tail, least(to->left, p->head - p->tail));

		if (user_iter_copy_out(p->ring + p->tail % PIPE_SIZE, n, to) < n)
			return done ? done : -MM_EFAULT;
		p->tail += n;
		done += (int64_t)n;
	}
	if (p->head == p->tail)
		p->head = p->tail = 0; /* so that chunks begin where Linux's pages do */
	return done;
}

static int64_t pipe_read(struct file *file, struct user_iter *to)
{
	struct pipe *p = file->private;
	int64_t done;

	if (!to->left)
		return 0;
	while (p->head == p->tail) {
		if (!p->has_writer)
			return 0;
		done = wait_in(&p->readers, file);
		if (done)
			return done;
	}
	done = take(p, to);
	wait_queue_wake(&p->writers);
	return done;
}

/* Room for the next chunk of a write: a write of a page or less goes in whole (PIPE_BUF). */
static bool has_room(const struct pipe *p, uint64_t left, int64_t done)
{
	uint64_t room = PIPE_SIZE - (p->head - p->tail);

	return !done && left <= PAGE_SIZE ? room >= left : room > 0;
}

/* To the thread that writes, as on Linux. */
static void send_sigpipe(void)
{
	struct signal_origin from = {.code = SI_USER, .payload = (uint64_t)task_pid()};

	signal_send_thread(current(), SIGPIPE, &from);
}

/* Waits for room: 0, or why not. */
static int64_t wait_for_room(struct pipe *p, const struct file *file, uint64_t left, int64_t done)
{
	int64_t error;

	for (;;) {
		if (!p->has_reader) {
			send_sigpipe();
			return -MM_EPIPE;
		}
		if (has_room(p, left, done))
			return 0;
		error = wait_in(&p->writers, file);
		if (error)
			return error;
	}
}

static int64_t pipe_write(struct file *file, struct user_iter *from)
{
	struct pipe *p = file->private;
	int64_t done = 0, error;
	uint64_t n;

	while (from->left) {
		error = wait_for_room(p, file, from->left, done);
		if (error)
			return done ? done : error;
		n = least(from->left, PIPE_SIZE - (p->head - p->tail));
		n = chunk_at(p->head, n);
		if (user_iter_copy_in(p->ring + p->head % PIPE_SIZE, n, from) < n)
			return done ? done : -MM_EFAULT;
		p->head += n;
		done += (int64_t)n;
		wait_queue_wake(&p->readers);
	}
	return done;
}

static void pipe_stat(const struct file *file, struct file_stat *st)
{
	(void)file;
	st->nlink = 1;
	st->mode = S_IFIFO | 0600;
	st->blksize = PAGE_SIZE;
}

static void pipe_free(struct pipe *p)
{
	if (p->ring)
		page_free_order(virt_to_page(p->ring), PIPE_ORDER);
	kfree(p);
}

static void pipe_release_reader(struct file *file)
{
	struct pipe *p = file->private;

	p->has_reader = false;
	wait_queue_wake(&p->writers);
	if (!p->has_writer)
		pipe_free(p);
}

static void pipe_release_writer(struct file *file)
{
	struct pipe *p = file->private;

	p->has_writer = false;
	wait_queue_wake(&p->readers);
	if (!p->has_reader)
		pipe_free(p);
}

/* O_ASYNC sends a signal to an owner, whom F_SETOWN would name and doesn't. */
#define PIPE_SETTABLE O_ASYNC

static const struct file_ops pipe_reader_ops = {
	.read = pipe_read,
	.stat = pipe_stat,
	.release = pipe_release_reader,
	.settable = PIPE_SETTABLE,
};

static const struct file_ops pipe_writer_ops = {
	.write = pipe_write,
	.stat = pipe_stat,
	.release = pipe_release_writer,
	.settable = PIPE_SETTABLE,
};

static struct pipe *pipe_alloc(void)
{
	struct pipe *p = kzalloc(sizeof(*p));
	struct page *ring;

	if (!p)
		return NULL;
	ring = page_alloc_order(PIPE_ORDER, MT_UNMOVABLE);
	if (!ring) {
		kfree(p);
		return NULL;
	}
	p->ring = page_to_virt(ring);
	wait_queue_init(&p->readers);
	wait_queue_init(&p->writers);
	return p;
}

/* Installs both ends of p into fds; on failure neither is left, and p is freed. */
static int64_t install_ends(struct pipe *p, uint32_t flags, int32_t fds[2])
{
	int64_t fd = file_install(&pipe_reader_ops, O_RDONLY | flags, p);

	if (fd < 0) {
		pipe_free(p);
		return fd;
	}
	p->has_reader = true;
	fds[0] = (int32_t)fd;
	fd = file_install(&pipe_writer_ops, O_WRONLY | flags, p);
	if (fd < 0) {
		file_close((uint64_t)fds[0]);
		return fd;
	}
	p->has_writer = true;
	fds[1] = (int32_t)fd;
	return 0;
}

static int64_t do_pipe(uint64_t user, uint32_t flags)
{
	struct pipe *p;
	int32_t fds[2];
	int64_t error;

	error = call_flags_check(&pipe2_flags, flags);
	if (error)
		return error;
	p = pipe_alloc();
	if (!p)
		return -MM_ENOMEM;
	error = install_ends(p, flags, fds);
	if (error)
		return error;
	if (copy_to_user(user, fds, sizeof(fds))) {
		file_close((uint64_t)fds[0]);
		file_close((uint64_t)fds[1]);
		return -MM_EFAULT;
	}
	return 0;
}

SYSCALL(pipe)
{
	return do_pipe(ARG0(regs), 0);
}

SYSCALL(pipe2)
{
	return do_pipe(ARG0(regs), (uint32_t)ARG1(regs));
}
