/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Affinity: which CPUs a task may run on (Linux kernel/sched/core.c). */
#include "arch/x86_64/arch.h"
#include "kern/sys/kern_syscall.h"
#include "kern/task/task.h"
#include "mm/base/mm_errno.h"

/* The task of that number, 0: the caller; NULL. */
static struct task *find(int32_t pid)
{
	return pid ? task_find(pid) : current();
}

/* What is beyond 64 CPUs of a mask says nothing. */
SYSCALL(sched_setaffinity)
{
	size_t n = (uint32_t)ARG1(regs);
	struct task *task;
	uint64_t cpus = 0;

	if (copy_from_user(&cpus, ARG2(regs), n < sizeof(cpus) ? n : sizeof(cpus)))
		return -MM_EFAULT;
	task = find((int32_t)ARG0(regs));
	if (!task)
		return -MM_ESRCH;
	return sched_set_affinity(task, cpus) ? 0 : -MM_EINVAL;
}

SYSCALL(sched_getaffinity)
{
	uint32_t n = (uint32_t)ARG1(regs);
	struct task *task;
	uint64_t cpus;

	if ((uint64_t)n * 8 < boot_info.nr_cpus || n % sizeof(cpus))
		return -MM_EINVAL;
	task = find((int32_t)ARG0(regs));
	if (!task)
		return -MM_ESRCH;
	cpus = sched_affinity(task);
	return copy_to_user(ARG2(regs), &cpus, sizeof(cpus)) ? -MM_EFAULT : (int64_t)sizeof(cpus);
}

/* There is one node. */
SYSCALL(getcpu)
{
	uint32_t cpu = current_cpu(), node = 0;

	if (ARG0(regs) && copy_to_user(ARG0(regs), &cpu, sizeof(cpu)))
		return -MM_EFAULT;
	if (ARG1(regs) && copy_to_user(ARG1(regs), &node, sizeof(node)))
		return -MM_EFAULT;
	return 0;
}
