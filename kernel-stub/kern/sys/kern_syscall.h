/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls: a handler takes the caller's registers and returns the result or a negative error.
 */
#ifndef KERN_SYSCALL_H
#define KERN_SYSCALL_H

#include <stdint.h>

#include "arch/x86_64/frame.h"

#define ARG0(regs) ((regs)->rdi)
#define ARG1(regs) ((regs)->rsi)
#define ARG2(regs) ((regs)->rdx)
#define ARG3(regs) ((regs)->r10)
#define ARG4(regs) ((regs)->r8)
#define ARG5(regs) ((regs)->r9)

/* Defines the handler of a call in syscall.def. */
#define SYSCALL(name) int64_t sys_##name(__attribute__((unused)) struct trap_frame *regs)

#define SYSCALL_DEF(nr, name) SYSCALL(name);
#define SYSCALL_UNLOCKED(nr, name) SYSCALL(name);
#include "kern/sys/syscall.def"
#undef SYSCALL_DEF
#undef SYSCALL_UNLOCKED

/* stubctl: outside the table, its number being far above Linux's. It runs without kern_lock. */
SYSCALL(stubctl);

#endif
