/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PVH boot protocol (Xen docs/misc/pvh.pandoc): a kernel ELF whose note
 * XEN_ELFNOTE_PHYS32_ENTRY gives a 32-bit entry point, entered with paging off and EBX = the
 * hvm_start_info.
 */
#ifndef ENGINE_PVH_H
#define ENGINE_PVH_H

#include <stddef.h>
#include <stdint.h>

#define PVH_MAX_SEGMENTS 16u

struct pvh_segment {
	uint64_t paddr, file_size, mem_size, offset;
};

struct pvh_image {
	const uint8_t *file; /* mapped */
	size_t file_len;
	uint32_t entry;
	uint64_t highest_paddr; /* the first byte after the image in guest memory */
	struct pvh_segment segments[PVH_MAX_SEGMENTS];
	unsigned nr_segments;
};

/* Reads and checks the ELF. NULL, or what is wrong with it (malloc'ed, with the path). */
char *pvh_image_open(struct pvh_image *image, const char *path);
void pvh_image_close(struct pvh_image *image);

/* Lays image, start info, memory map, command line and archive out in guest memory of `size` bytes,
 * of which the first `low` are below 4 GiB at guest address 0 and the rest at 4 GiB. The memory
 * must be zeroed. Returns the start info's guest address (EBX), or 0 if it does not fit. */
uint64_t pvh_load(const struct pvh_image *image, uint8_t *mem, uint64_t size, uint64_t low,
		  const char *cmdline, const void *initrd, size_t initrd_len);

#endif
