/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory calls: decode the arguments, find the file, leave the rest to mm/. */
#include "arch/x86_64/arch.h"
#include "kern/fs/file_table.h"
#include "kern/fs/user_iter.h"
#include "kern/kern_lock.h"
#include "kern/sys/kern_syscall.h"
#include "kern/task/task.h"
#include "mm/base/mm_errno.h"
#include "mm/calls/mm_call_flags.h"
#include "mm/mm.h"

/* vm_extra: what mlockall has said of mappings to come. */
static inline int64_t mmap_with(const struct trap_frame *regs, struct vm_file *vm,
				uint32_t vm_extra)
{
	return vm_mmap(current()->mm, ARG0(regs), ARG1(regs), (unsigned)ARG2(regs), ARG3(regs), vm,
		       ARG5(regs) >> PAGE_SHIFT, vm_extra);
}

/* May what is open be mapped so? 0 or an error: what is wrong with the type goes first. */
static int64_t check_file(const struct file *file, unsigned prot, uint64_t flags)
{
	bool writes = flags & MAP_SHARED_ && prot & PROT_WRITE_;
	int64_t error = mmap_check_file_type(flags);

	if (!file_may_read(file) || (writes && !file_may_write(file)))
		return error ? error : -MM_EACCES;
	return file->ops->map ? 0 : error ? error : -MM_ENODEV;
}

/* The descriptor's part of mmap: 0 or an error, which if *late gives way to others. *vm outlives
 * the descriptor (initramfs.h: never released). Needs: kern_lock. */
static int64_t find_file(const struct trap_frame *regs, struct vm_file **vm, bool *late)
{
	struct file *file = file_get((uint32_t)ARG4(regs));
	int64_t error;

	*late = false;
	if (!file)
		return -MM_EBADF;
	if (ARG3(regs) & MAP_HUGETLB_)
		return -MM_EINVAL; /* it is no file of hugetlbfs */
	error = check_file(file, (unsigned)ARG2(regs), ARG3(regs));
	*late = error;
	if (!error)
		*vm = file->ops->map(file);
	return error;
}

static __attribute__((noinline)) int64_t mmap_file(const struct trap_frame *regs, uint32_t vm_extra)
{
	struct vm_file *vm = NULL;
	int64_t error;
	bool late;

	kern_lock();
	error = find_file(regs, &vm, &late);
	kern_unlock();
	if (late)
		return vm_mmap_refused(current()->mm, ARG0(regs), ARG1(regs), ARG3(regs), error);
	return error ? error : mmap_with(regs, vm, vm_extra);
}

static inline int64_t mmap_call(const struct trap_frame *regs, uint32_t vm_extra)
{
	if (ARG5(regs) & ~PAGE_MASK)
		return -MM_EINVAL;
	return ARG3(regs) & MAP_ANONYMOUS_ ? mmap_with(regs, NULL, vm_extra)
					   : mmap_file(regs, vm_extra);
}

/* What is to be brought in at once: MAP_POPULATE, or locked memory, also what the call could not
 * lock (MAP_DROPPABLE). */
static __attribute__((noinline)) int64_t mmap_populate(const struct trap_frame *regs)
{
	uint32_t extra = current()->mm->def_flags;
	int64_t start = mmap_call(regs, extra);
	uint64_t end = ((uint64_t)start + ARG1(regs) + PAGE_SIZE - 1) & PAGE_MASK;

	if (start < 0)
		return start;
	if ((ARG3(regs) & (MAP_POPULATE_ | MAP_NONBLOCK_)) == MAP_POPULATE_ ||
	    ARG3(regs) & MAP_LOCKED_ || extra & VM_LOCKED)
		vm_populate(current()->mm, (uint64_t)start, end);
	return start;
}

SYSCALL(mmap)
{
	return unlikely(ARG3(regs) & (MAP_POPULATE_ | MAP_LOCKED_) || current()->mm->def_flags)
		       ? mmap_populate(regs)
		       : mmap_call(regs, 0);
}

SYSCALL(munmap)
{
	return vm_munmap(current()->mm, ARG0(regs), ARG1(regs));
}

SYSCALL(mprotect)
{
	return vm_mprotect(current()->mm, ARG0(regs), ARG1(regs), ARG2(regs));
}

SYSCALL(mremap)
{
	return vm_mremap(current()->mm, ARG0(regs), ARG1(regs), ARG2(regs), ARG3(regs), ARG4(regs));
}

SYSCALL(madvise)
{
	return vm_madvise(current()->mm, ARG0(regs), ARG1(regs), (int)ARG2(regs));
}

/* What comes before a hole is answered, too. */
SYSCALL(mincore)
{
	uint64_t addr = ARG0(regs), len = ARG1(regs), user = ARG2(regs), left;
	unsigned char vec[256];

	if (addr & ~PAGE_MASK)
		return -MM_EINVAL;
	if (!user_range_ok(addr, len))
		return -MM_ENOMEM;
	left = (len + PAGE_SIZE - 1) >> PAGE_SHIFT;
	if (!user_range_ok(user, left))
		return -MM_EFAULT;
	while (left) {
		uint64_t n = left < sizeof(vec) ? left : sizeof(vec);
		int64_t done = vm_mincore(current()->mm, addr, n, vec);

		if (done < 0)
			return done;
		if (copy_to_user(user, vec, (uint64_t)done))
			return -MM_EFAULT;
		addr += (uint64_t)done << PAGE_SHIFT;
		user += (uint64_t)done;
		left -= (uint64_t)done;
	}
	return 0;
}

SYSCALL(mlock)
{
	return vm_mlock(current()->mm, ARG0(regs), ARG1(regs), 0);
}

SYSCALL(mlock2)
{
	return vm_mlock(current()->mm, ARG0(regs), ARG1(regs), (unsigned)ARG2(regs));
}

SYSCALL(munlock)
{
	return vm_munlock(current()->mm, ARG0(regs), ARG1(regs));
}

SYSCALL(mlockall)
{
	return vm_mlockall(current()->mm, (unsigned)ARG0(regs));
}

SYSCALL(munlockall)
{
	return vm_munlockall(current()->mm);
}

SYSCALL(brk)
{
	return (int64_t)vm_brk(current()->mm, ARG0(regs));
}
