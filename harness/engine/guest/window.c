/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/vmstat.h"
#include "base/xalloc.h"
#include "engine/guest/window.h"
#include "engine/report.h"

#define WINDOW_ADDR (4ull << 20) /* above the image: it has the 2 MiB from 2 MiB on */
#define WINDOW_ALIGN (2ull << 20)
/* No guest runs for so many faults; the sum over all CPUs stays what JSON can hold. */
#define RING_HEAD_MAX (1ull << 56)

struct reader {
	const char *mem;
	const struct window_spec *spec;
	struct fl_layout layout;
	struct fl_window
		head; /* a copy: a guest that still runs cannot change it under our checks */
};

struct window_spec window_plan(uint32_t nr_cpus, enum fl_recorder_mode recorder,
			       uint64_t ring_events, uint64_t lowest_addr)
{
	struct window_spec w = {.nr_cpus = nr_cpus, .recorder = recorder};

	w.ring_events = recorder == FL_RECORDER_RAW ? ring_events : 0;
	w.addr = lowest_addr > WINDOW_ADDR ? lowest_addr : WINDOW_ADDR;
	w.addr = (w.addr + WINDOW_ALIGN - 1) & ~(WINDOW_ALIGN - 1);
	w.size = (fl_window_layout(nr_cpus, w.ring_events).end + 4095) & ~4095ull;
	return w;
}

static const struct fl_cpu_block *cpu_block(const struct reader *r, uint32_t cpu)
{
	return (const struct fl_cpu_block *)(r->mem + r->layout.cpu_blocks) + cpu;
}

static const char *check_head(const struct reader *r, bool orderly)
{
	const struct fl_window *w = &r->head;

	if (w->version != FL_ABI_VERSION)
		return "the window is of another version of faultline_abi.h";
	if (w->nr_cpus != r->spec->nr_cpus)
		return "the window's number of CPUs is not the machine's";
	if (w->size != r->spec->size)
		return "the window's size is not the one on the command line";
	if (w->ring_events != r->spec->ring_events)
		return "the window's ring is not of the size on the command line";
	if (w->nr_classes != FL_NR_CLASSES || w->nr_vmstat != FL_NR_VMSTAT ||
	    w->hist_buckets != FL_HIST_BUCKETS)
		return "the window's counts of classes, counters or buckets are not this build's";
	if (w->recorder_mode != r->spec->recorder)
		return "the window's recorder mode is not the one on the command line";
	if (w->state > FL_STATE_PANIC)
		return "the window's state is none that exists";
	if (orderly && w->state < FL_STATE_EXITED)
		return "the guest ended, but its window does not say how";
	if (!memchr(w->reason, '\0', sizeof(w->reason)))
		return "the window's reason has no end";
	return NULL;
}

static const char *check_values(const struct fl_window *w)
{
	if (w->user_report_len > FL_USER_REPORT_MAX)
		return "the window's user report is longer than its place";
	if (w->state == FL_STATE_EXITED && (w->exit_value < 0 || w->exit_value > 255))
		return "the window's exit status is not within 0..255";
	if (w->state == FL_STATE_KILLED && (w->exit_value < 1 || w->exit_value > 64))
		return "the window's signal is none that exists";
	if (w->oops_count > INT64_MAX || w->unsupported_syscalls > INT64_MAX)
		return "a counter in the window overflows";
	if (w->tsc_user && w->tsc_user < w->tsc_entry)
		return "the window's time of the first user instruction lies before boot";
	return NULL;
}

/* The histogram of one class in one set over all CPUs. */
static const char *read_hist(const struct reader *r, unsigned set, unsigned class, struct hist *h)
{
	unsigned __int128 low = 0, high = 0, sum = 0;

	for (uint32_t b = 0; b < FL_HIST_BUCKETS; b++) {
		uint64_t n = 0;

		for (uint32_t cpu = 0; cpu < r->spec->nr_cpus; cpu++)
			n += cpu_block(r, cpu)->hist[set][class].buckets[b];
		if (!n)
			continue;
		hist_add_bucket(h, b, n);
		low += (unsigned __int128)fl_hist_low(b) * n;
		high += (unsigned __int128)fl_hist_high(b) * n;
	}
	for (uint32_t cpu = 0; cpu < r->spec->nr_cpus; cpu++)
		sum += cpu_block(r, cpu)->hist[set][class].sum;
	if (sum > UINT64_MAX)
		return "a histogram's sum in the window does not fit 64 bits";
	h->sum = (uint64_t)sum;
	/* a CPU that was stopped in the middle may have one and not yet the other */
	if (r->head.state != FL_STATE_EXITED && r->head.state != FL_STATE_KILLED)
		return NULL;
	return sum >= low && sum <= high
		       ? NULL
		       : "a histogram's sum in the window contradicts its buckets";
}

static const char *read_hists(const struct reader *r, struct outcome *out)
{
	const char *why = NULL;

	for (unsigned c = 0; c < FL_NR_CLASSES && !why; c++) {
		why = read_hist(r, FL_SET_PHASE, c, &out->classes[c]);
		if (!why)
			why = read_hist(r, FL_SET_OUTSIDE, c, &out->outside[c]);
	}
	return why;
}

