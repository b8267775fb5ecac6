/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linux's error numbers (include/uapi/asm-generic/errno*.h), returned negative. */
#ifndef MM_ERRNO_H
#define MM_ERRNO_H

enum {
	MM_EPERM = 1,
	MM_ENOENT = 2,
	MM_ESRCH = 3,
	MM_EINTR = 4,
	MM_EIO = 5,
	MM_ENXIO = 6,
	MM_E2BIG = 7,
	MM_ENOEXEC = 8,
	MM_EBADF = 9,
	MM_ECHILD = 10,
	MM_EAGAIN = 11,
	MM_ENOMEM = 12,
	MM_EACCES = 13,
	MM_EFAULT = 14,
	MM_EEXIST = 17,
	MM_ENODEV = 19,
	MM_ENOTDIR = 20,
	MM_EISDIR = 21,
	MM_EINVAL = 22,
	MM_EMFILE = 24,
	MM_ENOTTY = 25,
	MM_ESPIPE = 29,
	MM_EROFS = 30,
	MM_EPIPE = 32,
	MM_ERANGE = 34,
	MM_ENAMETOOLONG = 36,
	MM_ENOSYS = 38,
	MM_ELOOP = 40,
	MM_ENOPKG = 65,
	MM_EOVERFLOW = 75,
	MM_EOPNOTSUPP = 95,
	MM_ETIMEDOUT = 110,
};

#endif
