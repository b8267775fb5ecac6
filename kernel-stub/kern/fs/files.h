/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Open files and the descriptor table. */
#ifndef KERN_FILES_H
#define KERN_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kern/fs/user_iter.h"

#define PATH_MAX 256  /* longer than any path there is */
#define FILES_MAX 64u /* descriptors; RLIMIT_NOFILE says so */

enum {
	O_RDONLY = 0,
	O_WRONLY = 1,
	O_RDWR = 2,
	O_ACCMODE = 3,
	O_CREAT = 0100,
	O_EXCL = 0200,
	O_TRUNC = 01000,
	O_NONBLOCK = 04000,
	O_DIRECTORY = 0200000,
	O_CLOEXEC = 02000000,
};

enum { SEEK_SET, SEEK_CUR, SEEK_END };

enum {
	S_IFIFO = 0010000,
	S_IFCHR = 0020000,
	S_IFDIR = 0040000,
	S_IFREG = 0100000,
	S_IXUGO = 0111,
};

struct file;
struct initramfs_file;
struct vm_file;

/* struct stat of x86-64. */
struct file_stat {
	uint64_t dev, ino, nlink;
	uint32_t mode, uid, gid, pad;
	uint64_t rdev, size, blksize, blocks;
	uint64_t atime[2], mtime[2], ctime[2];
	int64_t unused[3];
};
_Static_assert(sizeof(struct file_stat) == 144, "struct stat");

/* What a kind of file can do. A missing call: read and write fail with EINVAL, lseek with ESPIPE,
 * map gives no file (ENODEV). */
struct file_ops {
	int64_t (*read)(struct file *file, struct user_iter *to);
	int64_t (*write)(struct file *file, struct user_iter *from);
	int64_t (*lseek)(struct file *file, int64_t offset, int whence);
	void (*stat)(const struct file *file, struct file_stat *st); /* *st is zeroed */
	struct vm_file *(*map)(struct file *file);
	void (*release)(struct file *file);
};

/* An open file: what descriptors refer to, those of forked processes and those that dup made. */
struct file {
	const struct file_ops *ops;
	uint32_t refcount;
	uint32_t flags;	  /* O_* but O_CLOEXEC, which is the descriptor's */
	uint32_t channel; /* stdio: the port */
	uint64_t pos;
	void *private;
};

struct file_table;

/* A table whose descriptors 0, 1 and 2 are the console's; NULL without memory. */
struct file_table *file_table_create(void);

/* A table with the same open files; NULL without memory. */
struct file_table *file_table_copy(const struct file_table *from);

/* One more thread uses the table; one fewer: the last closes every descriptor and frees it. */
void file_table_get(struct file_table *table);
void file_table_put(struct file_table *table);

/* The table, if nobody else uses it, or else a copy in its place; NULL without memory. */
struct file_table *file_table_own(struct file_table *table);

/* Closes the descriptors that say so, for execve. */
void file_table_close_on_exec(struct file_table *table);

/* The current task's open file, or NULL. */
struct file *file_get(uint64_t fd);

/* A new open file at the lowest free descriptor: it, or -EMFILE, -ENOMEM. The release call of `ops`
 * is not made on failure. */
int64_t file_install(const struct file_ops *ops, uint32_t flags, void *private);

/* Closes a descriptor of the current task: 0 or -EBADF. */
int64_t file_close(uint64_t fd);

/* lseek for a file of a known size. */
int64_t file_seek_within(struct file *file, int64_t offset, int whence, uint64_t size);

/* A path from ring 3 into path[PATH_MAX]: 0 or Linux's error. */
int64_t file_get_path(char *path, uint64_t user);

/* The program of that path: 0, -ENOENT, or -EACCES for what can't be executed. */
int64_t file_lookup_program(const char *path, struct initramfs_file **f);

/* ---- kinds of file ---- */
extern const struct file_ops initramfs_ops;		 /* private: struct initramfs_file * */
extern const struct file_ops dev_zero_ops, dev_null_ops; /* dev.c */
extern const struct file_ops oom_score_adj_ops;		 /* oom.c: /proc/self/oom_score_adj */
/* procfs.c: what /proc/self says of memory. The file of that name, or NULL; a descriptor or an
 * error.
 */
struct procfs_file;
const struct procfs_file *procfs_find(const char *path);
int64_t procfs_open(const struct procfs_file *of, uint32_t flags);
void procfs_stat(const struct file *file, struct file_stat *st);

#endif
