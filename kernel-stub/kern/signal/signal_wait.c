/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls that wait for signals, and that ask which there are (Linux kernel/signal.c). */
#include "kern/signal/kern_signal.h"

#include "arch/x86_64/arch.h"
#include "kern/sys/kern_syscall.h"
#include "kern/task/clock.h"
#include "kern/task/task.h"
#include "mm/base/mm_errno.h"

#define SIGSET_SIZE sizeof(uint64_t)

/* Until a signal can be delivered. */
static int64_t sleep_for_signal(void)
{
	struct wait_queue nobody;

	wait_queue_init(&nobody);
	while (!wait_queue_sleep(&nobody))
		;
	return -ERESTART_NOHAND;
}

SYSCALL(pause)
{
	return sleep_for_signal();
}

SYSCALL(rt_sigpending)
{
	const struct signals *s = &current()->signals;
	uint64_t set = (s->pending.set | s->shared->set) & s->blocked;

	if (ARG1(regs) > SIGSET_SIZE)
		return -MM_EINVAL;
	return copy_to_user(ARG0(regs), &set, ARG1(regs)) ? -MM_EFAULT : 0;
}

/* signal_deliver() gives the old mask back: to the handler's frame, or at once if none runs. */
SYSCALL(rt_sigsuspend)
{
	struct signals *s = &current()->signals;
	uint64_t set;

	if (ARG1(regs) != SIGSET_SIZE)
		return -MM_EINVAL;
	if (copy_from_user(&set, ARG0(regs), sizeof(set)))
		return -MM_EFAULT;
	s->suspended = s->blocked;
	s->restore_mask = true;
	s->blocked = set & ~SIGNAL_UNBLOCKABLE;
	current()->signal_ready = true;
	return sleep_for_signal();
}

/* Takes a signal of `set`, waiting for it until port_tsc() reaches `until`: its number, -EAGAIN, or
 * -EINTR for another signal. As long as it waits, the signals count as not blocked, so that they
 * wake it. */
static int64_t wait_for(uint64_t set, uint64_t until, struct signal_origin *from)
{
	struct signals *s = &current()->signals;
	uint64_t blocked = s->blocked;
	int64_t error = 0;
	int signo;

	while (!(signo = signal_take(set, from)) && !error) {
		struct wait_queue nobody;

		wait_queue_init(&nobody);
		s->blocked = blocked & ~set;
		error = wait_queue_sleep_until(&nobody, until);
		s->blocked = blocked;
	}
	current()->signal_ready =
		true; /* what came meanwhile and is blocked again: others may want it */
	if (signo)
		return signo;
	return error == -MM_ETIMEDOUT ? -MM_EAGAIN : -MM_EINTR;
}

SYSCALL(rt_sigtimedwait)
{
	struct signal_info info = {0};
	struct signal_origin from;
	uint64_t set, until = UINT64_MAX;
	int64_t signo;

	if (ARG3(regs) != SIGSET_SIZE)
		return -MM_EINVAL;
	if (copy_from_user(&set, ARG0(regs), sizeof(set)))
		return -MM_EFAULT;
	if (ARG2(regs)) {
		signo = clock_read_deadline(ARG2(regs), false, &until);
		if (signo)
			return signo;
	}
	signo = wait_for(set & ~SIGNAL_UNBLOCKABLE, until, &from);
	if (signo > 0 && ARG1(regs)) {
		info.signo = (int32_t)signo;
		info.code = from.code;
		info.payload = from.payload;
		info.rest[0] = from.value;
		if (copy_to_user(ARG1(regs), &info, sizeof(info)))
			return -MM_EFAULT;
	}
	return signo;
}
