/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects of shared anonymous memory: see shmem.h. */
#include "mm/object/shmem.h"

#include "mm/phys/buddy.h"
#include "mm/phys/lru.h"
#include "mm/phys/page.h"
#include "mm/phys/slab.h"

#define SHMEM_DEV 1u		   /* as Linux's is: the first of the devices without a disk */
#define SHMEM_FIRST_INODE 0x10000u /* beyond those of other files of that device */

static struct kmem_cache shmem_cache;
static int64_t last_inode; /* atomic */

void shmem_init(void)
{
	kmem_cache_init(&shmem_cache, "shmem", sizeof(struct vm_file), 8);
	last_inode = SHMEM_FIRST_INODE;
}

/* page_index_destroy's */
static void drop_pages(void *arg, struct page **pages, unsigned n)
{
	unsigned gone;

	(void)arg;
	vmstat_add(FL_VMSTAT_NR_SHMEM, -(int64_t)n);
	gone = lru_put_pages(pages, n);
	for (unsigned i = 0; i < gone; i++)
		page_free(pages[i]);
}

static void shmem_release(struct vm_file *file)
{
	ASSERT(list_empty(&file->i_mmap));
	page_index_destroy(&file->pages, drop_pages, NULL);
	kmem_cache_free(&shmem_cache, file);
}

struct vm_file *shmem_create(uint64_t pages)
{
	struct vm_file *file = kmem_cache_alloc(&shmem_cache);

	if (!file)
		return NULL;
	*file = (struct vm_file){
		.path = "/dev/zero (deleted)",
		.size = pages << PAGE_SHIFT,
		.inode = (uint64_t)port_xadd64(&last_inode, 1),
		.refcount = 1,
		.release = shmem_release,
		.kind = VM_FILE_SHMEM,
		.dev = SHMEM_DEV,
	};
	list_init(&file->i_mmap);
	return file;
}

/* A zeroed page that says where it belongs, on its LRU list; NULL without memory. */
static struct page *new_page(struct vm_file *file, uint64_t index)
{
	struct page *page = page_alloc();

	if (!page)
		return NULL;
	port_clear_page(page_to_virt(page));
	page_set_flags(page, 1u << PG_SHMEM);
	page->mapcount = 0;
	page->mapping = file;
	page->index = index;
	lru_add(page);
	vmstat_inc(FL_VMSTAT_NR_INACTIVE_ANON);
	return page;
}

struct page *shmem_make_page(struct vm_file *file, uint64_t index, bool *fresh)
{
	struct page **slot = page_index_slot(&file->pages, index);
	struct page *page = slot ? new_page(file, index) : NULL, *there;

	*fresh = false;
	if (!page)
		return NULL;
	there = page_index_add(slot, page);
	*fresh = there == page;
	if (unlikely(!*fresh))
		lru_put_page(page, 1);
	else
		vmstat_inc(FL_VMSTAT_NR_SHMEM);
	return there;
}
