/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What descriptors 0, 1 and 2 of the first program are: nothing to read, and the console. */
#include "kern/fs/file_table.h"
#include "mm/base/mm_errno.h"
#include "mm/phys/slab.h"

static int64_t stdin_read(struct file *file, struct user_iter *to)
{
	(void)file;
	(void)to;
	return 0;
}

/* Through a kernel buffer; what stands before a bad address still comes out. */
static int64_t stdout_write(struct file *file, struct user_iter *from)
{
	static char buf[PAGE_SIZE];
	int64_t written = 0;

	while (from->left) {
		size_t want = from->left < sizeof(buf) ? from->left : sizeof(buf);
		size_t n = user_iter_copy_in(buf, want, from);

		console_write((uint16_t)file->channel, buf, n);
		written += (int64_t)n;
		if (n < want)
			return written ? written : -MM_EFAULT;
	}
	return written;
}

static void stdio_stat(const struct file *file, struct file_stat *st)
{
	st->ino = file->channel;
	st->nlink = 1;
	st->mode = S_IFIFO | 0600;
	st->blksize = PAGE_SIZE;
}

static const struct file_ops stdin_ops = {.read = stdin_read, .stat = stdio_stat};
static const struct file_ops stdout_ops = {.write = stdout_write, .stat = stdio_stat};

struct file_table *stdio_create_table(void)
{
	struct file_table *table = kzalloc(sizeof(*table));

	if (table)
		table->users = 1;
	if (!table || file_table_install(table, &stdin_ops, O_RDONLY, NULL) != 0 ||
	    file_table_install(table, &stdout_ops, O_WRONLY, NULL) != 1 ||
	    file_table_install(table, &stdout_ops, O_WRONLY, NULL) != 2)
		return NULL;
	table->fd[1]->channel = FL_PORT_STDOUT;
	table->fd[2]->channel = FL_PORT_STDERR;
	return table;
}
