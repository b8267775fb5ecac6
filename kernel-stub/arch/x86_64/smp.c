/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several CPUs: their start, and what they ask of one another.
 *
 * Start. CPU 0 starts the others one by one, by INIT and STARTUP through the LAPIC (SDM vol. 3,
 * 8.4.4). One begins in real mode at a page below 1 MiB, where nothing else lies (boot_memory.c),
 * and takes its struct cpu from boot_other_cpu (boot.S). Each then is what CPU 0 is: the same page
 * tables, control registers, interrupt descriptors; descriptor table, stacks and LAPIC of its own.
 *
 * Requests. A CPU that has changed a translation asks those that may have cached it, and waits;
 * likewise where there is no memory left (pcp.c), where a phase of telemetry begins, and where the
 * machine ends:
 *  1. It describes what it wants in its own struct cpu (`request`), where there is one at a time,
 *     since it waits. Then it sets its bit in `requests` of each CPU that it asks, and sends each
 *     an interrupt.
 *  2. A CPU that is asked takes all bits at once, does what each of them wants, and counts itself
 *     off the asker's `waiting`. After that the asker's request may be gone.
 *  3. It does so in the interrupt, if it is in ring 3 or idle. In ring 0 interrupts are off: there
 *     it answers while it waits for a lock or for answers (port_cpu_relax), so that two CPUs that
 *     ask each other, or one that is asked by the holder of a lock it wants, go on. If it waits for
 *     nothing, the interrupt comes as it leaves for ring 3, before an instruction there.
 *  4. An idle CPU keeps the last address space loaded, in case the next task has it (`lazy`). It
 *     touches no user memory until then, so a flush may leave it alone: the asker counts
 *     mm->tlb_gen up and then looks at `lazy`; the CPU clears `lazy` and then looks at tlb_gen. One
 *     of them sees the other. Not so when page tables are freed: a CPU may walk what it has loaded
 *     at any time, for itself.
 */
#include "arch/x86_64/cpu.h"

#include "arch/x86_64/idt.h"
#include "arch/x86_64/arch.h"
#include "kern/kern.h"
#include "kern/task/clock.h"
#include "mm/mm.h"
#include "mm/phys/buddy.h"
#include "mm/phys/vmstat.h"

#define START_PAGE 8u		/* of physical memory; below 1 MiB */
#define START_TIMEOUT_MS 30000u /* a busy host may not run a virtual CPU for long */
#define AGAIN_MS 1u		/* from the first STARTUP to the second */

/* What another CPU needs of memory: one block. */
struct cpu_area {
	uint8_t stack[KERNEL_STACK_SIZE];
	struct ist_stacks ist;
	struct cpu cpu;
};

#define AREA_ORDER 3
_Static_assert(sizeof(struct cpu_area) <= PAGE_SIZE << AREA_ORDER, "AREA_ORDER");

_Noreturn void smp_other_main(struct cpu *cpu);

extern const char boot_other_start[], boot_other_end[];
extern struct cpu *boot_other_cpu;

/* ---- start ---- */

/* From boot.S, on the new CPU. */
void smp_other_main(struct cpu *cpu)
{
	struct cpu_area *area = container_of(cpu, struct cpu_area, cpu);

	cpu_init_other(cpu, &area->ist);
	if (cpu_apic_id() != lapic_id((unsigned)cpu->id))
		panic("CPU %lu has APIC number %u", cpu->id, cpu_apic_id());
	telemetry_attach_cpu(cpu);
	pcp_init_cpu();
	lapic_init_cpu();
	__atomic_store_n(&cpu->online, 1, __ATOMIC_RELEASE);
	sched_start_cpu(area->stack);
}

static struct cpu *cpu_alloc(unsigned id)
{
	struct page *page = page_alloc_order(AREA_ORDER, MT_UNMOVABLE);
	struct cpu_area *area;

	if (!page)
		panic("no memory for CPU %u", id);
	area = page_to_virt(page);
	memset(area, 0, sizeof(*area));
	area->cpu.id = id;
	kpti_map_cpu(&area->cpu, &area->ist);
	area->cpu.kernel_stack = (uint64_t)area->stack + sizeof(area->stack);
	return &area->cpu;
}

/* Until *word is 1; false after that many milliseconds. */
static bool wait_for(const uint32_t *word, uint64_t ms)
{
	uint64_t start = port_tsc(), ticks = clock_tsc_khz() * ms;

	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != 1) {
		if (port_tsc() - start > ticks)
			return false;
		port_cpu_relax();
	}
	return true;
}

void smp_await(unsigned apic_id, const uint32_t *up)
{
	if (!wait_for(up, START_TIMEOUT_MS))
		panic("the CPU with APIC number %u did not start within %u ms", apic_id,
		      START_TIMEOUT_MS);
}

/* The second STARTUP is for processors that missed the first; one that runs ignores it. */
void smp_startup(unsigned apic_id, const uint32_t *up)
{
	lapic_send_startup(apic_id, START_PAGE);
	if (wait_for(up, AGAIN_MS))
		return;
	lapic_send_startup(apic_id, START_PAGE);
	smp_await(apic_id, up);
}

static void start_cpu(unsigned id)
{
	struct cpu *cpu = cpu_alloc(id);

	boot_other_cpu = cpu;
	cpu_by_id[id] = cpu;
	lapic_send_init(lapic_id(id));
	smp_startup(lapic_id(id), &cpu->online);
}

