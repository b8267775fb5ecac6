/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of the initrd, read-only. */
#ifndef KERN_INITRAMFS_H
#define KERN_INITRAMFS_H

#include "mm/object/file.h"

#define INITRAMFS_DEV 1u

struct initramfs_file {
	struct vm_file vm; /* vm.path has a leading '/'; never released */
	const uint8_t *data;
	uint32_t mode;
	struct page **
		copies; /* pages that can't be mapped where they lie; NULL until one is asked for */
	char path[64];
};

/* Reads the archive that boot_info names, once. Panics if it is no archive. */
void initramfs_init(void);

/* The regular file of that path, its leading '/' optional; NULL if there is none. Its data is
 * contiguous at file->data. */
struct initramfs_file *initramfs_lookup(const char *path);

#endif
