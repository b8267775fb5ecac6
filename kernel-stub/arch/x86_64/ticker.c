/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns of several CPUs under QEMU's TCG with icount, which runs them on one thread: in rounds, one
 * after the other. A turn ends at a pause, at a hlt, and where the clock comes to the deadline of a
 * timer. interleave=T gives turns of T instructions, without an interrupt or an instruction on any
 * of our CPUs, by CPUs that do nothing else: the tickers, the last in QEMU's list.
 *
 *  1. tickers=1: QEMU up to 8.0. A CPU runs until the deadline, so all there need be is a timer
 *     that counts T again and again. The ticker sets it and halts for ever.
 *  2. tickers=4: QEMU since 8.1. As it begins a round, it divides the time to the next deadline by
 *     the number C of its CPUs, halted ones too, and that is each one's turn in the round. So
 *     whenever a round begins, the next deadline must be C * T ahead, however much of the last one
 *     was used: at the end of each round, a ticker sets a timer anew.
 *  3. But a timer that becomes the first of all to run out makes QEMU divide what is left again, at
 *     each CPU. Two things don't: to set a timer behind the first, and to take the first away. So
 *     in each round it is the timer of another ticker that counts, the one before in the list
 *     (ticker_round, downwards, counted by the first of them): this one sets its own behind the
 *     one that has counted until now, whose ticker comes next, sees it, and takes its own away.
 *     Where the round comes back from the first ticker to the last, the first one can't wait for
 *     that, and sets its timer anew: in that round, one of four, turns become shorter from CPU to
 *     CPU, by 1/C each. At no time does no timer count. So where the deadline of another timer is
 *     so near that a ticker's own turn is too short for what it does, it goes on in the next, and
 *     nothing is lost but evenness.
 *  4. Where every CPU waits, no turns are needed, and the clock may go on to the next deadline of
 *     theirs at once: the tickers rest. An NMI has each look at its count again, which is 0 then.
 *     (INIT would stop a LAPIC's timer, too, but QEMU takes it for the end of the CPU's turn, and
 *     puts the clock on to the next deadline, up to 10^8 ticks away.)
 */
#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpu.h"

#include "kern/kern.h"

#define SHARING_TICKERS 4u
#define STEPS 10u /* what one of them executes in another's round */

extern uint32_t ticker_count, ticker_last, ticker_first, ticker_step, ticker_up;
extern uint64_t ticker_idt[];
extern const char ticker_nmi[];

static unsigned nr_tickers;
static uint32_t count; /* of the first ticker's timer; those behind count STEPS less each */

/* Several: the timer is set, the tickers behind execute their steps, and then it must be at least
 * C * T ahead, and less than C more: what doesn't divide evenly is dropped. C is 7 or more. */
static uint64_t count_for(uint64_t turn)
{
	if (nr_tickers == 1)
		return turn - 1;
	return turn * cpu_count() + (SHARING_TICKERS - 1) * STEPS + 4;
}

/* An interrupt gate of 32-bit code (SDM vol. 3, 6.11). */
static uint64_t gate(uint64_t at)
{
	return (at & 0xffff) | GDT_BOOT_CODE32 << 16 | 0x8eull << 40 | (at >> 16 & 0xffff) << 48;
}

/* Panics where the harness asks for what can't be. */
static void check(uint64_t turn)
{
	if (nr_tickers != 1 && nr_tickers != SHARING_TICKERS)
		panic("tickers=%u: want 1 or %u", nr_tickers, SHARING_TICKERS);
	if (lapic_id(1) == 1 || ticker_first + nr_tickers != cpu_count())
		panic("interleave=%lu: want %u spare CPUs behind the last, and apic_shift", turn,
		      nr_tickers);
	if (turn < 2 || turn > UINT32_MAX || count_for(turn) > UINT32_MAX)
		panic("interleave=%lu: too %s", turn, turn < 2 ? "short" : "long");
}

void ticker_start(void)
{
	uint64_t turn = cmdline_u64("interleave", 0);

	if (!turn)
		return;
	nr_tickers = (unsigned)cmdline_u64("tickers", 1);
	ticker_first = lapic_id(boot_info.nr_cpus - 1) + 1;
	check(turn);
	ticker_last = nr_tickers - 1;
	ticker_step = STEPS;
	ticker_idt[2] = gate((uint64_t)ticker_nmi - KERNEL_BASE);
	ticker_count = count = (uint32_t)count_for(turn);
	for (unsigned i = 0; i < nr_tickers; i++) {
		ticker_up = 0;
		lapic_send_init(ticker_first + i);
		smp_startup(ticker_first + i, &ticker_up);
	}
}

void arch_turns_stop(void)
{
	ticker_count = 0;
	for (unsigned i = 0; i < nr_tickers; i++)
		lapic_send_nmi(ticker_first + i);
}

void arch_turns_start(void)
{
	ticker_count = count;
	for (unsigned i = 0; i < nr_tickers; i++) {
		ticker_up = 0;
		lapic_send_nmi(ticker_first + i);
		smp_await(ticker_first + i, &ticker_up);
	}
}
