/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the stub, the workloads and the harness share. C11 headers only; versioned.
 *
 * 1. The telemetry window: a piece of guest memory that the harness chooses and names on the
 *    command line (`telemetry=SIZE@ADDR`, bytes, decimal or 0x hex). The stub lays it out with
 *    fl_window_layout(); the harness computes the same layout and checks what the header says
 *    against it, so that no offset is ever taken from the guest on trust.
 * 2. The histogram: log-linear, exact below 256, at most 1/128 wide above, for all 64-bit values.
 * 3. Telemetry sets: everything is recorded into set FL_SET_OUTSIDE, and while a workload has a
 *    phase open (FL_STUBCTL_PHASE_BEGIN..END) into set FL_SET_PHASE. A set is chosen by moving one
 *    base pointer, so that the recorder pays nothing for it.
 * 4. stubctl: the one system call that Linux does not have.
 * 5. The user report: what a workload measured in ring 3. On the stub it travels by
 *    FL_STUBCTL_USER_REPORT into the window; elsewhere through the descriptor in
 *    FAULTLINE_REPORT_FD.
 *
 * Ports: FL_PORT_CONSOLE kernel messages; FL_PORT_STDOUT and FL_PORT_STDERR what ring 3 writes to
 * descriptors 1 and 2; FL_PORT_EXIT ends the machine with an enum fl_exit_code (isa-debug-exit: the
 * VMM's exit status is (code << 1) | 1).
 */
#ifndef FAULTLINE_ABI_H
#define FAULTLINE_ABI_H

#include <stdint.h>

#define FL_ABI_VERSION 2u
#define FL_MAGIC 0x31454e494c544c46ull /* "FLTLINE1", little-endian */

#define FL_PORT_CONSOLE 0xe9
#define FL_PORT_STDOUT 0xea
#define FL_PORT_STDERR 0xeb
#define FL_PORT_EXIT 0xf4

enum fl_exit_code {
	FL_EXIT_DONE = 0x10,  /* the first program ended; how, the window says */
	FL_EXIT_PANIC = 0x11, /* the kernel stopped; the console has the report */
};

enum fl_class {
#define FAULT_CLASS(id, name, doc) FL_CLASS_##id,
#include "fault_class.def"
#undef FAULT_CLASS
	FL_NR_CLASSES
};

enum fl_vmstat {
#define VMSTAT_EVENT(id, name) FL_VMSTAT_##id,
#define VMSTAT_GAUGE(id, name) FL_VMSTAT_##id,
#include "vmstat.def"
#undef VMSTAT_EVENT
#undef VMSTAT_GAUGE
	FL_NR_VMSTAT
};

/* ---- histogram ---- */

#define FL_HIST_SUB_BITS 7u
#define FL_HIST_BUCKETS ((64u - FL_HIST_SUB_BITS + 1u) << FL_HIST_SUB_BITS)

/* The bucket of value v: v itself below 256, then 128 buckets an octave. < FL_HIST_BUCKETS. */
static inline uint64_t fl_hist_bucket(uint64_t v)
{
	uint64_t e = (63u - FL_HIST_SUB_BITS) -
		     (uint64_t)__builtin_clzll(v | ((2u << FL_HIST_SUB_BITS) - 1u));

	return (e << FL_HIST_SUB_BITS) + (v >> e);
}

/* The smallest value that falls into bucket b. */
static inline uint64_t fl_hist_low(uint32_t b)
{
	uint32_t e = b >> FL_HIST_SUB_BITS;

	e = e > 1 ? e - 1 : 0;
	return (uint64_t)(b - (e << FL_HIST_SUB_BITS)) << e;
}

/* The largest value that falls into bucket b: what percentiles report (as HdrHistogram does). */
static inline uint64_t fl_hist_high(uint32_t b)
{
	uint32_t e = b >> FL_HIST_SUB_BITS;

	e = e > 1 ? e - 1 : 0;
	return fl_hist_low(b) + (1ull << e) - 1;
}

/* One class on one CPU in one set. The number of faults is the sum of the buckets. */
struct fl_hist {
	uint64_t sum; /* of all lengths, in the engine's unit */
	uint32_t buckets[FL_HIST_BUCKETS];
};

/* ---- telemetry window ---- */

enum fl_set { FL_SET_OUTSIDE, FL_SET_PHASE, FL_NR_SETS };

enum fl_recorder_mode { FL_RECORDER_OFF, FL_RECORDER_HIST, FL_RECORDER_RAW };

enum fl_state {
	FL_STATE_NONE,	 /* the stub has not reached its telemetry set-up */
	FL_STATE_BOOT,	 /* booting */
	FL_STATE_USER,	 /* the first program runs */
	FL_STATE_EXITED, /* it called exit; exit_value is its status (0..255) */
	FL_STATE_KILLED, /* a signal ended it; exit_value is the signal */
	FL_STATE_PANIC,	 /* the kernel stopped */
};

/* A raw fault record (recorder=raw), in the order of their ends on one CPU. 32 bytes. */
struct fl_event {
	uint64_t tsc;  /* at exception entry */
	uint64_t addr; /* CR2 */
	uint64_t rip;
	uint32_t length; /* entry to exit, the engine's unit; saturates */
	uint8_t class;	 /* enum fl_class */
	uint8_t error_code;
	uint8_t order; /* log2 of the pages mapped */
	uint8_t set;   /* enum fl_set */
};

struct fl_cpu_block {
	uint64_t ring_head;    /* events ever offered to the ring */
	uint64_t ring_dropped; /* of these, refused because the ring was full */
	int64_t vmstat[FL_NR_SETS][FL_NR_VMSTAT];
	struct fl_hist hist[FL_NR_SETS][FL_NR_CLASSES];
};

#define FL_USER_REPORT_MAX (512u << 10)
#define FL_REASON_MAX 160u

struct fl_window {
	uint64_t magic; /* written last by the stub's set-up */
	uint32_t version;
	uint32_t nr_cpus;
	uint64_t size;	      /* as given on the command line */
	uint64_t ring_events; /* per CPU; 0 unless recorder=raw */
	uint32_t nr_classes, nr_vmstat, hist_buckets;
	uint32_t recorder_mode;	       /* enum fl_recorder_mode */
	uint32_t state;		       /* enum fl_state */
	int32_t exit_value;	       /* see enum fl_state */
	uint64_t tsc_entry;	       /* first instructions of the stub */
	uint64_t tsc_user;	       /* just before the first return to ring 3 */
	uint64_t oops_count;	       /* oopses survived */
	uint64_t unsupported_syscalls; /* calls that ended in -ENOSYS */
	uint64_t user_report_len;      /* bytes valid at the user report; 0 if none came */
	char reason[FL_REASON_MAX];    /* of a panic, NUL-terminated */
};

struct fl_layout {
	uint64_t cpu_blocks;  /* offset of struct fl_cpu_block[nr_cpus] */
	uint64_t user_report; /* offset of FL_USER_REPORT_MAX bytes */
	uint64_t rings;	      /* offset of struct fl_event[nr_cpus][ring_events] */
	uint64_t end;	      /* bytes needed in all */
};

/* Where everything is in a window for that many CPUs and events. nr_cpus <= 64, events <= 2^24. */
static inline struct fl_layout fl_window_layout(uint32_t nr_cpus, uint64_t ring_events)
{
	struct fl_layout l;

	l.cpu_blocks = (sizeof(struct fl_window) + 4095u) & ~4095ull;
	l.user_report = l.cpu_blocks + nr_cpus * (uint64_t)sizeof(struct fl_cpu_block);
	l.user_report = (l.user_report + 4095u) & ~4095ull;
	l.rings = l.user_report + FL_USER_REPORT_MAX;
	l.end = l.rings + nr_cpus * ring_events * (uint64_t)sizeof(struct fl_event);
	return l;
}

/* ---- stubctl ---- */

#define FL_SYS_STUBCTL 0x464c /* long stubctl(op, a, b, c); -ENOSYS on Linux */

#define FL_VMALLOC_SLOTS 15u
#define FL_INTERRUPTS_KEPT 4u

enum fl_stubctl {
	FL_STUBCTL_VERSION,	 /* () -> FL_ABI_VERSION */
	FL_STUBCTL_PHASE_BEGIN,	 /* () -> 0: record into FL_SET_PHASE from the return on */
	FL_STUBCTL_PHASE_END,	 /* () -> 0: back to FL_SET_OUTSIDE */
	FL_STUBCTL_USER_REPORT,	 /* (pointer, bytes) -> 0, -EFAULT, -E2BIG */
	FL_STUBCTL_KERNEL_READ,	 /* (address) -> the byte there, without an exception-table entry */
	FL_STUBCTL_KERNEL_WRITE, /* (address) -> 0, likewise */
	FL_STUBCTL_SET_RSVD, /* (user address) -> 0: a reserved bit in the PTE that maps it; -EFAULT
				if none does */
	FL_STUBCTL_STALE_TLB, /* (user address) -> 0: the PTE made read-only with a flush, loaded
				 into the TLB, then, as the next fault enters the kernel, writable
				 again without one: as if another CPU had been first; -EFAULT if no
				 writable PTE */
	FL_STUBCTL_PANIC,     /* () -> never: an oops where going on is not safe */
	FL_STUBCTL_VMALLOC,   /* (bytes, slot) -> address of an area of kernel memory, in one of the
				 slots 1..FL_VMALLOC_SLOTS that each address space comes to know by
				 a fault; -EINVAL, -ENOMEM */
	FL_STUBCTL_VFREE,     /* (address) -> 0: the reverse; -EINVAL if no area begins there */
	FL_STUBCTL_VMALLOC_SWAP, /* (address, word) -> the 8 bytes that were there, the word in
				    their place; -EFAULT unless they lie in an area */
	FL_STUBCTL_FAIL_NTH, /* (n) -> counts: the n-th allocation of the caller from now on fails;
				0: none. The counts are of those since the last such call: asked
				for, in the upper half refused. -ENOSYS: no debug stub */
	FL_STUBCTL_FAIL_RANDOM, /* (seed, one_in) -> counts: one in so many fails; the same
				   otherwise */
	FL_STUBCTL_CHECK,  /* (pointer to two uint64_t) -> 0: the caller's memory and the allocators
			      are checked (or panic); pages that are free or in slabs, objects in use
			    */
	FL_STUBCTL_SETTLE, /* () -> 0: what is allocated from here on costs the same, however much
			      was allocated before */
	FL_STUBCTL_OOPS,   /* (enum fl_oops, n) -> never: an oops of the caller itself; -EINVAL */
	FL_STUBCTL_INTERRUPT, /* (n) -> the time-stamp counter when the timer or the scheduler last
				 interrupted the caller in ring 3 (n = 0), the time before that
				 (1), ... FL_INTERRUPTS_KEPT - 1; 0 if it did so no more than n
				 times */
};

/* What is special about an oops of FL_STUBCTL_OOPS. */
enum fl_oops {
	FL_OOPS_PLAIN,	   /* nothing: the caller is killed */
	FL_OOPS_STACK,	   /* the kernel stack runs over: a double fault, and the machine's end */
	FL_OOPS_IN_REPORT, /* n of the reports fault as well: the machine's end */
	FL_OOPS_KERN_LOCK, /* a lock is held, kern_lock or mm->lock: likewise */
	FL_OOPS_MM_LOCK,
};

/* ---- user report ---- */

#define FL_REPORT_MAGIC 0x54524f5045524c46ull /* "FLREPORT" */

#define FL_NOT_TOLD UINT32_MAX /* nobody told ring 3 of interrupts */

enum fl_report_status { FL_REPORT_OK, FL_REPORT_FAILED, FL_REPORT_UNSUPPORTED };

/*
 * A report is a struct fl_report, then nr_phases times { struct fl_report_phase, then nr_pairs
 * struct fl_report_pair in rising bucket order }. All little-endian, no padding between the parts.
 */
struct fl_report {
	uint64_t magic;
	uint32_t version;   /* FL_ABI_VERSION */
	uint32_t status;    /* enum fl_report_status */
	uint32_t nr_phases; /* at most 64 */
	uint32_t pad;
	char reason[FL_REASON_MAX]; /* why failed or unsupported */
};

struct fl_report_phase {
	char name[32]; /* NUL-terminated: [a-z0-9_]+ */
	uint64_t x;    /* the independent variable of this row (e.g. number of VMAs); 0 if none */
	uint64_t overhead; /* the TSC pair's own cost, already taken off every sample */
	uint64_t sum;
	uint32_t nr_pairs;
	uint32_t interrupted; /* samples left out: an interrupt fell into them; or FL_NOT_TOLD */
};

struct fl_report_pair {
	uint32_t bucket;
	uint32_t count;
};

#endif
