/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The timer: each CPU's LAPIC in one-shot mode (SDM vol. 3, 11.5.4), for deadlines in TSC time; and
 * interrupts to other CPUs. The registers stand at the same address on each.
 *
 *  1. A CPU switches its LAPIC on as it starts, with every source masked but the timer, which
 *     stands still until the first deadline: one CPU with one task to run never meets it. The
 *     timer's rate is what lapic_khz= says; without it, CPU 0 measures it against the TSC before
 *     there is a first program. So no operation of a program ever pays for it.
 *  2. The count of 32 bits and the rate say about when. If the interrupt comes before the
 *     deadline, the rest is counted down in the same way, so on_timer is never early.
 *  3. An interrupt that finds no deadline, since it has been served already, is dropped.
 *  4. Interrupts are on in ring 3 and between `sti` and `cli` of arch_idle, nowhere else. Where an
 *     interpreter runs ring 0 (quirks=pvm) `hlt` may end and the interrupt still be on its way at
 *     `cli`; so arch_idle looks at the time itself, and the interrupt is dropped by 3.
 */
#include "arch/x86_64/cpu.h"

#include "arch/x86_64/idt.h"
#include "arch/x86_64/arch.h"
#include "kern/kern.h"
#include "kern/task/clock.h"

#define LAPIC_PHYS 0xfee00000ull

/* Registers, as indices of 32-bit words (SDM vol. 3, table 11-1). */
enum {
	LAPIC_ID = 0x020 / 4,
	LAPIC_EOI = 0x0b0 / 4,
	LAPIC_SPURIOUS = 0x0f0 / 4,
	LAPIC_ICR_LOW = 0x300 / 4,
	LAPIC_ICR_HIGH = 0x310 / 4,
	LAPIC_LVT_TIMER = 0x320 / 4,
	LAPIC_LVT_LINT0 = 0x350 / 4,
	LAPIC_LVT_LINT1 = 0x360 / 4,
	LAPIC_LVT_ERROR = 0x370 / 4,
	LAPIC_INITIAL_COUNT = 0x380 / 4,
	LAPIC_CURRENT_COUNT = 0x390 / 4,
	LAPIC_DIVIDE = 0x3e0 / 4,
};

#define SPURIOUS_ENABLE (1u << 8)
#define LVT_MASKED (1u << 16) /* one-shot mode is 0 */
#define DIVIDE_BY_1 0xbu
#define ICR_ASSERT (1u << 14)
#define ICR_PENDING (1u << 12)
#define ICR_NMI (4u << 8)
#define ICR_INIT (5u << 8)
#define ICR_STARTUP (6u << 8)

#define RATE_SHIFT 24
#define RATE_TSC (1ull << 18) /* how long it is measured: well above what an exit costs */

static volatile uint32_t *lapic;
static uint64_t rate; /* the timer's ticks per TSC tick, times 2^RATE_SHIFT */
static void (*on_timer)(struct trap_frame *);

/* The count is read just before the TSC at both ends: what reading it costs is in neither. */
static uint64_t rate_measured(void)
{
	uint64_t first, start, now, ticks;

	lapic[LAPIC_INITIAL_COUNT] = UINT32_MAX;
	first = lapic[LAPIC_CURRENT_COUNT];
	start = port_tsc();
	do
		now = port_tsc();
	while (now - start < RATE_TSC);
	ticks = first - lapic[LAPIC_CURRENT_COUNT];
	now = port_tsc();
	lapic[LAPIC_INITIAL_COUNT] = 0;
	return (ticks << RATE_SHIFT) / (now - start);
}

static void rate_init(void)
{
	uint64_t khz = cmdline_u64("lapic_khz", 0);

	rate = khz ? (khz << RATE_SHIFT) / clock_tsc_khz() : rate_measured();
	if (!rate)
		port_panic("lapic: the timer does not count");
}

void lapic_init_cpu(void)
{
	if (!lapic)
		lapic = paging_map_lapic(LAPIC_PHYS);
	if (lapic[LAPIC_ID] >> 24 != lapic_id((unsigned)this_cpu()->id))
		port_panic("lapic: CPU %lu has number %u", this_cpu()->id, lapic[LAPIC_ID] >> 24);
	lapic[LAPIC_LVT_LINT0] = LVT_MASKED;
	lapic[LAPIC_LVT_LINT1] = LVT_MASKED;
	lapic[LAPIC_LVT_ERROR] = LVT_MASKED;
	lapic[LAPIC_SPURIOUS] = SPURIOUS_ENABLE | VECTOR_SPURIOUS;
	lapic[LAPIC_DIVIDE] = DIVIDE_BY_1;
	lapic[LAPIC_LVT_TIMER] = VECTOR_TIMER;
}

/* ---- interrupts to other CPUs ---- */

unsigned lapic_id(unsigned cpu)
{
	static unsigned shift;
	static bool known;

	if (!known)
		shift = (unsigned)cmdline_u64("apic_shift", 0) & 7;
	known = true;
	return cpu << shift;
}

/* Needs: interrupts off, between the two registers. */
static void send(unsigned id, uint32_t command)
{
	while (unlikely(lapic[LAPIC_ICR_LOW] & ICR_PENDING))
		port_cpu_relax();
	lapic[LAPIC_ICR_HIGH] = id << 24;
	lapic[LAPIC_ICR_LOW] = ICR_ASSERT | command;
}

void lapic_send(unsigned cpu, unsigned vector)
{
	send(lapic_id(cpu), vector);
}

void lapic_send_init(unsigned id)
{
	send(id, ICR_INIT);
}

void lapic_send_startup(unsigned id, unsigned page)
{
	send(id, ICR_STARTUP | page);
}

void lapic_send_nmi(unsigned id)
{
	send(id, ICR_NMI);
}

void lapic_eoi(void)
{
	lapic[LAPIC_EOI] = 0;
}

/* ---- the timer ---- */

/* Counts down to the deadline, or as far towards it as 32 bits reach. */
static void count_down(uint64_t deadline)
{
	uint64_t now = port_tsc(), left = deadline > now ? deadline - now : 0, count;

	if (left > UINT32_MAX)
		left = UINT32_MAX;
	count = (left * rate >> RATE_SHIFT) + 1; /* 0 would stop it */
	lapic[LAPIC_INITIAL_COUNT] = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
}

void arch_timer_init(void (*fn)(struct trap_frame *frame))
{
	on_timer = fn;
	lapic_init_cpu();
	rate_init();
}

void arch_timer_arm(uint64_t tsc)
{
	this_cpu()->deadline = tsc;
	count_down(tsc);
}

void arch_timer_stop(void)
{
	if (this_cpu()->deadline == NO_DEADLINE)
		return;
	this_cpu()->deadline = NO_DEADLINE;
	lapic[LAPIC_INITIAL_COUNT] = 0;
}

/* Tells kern/ if the deadline has come; otherwise goes on counting towards it, if there is one. */
static void expire(struct trap_frame *frame)
{
	struct cpu *cpu = this_cpu();

	if (cpu->deadline == NO_DEADLINE)
		return;
	if (port_tsc() < cpu->deadline) {
		count_down(cpu->deadline);
		return;
	}
	cpu->deadline = NO_DEADLINE;
	on_timer(frame);
}

/* From trap.S. */
void lapic_timer_interrupt(struct trap_frame *frame)
{
	bool user = frame_from_user(frame);

	lapic_eoi();
	if (user)
		task_interrupted();
	expire(user ? frame : NULL);
}

void arch_idle(void)
{
	__asm__ volatile("sti; hlt; cli" ::: "memory");
	expire(NULL);
}
