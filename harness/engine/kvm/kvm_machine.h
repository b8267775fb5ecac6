/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtual machine on /dev/kvm.
 *
 *   kvm.c          the engine: makes a machine for a job, watches over it, concludes
 *   kvm_machine.c  file descriptors, memory, CPU start state
 *   kvm_cpuid.c    what CPU the guest sees
 *   kvm_vcpu.c     the vCPU threads and the exits they serve
 *   kvm_stats.c    KVM's own statistics
 *   kvm_dump.c     registers of a machine that did not end as it should
 *
 * Threads: one a vCPU, and the caller's, which sleeps until a vCPU ends the machine or the time is
 * up. `lock` guards `ended`, `end`, `code`, `what`, `culprit`, `nr_running` and the output sinks;
 * `stop` is atomic, since a vCPU reads it between any two exits.
 */
#ifndef ENGINE_KVM_MACHINE_H
#define ENGINE_KVM_MACHINE_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>

#include "engine/guest/boot.h"
#include "measure/papi.h"

struct kvm_machine;

struct kvm_vcpu {
	struct kvm_machine *machine;
	unsigned id;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	bool started; /* `thread` must be joined */
	bool running; /* … and may be in KVM_RUN */
	struct papi_run papi;
};

struct kvm_machine {
	int kvm_fd, vm_fd;
	uint8_t *mem;
	uint64_t size, low; /* bytes in all; those below 4 GiB */
	size_t run_size;
	unsigned nr_vcpus;
	struct kvm_vcpu vcpus[MACHINE_MAX_CPUS];
	struct guest_output *output;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	atomic_bool stop;
	bool ended;
	enum boot_end end;
	unsigned code;	  /* BOOT_EXIT */
	char *what;	  /* BOOT_CRASHED */
	unsigned culprit; /* the vCPU that ended it */
	unsigned nr_running;
};

/* kvm_machine.c. Memory of `size` zero bytes and stopped vCPUs. NULL, or the call that failed
 * (malloc'ed); kvm_machine_free() is due in both cases. */
char *kvm_machine_create(struct kvm_machine *m, uint64_t size, unsigned nr_vcpus);
void kvm_machine_free(struct kvm_machine *m);
/* The state in which PVH enters a kernel: 32-bit, flat, paging off. 0, or -errno. */
int kvm_vcpu_enter_pvh(struct kvm_vcpu *v, uint32_t rip, uint32_t start_info);

/* kvm_cpuid.c: what KVM supports, with the vCPU's own APIC id and the machine's number of CPUs. 0,
 * or -errno. */
int kvm_cpuid_set(struct kvm_vcpu *v);

/* kvm_vcpu.c */
/* Starts a thread for each vCPU. */
char *kvm_vcpus_start(struct kvm_machine *m);
/* Ends the machine, if it has not ended yet, and tells the waiting caller. Takes `what`. */
void kvm_machine_end(struct kvm_machine *m, enum boot_end end, unsigned code, char *what,
		     unsigned culprit);
/* Waits for the end or, at the deadline, makes it; then for the threads. */
void kvm_machine_wait(struct kvm_machine *m, double deadline);

/* kvm_stats.c: the machine's statistics and, added up, its vCPUs', under KVM's names. */
void kvm_stats_report(const struct kvm_machine *m, struct counter_list *to);

/* kvm_dump.c: registers and the instruction bytes of each vCPU, malloc'ed. The threads are gone. */
char *kvm_dump(struct kvm_machine *m);

#endif
