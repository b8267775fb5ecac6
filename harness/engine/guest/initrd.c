/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "engine/guest/initrd.h"

#define NEWC_HEADER 110u
#define GUEST_PAGE 4096u

static size_t round_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

/* Room for n more bytes, zeroed. */
static uint8_t *append(struct initrd *rd, size_t n)
{
	uint8_t *p;

	if (rd->len + n > rd->capacity) {
		rd->capacity = round_up(2 * rd->capacity + n, GUEST_PAGE);
		rd->data = xrealloc(rd->data, rd->capacity);
	}
	p = rd->data + rd->len;
	memset(p, 0, n);
	rd->len += n;
	return p;
}

/* One entry; its data begins at a multiple of `align`. */
static void add_entry(struct initrd *rd, const char *name, unsigned mode, const void *data,
		      size_t len, size_t align)
{
	size_t start = rd->len;
	size_t data_at = round_up(start + NEWC_HEADER + strlen(name) + 1, align);
	size_t name_size = data_at - start - NEWC_HEADER;
	unsigned inode = mode ? ++rd->next_inode : 0;
	uint8_t *p = append(rd, data_at - start + round_up(len, 4));

	/* magic, ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor,
	 * rdevminor, namesize, check */
	sprintf((char *)p, "070701%08X%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08zX%08X", inode,
		mode, 0, 0, 1, 0, len, 0, 0, 0, 0, name_size, 0);
	/* this takes the place of the NUL that sprintf left after the header */
	memcpy(p + NEWC_HEADER, name, strlen(name) + 1);
	if (len)
		memcpy(p + (data_at - start), data, len);
}

void initrd_add_directory(struct initrd *rd, const char *path)
{
	add_entry(rd, path, S_IFDIR | 0755, NULL, 0, 4);
}

/* True if an entry of that name is in the archive already. */
static bool have_entry(const struct initrd *rd, const char *name)
{
	size_t at = 0;

	while (at + NEWC_HEADER < rd->len) {
		const char *p = (const char *)rd->data + at;
		char field[9] = {0};
		size_t name_size, file_size;

		memcpy(field, p + 94, 8);
		name_size = strtoul(field, NULL, 16);
		memcpy(field, p + 54, 8);
		file_size = strtoul(field, NULL, 16);
		if (!strcmp(p + NEWC_HEADER, name))
			return true;
		at = round_up(at + NEWC_HEADER + name_size, 4) + round_up(file_size, 4);
	}
	return false;
}

static void add_parents(struct initrd *rd, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		char *parent = xasprintf("%.*s", (int)(slash - path), path);

		if (!have_entry(rd, parent))
			initrd_add_directory(rd, parent);
		free(parent);
	}
}

void initrd_add_file(struct initrd *rd, const char *path, unsigned mode, const void *data,
		     size_t len)
{
	while (*path == '/')
		path++;
	add_parents(rd, path);
	add_entry(rd, path, S_IFREG | mode, data, len, GUEST_PAGE);
}

int initrd_add_host_file(struct initrd *rd, const char *path, const char *host_path)
{
	int fd;
	struct stat st;
	void *map = NULL;
	int err = 0;

	if (have_entry(rd, path + strspn(path, "/")))
		return -EEXIST;
	fd = open(host_path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	else if (st.st_size > 0) {
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		err = map == MAP_FAILED ? -errno : 0;
	}
	close(fd);
	if (err)
		return err;
	initrd_add_file(rd, path, 0755, map, (size_t)st.st_size);
	if (map)
		munmap(map, (size_t)st.st_size);
	return 0;
}

void initrd_add_strings(struct initrd *rd, const char *path, const char *const *strings)
{
	char *buf = NULL;
	size_t len = 0;

	for (; strings && *strings; strings++) {
		size_t n = strlen(*strings) + 1;

		buf = xrealloc(buf, len + n);
		memcpy(buf + len, *strings, n);
		len += n;
	}
	initrd_add_file(rd, path, 0444, buf, len);
	free(buf);
}

void initrd_finish(struct initrd *rd)
{
	add_entry(rd, "TRAILER!!!", 0, NULL, 0, 4);
}

void initrd_free(struct initrd *rd)
{
	free(rd->data);
	memset(rd, 0, sizeof(*rd));
}
