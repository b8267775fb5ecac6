/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The descriptor table. Threads may share one; kern_lock protects it. */
#ifndef KERN_FILE_TABLE_H
#define KERN_FILE_TABLE_H

#include "kern/fs/files.h"
#include "kern/task/task.h"

#define FILES_MAX 64u /* descriptors; RLIMIT_NOFILE says so */

struct file_table {
	struct file *fd[FILES_MAX];
	uint64_t close_on_exec; /* a bit for each descriptor */
	uint32_t users;		/* threads */
};
_Static_assert(FILES_MAX <= 64, "close_on_exec");

/* A table with the same open files; NULL without memory. */
struct file_table *file_table_copy(const struct file_table *from);

/* One more thread uses the table; one fewer: the last closes every descriptor and frees it. */
void file_table_get(struct file_table *table);
void file_table_put(struct file_table *table);

/* The table, if nobody else uses it, or else a copy in its place; NULL without memory. */
struct file_table *file_table_own(struct file_table *table);

/* Closes the descriptors that say so, for execve. */
void file_table_close_on_exec(struct file_table *table);

/* ---- open files ---- */

static inline struct file_table *current_files(void)
{
	return current()->files;
}

/* The current task's open file, or NULL. It may be a mere place (O_PATH), which can be asked about,
 * doubled and closed. */
static inline struct file *file_get_any(uint64_t fd)
{
	return fd < FILES_MAX ? current_files()->fd[fd] : NULL;
}

/* The same, or NULL for a mere place. */
static inline struct file *file_get(uint64_t fd)
{
	struct file *file = file_get_any(fd);

	return file && !(file->flags & O_PATH) ? file : NULL;
}

/* The last reference has gone. */
void file_release(struct file *file);

static inline void file_put(struct file *file)
{
	if (!--file->refcount)
		file_release(file);
}

/* A new open file at the lowest free descriptor: it, or -EMFILE, -ENOMEM. The release call of `ops`
 * is not made on failure. */
int64_t file_table_install(struct file_table *table, const struct file_ops *ops, uint32_t flags,
			   void *private);

/* The same in the current task's table. */
int64_t file_install(const struct file_ops *ops, uint32_t flags, void *private);

/* Closes a descriptor of the current task: 0 or -EBADF. */
int64_t file_close(uint64_t fd);

#endif
