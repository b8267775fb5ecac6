/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What mm/ needs of a mapped file: its pages. Implemented by kern/ (the initramfs). */
#ifndef MM_FILE_H
#define MM_FILE_H

#include "port.h"

struct page;

struct vm_file {
	const char *path; /* as in /proc/self/maps */
	uint64_t size;	  /* bytes */
	uint64_t inode;
	uint32_t refcount; /* atomic */
	/* The page with that index, with a reference for the caller; never writes to user memory.
	 * NULL: no memory. Needs: index < (size + PAGE_SIZE - 1) / PAGE_SIZE. May be called with
	 * LOCK_MMAP held for reading. */
	struct page *(*get_page)(struct vm_file *file, uint64_t index);
	void (*release)(struct vm_file *file); /* the last reference has gone */
};

void vm_file_get(struct vm_file *file);
void vm_file_put(struct vm_file *file);

#endif
