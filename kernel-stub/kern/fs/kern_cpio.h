/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading a cpio archive in "newc" format, as Linux's initramfs (Linux,
 * Documentation/driver-api/early-userspace/buffer-format.rst). Pure: works on a buffer, hosted too.
 */
#ifndef KERN_CPIO_H
#define KERN_CPIO_H

#include <stddef.h>
#include <stdint.h>

struct cpio_entry {
	const char *name; /* NUL-terminated, inside the archive */
	const uint8_t *data;
	uint32_t size; /* of data */
	uint32_t mode; /* as st_mode */
};

enum cpio_result {
	CPIO_ENTRY, /* *entry is filled, *pos moved past it */
	CPIO_END,   /* the trailer: *pos moved past it */
	CPIO_BAD,   /* *why says what is wrong at *pos */
};

/* The entry at *pos of an archive of `size` bytes. Reads nothing outside the archive whatever it
 * holds, and never leaves *pos where it was on CPIO_ENTRY. */
enum cpio_result cpio_next(const uint8_t *archive, size_t size, size_t *pos,
			   struct cpio_entry *entry, const char **why);

#endif
