/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Users, thread pointer, random numbers. Every process is root's. */
#include "arch/x86_64/arch.h"
#include "kern/fs/files.h"
#include "kern/lib/random.h"
#include "kern/sys/kern_call_flags.h"
#include "kern/sys/kern_syscall.h"
#include "kern/task/task.h"
#include "mm/base/mm_errno.h"
#include "mm/mm.h"

static int64_t put_user(uint64_t user, const void *from, size_t n)
{
	return copy_to_user(user, from, n) ? -MM_EFAULT : 0;
}

SYSCALL(getuid)
{
	return 0;
}

SYSCALL(geteuid)
{
	return 0;
}

SYSCALL(getgid)
{
	return 0;
}

SYSCALL(getegid)
{
	return 0;
}

SYSCALL(uname)
{
	static const char names[6][65] = {"Linux",	     "faultline",
					  "6.1.0-faultline", "Faultline kernel-stub",
					  "x86_64",	     "(none)"};

	return put_user(ARG0(regs), names, sizeof(names));
}

/* Not offered: a section that a signal interrupts would have to be aborted. glibc does without. */
SYSCALL(rseq)
{
	return -MM_ENOSYS;
}

enum { ARCH_SET_GS = 0x1001, ARCH_SET_FS, ARCH_GET_FS, ARCH_GET_GS };

SYSCALL(arch_prctl)
{
	uint32_t option = (uint32_t)ARG0(regs);
	uint64_t base;

	switch (option) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (ARG1(regs) >= TASK_SIZE)
			return -MM_EPERM;
		(option == ARCH_SET_FS ? arch_set_fs_base : arch_set_gs_base)(ARG1(regs));
		return 0;
	case ARCH_GET_FS:
	case ARCH_GET_GS:
		base = option == ARCH_GET_FS ? arch_get_fs_base() : arch_get_gs_base();
		return put_user(ARG1(regs), &base, sizeof(base));
	}
	return -MM_EINVAL;
}

/* ---- random numbers ---- */

SYSCALL(getrandom)
{
	uint64_t user = ARG0(regs), left = ARG1(regs), done = 0;

	uint32_t flags = (uint32_t)ARG2(regs), both = GRND_RANDOM | GRND_INSECURE;

	if (call_flags_check(&getrandom_flags, flags) || (flags & both) == both)
		return -MM_EINVAL;
	if (left > 0x7fffffff)
		left = 0x7fffffff;
	if (!user_range_ok(user, left))
		return -MM_EFAULT;
	while (done < left) {
		uint64_t word = random_u64(), n = left - done < 8 ? left - done : 8;

		n -= copy_to_user(user + done, &word, n);
		if (!n)
			return done ? (int64_t)done : -MM_EFAULT;
		done += n;
	}
	return (int64_t)done;
}
