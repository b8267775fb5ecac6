/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which QEMU engine tcg starts, and what its version means. engine_qemu_version() is in engine.h.
 */
#ifndef ENGINE_QEMU_H
#define ENGINE_QEMU_H

#include <stdbool.h>

#define QEMU "qemu-system-x86_64"
#define QEMU_OLDEST_MAJOR 7
#define QEMU_TURN_MAX 100000000u /* instructions after which it changes CPU by itself */
#define OLD_QEMU "QEMU is older than 7.0, which does not count instructions exactly enough"

/* What to start: FAULTLINE_QEMU, else QEMU, to be looked for in PATH. Kept. */
const char *qemu_program(void);

/* What to say where it does not start, and how to mend that. Kept. */
const char *qemu_missing(void);

/* NULL if it starts and is new enough, else why not. Kept. */
const char *qemu_unavailable(void);

/* Whether it divides the time to a deadline by the number of CPUs (since 8.1), so that a CPU's turn
 * ends before it. */
bool qemu_shares_turns(void);

#endif
