/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dispatch: one table made of syscall.def. The way of a call that isn't here is as short as any: a
 * comparison, the counter, one flag that says whether it was logged before.
 */
#include "syscall.h"

#include "errno.h"
#include "port.h"
#include "kern.h"
#include "signal.h"
#include "task.h"

#define NR_TABLE 512u /* beyond Linux's last */

static int64_t (*const table[NR_TABLE])(struct trap_frame *) = {
#define SYSCALL_DEF(nr, name) [nr] = sys_##name,
#include "syscall.def"
#undef SYSCALL_DEF
};

/* Numbers logged; those beyond the table share the last place. */
static bool logged[NR_TABLE + 1];

static __attribute__((noinline, cold)) void log_missing(uint64_t nr, uint64_t slot)
{
	logged[slot] = true;
	printk("%s[%d]: system call %lu is not there (ENOSYS)\n", task_comm(), task_pid(), nr);
}

static inline int64_t missing(uint64_t nr, uint64_t slot)
{
	telemetry_unsupported_syscall();
	if (unlikely(!logged[slot]))
		log_missing(nr, slot);
	return -MM_ENOSYS;
}

void syscall_dispatch(struct trap_frame *regs)
{
	uint64_t nr = regs->error_code;

	if (unlikely(nr >= NR_TABLE))
		regs->rax = (uint64_t)(nr == FL_SYS_STUBCTL ? sys_stubctl(regs)
							    : missing(nr, NR_TABLE));
	else if (table[nr])
		regs->rax = (uint64_t)table[nr](regs);
	else
		regs->rax = (uint64_t)missing(nr, nr);
	if (unlikely(task_running->signal_ready))
		signal_deliver(regs);
}
