/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The initial RAM disk: a cpio archive in the newc format (Linux
 * Documentation/driver-api/early-userspace/buffer-format.rst).
 *
 * The data of every regular file starts at a page boundary of the archive, so that the stub can map
 * it without copying (the boot loader puts the archive at one, too). The padding is NULs at the end
 * of the name field, which readers of the format take as part of its terminator.
 */
#ifndef ENGINE_INITRD_H
#define ENGINE_INITRD_H

#include <stddef.h>
#include <stdint.h>

struct initrd {
	uint8_t *data;
	size_t len, capacity;
	unsigned next_inode;
};

/* A directory, by a path without a leading slash. Parents first. */
void initrd_add_directory(struct initrd *rd, const char *path);
/* A regular file; a leading slash of the path is dropped, missing parents are added. */
void initrd_add_file(struct initrd *rd, const char *path, unsigned mode, const void *data,
		     size_t len);
/* The same from a file of the host: 0, or -errno; -EEXIST: the archive has such an entry. */
int initrd_add_host_file(struct initrd *rd, const char *path, const char *host_path);
/* A file of NUL-terminated strings one after the other. */
void initrd_add_strings(struct initrd *rd, const char *path, const char *const *strings);
/* The end mark. Nothing may be added afterwards. */
void initrd_finish(struct initrd *rd);
void initrd_free(struct initrd *rd);

#endif
