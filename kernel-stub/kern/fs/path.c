/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a path names, and the system calls that take one. */
#include "kern/fs/path.h"

#include "arch/x86_64/arch.h"
#include "kern/fs/file_table.h"
#include "kern/fs/initramfs.h"
#include "kern/lib/str.h"
#include "kern/sys/kern_syscall.h"
#include "mm/base/mm_errno.h"

#define AT_FDCWD -100

/* What a path may name besides a file of the initramfs. */
enum path_kind {
	PATH_NONE,
	PATH_FILE,
	PATH_ZERO,
	PATH_NULL,
	PATH_OOM_SCORE_ADJ,
	PATH_PROCFS,
	PATH_ROOT,
	PATH_LINK, /* /proc/self/exe itself */
};

static enum path_kind path_kind(const char *path, struct initramfs_file **f)
{
	if (str_equal(path, "/") || str_equal(path, "."))
		return PATH_ROOT;
	if (str_equal(path, "/dev/zero"))
		return PATH_ZERO;
	if (str_equal(path, "/dev/null"))
		return PATH_NULL;
	if (str_equal(path, "/proc/self/oom_score_adj"))
		return PATH_OOM_SCORE_ADJ;
	if (procfs_find(path))
		return PATH_PROCFS;
	*f = str_equal(path, "/proc/self/exe") ? current()->process->exe : initramfs_lookup(path);
	return *f ? PATH_FILE : PATH_NONE;
}

/* The same where the path's last part is not followed: there is one symbolic link. */
static enum path_kind path_kind_itself(const char *path, struct initramfs_file **f)
{
	return str_equal(path, "/proc/self/exe") ? PATH_LINK : path_kind(path, f);
}

/* Copies a path in: 0 or an error, Linux's. dirfd matters for relative paths only. */
static int64_t get_path(char *path, int64_t dirfd, uint64_t user)
{
	int64_t n = strncpy_from_user(path, user, PATH_MAX);

	if (n < 0)
		return n;
	if (n == PATH_MAX)
		return -MM_ENAMETOOLONG;
	if (!n)
		return -MM_ENOENT;
	if (path[0] != '/' && (int32_t)dirfd != AT_FDCWD)
		return file_get_any((uint32_t)dirfd) ? -MM_ENOTDIR : -MM_EBADF;
	return 0;
}

int64_t path_get(char *path, uint64_t user)
{
	return get_path(path, AT_FDCWD, user);
}

int64_t path_lookup_program(const char *path, struct initramfs_file **f)
{
	enum path_kind kind = path_kind(path, f);

	if (kind == PATH_NONE)
		return -MM_ENOENT;
	return kind == PATH_FILE && (*f)->mode & S_IXUGO ? 0 : -MM_EACCES;
}

/* A file that is not open: what its open file would say. */
static void stat_kind(enum path_kind kind, struct initramfs_file *f, struct file_stat *st)
{
	struct file file = {.private = f};

	switch (kind) {
	case PATH_ZERO:
		dev_zero_ops.stat(&file, st);
		return;
	case PATH_NULL:
		dev_null_ops.stat(&file, st);
		return;
	case PATH_OOM_SCORE_ADJ:
		oom_score_adj_ops.stat(&file, st);
		return;
	case PATH_FILE:
		initramfs_ops.stat(&file, st);
		return;
	case PATH_ROOT:
		st->dev = st->ino = INITRAMFS_DEV;
		st->nlink = 2;
		st->mode = S_IFDIR | 0555;
		st->blksize = PAGE_SIZE;
		return;
	case PATH_LINK:
		st->nlink = 1;
		st->mode = S_IFLNK | 0777;
		st->blksize = 1024;
		return;
	default: /* PATH_PROCFS */
		procfs_stat(&file, st);
	}
}

/* O_PATH. */
static void place_stat(const struct file *file, struct file_stat *st)
{
	stat_kind((enum path_kind)file->channel, file->private, st);
}

static const struct file_ops place_ops = {.stat = place_stat};

/* What doesn't go together. */
static int64_t check_open_flags(uint32_t flags)
{
	bool temporary = flags & O_TMPFILE_ALONE;

	if (flags & O_DIRECTORY ? flags & O_CREAT : temporary)
		return -MM_EINVAL;
	return temporary && (flags & O_ACCMODE) == O_RDONLY ? -MM_EINVAL : 0;
}

/* What an open file keeps: O_SYNC_ALONE is never alone. */
static uint32_t kept_flags(uint32_t flags)
{
	uint32_t kept = flags & (uint32_t)(open_flags.done | open_flags.harmless);

	kept &= ~(uint32_t)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC);
	return kept | (flags & O_PATH ? 0 : O_LARGEFILE) | (flags & O_SYNC_ALONE ? O_DSYNC : 0);
}

/* May what is there be opened so? 0 or Linux's error, in its order (fs/namei.c, do_open). */
static int64_t check_open(enum path_kind kind, uint32_t flags)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;

	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return -MM_EEXIST;
	if (flags & O_CREAT && kind == PATH_ROOT)
		return -MM_EISDIR;
	if (flags & O_DIRECTORY && kind != PATH_ROOT)
		return -MM_ENOTDIR;
	if (flags & O_PATH)
		return 0;
	if (flags & O_TMPFILE_ALONE)
		return call_flags_check(&open_flags, flags);
	if (kind == PATH_LINK)
		return -MM_ELOOP;
	if (kind == PATH_ROOT)
		return writes ? -MM_EISDIR : -MM_EACCES;
	if (kind == PATH_PROCFS && (flags & O_ACCMODE) != O_RDONLY)
		return -MM_EACCES;
	return kind == PATH_FILE && writes ? -MM_EROFS : call_flags_check(&open_flags, flags);
}

