/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The telemetry window: laid out as faultline_abi.h says, in memory that the harness hands over
 * zeroed. Without one (`telemetry=` absent) counters go to a spare row and nothing is recorded.
 */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/idt.h"
#include "kern/boot/boot.h"
#include "kern/kern.h"

static struct fl_window *window;
static struct fl_layout layout;
static uint64_t entry_tsc;
uint64_t telemetry_unsupported;
static int64_t spare_vmstat[FL_NR_VMSTAT];

static enum fl_recorder_mode mode_wanted(void)
{
	char text[8];

	if (!window || !cmdline_get("recorder", text, sizeof(text)) ||
	    cmdline_flag("recorder", "off"))
		return FL_RECORDER_OFF;
	if (cmdline_flag("recorder", "hist"))
		return FL_RECORDER_HIST;
	if (cmdline_flag("recorder", "raw"))
		return FL_RECORDER_RAW;
	panic("recorder=%s: want off, hist or raw", text);
}

static void *window_at(uint64_t offset)
{
	return (uint8_t *)window + offset;
}

static void window_init(enum fl_recorder_mode mode)
{
	uint64_t events = mode == FL_RECORDER_RAW ? cmdline_u64("ring", 65536) : 0;

	if (events > 1ull << 24)
		panic("ring=%lu: at most %lu", events, 1ul << 24);
	layout = fl_window_layout(boot_info.nr_cpus, events);
	if (layout.end > boot_telemetry.end - boot_telemetry.start)
		panic("telemetry: the window needs %lu bytes", layout.end);
	window->version = FL_ABI_VERSION;
	window->nr_cpus = boot_info.nr_cpus;
	window->size = boot_telemetry.end - boot_telemetry.start;
	window->ring_events = events;
	window->nr_classes = FL_NR_CLASSES;
	window->nr_vmstat = FL_NR_VMSTAT;
	window->hist_buckets = FL_HIST_BUCKETS;
	window->recorder_mode = mode;
	window->state = FL_STATE_BOOT;
	window->tsc_entry = entry_tsc;
}

static void cpu_attach(struct cpu *cpu, enum fl_recorder_mode mode)
{
	struct recorder_cpu *r = &cpu->recorder;

	r->mode = mode;
	r->block = (struct fl_cpu_block *)window_at(layout.cpu_blocks) + cpu->id;
	r->ring_events = window->ring_events;
	if (mode == FL_RECORDER_RAW)
		r->ring = (struct fl_event *)window_at(layout.rings) + cpu->id * r->ring_events;
}

void telemetry_tsc_entry(uint64_t tsc)
{
	entry_tsc = tsc;
}

void telemetry_attach_cpu(struct cpu *cpu)
{
	cpu->mm.vmstat = spare_vmstat;
	if (!window)
		return;
	cpu_attach(cpu, (enum fl_recorder_mode)window->recorder_mode);
	telemetry_use_set_here(FL_SET_OUTSIDE);
}

void telemetry_init(void)
{
	enum fl_recorder_mode mode;

	if (boot_telemetry.start != boot_telemetry.end)
		window = port_pfn_to_virt(boot_telemetry.start >> PAGE_SHIFT);
	mode = mode_wanted();
	if (window)
		window_init(mode);
	telemetry_attach_cpu(&cpu0);
	if (window)
		__atomic_store_n(&window->magic, FL_MAGIC, __ATOMIC_RELEASE);
	idt_select_page_fault(mode);
}

void telemetry_use_set(enum fl_set set)
{
	uint64_t others = smp_others();

	telemetry_use_set_here(set);
	if (others)
		smp_request(others, &(struct cpu_request){.what = CPU_SET, .set = set});
}

void telemetry_use_set_here(enum fl_set set)
{
	struct cpu *cpu = this_cpu();

	if (!window)
		return;
	cpu->recorder.set = (uint8_t)set;
	cpu->recorder.hist = cpu->recorder.block->hist[set];
	cpu->mm.vmstat = cpu->recorder.block->vmstat[set];
}

void telemetry_state(enum fl_state state, int exit_value, const char *reason)
{
	size_t i = 0;

	recorder_flush(&this_cpu()->recorder);
	if (!window)
		return;
	for (; reason && reason[i] && i + 1 < FL_REASON_MAX; i++)
		window->reason[i] = reason[i];
	window->reason[i] = '\0';
	window->exit_value = exit_value;
	window->unsupported_syscalls = telemetry_unsupported;
	window->state = state;
}

void telemetry_user_started(void)
{
	if (!window)
		return;
	window->state = FL_STATE_USER;
	window->tsc_user = port_tsc();
}

void *telemetry_user_report(void)
{
	return window ? window_at(layout.user_report) : NULL;
}

void telemetry_user_report_done(uint64_t len)
{
	if (window)
		window->user_report_len = len;
}

void telemetry_oops(void)
{
	if (window)
		window->oops_count++;
}

/* ---- the recorder's slower half ---- */

static void recorder_ring(struct recorder_cpu *r, const struct fault_entry *entry, uint64_t length)
{
	uint64_t head = r->block->ring_head++;

	if (head >= r->ring_events) {
		r->block->ring_dropped++;
		return;
	}
	r->ring[head] = (struct fl_event){
		.tsc = entry->tsc,
		.addr = entry->access.addr,
		.rip = entry->rip,
		.length = length > UINT32_MAX ? UINT32_MAX : (uint32_t)length,
		.class = entry->verdict.class,
		.error_code = entry->access.flags & 31, /* a signal has replaced the frame's */
		.order = entry->verdict.order,
		.set = r->set,
	};
}

void recorder_record_other(struct recorder_cpu *r, const struct fault_entry *entry)
{
	uint64_t length = port_tsc() - entry->tsc;

	if (r->mode != FL_RECORDER_RAW)
		return;
	recorder_hist(r, entry->verdict.class, length);
	recorder_ring(r, entry, length);
}
