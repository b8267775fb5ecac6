/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Open files, and what a kind of file can do. */
#ifndef KERN_FILES_H
#define KERN_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kern/fs/user_iter.h"
#include "kern/sys/kern_call_flags.h"

enum { SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE };

enum {
	S_IFIFO = 0010000,
	S_IFCHR = 0020000,
	S_IFDIR = 0040000,
	S_IFREG = 0100000,
	S_IFLNK = 0120000,
	S_IXUGO = 0111,
};

struct file;
struct file_table;
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
	uint32_t settable; /* O_* that F_SETFL changes beside those that it changes for all */
};

/* An open file: what descriptors refer to, those of forked processes and those that dup made. */
struct file {
	const struct file_ops *ops;
	uint32_t refcount;
	uint32_t flags;	  /* O_* as F_GETFL shows them */
	uint32_t channel; /* stdio: the port; O_PATH: the enum path_kind */
	uint64_t pos;
	void *private;
};

/* May it be read, written? What is open for both says 2; 3 is for neither, on Linux too. */
static inline bool file_may_read(const struct file *file)
{
	return (file->flags + 1) & 1;
}

static inline bool file_may_write(const struct file *file)
{
	return (file->flags + 1) & 2;
}

/* lseek for a file of a known size. */
int64_t file_seek_within(struct file *file, int64_t offset, int whence, uint64_t size);

/* ---- kinds of file ---- */

/* stdio.c: a table of open files whose descriptors 0, 1 and 2 are the console's; NULL without
 * memory. */
struct file_table *stdio_create_table(void);

/* initramfs_file.c; private: struct initramfs_file * */
extern const struct file_ops initramfs_ops;
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