/* A descriptor of what is there and may be opened. */
static int64_t open_kind(enum path_kind kind, const char *path, struct initramfs_file *f,
			 uint32_t flags)
{
	int64_t fd;

	if (flags & O_PATH) {
		fd = file_install(&place_ops, flags, f);
		if (fd >= 0)
			file_get_any((uint64_t)fd)->channel = kind;
		return fd;
	}
	switch (kind) {
	case PATH_ZERO:
		return file_install(&dev_zero_ops, flags, NULL);
	case PATH_NULL:
		return file_install(&dev_null_ops, flags, NULL);
	case PATH_OOM_SCORE_ADJ:
		return file_install(&oom_score_adj_ops, flags, NULL);
	case PATH_PROCFS:
		return procfs_open(procfs_find(path), flags);
	default:
		return file_install(&initramfs_ops, flags, f);
	}
}

static int64_t do_open(int64_t dirfd, uint64_t user_path, uint32_t flags)
{
	struct initramfs_file *f = NULL;
	char path[PATH_MAX];
	enum path_kind kind;
	int64_t error;

	if (flags & O_PATH)
		flags &= O_PATH_FLAGS;
	error = check_open_flags(flags);
	if (!error)
		error = get_path(path, dirfd, user_path);
	if (error)
		return error;
	kind = flags & O_NOFOLLOW || (flags & O_CREAT && flags & O_EXCL)
		       ? path_kind_itself(path, &f)
		       : path_kind(path, &f);
	if (kind == PATH_NONE)
		return flags & O_CREAT ? -MM_EROFS : -MM_ENOENT;
	error = check_open(kind, flags);
	return error ? error : open_kind(kind, path, f, kept_flags(flags));
}

SYSCALL(open)
{
	return do_open(AT_FDCWD, ARG0(regs), (uint32_t)ARG1(regs));
}

SYSCALL(openat)
{
	return do_open((int64_t)ARG0(regs), ARG1(regs), (uint32_t)ARG2(regs));
}

static int64_t put_stat(uint64_t user, const struct file_stat *st)
{
	return copy_to_user(user, st, sizeof(*st)) ? -MM_EFAULT : 0;
}

static int64_t do_fstat(uint64_t fd, uint64_t user)
{
	struct file *file = file_get_any((uint32_t)fd);
	struct file_stat st = {0};

	if (!file)
		return -MM_EBADF;
	file->ops->stat(file, &st);
	return put_stat(user, &st);
}

SYSCALL(fstat)
{
	return do_fstat(ARG0(regs), ARG1(regs));
}

/* AT_EMPTY_PATH without a path: of the descriptor itself, and as on Linux from 6.11 on the other
 * flags are not looked at; or of the current directory. */
static int64_t stat_empty(int64_t dirfd, uint64_t user, uint32_t flags)
{
	int64_t error = call_flags_check(&fstatat_flags, flags);
	struct file_stat st = {0};

	if ((int32_t)dirfd >= 0)
		return do_fstat((uint64_t)dirfd, user);
	if (error)
		return error;
	if ((int32_t)dirfd != AT_FDCWD)
		return -MM_EBADF;
	stat_kind(PATH_ROOT, NULL, &st);
	return put_stat(user, &st);
}

static int64_t do_stat(int64_t dirfd, uint64_t user_path, uint64_t user, uint32_t flags)
{
	struct initramfs_file *f = NULL;
	struct file_stat st = {0};
	char path[PATH_MAX];
	enum path_kind kind;
	int64_t error =
		flags & AT_EMPTY_PATH && !user_path ? -MM_ENOENT : get_path(path, dirfd, user_path);

	if (error == -MM_ENOENT && flags & AT_EMPTY_PATH)
		return stat_empty(dirfd, user, flags);
	if (call_flags_check(&fstatat_flags, flags))
		return call_flags_check(&fstatat_flags, flags);
	if (error)
		return error;
	kind = flags & AT_SYMLINK_NOFOLLOW ? path_kind_itself(path, &f) : path_kind(path, &f);
	if (kind == PATH_NONE)
		return -MM_ENOENT;
	stat_kind(kind, f, &st);
	return put_stat(user, &st);
}

SYSCALL(stat)
{
	return do_stat(AT_FDCWD, ARG0(regs), ARG1(regs), 0);
}

SYSCALL(lstat)
{
	return do_stat(AT_FDCWD, ARG0(regs), ARG1(regs), AT_SYMLINK_NOFOLLOW);
}

SYSCALL(newfstatat)
{
	return do_stat((int64_t)ARG0(regs), ARG1(regs), ARG2(regs), (uint32_t)ARG3(regs));
}

/* The one symbolic link there is. */
static int64_t do_readlink(int64_t dirfd, uint64_t user_path, uint64_t buf, uint64_t size)
{
	const char *target = current()->process->exe->path;
	struct initramfs_file *f = NULL;
	size_t n = str_length(target);
	char path[PATH_MAX];
	int64_t error;

	if ((int32_t)size <= 0)
		return -MM_EINVAL;
	error = get_path(path, dirfd, user_path);
	if (error)
		return error;
	if (!str_equal(path, "/proc/self/exe"))
		return path_kind(path, &f) == PATH_NONE ? -MM_ENOENT : -MM_EINVAL;
	if (n > size)
		n = size;
	return copy_to_user(buf, target, n) ? -MM_EFAULT : (int64_t)n;
}

SYSCALL(readlink)
{
	return do_readlink(AT_FDCWD, ARG0(regs), ARG1(regs), ARG2(regs));
}

SYSCALL(readlinkat)
{
	return do_readlink((int64_t)ARG0(regs), ARG1(regs), ARG2(regs), ARG3(regs));
}
