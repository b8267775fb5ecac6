/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared anonymous memory: what MAP_SHARED | MAP_ANONYMOUS maps, and a shared mapping of /dev/zero.
 *
 *     parent   VMA ssssssss ─┐
 *                            ├──> object [ p . p p . . . . ]   pages by index (page_index.h)
 *     child    VMA ssssssss ─┘              │
 *                                           └ one reference of the object's, one of each PTE's
 *
 * 1. Each such mmap makes an object of its own, as large as the mapping, for ever. It is a struct
 *    vm_file, held by the VMAs that map it: fork, mremap and splits make more of these. The last
 *    one to go frees it and its pages.
 * 2. A page comes with the first access to it, read or write, by anyone, zeroed (shmem_get_page).
 *    Of two CPUs that bring one for the same index, the second finds the first one's in the slot
 *    and gives its own back.
 * 3. A PTE has the rights of its VMA at once: all write to one page, so there is nothing to copy.
 * 4. Unmapping takes PTEs away, never pages: what was written is there when the page is touched
 *    again. So fork copies no PTEs of such a VMA, and the child's faults find the pages.
 * 5. The size of the object stays when mremap makes a mapping of it longer: what lies beyond is
 *    SIGBUS.
 *
 * Linux has its tmpfs for this (mm/shmem.c, shmem_zero_setup), and shows it: the name in
 * /proc/self/maps is that of a deleted file.
 */
#ifndef MM_SHMEM_H
#define MM_SHMEM_H

#include "mm/object/file.h"

/* Slab cache; by mm_init(). */
void shmem_init(void);

/* An object of that many pages, with one reference; NULL without memory. */
struct vm_file *shmem_create(uint64_t pages);

/* Makes the page with that index (*fresh), unless another CPU is first: then that one's. NULL
 * without memory. */
struct page *shmem_make_page(struct vm_file *file, uint64_t index, bool *fresh);

/* The page with that index, made if there is none (*fresh). NULL without memory. It stays as long
 * as a VMA of the caller's, whose mm->lock it holds, maps the object. */
static inline struct page *shmem_get_page(struct vm_file *object, uint64_t index, bool *fresh)
{
	struct page *page = page_index_find(&object->pages, index);

	*fresh = false;
	return likely(page != NULL) ? page : shmem_make_page(object, index, fresh);
}

#endif
