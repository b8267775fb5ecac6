/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clocks and sleeping. Every clock counts from the machine's start. */
#include "kern/task/clock.h"

#include "arch/x86_64/arch.h"
#include "kern/sys/kern_call_flags.h"
#include "kern/sys/kern_syscall.h"
#include "kern/task/task.h"
#include "mm/base/mm_errno.h"
#include "port/port.h"

enum {
	CLOCK_REALTIME = 0,
	CLOCK_MONOTONIC = 1,
	CLOCK_BOOTTIME = 7,
	CLOCK_SGI_CYCLE = 10,
	CLOCK_TAI = 11, /* the last */
};
#define DEFAULT_TSC_KHZ 1000000 /* under icount a tick is a nanosecond */
#define NSEC_PER_SEC 1000000000ull
#define FOREVER ((uint64_t)INT64_MAX) /* in TSC ticks */

struct timespec {
	int64_t sec, nsec;
};

uint64_t clock_tsc_khz(void)
{
	static uint64_t tsc_khz;

	if (!tsc_khz)
		tsc_khz = cmdline_u64("tsc_khz", 0) ?: DEFAULT_TSC_KHZ;
	return tsc_khz;
}

static struct timespec from_tsc(uint64_t tsc)
{
	uint64_t khz = clock_tsc_khz();

	return (struct timespec){(int64_t)(tsc / (khz * 1000)),
				 (int64_t)(tsc % (khz * 1000) * 1000000 / khz)};
}

/* The first tick not before `t`, at most FOREVER. */
static uint64_t to_tsc(const struct timespec *t)
{
	uint64_t khz = clock_tsc_khz(), ticks;

	if (__builtin_mul_overflow((uint64_t)t->sec, khz * 1000, &ticks))
		return FOREVER;
	if (__builtin_add_overflow(ticks, ((uint64_t)t->nsec * khz + 999999) / 1000000, &ticks))
		return FOREVER;
	return ticks < FOREVER ? ticks : FOREVER;
}

static bool is_clock(uint64_t id)
{
	return id <= CLOCK_TAI && id != CLOCK_SGI_CYCLE;
}

/* Those that go on while a process sleeps, and that need no alarm clock. */
static bool is_sleep_clock(uint64_t id)
{
	return id == CLOCK_REALTIME || id == CLOCK_MONOTONIC || id == CLOCK_BOOTTIME ||
	       id == CLOCK_TAI;
}

SYSCALL(clock_gettime)
{
	struct timespec now = from_tsc(port_tsc());

	if (!is_clock((uint32_t)ARG0(regs)))
		return -MM_EINVAL;
	return copy_to_user(ARG1(regs), &now, sizeof(now)) ? -MM_EFAULT : 0;
}

/* What is left of a sleep that a signal ended. */
static int64_t interrupted(uint64_t deadline, uint64_t user_left)
{
	uint64_t now = port_tsc();
	struct timespec left = from_tsc(deadline > now ? deadline - now : 0);

	if (user_left && copy_to_user(user_left, &left, sizeof(left)))
		return -MM_EFAULT;
	return -MM_EINTR;
}

int64_t clock_read_deadline(uint64_t user, bool absolute, uint64_t *tsc)
{
	struct timespec t;

	if (copy_from_user(&t, user, sizeof(t)))
		return -MM_EFAULT;
	if (t.sec < 0 || (uint64_t)t.nsec >= NSEC_PER_SEC)
		return -MM_EINVAL;
	*tsc = to_tsc(&t) + (absolute ? 0 : port_tsc());
	return 0;
}

/* A signal that ends a sleep has a handler to run, or ends the process; as on Linux no sleep is
 * made again after a handler. */
static int64_t do_sleep(uint64_t user, bool absolute, uint64_t user_left)
{
	uint64_t deadline;
	int64_t error = clock_read_deadline(user, absolute, &deadline);

	if (error)
		return error;
	if (!sched_sleep_until(deadline))
		return 0;
	return absolute ? -ERESTART_NOHAND : interrupted(deadline, user_left);
}

SYSCALL(nanosleep)
{
	return do_sleep(ARG0(regs), false, ARG1(regs));
}

SYSCALL(clock_nanosleep)
{
	uint64_t id = (uint32_t)ARG0(regs);

	if (!is_clock(id))
		return -MM_EINVAL;
	if (!is_sleep_clock(id))
		return -MM_EOPNOTSUPP;
	return do_sleep(ARG2(regs), ARG1(regs) & TIMER_ABSTIME, ARG3(regs));
}

SYSCALL(sched_yield)
{
	sched_yield();
	return 0;
}
