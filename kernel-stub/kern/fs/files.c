/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system calls on any open file.
 *
 * The order of checks in read and write is Linux's (fs/read_write.c): descriptor and mode, then the
 * range in user space, then length; only then the file. MAX_RW_COUNT bounds one call.
 */
#include "kern/fs/files.h"

#include "arch/x86_64/arch.h"
#include "kern/fs/file_table.h"
#include "kern/sys/kern_syscall.h"
#include "mm/base/mm_errno.h"
#include "mm/phys/slab.h"

#define MAX_RW_COUNT 0x7ffff000ull
#define IOV_MAX 1024
#define IOV_FAST 8

int64_t file_seek_within(struct file *file, int64_t offset, int whence, uint64_t size)
{
	int64_t base;

	switch (whence) {
	case SEEK_SET:
		base = 0;
		break;
	case SEEK_CUR:
		base = (int64_t)file->pos;
		break;
	case SEEK_END:
		base = (int64_t)size;
		break;
	case SEEK_DATA: /* all of it is data, and a hole comes after it */
	case SEEK_HOLE:
		if ((uint64_t)offset >= size)
			return -MM_ENXIO;
		base = whence == SEEK_DATA ? 0 : (int64_t)size - offset;
		break;
	default:
		return -MM_EINVAL;
	}
	if (__builtin_add_overflow(base, offset, &base) || base < 0)
		return -MM_EINVAL;
	file->pos = (uint64_t)base;
	return base;
}

/* ---- read and write ---- */

/* It may wait, and another thread close the descriptor meanwhile: the open file stays. */
static int64_t do_io(struct file *file, struct user_iter *it, bool write)
{
	int64_t (*io)(struct file *, struct user_iter *) =
		write ? file->ops->write : file->ops->read;
	int64_t result;

	if (!io)
		return -MM_EINVAL;
	file->refcount++;
	result = io(file, it);
	file_put(file);
	return result;
}

static int64_t rw(uint64_t fd, uint64_t buf, uint64_t n, bool write)
{
	struct file *file = file_get((uint32_t)fd);
	struct iovec iov = {buf, n};
	struct user_iter it = {&iov, 0, n};

	if (!file || !(write ? file_may_write(file) : file_may_read(file)))
		return -MM_EBADF;
	if (!user_range_ok(buf, n))
		return -MM_EFAULT;
	if (n > MAX_RW_COUNT)
		iov.len = it.left = MAX_RW_COUNT;
	return do_io(file, &it, write);
}

SYSCALL(read)
{
	return rw(ARG0(regs), ARG1(regs), ARG2(regs), false);
}

SYSCALL(write)
{
	return rw(ARG0(regs), ARG1(regs), ARG2(regs), true);
}

/* Checks what came from ring 3 and cuts it to MAX_RW_COUNT: the total, or an error. */
static int64_t check_iov(struct iovec *iov, uint64_t count)
{
	uint64_t total = 0;

	for (uint64_t i = 0; i < count; i++) {
		if ((int64_t)iov[i].len < 0)
			return -MM_EINVAL;
		if (!user_range_ok(iov[i].base, iov[i].len))
			return -MM_EFAULT;
		if (iov[i].len > MAX_RW_COUNT - total)
			iov[i].len = MAX_RW_COUNT - total;
		total += iov[i].len;
	}
	return (int64_t)total;
}

static int64_t rwv(struct trap_frame *regs, bool write)
{
	struct file *file = file_get((uint32_t)ARG0(regs));
	struct iovec fast[IOV_FAST], *iov = fast;
	uint64_t count = ARG2(regs);
	int64_t r;

	if (!file || !(write ? file_may_write(file) : file_may_read(file)))
		return -MM_EBADF;
	if (count > IOV_MAX)
		return -MM_EINVAL;
	if (count > IOV_FAST)
		iov = kmalloc(count * sizeof(*iov));
	if (!iov)
		return -MM_ENOMEM;
	if (copy_from_user(iov, ARG1(regs), count * sizeof(*iov)))
		r = -MM_EFAULT;
	else
		r = check_iov(iov, count);
	if (r > 0)
		r = do_io(file, &(struct user_iter){iov, 0, (uint64_t)r}, write);
	if (iov != fast)
		kfree(iov);
	return r;
}

SYSCALL(readv)
{
	return rwv(regs, false);
}

SYSCALL(writev)
{
	return rwv(regs, true);
}

SYSCALL(lseek)
{
	struct file *file = file_get((uint32_t)ARG0(regs));

	if (!file)
		return -MM_EBADF;
	if ((uint32_t)ARG2(regs) > SEEK_HOLE)
		return -MM_EINVAL;
	if (!file->ops->lseek)
		return -MM_ESPIPE;
	return file->ops->lseek(file, (int64_t)ARG1(regs), (int)ARG2(regs));
}

SYSCALL(ioctl)
{
	return file_get((uint32_t)ARG0(regs)) ? -MM_ENOTTY : -MM_EBADF;
}
