/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The initrd as a read-only file system: a table of its regular files, made in one walk over the
 * archive at boot. A file's data stays where the boot loader put it.
 *
 * How page i of a file is had:
 *  1. data page-aligned in the archive (so the harness packs it), the page wholly inside the file:
 *     the frame of the initrd itself. It is PG_RESERVED, so nobody counts references to it or frees
 *     it.
 *  2. otherwise (the tail, whose rest must read as zeros; any page of an unaligned file): a copy,
 *     made at the first request and kept.
 */
#include "kern/fs/initramfs.h"

#include "kern/fs/kern_cpio.h"
#include "kern/kern.h"
#include "kern/lib/str.h"
#include "mm/phys/buddy.h"
#include "mm/phys/slab.h"

#define INITRAMFS_MAX_FILES 64u
#define INITRAMFS_FIRST_INODE 2u /* 1 is the root directory's */

#define S_IFMT 0170000u
#define S_IFREG 0100000u

static struct initramfs_file files[INITRAMFS_MAX_FILES];
static unsigned nr_files;

static bool data_aligned(const struct initramfs_file *f)
{
	return !((uint64_t)f->data & ~PAGE_MASK);
}

/* Pages of a file that are copies: the tail alone, or all of them. */
static uint64_t nr_copies(const struct initramfs_file *f)
{
	return data_aligned(f) ? 1 : (f->vm.size + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

/* Where the copies are kept, made at the first request; NULL without memory. */
static struct page **copies_of(struct initramfs_file *f)
{
	struct page **copies = __atomic_load_n(&f->copies, __ATOMIC_ACQUIRE), **fresh;

	if (copies)
		return copies;
	fresh = kzalloc(nr_copies(f) * sizeof(*fresh));
	if (!fresh || __atomic_compare_exchange_n(&f->copies, &copies, fresh, false,
						  __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE))
		return fresh;
	kfree(fresh); /* another CPU was first */
	return copies;
}

/* A page with a copy of that page of the file, its rest zero; NULL without memory. */
static struct page *new_copy(const struct initramfs_file *f, uint64_t index)
{
	uint64_t offset = index << PAGE_SHIFT, n = f->vm.size - offset;
	struct page *page = page_alloc_kernel(); /* zeroed */

	if (page)
		__builtin_memcpy(page_to_virt(page), f->data + offset,
				 n < PAGE_SIZE ? n : PAGE_SIZE);
	return page;
}

/* Case 2. Faults of several CPUs may be here at once: a copy is seen once it is complete. */
static struct page *copy_page(struct initramfs_file *f, uint64_t index)
{
	struct page **copies = copies_of(f), **slot, *page, *there;

	if (!copies)
		return NULL;
	slot = &copies[data_aligned(f) ? 0 : index];
	there = page_index_load(slot);
	if (!there) {
		page = new_copy(f, index);
		if (!page)
			return NULL;
		there = page_index_add(slot, page);
		if (there != page)
			page_put(page);
	}
	page_get(there);
	return there;
}

static struct page *initramfs_get_page(struct vm_file *vm, uint64_t index)
{
	struct initramfs_file *f = container_of(vm, struct initramfs_file, vm);
	struct page *page;

	if (!data_aligned(f) || (index + 1) << PAGE_SHIFT > vm->size)
		return copy_page(f, index);
	page = virt_to_page(f->data + (index << PAGE_SHIFT)); /* 1. */
	page->flags |= 1u << PG_RESERVED;
	return page;
}

static void initramfs_release(struct vm_file *vm)
{
	port_panic("initramfs: the last reference to %s was dropped", vm->path);
}

/* The name as an absolute path; archives have "a/b", "./a/b" or "/a/b". */
static void set_path(struct initramfs_file *f, const char *name)
{
	size_t n = 1;

	if (name[0] == '.' && name[1] == '/')
		name++;
	while (*name == '/')
		name++;
	f->path[0] = '/';
	while (*name && n < sizeof(f->path) - 1)
		f->path[n++] = *name++;
	if (*name)
		port_panic("initrd: a file name is longer than %d bytes: %s",
			   (int)sizeof(f->path) - 2, f->path);
	f->path[n] = 0;
}

static void add_file(const struct cpio_entry *e)
{
	struct initramfs_file *f;

	if ((e->mode & S_IFMT) != S_IFREG)
		return;
	if (nr_files == INITRAMFS_MAX_FILES)
		port_panic("initrd: more than %u files", INITRAMFS_MAX_FILES);
	f = &files[nr_files];
	set_path(f, e->name);
	f->data = e->data;
	f->mode = e->mode;
	f->vm.path = f->path;
	f->vm.size = e->size;
	f->vm.inode = INITRAMFS_FIRST_INODE + nr_files++;
	f->vm.refcount = 1;
	f->vm.get_page = initramfs_get_page;
	f->vm.release = initramfs_release;
	f->vm.read_only = true;
	f->vm.dev = INITRAMFS_DEV;
}

void initramfs_init(void)
{
	const uint8_t *archive = port_pfn_to_virt(boot_info.initrd_start >> PAGE_SHIFT);
	struct cpio_entry entry;
	enum cpio_result r;
	const char *why;
	size_t pos = 0;

	if (!boot_info.initrd_size)
		port_panic("no initrd: nothing to run");
	archive += boot_info.initrd_start & ~PAGE_MASK;
	while ((r = cpio_next(archive, boot_info.initrd_size, &pos, &entry, &why)) == CPIO_ENTRY)
		add_file(&entry);
	if (r == CPIO_BAD)
		port_panic("initrd: %s (offset %lu of %lu)", why, pos, boot_info.initrd_size);
}

struct initramfs_file *initramfs_lookup(const char *path)
{
	while (*path == '/')
		path++;
	for (unsigned i = 0; i < nr_files; i++)
		if (str_equal(files[i].path + 1, path))
			return &files[i];
	return NULL;
}
