/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pipes (Linux fs/pipe.c): sixteen pages between two open files. A reader waits for a byte or for
 * the last writer to close, a writer for a free page or for the last reader to close, unless the
 * open file has O_NONBLOCK. Whoever changes the ring makes the other side look again.
 *
 *   1. A write takes fresh pages; but what is left of it beyond whole pages goes first, behind the
 * last bytes there are, if all of it fits into their page. So a write of a page or less goes in
 * whole (PIPE_BUF). A page is free again when its last byte was read.
 *   2. If the writer's open file has O_DIRECT, each page that is written is a packet: nothing is
 * put behind its bytes, a read ends with it, and what the read had no room for is lost.
 *   3. The bytes of a page are moved all or, on a bad address, not at all.
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
#define PIPE_PAGES (1u << PIPE_ORDER)

/* What of a page is to be read; eight bytes, so that it is written at once. */
struct pipe_page {
	uint16_t start, end;
	uint32_t packet; /* O_DIRECT or 0 */
};

struct pipe {
	bool has_reader, has_writer;
	uint32_t head, tail; /* pages written to and read to the end */
	char *ring;
	struct pipe_page pages[PIPE_PAGES];
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

static struct pipe_page *page_at(struct pipe *p, uint32_t n)
{
	return &p->pages[n % PIPE_PAGES];
}

static char *bytes_at(const struct pipe *p, uint32_t n, uint32_t offset)
{
	return p->ring + n % PIPE_PAGES * PAGE_SIZE + offset;
}

/* Moves what there is, up to the end of a packet; the bytes moved, or -EFAULT. Needs: something is
 * there, and wanted. */
static int64_t take(struct pipe *p, struct user_iter *to)
{
	int64_t done = 0;

	do {
		struct pipe_page *page = page_at(p, p->tail);
		uint64_t n = least(to->left, page->end - page->start);

		if (user_iter_copy_out(bytes_at(p, p->tail, page->start), n, to) < n)
			return done ? done : -MM_EFAULT;
		page->start = (uint16_t)(page->start + n);
		done += (int64_t)n;
		if (page->packet || page->start == page->end)
			p->tail++;
		if (page->packet)
			break;
	} while (to->left && p->head != p->tail);
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

/* To the thread that writes, as on Linux. */
static __attribute__((noinline, cold)) void send_sigpipe(void)
{
	struct signal_origin from = {.code = SI_USER, .payload = (uint64_t)task_pid()};

	signal_send_thread(current(), SIGPIPE, &from);
}

static inline bool may_fill(const struct pipe *p)
{
	return p->has_reader && p->head - p->tail < PIPE_PAGES;
}

/* Waits for a free page: 0, or why not. */
static __attribute__((noinline)) int64_t wait_for_page(struct pipe *p, const struct file *file)
{
	int64_t error = 0;

	while (!error && !may_fill(p)) {
		if (p->has_reader) {
			error = wait_in(&p->writers, file);
		} else {
			send_sigpipe();
			error = -MM_EPIPE;
		}
	}
	return error;
}

/* 1.: puts the first n bytes behind the last there are; how many, 0 if they don't fit, or -EFAULT.
 */
static int64_t merge(struct pipe *p, struct user_iter *from, uint32_t n)
{
	struct pipe_page *last = page_at(p, p->head - 1);

	if (last->packet || last->end + n > PAGE_SIZE)
		return 0;
	if (user_iter_copy_in(bytes_at(p, p->head - 1, last->end), n, from) < n)
		return -MM_EFAULT;
	last->end = (uint16_t)(last->end + n);
	return n;
}

/* Fills the next page: how many bytes, or -EFAULT. Needs: one is free. */
static inline int64_t fill(struct pipe *p, struct user_iter *from, uint32_t packet)
{
	uint32_t i = p->head % PIPE_PAGES;
	uint64_t n = least(from->left, PAGE_SIZE);

	if (user_iter_copy_in(bytes_at(p, i, 0), n, from) < n)
		return -MM_EFAULT;
	p->pages[i] = (struct pipe_page){.end = (uint16_t)n, .packet = packet};
	p->head++;
	return (int64_t)n;
}

/* 1.: what goes behind the last bytes there are: how much, or -EFAULT. Needs: there are some. */
static __attribute__((noinline)) int64_t write_rest(struct pipe *p, struct user_iter *from)
{
	uint32_t rest = from->left % PAGE_SIZE;
	int64_t done = 0;

	if (rest && p->has_reader)
		done = merge(p, from, rest);
	if (done > 0)
		wait_queue_wake(&p->readers);
	return done;
}

static int64_t pipe_write(struct file *file, struct user_iter *from)
{
	struct pipe *p = file->private;
	int64_t done = p->head == p->tail ? 0 : write_rest(p, from), n = 0;

	while (done >= 0 && from->left) {
		if (unlikely(!may_fill(p)))
			n = wait_for_page(p, file);
		if (!n)
			n = fill(p, from, file->flags & O_DIRECT);
		if (n < 0)
			return done ? done : n;
		done += n;
		n = 0;
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
#define PIPE_SETTABLE (O_DIRECT | O_ASYNC)

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
	int64_t fd = file_install(&pipe_reader_ops, O_RDONLY | (flags & ~(uint32_t)O_DIRECT), p);

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
