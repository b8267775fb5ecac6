/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One entry of a newc archive: a header of ASCII hex fields, the name with its NUL, padding to four
 * bytes, the data, padding to four bytes. Entries follow one another until one named TRAILER!!!.
 *
 * The harness pads names with further NULs, counted in c_namesize, so that a file's data starts at
 * a page of the archive and can be mapped where it lies.
 */
#include "kern/fs/kern_cpio.h"

#define CPIO_HEADER 110u
#define CPIO_NAME_MAX 8192u /* PATH_MAX and a page of padding */

enum cpio_field { /* offsets of the fields that are read, 8 hex digits each */
		  CPIO_MODE = 14,
		  CPIO_FILESIZE = 54,
		  CPIO_NAMESIZE = 94,
};

/* Eight hex digits; sets *bad if one of them is none. */
static uint32_t hex8(const uint8_t *p, int *bad)
{
	uint32_t v = 0;

	for (int i = 0; i < 8; i++) {
		uint32_t digit = p[i] - '0';

		if (digit > 9) {
			digit = (p[i] | 0x20u) - 'a' + 10u;
			if (digit < 10 || digit > 15)
				*bad = 1;
		}
		v = v << 4 | (digit & 15);
	}
	return v;
}

static int name_is_trailer(const char *name, uint32_t namesize)
{
	return namesize >= 11 && !__builtin_memcmp(name, "TRAILER!!!", 11);
}

enum cpio_result cpio_next(const uint8_t *archive, size_t size, size_t *pos,
			   struct cpio_entry *entry, const char **why)
{
	size_t left = size - *pos, data;
	const uint8_t *h = archive + *pos;
	uint32_t namesize;
	int bad = 0;

	if (*pos > size || left < CPIO_HEADER) {
		*why = "archive ends without a trailer";
		return CPIO_BAD;
	}
	if (__builtin_memcmp(h, "070701", 6)) {
		*why = "bad magic, expected 070701 (newc)";
		return CPIO_BAD;
	}
	entry->mode = hex8(h + CPIO_MODE, &bad);
	entry->size = hex8(h + CPIO_FILESIZE, &bad);
	namesize = hex8(h + CPIO_NAMESIZE, &bad);
	if (bad) {
		*why = "header field is not hexadecimal";
		return CPIO_BAD;
	}
	if (namesize < 2 || namesize > CPIO_NAME_MAX || namesize > left - CPIO_HEADER) {
		*why = "name size out of bounds";
		return CPIO_BAD;
	}
	entry->name = (const char *)h + CPIO_HEADER;
	if (entry->name[namesize - 1]) {
		*why = "name without a NUL";
		return CPIO_BAD;
	}
	/* Offsets within the archive, which itself starts aligned, are what the padding follows. */
	data = (*pos + CPIO_HEADER + namesize + 3) & ~(size_t)3;
	if (name_is_trailer(entry->name, namesize)) {
		*pos = data < size ? data : size;
		return CPIO_END;
	}
	if (data > size || entry->size > size - data) {
		*why = "file reaches beyond the end of the archive";
		return CPIO_BAD;
	}
	entry->data = archive + data;
	*pos = (data + entry->size + 3) & ~(size_t)3;
	return CPIO_ENTRY;
}
