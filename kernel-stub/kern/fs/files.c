/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The descriptor table, the console's three descriptors, files of the initramfs, and the system
 * calls on any descriptor.
 *
 * The order of checks in read and write is Linux's (fs/read_write.c): descriptor and mode, then the
 * range in user space, then length; only then the file. MAX_RW_COUNT bounds one call.
 */
#include "kern/fs/files.h"

#include "arch/x86_64/arch.h"
#include "kern/fs/initramfs.h"
#include "kern/lib/str.h"
#include "kern/sys/kern_syscall.h"
#include "kern/task/task.h"
#include "mm/base/mm_errno.h"
#include "mm/phys/slab.h"

#define MAX_RW_COUNT 0x7ffff000ull
#define IOV_MAX 1024
#define IOV_FAST 8
#define AT_FDCWD -100
#define AT_EMPTY_PATH 0x1000
#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_NO_AUTOMOUNT 0x800

struct file_table {
	struct file *fd[FILES_MAX];
	uint64_t close_on_exec; /* a bit for each descriptor */
	uint32_t users;		/* threads */
};
_Static_assert(FILES_MAX <= 64, "close_on_exec");

static struct file_table *current_files(void)
{
	return current()->files;
}

/* ---- the table ---- */

struct file *file_get(uint64_t fd)
{
	return fd < FILES_MAX ? current_files()->fd[fd] : NULL;
}

/* Descriptors that may be given out: RLIMIT_NOFILE, as far as the table goes. */
static unsigned fd_limit(void)
{
	const struct task *t = current();
	uint64_t limit = t ? t->process->limits.of[RLIMIT_NOFILE].cur : FILES_MAX;

	return limit < FILES_MAX ? (unsigned)limit : FILES_MAX;
}

/* The lowest free descriptor from `from` on; FILES_MAX: none. */
static unsigned free_fd(const struct file_table *table, unsigned from)
{
	unsigned limit = fd_limit();

	while (from < limit && table->fd[from])
		from++;
	return from < limit ? from : FILES_MAX;
}

static void set_close_on_exec(struct file_table *table, unsigned fd, bool set)
{
	table->close_on_exec &= ~(1ull << fd);
	table->close_on_exec |= (uint64_t)set << fd;
}

static int64_t install(struct file_table *table, const struct file_ops *ops, uint32_t flags,
		       void *private)
{
	unsigned fd = free_fd(table, 0);
	struct file *file;

	if (fd == FILES_MAX)
		return -MM_EMFILE;
	file = kzalloc(sizeof(*file));
	if (!file)
		return -MM_ENOMEM;
	file->ops = ops;
	file->refcount = 1;
	file->flags = flags & ~(uint32_t)O_CLOEXEC;
	file->private = private;
	table->fd[fd] = file;
	set_close_on_exec(table, fd, flags & O_CLOEXEC);
	return fd;
}

static void put(struct file *file)
{
	if (--file->refcount)
		return;
	if (file->ops->release)
		file->ops->release(file);
	kfree(file);
}

int64_t file_install(const struct file_ops *ops, uint32_t flags, void *private)
{
	return install(current_files(), ops, flags, private);
}

int64_t file_close(uint64_t fd)
{
	struct file *file = file_get(fd);

	if (!file)
		return -MM_EBADF;
	current_files()->fd[fd] = NULL;
	put(file);
	return 0;
}

struct file_table *file_table_copy(const struct file_table *from)
{
	struct file_table *table = kmalloc(sizeof(*table));

	if (!table)
		return NULL;
	*table = *from;
	table->users = 1;
	for (unsigned fd = 0; fd < FILES_MAX; fd++)
		if (table->fd[fd])
			table->fd[fd]->refcount++;
	return table;
}

static void close_these(struct file_table *table, uint64_t fds)
{
	for (; fds; fds &= fds - 1) {
		unsigned fd = (unsigned)__builtin_ctzll(fds);
		struct file *file = table->fd[fd];

		table->fd[fd] = NULL;
		if (file)
			put(file);
	}
}

void file_table_get(struct file_table *table)
{
	table->users++;
}

void file_table_put(struct file_table *table)
{
	if (--table->users)
		return;
	close_these(table, ~0ull);
	kfree(table);
}

