/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An open file of the initramfs. */
#include "kern/fs/files.h"
#include "kern/fs/initramfs.h"
#include "mm/base/mm_errno.h"

static int64_t initramfs_read(struct file *file, struct user_iter *to)
{
	const struct initramfs_file *f = file->private;
	uint64_t left = file->pos < f->vm.size ? f->vm.size - file->pos : 0;
	uint64_t want = to->left < left ? to->left : left;
	size_t n = user_iter_copy_out(f->data + file->pos, want, to);

	file->pos += n;
	return n || !want ? (int64_t)n : -MM_EFAULT;
}

static int64_t initramfs_lseek(struct file *file, int64_t offset, int whence)
{
	return file_seek_within(file, offset, whence,
				((struct initramfs_file *)file->private)->vm.size);
}

static void initramfs_stat_file(const struct initramfs_file *f, struct file_stat *st)
{
	st->dev = INITRAMFS_DEV;
	st->ino = f->vm.inode;
	st->nlink = 1;
	st->mode = f->mode;
	st->size = f->vm.size;
	st->blksize = PAGE_SIZE;
	st->blocks = (f->vm.size + 511) / 512;
}

static void initramfs_stat(const struct file *file, struct file_stat *st)
{
	initramfs_stat_file(file->private, st);
}

static struct vm_file *initramfs_map(struct file *file)
{
	return &((struct initramfs_file *)file->private)->vm;
}

const struct file_ops initramfs_ops = {
	.read = initramfs_read,
	.lseek = initramfs_lseek,
	.stat = initramfs_stat,
	.map = initramfs_map,
};
