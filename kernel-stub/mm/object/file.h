/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What mm/ needs of a mapped file, and which VMAs map it.
 *
 * Shared anonymous memory is a file, too (shmem.h), as on Linux. So a VMA with a file is one of:
 *
 *   kind            private                            shared
 *   VM_FILE_PAGES   the file's pages until written     its pages
 *   VM_FILE_ZERO    anonymous memory                   mmap maps a new VM_FILE_SHMEM instead, but
 *                                                      if read_only anonymous memory
 *   VM_FILE_SHMEM   –                                  its pages
 *
 * Pages of the first kind stay for good: nobody asks who maps them. For those of the last kind the
 * file has a list of its VMAs (i_mmap), for the reverse map.
 */
#ifndef MM_FILE_H
#define MM_FILE_H

#include "port/port.h"

#include "mm/base/list.h"
#include "mm/base/lock.h"
#include "mm/object/page_index.h"

struct mm;
struct page;
struct pte_slot;
struct vma;

enum vm_file_kind { VM_FILE_PAGES, VM_FILE_ZERO, VM_FILE_SHMEM };

struct vm_file {
	const char *path; /* as in /proc/self/maps */
	uint64_t size;	  /* bytes */
	uint64_t inode;
	uint32_t refcount; /* atomic */
	/* VM_FILE_PAGES: the page with that index, with a reference for the caller; never writes to
	 * user memory. NULL: no memory. Needs: index < vm_file_pages(). May be called with
	 * LOCK_MMAP held for reading. */
	struct page *(*get_page)(struct vm_file *file, uint64_t index);
	void (*release)(struct vm_file *file); /* the last reference has gone */
	enum vm_file_kind kind;
	bool read_only; /* a shared mapping may not write to it, nor be allowed to later; each
			   VM_FILE_PAGES is */
	uint32_t dev;	/* its minor number; the major one is 0 */

	struct page_index pages; /* VM_FILE_SHMEM; of other kinds it stays empty (fault_fast.c) */
	/* VM_FILE_SHMEM */
	struct spinlock i_mmap_lock; /* LOCK_I_MMAP */
	struct list_node i_mmap;     /* struct vma.i_mmap */
};

static inline uint64_t vm_file_pages(const struct vm_file *file)
{
	return (file->size + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

void vm_file_get(struct vm_file *file);
void vm_file_put(struct vm_file *file);

/* A VMA maps the file that it names: a reference, and its place in i_mmap. The reverse. Need:
 * vma->mm->lock for writing. */
void vm_file_link(struct vma *vma);
void vm_file_unlink(struct vma *vma);

/* Calls visit(arg, mm, slot) for each PTE that maps a page of a VM_FILE_SHMEM; how many. Needs: the
 * VMAs, PTEs and tables of all mms that map the file at rest. Takes `i-mmap`, also round visit().
 */
int vm_file_walk(const struct page *page,
		 void (*visit)(void *arg, struct mm *mm, struct pte_slot slot), void *arg);

/* Checks what the file knows of a VMA. Panics with what is wrong. Needs: mm->lock. */
void vm_file_check(const struct vma *vma);

#endif
