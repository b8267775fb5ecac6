/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setrlimit, getrlimit, prlimit64. As on Linux (kernel/sys.c, do_prlimit); every process is root's,
 * so a hard limit can be raised, and RLIMIT_NPROC and RLIMIT_MEMLOCK bind nobody.
 */
#include "kern/task/rlimit.h"

#include "arch/x86_64/arch.h"
#include "kern/fs/file_table.h"
#include "kern/sys/kern_syscall.h"
#include "kern/task/task.h"
#include "mm/base/mm_errno.h"
#include "mm/mm.h"

#define NR_OPEN (1u << 20) /* Linux's sysctl_nr_open */

void rlimits_init(struct rlimits *limits)
{
	for (unsigned i = 0; i < RLIM_NLIMITS; i++)
		limits->of[i] = (struct rlimit64){RLIM_INFINITY, RLIM_INFINITY};
	limits->of[RLIMIT_STACK].cur = VM_LIMITS_DEFAULT.stack;
	limits->of[RLIMIT_CORE] = (struct rlimit64){0, 0};
	limits->of[RLIMIT_NPROC] = (struct rlimit64){PID_MAX - PID_FIRST, PID_MAX - PID_FIRST};
	limits->of[RLIMIT_NOFILE] = (struct rlimit64){FILES_MAX, FILES_MAX};
	limits->of[RLIMIT_MEMLOCK] = (struct rlimit64){8u << 20, 8u << 20};
	limits->of[RLIMIT_SIGPENDING] = limits->of[RLIMIT_NPROC];
	limits->of[RLIMIT_MSGQUEUE] = (struct rlimit64){819200, 819200};
	limits->of[RLIMIT_NICE] = limits->of[RLIMIT_RTPRIO] = (struct rlimit64){0, 0};
}

void rlimits_apply(const struct rlimits *limits, struct mm *mm)
{
	mm_set_limits(mm, &(struct vm_limits){
				  .as = limits->of[RLIMIT_AS].cur,
				  .stack = limits->of[RLIMIT_STACK].cur,
				  .data = limits->of[RLIMIT_DATA].cur,
				  .data_max = limits->of[RLIMIT_DATA].max,
			  });
}

static int64_t set_limit(struct process *process, uint32_t resource, const struct rlimit64 *new)
{
	struct mm *mm = process_mm(process);

	if (new->cur > new->max)
		return -MM_EINVAL;
	if (resource == RLIMIT_NOFILE && new->max > NR_OPEN)
		return -MM_EPERM;
	process->limits.of[resource] = *new;
	if (mm)
		rlimits_apply(&process->limits, mm);
	return 0;
}

SYSCALL(getrlimit)
{
	uint32_t resource = (uint32_t)ARG0(regs);
	const struct rlimit64 *limit;

	if (resource >= RLIM_NLIMITS)
		return -MM_EINVAL;
	limit = &current()->process->limits.of[resource];
	return copy_to_user(ARG1(regs), limit, sizeof(*limit)) ? -MM_EFAULT : 0;
}

SYSCALL(setrlimit)
{
	struct rlimit64 new;

	if (copy_from_user(&new, ARG1(regs), sizeof(new)))
		return -MM_EFAULT;
	if ((uint32_t)ARG0(regs) >= RLIM_NLIMITS)
		return -MM_EINVAL;
	return set_limit(current()->process, (uint32_t)ARG0(regs), &new);
}

/* As on Linux, pid is a thread's number too. */
SYSCALL(prlimit64)
{
	int32_t pid = (int32_t)ARG0(regs);
	uint32_t resource = (uint32_t)ARG1(regs);
	struct task *task;
	struct rlimit64 new, old;
	int64_t error;

	if (ARG2(regs) && copy_from_user(&new, ARG2(regs), sizeof(new)))
		return -MM_EFAULT;
	task = pid ? task_find(pid) : current();
	if (!task)
		return -MM_ESRCH;
	if (resource >= RLIM_NLIMITS)
		return -MM_EINVAL;
	old = task->process->limits.of[resource];
	error = ARG2(regs) ? set_limit(task->process, resource, &new) : 0;
	if (!error && ARG3(regs) && copy_to_user(ARG3(regs), &old, sizeof(old)))
		return -MM_EFAULT;
	return error;
}
