/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line of /proc/self/maps. Pure: hosted too. */
#ifndef KERN_MAPS_FORMAT_H
#define KERN_MAPS_FORMAT_H

#include <stddef.h>
#include <stdint.h>

struct maps_line {
	uint64_t start, end;
	char perms[5]; /* "rwxp", NUL-terminated */
	uint64_t offset;
	uint32_t dev_major, dev_minor;
	uint64_t inode;
	const char *name; /* path, "[heap]", …; NULL: none */
};

/* Writes the line with its newline, without a NUL, as Linux's show_map_vma does
 * (fs/proc/task_mmu.c). Its length, or 0 if it is longer than `size` (nothing is written then). */
size_t maps_format(char *buf, size_t size, const struct maps_line *line);

#endif
