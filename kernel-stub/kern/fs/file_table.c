/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The descriptor table, and the system calls that are about descriptors alone. */
#include "kern/fs/file_table.h"

#include "kern/sys/kern_syscall.h"
#include "mm/base/mm_errno.h"
#include "mm/phys/slab.h"

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

int64_t file_table_install(struct file_table *table, const struct file_ops *ops, uint32_t flags,
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

void file_release(struct file *file)
{
	if (file->ops->release)
		file->ops->release(file);
	kfree(file);
}

int64_t file_install(const struct file_ops *ops, uint32_t flags, void *private)
{
	return file_table_install(current_files(), ops, flags, private);
}

int64_t file_close(uint64_t fd)
{
	struct file *file = file_get_any(fd);

	if (!file)
		return -MM_EBADF;
	current_files()->fd[fd] = NULL;
	file_put(file);
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
			file_put(file);
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

/* ---- system calls ---- */

SYSCALL(close)
{
	return file_close((uint32_t)ARG0(regs));
}

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
	struct file *file = file_get_any(old);

	if (!file || new >= fd_limit())
		return -MM_EBADF;
	file_close(new);
	return dup_to(file, new, close_on_exec);
}

SYSCALL(dup)
{
	struct file *file = file_get_any((uint32_t)ARG0(regs));

	return file ? dup_from(file, 0, false) : -MM_EBADF;
}

SYSCALL(dup2)
{
	uint32_t old = (uint32_t)ARG0(regs), new = (uint32_t)ARG1(regs);

	if (old == new)
		return file_get_any(old) ? (int64_t)old : -MM_EBADF;
	return dup_over(old, new, false);
}

SYSCALL(dup3)
{
	uint32_t old = (uint32_t)ARG0(regs), new = (uint32_t)ARG1(regs);
	uint32_t flags = (uint32_t)ARG2(regs);

	if (call_flags_check(&dup3_flags, flags) || old == new)
		return -MM_EINVAL;
	return dup_over(old, new, flags & O_CLOEXEC);
}

enum { F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC = 1030 };

/* F_SETFL. */
static int64_t set_flags(struct file *file, uint32_t flags)
{
	const uint32_t settable = file->ops->settable;
	const uint32_t changes = (uint32_t)(setfl_flags.done | setfl_flags.harmless) | settable;
	int error = call_flags_check(&setfl_flags, flags & ~settable);

	if (!error)
		file->flags = (file->flags & ~changes) | (flags & changes);
	return error;
}

SYSCALL(fcntl)
{
	uint32_t fd = (uint32_t)ARG0(regs), command = (uint32_t)ARG1(regs);
	uint32_t arg = (uint32_t)ARG2(regs);
	struct file *file = command == F_SETFL ? file_get(fd) : file_get_any(fd);

	if (!file)
		return -MM_EBADF;
	switch (command) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		if (arg >= fd_limit())
			return -MM_EINVAL;
		return dup_from(file, arg, command == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return current_files()->close_on_exec >> fd & 1;
	case F_SETFD:
		set_close_on_exec(current_files(), fd, arg & 1);
		return 0;
	case F_GETFL:
		return file->flags;
	case F_SETFL:
		return set_flags(file, arg);
	}
	return file->flags & O_PATH ? -MM_EBADF : -MM_EINVAL;
}
