/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory calls: decode the arguments, find the file, leave the rest to mm/. */
#include "errno.h"
#include "files.h"
#include "mm.h"
#include "syscall.h"
#include "task.h"

static int64_t mmap_with(const struct trap_frame *regs, struct vm_file *vm)
{
	return vm_mmap(task_running->mm, ARG0(regs), ARG1(regs), (unsigned)ARG2(regs),
		       (unsigned)ARG3(regs), vm, ARG5(regs) >> PAGE_SHIFT, 0);
}

static __attribute__((noinline)) int64_t mmap_file(const struct trap_frame *regs)
{
	unsigned prot = (unsigned)ARG2(regs), flags = (unsigned)ARG3(regs), mode;
	struct file *file = file_get((uint32_t)ARG4(regs));

	if (!file)
		return -MM_EBADF;
	mode = file->flags & O_ACCMODE;
	if (mode == O_WRONLY || ((flags & MAP_SHARED_) && (prot & PROT_WRITE_) && mode != O_RDWR))
		return -MM_EACCES;
	if (!file->ops->map)
		return -MM_ENODEV;
	return mmap_with(regs, file->ops->map(file));
}

SYSCALL(mmap)
{
	if (ARG5(regs) & ~PAGE_MASK)
		return -MM_EINVAL;
	return ARG3(regs) & MAP_ANONYMOUS_ ? mmap_with(regs, NULL) : mmap_file(regs);
}

SYSCALL(munmap)
{
	return vm_munmap(task_running->mm, ARG0(regs), ARG1(regs));
}

SYSCALL(mprotect)
{
	return vm_mprotect(task_running->mm, ARG0(regs), ARG1(regs), (unsigned)ARG2(regs));
}

SYSCALL(mremap)
{
	return vm_mremap(task_running->mm, ARG0(regs), ARG1(regs), ARG2(regs), (unsigned)ARG3(regs),
			 ARG4(regs));
}

SYSCALL(madvise)
{
	return vm_madvise(task_running->mm, ARG0(regs), ARG1(regs), (int)ARG2(regs));
}

SYSCALL(brk)
{
	return (int64_t)vm_brk(task_running->mm, ARG0(regs));
}
