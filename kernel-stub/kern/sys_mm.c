/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory calls: decode the arguments, find the file, leave the rest to mm/. */
#include "errno.h"
#include "files.h"
#include "mm.h"
#include "syscall.h"
#include "task.h"

/* The file behind a descriptor for mmap: 0, or Linux's error. */
static int64_t mmap_file(uint64_t fd, unsigned prot, unsigned flags, struct vm_file **vm)
{
	struct file *file = file_get((uint32_t)fd);
	unsigned mode;

	if (!file)
		return -MM_EBADF;
	mode = file->flags & O_ACCMODE;
	if (mode == O_WRONLY || ((flags & MAP_SHARED_) && (prot & PROT_WRITE_) && mode != O_RDWR))
		return -MM_EACCES;
	if (!file->ops->map)
		return -MM_ENODEV;
	*vm = file->ops->map(file);
	return 0;
}

SYSCALL(mmap)
{
	unsigned prot = (unsigned)ARG2(regs), flags = (unsigned)ARG3(regs);
	uint64_t offset = ARG5(regs);
	struct vm_file *vm = NULL;
	int64_t error;

	if (offset & ~PAGE_MASK)
		return -MM_EINVAL;
	if (!(flags & MAP_ANONYMOUS_)) {
		error = mmap_file(ARG4(regs), prot, flags, &vm);
		if (error)
			return error;
	}
	return vm_mmap(task_running->mm, ARG0(regs), ARG1(regs), prot, flags, vm,
		       offset >> PAGE_SHIFT, 0);
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
