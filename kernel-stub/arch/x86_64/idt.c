/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interrupt descriptor table. Which entry a page fault takes changes while the kernel runs:
 * with the recorder's mode, with arch_before_next_fault(), and with kpti=on.
 */
#include "arch/x86_64/idt.h"

#include "arch/x86_64/arch.h"

#define GATE_INTERRUPT 0x8eu
#define GATE_RING3 0x60u

/* Two words (SDM vol. 3, figure 6-8), of which the first is all that changes later. */
struct gate {
	uint64_t low, high;
};

/* Called from trap.S. */
void idt_page_fault_once(void);

extern char trap_entry_page_fault_off[], trap_entry_page_fault_hist[], trap_entry_page_fault_raw[],
	trap_entry_page_fault_pvm[], trap_entry_page_fault_once[];
extern char trap_entry_0[], trap_entry_1[], trap_entry_2[], trap_entry_3[], trap_entry_4[],
	trap_entry_5[], trap_entry_6[], trap_entry_7[], trap_entry_8[], trap_entry_9[],
	trap_entry_10[], trap_entry_11[], trap_entry_12[], trap_entry_13[], trap_entry_15[],
	trap_entry_16[], trap_entry_17[], trap_entry_18[], trap_entry_19[], trap_entry_20[],
	trap_entry_21[], trap_entry_timer[], trap_entry_reschedule[], trap_entry_request[],
	trap_entry_spurious[];

char *idt_page_fault_entry; /* what the pvm entry goes on to */
char *idt_page_fault_first; /* what the gate goes to, but for kpti=on */
static struct gate idt[PAGE_SIZE / sizeof(struct gate)] __attribute__((aligned(4096)));
const struct gate *const idt_page = idt;

/* What may change while other CPUs run, the place within the kernel's image, is in the first word:
 * one store. */
static void gate_set(unsigned vector, const char *entry, uint64_t ist, uint64_t dpl)
{
	uint64_t at = (uint64_t)entry;

	idt[vector].high = at >> 32;
	__atomic_store_n(&idt[vector].low,
			 (at & 0xffff) | GDT_KERNEL_CODE << 16 | ist << 32 |
				 (GATE_INTERRUPT | dpl) << 40 | (at >> 16 & 0xffff) << 48,
			 __ATOMIC_RELEASE);
}

static void page_fault_entry_set(char *entry)
{
	idt_page_fault_entry = entry;
	idt_page_fault_first = cpu_features.quirks_pvm ? trap_entry_page_fault_pvm : entry;
	if (!cpu_features.kpti)
		gate_set(VECTOR_PF, idt_page_fault_first, 0, 0);
}

void idt_select_page_fault(enum fl_recorder_mode mode)
{
	static char *const entries[] = {
		[FL_RECORDER_OFF] = trap_entry_page_fault_off,
		[FL_RECORDER_HIST] = trap_entry_page_fault_hist,
		[FL_RECORDER_RAW] = trap_entry_page_fault_raw,
	};

	page_fault_entry_set(entries[mode]);
}

/* What arch_before_next_fault put off, and the entry that it put aside. */
static void (*before_fault)(void);
static char *before_fault_entry;

void arch_before_next_fault(void (*fn)(void))
{
	if (!before_fault)
		before_fault_entry = idt_page_fault_entry;
	before_fault = fn;
	page_fault_entry_set(trap_entry_page_fault_once);
}

/* From trap.S. Another CPU's fault may have been first. */
void idt_page_fault_once(void)
{
	void (*fn)(void) = __atomic_exchange_n(&before_fault, NULL, __ATOMIC_SEQ_CST);

	if (!fn)
		return;
	page_fault_entry_set(before_fault_entry);
	fn();
}

void idt_load(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idtr = {NR_VECTORS * sizeof(idt[0]) - 1, (uint64_t)idt};

	__asm__ volatile("lidt %0" ::"m"(idtr));
}

void idt_set_gates(const char *const *entries)
{
	for (unsigned v = 0; v < NR_VECTORS; v++)
		if (entries[v])
			gate_set(v, entries[v],
				 v == VECTOR_DF	   ? 1
				 : v == VECTOR_NMI ? 2
						   : 0,
				 v == VECTOR_BP || v == VECTOR_OF ? GATE_RING3 : 0);
}

void idt_init(void)
{
	static const char *const entries[NR_VECTORS] = {
		trap_entry_0,
		trap_entry_1,
		trap_entry_2,
		trap_entry_3,
		trap_entry_4,
		trap_entry_5,
		trap_entry_6,
		trap_entry_7,
		trap_entry_8,
		trap_entry_9,
		trap_entry_10,
		trap_entry_11,
		trap_entry_12,
		trap_entry_13,
		[VECTOR_MF - 1] = trap_entry_15,
		trap_entry_16,
		trap_entry_17,
		trap_entry_18,
		trap_entry_19,
		trap_entry_20,
		trap_entry_21,
		[VECTOR_TIMER] = trap_entry_timer,
		[VECTOR_RESCHEDULE] = trap_entry_reschedule,
		[VECTOR_REQUEST] = trap_entry_request,
		[VECTOR_SPURIOUS] = trap_entry_spurious,
	};

	idt_set_gates(entries);
	idt_select_page_fault(FL_RECORDER_OFF);
	idt_load();
}
