/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /dev/zero and /dev/null (Linux drivers/char/mem.c). Mapped privately, /dev/zero is anonymous
 * memory with a name; shared, it is shared anonymous memory, or, opened for reading alone, pages
 * that stay zero.
 */
#include "arch/x86_64/arch.h"
#include "kern/fs/files.h"
#include "mm/base/mm_errno.h"
#include "mm/object/file.h"
#include "port/port.h"

#define MAJOR_MEM 1u
#define MINOR_NULL 3u
#define MINOR_ZERO 5u
#define DEV_DEV 2u
#define DEV_INODE 0x100u /* beyond the initramfs's */

/* By pages, so that what was zeroed before a bad address counts. */
static int64_t zero_read(struct file *file, struct user_iter *to)
{
	int64_t done = 0;

	(void)file;
	while (to->left) {
		size_t want = to->left < PAGE_SIZE ? to->left : PAGE_SIZE;
		size_t n = user_iter_zero(want, to);

		done += (int64_t)n;
		if (n < want)
			return done ? done : -MM_EFAULT;
	}
	return done;
}

static int64_t null_read(struct file *file, struct user_iter *to)
{
	(void)file;
	(void)to;
	return 0;
}

/* Both swallow everything without looking at it. */
static int64_t null_write(struct file *file, struct user_iter *from)
{
	(void)file;
	return (int64_t)from->left;
}

static int64_t null_lseek(struct file *file, int64_t offset, int whence)
{
	(void)offset;
	(void)whence;
	file->pos = 0;
	return 0;
}

static void dev_stat(struct file_stat *st, unsigned minor)
{
	st->dev = DEV_DEV;
	st->ino = DEV_INODE + minor;
	st->nlink = 1;
	st->mode = S_IFCHR | 0666;
	st->rdev = MAJOR_MEM << 8 | minor;
	st->blksize = PAGE_SIZE;
}

static void zero_stat(const struct file *file, struct file_stat *st)
{
	(void)file;
	dev_stat(st, MINOR_ZERO);
}

static void null_stat(const struct file *file, struct file_stat *st)
{
	(void)file;
	dev_stat(st, MINOR_NULL);
}

static void zero_release(struct vm_file *vm)
{
	port_panic("%s: the last reference was dropped", vm->path);
}

#define ZERO_VM_FILE(only_read)                                                                    \
	{                                                                                          \
		.path = "/dev/zero", .inode = DEV_INODE + MINOR_ZERO, .refcount = 1,               \
		.release = zero_release, .kind = VM_FILE_ZERO, .read_only = (only_read),           \
		.dev = DEV_DEV,                                                                    \
	}

static struct vm_file *zero_map(struct file *file)
{
	static struct vm_file for_reading = ZERO_VM_FILE(true), for_writing = ZERO_VM_FILE(false);

	return (file->flags & O_ACCMODE) == O_RDONLY ? &for_reading : &for_writing;
}

const struct file_ops dev_zero_ops = {
	.read = zero_read,
	.write = null_write,
	.lseek = null_lseek,
	.stat = zero_stat,
	.map = zero_map,
};

const struct file_ops dev_null_ops = {
	.read = null_read,
	.write = null_write,
	.lseek = null_lseek,
	.stat = null_stat,
};