void arch_start_cpus(void)
{
	unsigned n = boot_info.nr_cpus;

	if (n == 1)
		return;
	if (lapic_id(n - 1) >= cpu_count())
		panic("cpus=%u apic_shift=%u: the machine's APIC numbers end at %u", n,
		      lapic_id(1) >> 1, cpu_count() - 1);
	memcpy(port_pfn_to_virt(START_PAGE), boot_other_start,
	       (size_t)(boot_other_end - boot_other_start));
	ticker_start();
	for (unsigned id = 1; id < n; id++)
		start_cpu(id);
	boot_other_cpu = NULL; /* whoever starts from now on is a ticker */
}

/* ---- scheduling ---- */

void arch_kick(unsigned cpu)
{
	lapic_send(cpu, VECTOR_RESCHEDULE);
}

/* From trap.S. One that waits in arch_idle looks by itself. */
void smp_reschedule_interrupt(struct trap_frame *frame)
{
	lapic_eoi();
	if (!frame_from_user(frame))
		return;
	task_interrupted();
	sched_look(frame);
}

/* ---- requests ---- */

static void flush(const struct cpu_request *r)
{
	if (r->va)
		for (uint32_t i = 0; i < r->nr; i++)
			port_tlb_flush_page(r->mm, r->va[i]);
	else
		port_tlb_flush_all(r->mm);
	vmstat_inc(FL_VMSTAT_TLB_REMOTE_FLUSH_RECEIVED);
}

static void answered(struct cpu_request *r)
{
	__atomic_fetch_sub(&r->waiting, 1, __ATOMIC_SEQ_CST);
}

static _Noreturn void stop(struct cpu_request *r)
{
	answered(r);
	for (;;)
		__asm__ volatile("cli; hlt");
}

static void answer(struct cpu *cpu, struct cpu_request *r)
{
	switch (r->what) {
	case CPU_FLUSH:
		if (!r->mm || cpu->loaded_mm == r->mm)
			flush(r);
		break;
	case CPU_UNLOAD:
		if (cpu->loaded_mm == r->mm && cpu->lazy)
			port_load_mm(NULL);
		break;
	case CPU_SET:
		telemetry_use_set_here(r->set);
		break;
	case CPU_PCP:
		pcp_give(&cpu->mm, r->pcp);
		break;
	case CPU_STOP:
		stop(r);
	}
	answered(r);
}

void smp_answer(void)
{
	struct cpu *cpu = this_cpu();
	uint64_t from = __atomic_exchange_n(&cpu->requests, 0, __ATOMIC_SEQ_CST);

	for (; from; from &= from - 1)
		answer(cpu, &cpu_by_id[__builtin_ctzll(from)]->request);
}

/* From trap.S. */
void smp_request_interrupt(void)
{
	lapic_eoi();
	smp_answer();
}

static void request_start(uint64_t cpus, const struct cpu_request *r)
{
	struct cpu *cpu = this_cpu();

	cpu->request = *r;
	for (uint64_t m = cpus; m; m &= m - 1)
		cpu->request.waiting++;
	for (; cpus; cpus &= cpus - 1) {
		unsigned id = (unsigned)__builtin_ctzll(cpus);

		port_set_bits64(&cpu_by_id[id]->requests, cpu->mm.bit);
		lapic_send(id, VECTOR_REQUEST);
	}
}

static bool request_done(void)
{
	return !__atomic_load_n(&this_cpu()->request.waiting, __ATOMIC_ACQUIRE);
}

void smp_request(uint64_t cpus, const struct cpu_request *r)
{
	request_start(cpus, r);
	while (!request_done())
		port_cpu_relax();
}

uint64_t smp_others(void)
{
	uint64_t cpus = 0;

	for (unsigned id = 0; id < boot_info.nr_cpus; id++)
		if (cpu_by_id[id] && __atomic_load_n(&cpu_by_id[id]->online, __ATOMIC_ACQUIRE))
			cpus |= 1ull << id;
	return cpus & ~(1ull << port_cpu_id());
}

void smp_stop_others(void)
{
	uint64_t cpus = smp_others(), start = port_tsc();

	if (!cpus)
		return;
	request_start(cpus, &(struct cpu_request){.what = CPU_STOP});
	while (!request_done() && port_tsc() - start < clock_tsc_khz() * 1000)
		port_cpu_relax();
}

/* ---- address spaces between two users ---- */

void arch_mm_lazy(void)
{
	struct cpu *cpu = this_cpu();

	if (cpu->loaded_mm)
		__atomic_store_n(&cpu->lazy, 1, __ATOMIC_RELEASE);
}

uint64_t smp_lazy_cpus(uint64_t cpus)
{
	uint64_t lazy = 0;

	for (; cpus; cpus &= cpus - 1) {
		unsigned id = (unsigned)__builtin_ctzll(cpus);

		if (__atomic_load_n(&cpu_by_id[id]->lazy, __ATOMIC_SEQ_CST))
			lazy |= 1ull << id;
	}
	return lazy;
}

void smp_mm_resume(struct mm *mm)
{
	struct cpu *cpu = this_cpu();
	int64_t gen;

	__atomic_exchange_n(&cpu->lazy, 0, __ATOMIC_SEQ_CST);
	gen = __atomic_load_n(&mm->tlb_gen, __ATOMIC_SEQ_CST);
	if (gen == cpu->tlb_gen)
		return;
	cpu->tlb_gen = gen;
	port_tlb_flush_all(mm);
}

void arch_mm_unload(struct mm *mm)
{
	uint64_t cpus = __atomic_load_n(&mm->cpus, __ATOMIC_SEQ_CST);

	if (cpus)
		smp_request(cpus, &(struct cpu_request){.what = CPU_UNLOAD, .mm = mm});
}
