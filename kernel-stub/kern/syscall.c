/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dispatch: one table made of syscall.def. The way of a call that isn't here is as short as any: a
 * comparison, the counter, one bit that says whether it was logged before.
 */
#include "syscall.h"

#include "errno.h"
#include "port.h"
#include "kern.h"
#include "signal.h"

#define NR_TABLE 512u /* beyond Linux's last */

static int64_t (*const table[NR_TABLE])(struct trap_frame *) = {
#define SYSCALL_DEF(nr, name) [nr] = sys_##name,
#include "syscall.def"
#undef SYSCALL_DEF
};

/* Numbers logged; those beyond the table share the last bit. */
static uint64_t logged[NR_TABLE / 64 + 1];

static __attribute__((noinline, cold)) void log_missing(uint64_t nr)
{
	printk("%s[%d]: system call %lu is not there (ENOSYS)\n", task_comm(), task_pid(), nr);
}

static int64_t missing(uint64_t nr)
{
	uint64_t slot = nr < NR_TABLE ? nr : NR_TABLE, bit = 1ull << slot % 64;

	telemetry_unsupported_syscall();
	if (unlikely(!(logged[slot / 64] & bit))) {
		logged[slot / 64] |= bit;
		log_missing(nr);
	}
	return -MM_ENOSYS;
}

void syscall_dispatch(struct trap_frame *regs)
{
	uint64_t nr = regs->error_code;

	if (likely(nr < NR_TABLE) && table[nr])
		regs->rax = (uint64_t)table[nr](regs);
	else if (nr == FL_SYS_STUBCTL)
		regs->rax = (uint64_t)sys_stubctl(regs);
	else
		regs->rax = (uint64_t)missing(nr);
	signal_deliver_pending(regs);
}
