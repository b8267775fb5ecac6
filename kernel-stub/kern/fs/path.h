/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a path names. */
#ifndef KERN_PATH_H
#define KERN_PATH_H

#include <stdint.h>

#define PATH_MAX 256 /* longer than any path there is */

struct initramfs_file;

/* A path from ring 3 into path[PATH_MAX]: 0 or Linux's error. */
int64_t path_get(char *path, uint64_t user);

/* The program of that path: 0, -ENOENT, or -EACCES for what can't be executed. */
int64_t path_lookup_program(const char *path, struct initramfs_file **f);

#endif