struct file_table *file_table_own(struct file_table *table)
{
	struct file_table *copy;

	if (table->users == 1)
		return table;
	copy = file_table_copy(table);
	if (copy)
		table->users--;
	return copy;
}

void file_table_close_on_exec(struct file_table *table)
{
	close_these(table, table->close_on_exec);
	table->close_on_exec = 0;
}

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
	default:
		return -MM_EINVAL;
	}
	if (__builtin_add_overflow(base, offset, &base) || base < 0)
		return -MM_EINVAL;
	file->pos = (uint64_t)base;
	return base;
}

/* ---- descriptors 0, 1, 2 ---- */

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

struct file_table *file_table_create(void)
{
	struct file_table *table = kzalloc(sizeof(*table));

	if (table)
		table->users = 1;
	if (!table || install(table, &stdin_ops, O_RDONLY, NULL) != 0 ||
	    install(table, &stdout_ops, O_WRONLY, NULL) != 1 ||
	    install(table, &stdout_ops, O_WRONLY, NULL) != 2)
		return NULL;
	table->fd[1]->channel = FL_PORT_STDOUT;
	table->fd[2]->channel = FL_PORT_STDERR;
	return table;
}

/* ---- files of the initramfs ---- */

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

/* ---- read and write ---- */

static bool may_read(const struct file *file)
{
	return (file->flags & O_ACCMODE) != O_WRONLY;
}

static bool may_write(const struct file *file)
{
	return (file->flags & O_ACCMODE) != O_RDONLY;
}

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
	put(file);
	return result;
}

static int64_t rw(uint64_t fd, uint64_t buf, uint64_t n, bool write)
{
	struct file *file = file_get((uint32_t)fd);
	struct iovec iov = {buf, n};
	struct user_iter it = {&iov, 0, n};

	if (!file || !(write ? may_write(file) : may_read(file)))
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

	if (!file || !(write ? may_write(file) : may_read(file)))
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
	if (ARG2(regs) > SEEK_END)
		return -MM_EINVAL;
	if (!file->ops->lseek)
		return -MM_ESPIPE;
	return file->ops->lseek(file, (int64_t)ARG1(regs), (int)ARG2(regs));
}

SYSCALL(close)
{
	return file_close((uint32_t)ARG0(regs));
}

SYSCALL(ioctl)
{
	return file_get((uint32_t)ARG0(regs)) ? -MM_ENOTTY : -MM_EBADF;
}

/* ---- descriptors of the same open file ---- */

static int64_t dup_to(struct file *file, unsigned fd, bool close_on_exec)
{
	struct file_table *table = current_files();

	table->fd[fd] = file;
	set_close_on_exec(table, fd, close_on_exec);
	file->refcount++;
	return fd;
}

static int64_t dup_from(struct file *file, unsigned from, bool close_on_exec)
{
	unsigned fd = free_fd(current_files(), from);

	return fd == FILES_MAX ? -MM_EMFILE : dup_to(file, fd, close_on_exec);
}

/* Needs: old and new differ. */
static int64_t dup_over(uint32_t old, uint32_t new, bool close_on_exec)
{
	struct file *file = file_get(old);

	if (!file || new >= fd_limit())
		return -MM_EBADF;
	file_close(new);
	return dup_to(file, new, close_on_exec);
}

SYSCALL(dup)
{
	struct file *file = file_get((uint32_t)ARG0(regs));

	return file ? dup_from(file, 0, false) : -MM_EBADF;
}

SYSCALL(dup2)
{
	uint32_t old = (uint32_t)ARG0(regs), new = (uint32_t)ARG1(regs);

	if (old == new)
		return file_get(old) ? (int64_t)old : -MM_EBADF;
	return dup_over(old, new, false);
}

SYSCALL(dup3)
{
	uint32_t old = (uint32_t)ARG0(regs), new = (uint32_t)ARG1(regs);
	uint32_t flags = (uint32_t)ARG2(regs);

	if (flags & ~(uint32_t)O_CLOEXEC || old == new)
		return -MM_EINVAL;
	return dup_over(old, new, flags & O_CLOEXEC);
}

enum { F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC = 1030 };