/* Adds one CPU's counters of a set. */
static const char *add_vmstat(const int64_t *from, int64_t *to)
{
	for (unsigned i = 0; i < FL_NR_VMSTAT; i++) {
		if (!vmstat_is_gauge((enum fl_vmstat)i) && from[i] < 0)
			return "an event counter in the window is negative";
		if (__builtin_add_overflow(to[i], from[i], &to[i]))
			return "a counter in the window overflows";
	}
	return NULL;
}

static const char *read_vmstat(const struct reader *r, struct outcome *out)
{
	int64_t outside[FL_NR_VMSTAT] = {0};
	const char *why = NULL;

	for (uint32_t cpu = 0; cpu < r->spec->nr_cpus && !why; cpu++) {
		why = add_vmstat(cpu_block(r, cpu)->vmstat[FL_SET_PHASE], out->vmstat);
		memcpy(out->cpus[cpu].vmstat, cpu_block(r, cpu)->vmstat[FL_SET_PHASE],
		       sizeof(out->cpus[cpu].vmstat));
		if (!why)
			why = add_vmstat(cpu_block(r, cpu)->vmstat[FL_SET_OUTSIDE], outside);
	}
	for (unsigned i = 0; i < FL_NR_VMSTAT && !why; i++)
		if (vmstat_is_gauge((enum fl_vmstat)i) &&
		    __builtin_add_overflow(out->vmstat[i], outside[i], &out->vmstat[i]))
			why = "a counter in the window overflows";
	return why;
}

/* Appends the events that one CPU's ring holds. */
static const char *read_ring(const struct reader *r, uint32_t cpu, struct outcome *out)
{
	const struct fl_cpu_block *b = cpu_block(r, cpu);
	const struct fl_event *ring =
		(const struct fl_event *)(r->mem + r->layout.rings) + cpu * r->spec->ring_events;
	uint64_t n = b->ring_head - b->ring_dropped;

	if (b->ring_dropped > b->ring_head || n > r->spec->ring_events ||
	    b->ring_head > RING_HEAD_MAX)
		return "a ring's head and drops in the window contradict its size";
	out->events_dropped += b->ring_dropped;
	out->cpus[cpu].nr_events = n;
	if (!n)
		return NULL;
	out->events = xrealloc(out->events, (out->nr_events + n) * sizeof(*ring));
	for (uint64_t i = 0; i < n; i++) {
		if (ring[i].class >= FL_NR_CLASSES || ring[i].set >= FL_NR_SETS)
			return "an event in the window is of no class or set that exists";
		out->events[out->nr_events++] = ring[i];
	}
	return NULL;
}

static const char *read_rings(const struct reader *r, struct outcome *out)
{
	const char *why = NULL;

	if (r->spec->recorder != FL_RECORDER_RAW)
		return NULL;
	for (uint32_t cpu = 0; cpu < r->spec->nr_cpus && !why; cpu++)
		why = read_ring(r, cpu, out);
	return why;
}

static const char *read_report(const struct reader *r, struct outcome *out, char **reason)
{
	if (!r->head.user_report_len)
		return NULL;
	return report_parse(r->mem + r->layout.user_report, r->head.user_report_len, out, reason);
}

static const char *read_all(const struct reader *r, bool orderly, struct outcome *out,
			    char **reason)
{
	const char *why = check_head(r, orderly);

	if (!why)
		why = check_values(&r->head);
	if (why)
		return why;
	out->nr_cpus = r->spec->nr_cpus;
	out->cpus = xcalloc(out->nr_cpus, sizeof(*out->cpus));
	why = read_hists(r, out);
	if (!why)
		why = read_vmstat(r, out);
	if (!why)
		why = read_rings(r, out);
	return why ? why : read_report(r, out, reason);
}

static void fill_head(const struct fl_window *w, struct outcome *out, char **reason)
{
	out->have_window = true;
	out->state = (enum fl_state)w->state;
	out->exit_value = w->exit_value;
	out->boot_to_user = w->tsc_user ? w->tsc_user - w->tsc_entry : 0;
	out->oops_count = w->oops_count;
	out->unsupported_syscalls = w->unsupported_syscalls;
	if (w->state == FL_STATE_PANIC) {
		free(*reason);
		*reason = xstrdup(w->reason);
	}
}

/* Takes back what was read before the nonsense was found. */
static void forget(struct outcome *out)
{
	for (unsigned c = 0; c < FL_NR_CLASSES; c++) {
		hist_free(&out->classes[c]);
		hist_free(&out->outside[c]);
	}
	memset(out->classes, 0, sizeof(out->classes));
	memset(out->outside, 0, sizeof(out->outside));
	memset(out->vmstat, 0, sizeof(out->vmstat));
	free(out->cpus);
	out->cpus = NULL;
	out->nr_cpus = 0;
	free(out->events);
	out->events = NULL;
	out->nr_events = 0;
	out->events_dropped = 0;
}

enum window_result window_read(const void *mem, const struct window_spec *spec, bool orderly,
			       struct outcome *out, const char **why, char **reason)
{
	struct reader r = {.mem = mem, .spec = spec};

	*reason = NULL;
	*why = NULL;
	r.layout = fl_window_layout(spec->nr_cpus, spec->ring_events);
	memcpy(&r.head, mem, sizeof(r.head));
	if (!r.head.magic)
		return WINDOW_NONE;
	*why = r.head.magic == FL_MAGIC ? read_all(&r, orderly, out, reason)
					: "the window has another magic number";
	if (*why) {
		forget(out);
		return WINDOW_NONSENSE;
	}
	fill_head(&r.head, out, reason);
	return WINDOW_GOOD;
}
