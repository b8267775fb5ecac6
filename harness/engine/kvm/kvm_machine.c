/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "engine/kvm/kvm_machine.h"

/* As QEMU's microvm has it, so that both engines show the stub the same memory. */
#define LOW_MEMORY (3ull << 30)
#define HIGH_BASE (4ull << 30)
/* Four pages that KVM needs on Intel's CPUs, where no guest has memory. */
#define TSS_ADDR 0xfffbd000u
#define IDENTITY_MAP_ADDR 0xfffbc000ull

static char *failed(const char *call)
{
	return xasprintf("%s: %s", call, strerror(errno));
}

static int add_memory(struct kvm_machine *m, unsigned slot, uint64_t guest, uint64_t offset,
		      uint64_t size)
{
	struct kvm_userspace_memory_region r = {
		.slot = slot,
		.guest_phys_addr = guest,
		.memory_size = size,
		.userspace_addr = (uint64_t)(uintptr_t)(m->mem + offset),
	};

	return size ? ioctl(m->vm_fd, KVM_SET_USER_MEMORY_REGION, &r) : 0;
}

static char *make_memory(struct kvm_machine *m)
{
	m->low = m->size < LOW_MEMORY ? m->size : LOW_MEMORY;
	m->mem = mmap(NULL, m->size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->mem == MAP_FAILED) {
		m->mem = NULL;
		return failed("mmap of guest memory");
	}
	if (add_memory(m, 0, 0, 0, m->low) < 0 ||
	    add_memory(m, 1, HIGH_BASE, m->low, m->size - m->low) < 0)
		return failed("KVM_SET_USER_MEMORY_REGION");
	return NULL;
}

static char *make_vm(struct kvm_machine *m)
{
	uint64_t identity = IDENTITY_MAP_ADDR;
	int run_size;

	m->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (m->kvm_fd < 0)
		return failed("/dev/kvm");
	run_size = ioctl(m->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (run_size < 0)
		return failed("KVM_GET_VCPU_MMAP_SIZE");
	m->run_size = (size_t)run_size;
	do
		m->vm_fd = ioctl(m->kvm_fd, KVM_CREATE_VM, 0);
	while (m->vm_fd < 0 && errno == EINTR);
	if (m->vm_fd < 0)
		return failed("KVM_CREATE_VM");
	if (ioctl(m->vm_fd, KVM_SET_TSS_ADDR, TSS_ADDR) < 0)
		return failed("KVM_SET_TSS_ADDR");
	if (ioctl(m->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity) < 0)
		return failed("KVM_SET_IDENTITY_MAP_ADDR");
	return ioctl(m->vm_fd, KVM_CREATE_IRQCHIP, 0) < 0 ? failed("KVM_CREATE_IRQCHIP") : NULL;
}

static char *make_vcpu(struct kvm_machine *m, unsigned id)
{
	struct kvm_vcpu *v = &m->vcpus[id];
	int rc;

	v->fd = ioctl(m->vm_fd, KVM_CREATE_VCPU, id);
	if (v->fd < 0)
		return failed("KVM_CREATE_VCPU");
	v->run = mmap(NULL, m->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	if (v->run == MAP_FAILED) {
		v->run = NULL;
		return failed("mmap of a vCPU");
	}
	rc = kvm_cpuid_set(v);
	errno = -rc;
	return rc ? failed("KVM_SET_CPUID2") : NULL;
}

char *kvm_machine_create(struct kvm_machine *m, uint64_t size, unsigned nr_vcpus)
{
	pthread_condattr_t attr;
	char *why;

	memset(m, 0, sizeof(*m));
	m->kvm_fd = m->vm_fd = -1;
	m->size = size;
	m->nr_vcpus = nr_vcpus;
	pthread_mutex_init(&m->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&m->changed, &attr);
	pthread_condattr_destroy(&attr);
	for (unsigned i = 0; i < nr_vcpus; i++)
		m->vcpus[i] = (struct kvm_vcpu){.machine = m, .id = i, .fd = -1};
	why = make_vm(m);
	if (!why)
		why = make_memory(m);
	for (unsigned i = 0; i < nr_vcpus && !why; i++)
		why = make_vcpu(m, i);
	return why;
}

void kvm_machine_free(struct kvm_machine *m)
{
	for (unsigned i = 0; i < m->nr_vcpus; i++) {
		if (m->vcpus[i].run)
			munmap(m->vcpus[i].run, m->run_size);
		if (m->vcpus[i].fd >= 0)
			close(m->vcpus[i].fd);
	}
	if (m->vm_fd >= 0)
		close(m->vm_fd);
	if (m->kvm_fd >= 0)
		close(m->kvm_fd);
	if (m->mem)
		munmap(m->mem, m->size);
	free(m->what);
	pthread_cond_destroy(&m->changed);
	pthread_mutex_destroy(&m->lock);
}

/* PVH: CS flat code, the others flat data, TR a 32-bit TSS; PE alone in CR0; all else zero. */
int kvm_vcpu_enter_pvh(struct kvm_vcpu *v, uint32_t rip, uint32_t start_info)
{
	struct kvm_segment code = {
		.limit = ~0u, .selector = 8, .type = 11, .present = 1, .s = 1, .db = 1, .g = 1};
	struct kvm_segment data = {
		.limit = ~0u, .selector = 16, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1};
	struct kvm_regs regs = {.rip = rip, .rbx = start_info, .rflags = 2};
	struct kvm_sregs s;

	if (ioctl(v->fd, KVM_GET_SREGS, &s) < 0)
		return -errno;
	s.cs = code;
	s.ds = s.es = s.fs = s.gs = s.ss = data;
	s.tr = (struct kvm_segment){.limit = 0x67, .type = 11, .present = 1};
	s.ldt = (struct kvm_segment){.type = 2, .unusable = 1};
	s.cr0 = 0x11; /* PE, ET */
	s.cr3 = s.cr4 = s.efer = 0;
	if (ioctl(v->fd, KVM_SET_SREGS, &s) < 0 || ioctl(v->fd, KVM_SET_REGS, &regs) < 0)
		return -errno;
	return 0;
}