SYSCALL(fcntl)
{
	uint32_t fd = (uint32_t)ARG0(regs), arg = (uint32_t)ARG2(regs);
	struct file *file = file_get(fd);

	if (!file)
		return -MM_EBADF;
	switch (ARG1(regs)) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		if (arg >= fd_limit())
			return -MM_EINVAL;
		return dup_from(file, arg, ARG1(regs) == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return current_files()->close_on_exec >> fd & 1;
	case F_SETFD:
		set_close_on_exec(current_files(), fd, arg & 1);
		return 0;
	case F_GETFL:
		return file->flags & (O_ACCMODE | O_NONBLOCK);
	case F_SETFL:
		file->flags = (file->flags & ~(uint32_t)O_NONBLOCK) | (arg & O_NONBLOCK);
		return 0;
	}
	return -MM_EINVAL;
}

/* ---- by path ---- */

/* What a path may name besides a file of the initramfs. */
enum path_kind {
	PATH_NONE,
	PATH_FILE,
	PATH_ZERO,
	PATH_NULL,
	PATH_OOM_SCORE_ADJ,
	PATH_PROCFS,
	PATH_ROOT
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
		return file_get((uint32_t)dirfd) ? -MM_ENOTDIR : -MM_EBADF;
	return 0;
}

int64_t file_get_path(char *path, uint64_t user)
{
	return get_path(path, AT_FDCWD, user);
}

int64_t file_lookup_program(const char *path, struct initramfs_file **f)
{
	enum path_kind kind = path_kind(path, f);

	if (kind == PATH_NONE)
		return -MM_ENOENT;
	return kind == PATH_FILE && (*f)->mode & S_IXUGO ? 0 : -MM_EACCES;
}

static int64_t do_open(int64_t dirfd, uint64_t user_path, uint32_t flags)
{
	struct initramfs_file *f = NULL;
	char path[PATH_MAX];
	int64_t error = get_path(path, dirfd, user_path);
	enum path_kind kind;

	if (error)
		return error;
	kind = path_kind(path, &f);
	if (kind == PATH_NONE)
		return flags & O_CREAT ? -MM_EROFS : -MM_ENOENT;
	if ((flags & O_CREAT) && (flags & O_EXCL))
		return -MM_EEXIST;
	if (kind == PATH_ROOT)
		return (flags & O_ACCMODE) == O_RDONLY ? -MM_EACCES : -MM_EISDIR;
	if (flags & O_DIRECTORY)
		return -MM_ENOTDIR;
	if (kind == PATH_ZERO)
		return file_install(&dev_zero_ops, flags, NULL);
	if (kind == PATH_NULL)
		return file_install(&dev_null_ops, flags, NULL);
	if (kind == PATH_OOM_SCORE_ADJ)
		return file_install(&oom_score_adj_ops, flags, NULL);
	if (kind == PATH_PROCFS)
		return (flags & O_ACCMODE) == O_RDONLY ? procfs_open(procfs_find(path), flags)
						       : -MM_EACCES;
	if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC))
		return -MM_EROFS;
	return file_install(&initramfs_ops, flags, f);
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
	struct file *file = file_get((uint32_t)fd);
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
		initramfs_stat(&file, st);
		return;
	case PATH_ROOT:
		st->dev = st->ino = INITRAMFS_DEV;
		st->nlink = 2;
		st->mode = S_IFDIR | 0555;
		st->blksize = PAGE_SIZE;
		return;
	default: /* PATH_PROCFS */
		procfs_stat(&file, st);
	}
}

static int64_t do_stat(int64_t dirfd, uint64_t user_path, uint64_t user, uint64_t flags)
{
	struct initramfs_file *f = NULL;
	struct file_stat st = {0};
	char path[PATH_MAX];
	enum path_kind kind;
	int64_t error;

	if (flags & ~(uint64_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT))
		return -MM_EINVAL;
	error = get_path(path, dirfd, user_path);
	if (error == -MM_ENOENT && (flags & AT_EMPTY_PATH) && (int32_t)dirfd >= 0)
		return do_fstat((uint64_t)dirfd, user);
	if (error)
		return error;
	kind = path_kind(path, &f);
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
	return do_stat((int64_t)ARG0(regs), ARG1(regs), ARG2(regs), ARG3(regs));
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
