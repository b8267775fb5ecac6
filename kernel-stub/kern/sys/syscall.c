/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dispatch: one table made of syscall.def. The way of a call that isn't here is as short as any: a
 * comparison, the counter, one flag that says whether it was logged before.
 */
#include "kern/sys/kern_syscall.h"

#include "kern/kern.h"
#include "kern/kern_lock.h"
#include "kern/signal/kern_signal.h"
#include "kern/task/task.h"
#include "mm/base/mm_errno.h"
#include "port/port.h"

#define NR_TABLE 512u /* beyond Linux's last */

/* Handlers under kern_lock: each has its own way through it, so that the others, which are tuned,
 * pay nothing. */
#define SYSCALL_DEF(nr, name)                                                                      \
	static int64_t locked_##name(struct trap_frame *regs)                                      \
	{                                                                                          \
		int64_t result;                                                                    \
                                                                                                   \
		kern_lock();                                                                       \
		result = sys_##name(regs);                                                         \
		kern_unlock();                                                                     \
		return result;                                                                     \
	}
#define SYSCALL_UNLOCKED(nr, name)
#include "kern/sys/syscall.def"
#undef SYSCALL_DEF
#undef SYSCALL_UNLOCKED

static int64_t (*const table[NR_TABLE])(struct trap_frame *) = {
#define SYSCALL_DEF(nr, name) [nr] = locked_##name,
#define SYSCALL_UNLOCKED(nr, name) [nr] = sys_##name,
#include "kern/sys/syscall.def"
#undef SYSCALL_DEF
#undef SYSCALL_UNLOCKED
};

/* Numbers logged; those beyond the table share the last place. */
static bool logged[NR_TABLE + 1];

/* Every way back to ring 3 ends here. */
static inline void finish(struct trap_frame *regs, int64_t result)
{
	regs->rax = (uint64_t)result;
	if (unlikely(current()->signal_ready))
		signal_deliver(regs, true);
}

static __attribute__((noinline, cold)) void missing_first(struct trap_frame *regs, bool *was_logged)
{
	*was_logged = true;
	printk("%s[%d]: system call %u is not there (ENOSYS)\n", task_comm(), task_pid(),
	       (uint32_t)regs->error_code);
	finish(regs, -MM_ENOSYS);
}

static inline void missing(struct trap_frame *regs, bool *was_logged)
{
	telemetry_unsupported_syscall();
	if (unlikely(!*was_logged))
		missing_first(regs, was_logged);
	else
		finish(regs, -MM_ENOSYS);
}

/* Apart, so that the ways above save no register. */
static __attribute__((noinline)) void run(struct trap_frame *regs,
					  int64_t (*handler)(struct trap_frame *))
{
	finish(regs, handler(regs));
}

/* EAX alone, as on Linux; no call has a negative one. Loaded as such: a conversion takes the
 * compiler one instruction more. */
static inline uint32_t number(const struct trap_frame *regs)
{
	uint32_t nr;

	__builtin_memcpy(&nr, &regs->error_code, sizeof(nr));
	return nr;
}

void syscall_dispatch(struct trap_frame *regs)
{
	uint32_t nr = number(regs);

	if (unlikely(nr >= NR_TABLE)) {
		if (nr == FL_SYS_STUBCTL)
			run(regs, sys_stubctl);
		else
			missing(regs, &logged[NR_TABLE]);
	} else if (likely(table[nr])) {
		run(regs, table[nr]);
	} else {
		missing(regs, &logged[nr]);
	}
}
