/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/self/maps. As Linux's seq_file does it: a read is served from a page that is filled with as
 * many whole lines as fit; the next one goes on at the address where that page ended, so that a map
 * that changes between two reads never shows a region twice.
 */
#include "arch.h"
#include "buddy.h"
#include "errno.h"
#include "files.h"
#include "maps_format.h"
#include "mm.h"
#include "mmap_lock.h"
#include "file.h"
#include "slab.h"
#include "task.h"
#include "vma_index.h"

struct maps {
	uint64_t next_addr;	   /* regions that end at or below it have been shown */
	size_t from, count;	   /* what is left to be read of the page */
	char page[PAGE_SIZE - 64]; /* with the rest of the struct, one page from the allocator */
};

static const char *vma_name(const struct vma *vma)
{
	if (vma->file)
		return vma->file->path;
	if (vma_is_heap(vma))
		return "[heap]";
	return vma_is_stack(vma) ? "[stack]" : NULL;
}

static size_t put_vma(char *buf, size_t size, const struct vma *vma)
{
	struct maps_line line = {
		.start = vma->start,
		.end = vma->end,
		.perms = {vma->flags & VM_READ ? 'r' : '-', vma->flags & VM_WRITE ? 'w' : '-',
			  vma->flags & VM_EXEC ? 'x' : '-', vma->flags & VM_SHARED ? 's' : 'p'},
		.name = vma_name(vma),
	};

	if (vma->file) {
		line.offset = vma->pgoff << PAGE_SHIFT;
		line.dev_minor = vma->file->dev;
		line.inode = vma->file->inode;
	}
	return maps_format(buf, size, &line);
}

static void fill_page(struct maps *m)
{
	struct mm *mm = task_mm();
	struct vma *vma;

	m->from = m->count = 0;
	mmap_read_lock(mm);
	for (vma = vma_find(mm, m->next_addr); vma; vma = vma->next) {
		size_t n = put_vma(m->page + m->count, sizeof(m->page) - m->count, vma);

		if (!n)
			break;
		m->count += n;
		m->next_addr = vma->end;
	}
	mmap_read_unlock(mm);
}

static int64_t maps_read(struct file *file, struct user_iter *to)
{
	struct maps *m = file->private;
	size_t want, n;

	if (!to->left)
		return 0;
	if (!m->count)
		fill_page(m);
	want = to->left < m->count ? to->left : m->count;
	n = user_iter_copy_out(m->page + m->from, want, to);
	m->from += n;
	m->count -= n;
	file->pos += n;
	return n || !want ? (int64_t)n : -MM_EFAULT;
}

/* To a position by reading up to it, as seq_lseek does; only from the start. */
static int64_t maps_lseek(struct file *file, int64_t offset, int whence)
{
	struct maps *m = file->private;
	uint64_t skip;

	if (whence == SEEK_CUR)
		offset += (int64_t)file->pos;
	if (whence == SEEK_END || offset < 0)
		return -MM_EINVAL;
	m->next_addr = m->count = 0;
	file->pos = (uint64_t)offset;
	for (skip = file->pos; skip; skip -= m->from) {
		fill_page(m);
		if (!m->count)
			break;
		m->from = skip < m->count ? skip : m->count;
		m->count -= m->from;
	}
	return offset;
}

void procfs_stat(const struct file *file, struct file_stat *st)
{
	(void)file;
	st->dev = 3;
	st->ino = 1;
	st->nlink = 1;
	st->mode = S_IFREG | 0444;
	st->blksize = 1024;
}

static void maps_release(struct file *file)
{
	kfree(file->private);
}

static const struct file_ops maps_ops = {
	.read = maps_read,
	.lseek = maps_lseek,
	.stat = procfs_stat,
	.release = maps_release,
};

int64_t procfs_open_maps(uint32_t flags)
{
	struct maps *m = kmalloc(sizeof(*m));
	int64_t fd;

	if (!m)
		return -MM_ENOMEM;
	m->next_addr = m->from = m->count = 0;
	fd = file_install(&maps_ops, flags, m);
	if (fd < 0)
		kfree(m);
	return fd;
}
