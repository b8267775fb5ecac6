/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What /proc/self says of memory: maps, smaps, smaps_rollup, statm, and of status the lines about
 * memory. As Linux's seq_file does it: a read is served from a page that is filled with as many
 * whole regions as fit; the next one goes on at the address where that page ended, so that a map
 * that changes between two reads never shows a region twice. What is not by regions fits one page.
 */
#include "arch/x86_64/arch.h"
#include "kern/fs/file_table.h"
#include "kern/fs/maps_format.h"
#include "kern/fs/smaps_format.h"
#include "kern/lib/put_decimal.h"
#include "kern/lib/str.h"
#include "kern/task/task.h"
#include "mm/base/mm_errno.h"
#include "mm/mm.h"
#include "mm/object/file.h"
#include "mm/phys/buddy.h"
#include "mm/phys/slab.h"
#include "mm/vma/mmap_lock.h"
#include "mm/vma/vma_index.h"

struct maps {
	const struct procfs_file *of;
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

/* The region's line and those of smaps below it. */
static size_t put_smap(char *buf, size_t size, const struct vma *vma)
{
	struct mm_usage usage = {0};
	size_t n = put_vma(buf, size, vma);
	char *end;

	if (!n || size - n < SMAPS_TEXT_MAX)
		return 0;
	vma_usage(vma, &usage);
	end = smaps_put_region(buf + n, vma->end - vma->start, vma->flags, &usage);
	return (size_t)(end - buf);
}

/* A file of /proc/self: by regions, or all at once (into PAGE_SIZE / 2 bytes). */
struct procfs_file {
	const char *path;
	size_t (*put)(char *buf, size_t size, const struct vma *vma);
	char *(*put_all)(char *buf, struct mm *mm);
};

static char *put_rollup(char *p, struct mm *mm)
{
	struct mm_usage usage = {0};
	struct maps_line line = {.perms = "---p", .name = "[rollup]"};

	for (const struct vma *vma = mm->first; vma; vma = vma->next)
		vma_usage(vma, &usage);
	line.start = mm->first ? mm->first->start : 0;
	line.end = mm->last ? mm->last->end : 0;
	p += maps_format(p, PAGE_SIZE / 2, &line);
	return smaps_put_rollup(p, &usage);
}

/* Linux's seven numbers, of which two are always 0. */
static char *put_statm(char *p, struct mm *mm)
{
	uint64_t shared = (uint64_t)(mm->rss_file + mm->rss_shmem);
	const uint64_t numbers[] = {mm->total_vm,
				    (uint64_t)mm->rss_anon + shared,
				    shared,
				    mm->text_size >> PAGE_SHIFT,
				    0,
				    mm_data_vm(mm) + mm->stack_vm,
				    0};

	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		p = put_decimal(p, numbers[i]);
		*p++ = i < sizeof(numbers) / sizeof(numbers[0]) - 1 ? ' ' : '\n';
	}
	return p;
}

static char *put_pages(char *p, const char *name, uint64_t pages)
{
	return smaps_put_kb(p, name, (unsigned)str_length(name) + 8, pages << PAGE_SHIFT);
}

static char *put_status(char *p, struct mm *mm)
{
	uint64_t anon = (uint64_t)mm->rss_anon, file = (uint64_t)mm->rss_file;
	uint64_t shmem = (uint64_t)mm->rss_shmem;

	p = put_pages(p, "VmSize:\t", mm->total_vm);
	p = put_pages(p, "VmLck:\t", mm->locked_vm);
	p = put_pages(p, "VmPin:\t", 0);
	p = put_pages(p, "VmRSS:\t", anon + file + shmem);
	p = put_pages(p, "RssAnon:\t", anon);
	p = put_pages(p, "RssFile:\t", file);
	p = put_pages(p, "RssShmem:\t", shmem);
	p = put_pages(p, "VmData:\t", mm_data_vm(mm));
	p = put_pages(p, "VmStk:\t", mm->stack_vm);
	p = put_pages(p, "VmExe:\t", mm->text_size >> PAGE_SHIFT);
	p = put_pages(p, "VmPTE:\t", (uint64_t)mm->nr_tables);
	return put_pages(p, "VmSwap:\t", 0);
}

static const struct procfs_file procfs_files[] = {
	{"/proc/self/maps", put_vma, NULL},
	{"/proc/self/smaps", put_smap, NULL},
	{"/proc/self/smaps_rollup", NULL, put_rollup},
	{"/proc/self/statm", NULL, put_statm},
	{"/proc/self/status", NULL, put_status},
};

const struct procfs_file *procfs_find(const char *path)
{
	for (unsigned i = 0; i < sizeof(procfs_files) / sizeof(procfs_files[0]); i++)
		if (str_equal(path, procfs_files[i].path))
			return &procfs_files[i];
	return NULL;
}

static void fill_regions(struct maps *m, struct mm *mm)
{
	for (struct vma *vma = vma_find(mm, m->next_addr); vma; vma = vma->next) {
		size_t n = m->of->put(m->page + m->count, sizeof(m->page) - m->count, vma);

		if (!n)
			break;
		m->count += n;
		m->next_addr = vma->end;
	}
}

static void fill_page(struct maps *m)
{
	struct mm *mm = task_mm();

	m->from = m->count = 0;
	mmap_read_lock(mm);
	if (m->of->put) {
		fill_regions(m, mm);
	} else if (!m->next_addr) {
		m->count = (size_t)(m->of->put_all(m->page, mm) - m->page);
		m->next_addr = TASK_SIZE;
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

int64_t procfs_open(const struct procfs_file *of, uint32_t flags)
{
	struct maps *m = kmalloc(sizeof(*m));
	int64_t fd;

	if (!m)
		return -MM_ENOMEM;
	m->of = of;
	m->next_addr = m->from = m->count = 0;
	fd = file_install(&maps_ops, flags, m);
	if (fd < 0)
		kfree(m);
	return fd;
}
