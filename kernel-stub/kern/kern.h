/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of kern/ offer to arch/ and to one another. */
#ifndef KERN_KERN_H
#define KERN_KERN_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/frame.h"
#include "faultline_abi.h"

struct cpu;
struct mm;

/* ---- boot (main.c): what the boot contract handed over ---- */
struct boot_info {
	uint64_t initrd_start, initrd_size; /* physical */
	const char *cmdline;		    /* in kernel memory */
	uint64_t ram_bytes;
	uint32_t nr_cpus;
};
extern struct boot_info boot_info;

/* Command line (cmdline.c): the value of KEY=VALUE copied to buf; false if the key is absent. */
bool cmdline_get(const char *key, char *buf, size_t size);
uint64_t cmdline_u64(const char *key, uint64_t fallback);
bool cmdline_flag(const char *key, const char *value); /* true if KEY=value is present */
/* Decimal, or hexadecimal behind 0x; *end is where the digits stop (s itself if there are none). */
uint64_t cmdline_number(const char *s, const char **end);

/* ---- printk (printk.c): to FL_PORT_CONSOLE; %d %u %x %lx %lu %s %c %p, zero padding and width
 * ---- */
void printk(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int ksnprintf(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int kvsnprintf(char *buf, size_t size, const char *fmt, va_list *ap);

_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- telemetry (telemetry.c, recorder.h) ---- */
void telemetry_init(void);
void telemetry_attach_cpu(struct cpu *cpu); /* one that starts: this one */
void telemetry_use_set(enum fl_set set);    /* on every CPU, from the return on */
void telemetry_use_set_here(enum fl_set set);
void telemetry_state(enum fl_state state, int exit_value, const char *reason);
void telemetry_user_started(void); /* stamps tsc_user, state FL_STATE_USER */
/* The user report's place in the window (NULL without a window) and the length that arrived. */
void *telemetry_user_report(void);
void telemetry_user_report_done(uint64_t len);
extern uint64_t telemetry_unsupported; /* system calls that ended in -ENOSYS */
static inline void telemetry_unsupported_syscall(void)
{
	__atomic_fetch_add(&telemetry_unsupported, 1, __ATOMIC_RELAXED);
}

/* ---- oops (oops.c) ---- */
/* Reports; then kills the current task (a kernel task ends, ring 3's gets SIGKILL) or panics where
 * going on is not safe (locks held, kern_lock among them, in an oops already, no task,
 * panic_on_oops=1). */
extern const char oops_page_fault[]; /* as `what`: cr2 and the error code are a page fault's */
_Noreturn void oops(const struct trap_frame *frame, uint64_t cr2, const char *what);
/* True if oops() would panic: the class to record. */
bool oops_is_fatal(void);
/* For stubctl: so many of the reports that follow fault themselves. */
extern uint32_t oops_faults_in_reports;
/* In the kernel half, never mapped: the last page. */
#define BAD_KERNEL_ADDRESS 0xfffffffffffff000ull

/* ---- tasks (task.c) ---- */
struct task;
struct mm *task_mm(void); /* of the current task; NULL for a kernel task */
const char *task_comm(void);
int task_pid(void);
/* An interrupt that is no part of what the current task does has come in ring 3. */
void task_interrupted(void);
/* The first program: reads /faultline/argv and /faultline/envp (NUL-separated strings) from the
 * initramfs, loads argv[0], enters ring 3. */
_Noreturn void task_run_first(void);
/* Ends the current task: `signal` 0 for exit(status). The first process's end ends the machine.
 * With kern_lock held or without. */
_Noreturn void task_exit(int status, int signal);
/* Runs fn(arg) as a kernel task and waits for its end: 0, or -EIO if an oops killed it. */
int kthread_run_sync(const char *comm, void (*fn)(void *), void *arg);

/* ---- the scheduler (sched.c) ---- */
/* A CPU that starts, on that stack: runs what there is to run, from now on. */
_Noreturn void sched_start_cpu(void *stack);
/* From ring 3 (*frame is complete): another CPU has changed what this one should do. */
void sched_look(struct trap_frame *frame);

/* ---- signals (signal.c) ---- */
/* A fault's signal for the current task: its handler's frame, which shows that vector, is built on
 * *frame, or the task ends. Needs: *frame is complete, from ring 3; takes kern_lock. */
void signal_fault(struct trap_frame *frame, unsigned vector, int signo, int si_code, uint64_t addr);

/* ---- system calls (syscall.c) ---- */
/* Dispatches frame->error_code; stores the result in frame->rax. Number and arguments as Linux's.
 */
void syscall_dispatch(struct trap_frame *frame);

/* ---- devices ---- */
void console_write(uint16_t port, const char *s, size_t n); /* console.c */

#endif
