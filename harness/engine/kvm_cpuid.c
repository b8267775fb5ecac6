/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "kvm_machine.h"
#include "outcome.h"

#define HTT (1u << 28)
#define MAX_ENTRIES 1024u

/* KVM says E2BIG until there is room for all entries. */
static struct kvm_cpuid2 *supported(int kvm_fd)
{
	for (unsigned n = 128; n <= MAX_ENTRIES; n *= 2) {
		struct kvm_cpuid2 *c = xcalloc(1, sizeof(*c) + n * sizeof(c->entries[0]));
		int err;

		c->nent = n;
		if (!ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, c))
			return c;
		err = errno;
		free(c);
		errno = err;
		if (err != E2BIG)
			return NULL;
	}
	return NULL;
}

/* KVM fills these in for the host CPU that it happened to ask. */
static void set_identity(struct kvm_cpuid_entry2 *e, unsigned id, unsigned nr_cpus)
{
	switch (e->function) {
	case 1:
		e->ebx = (e->ebx & 0xffffu) | nr_cpus << 16 | id << 24;
		e->edx = nr_cpus > 1 ? e->edx | HTT : e->edx & ~HTT;
		break;
	case 0xb:
	case 0x1f:
		e->edx = id;
		break;
	case 0x8000001e:
		e->eax = id;
		break;
	}
}

int kvm_cpuid_set(struct kvm_vcpu *v)
{
	struct kvm_cpuid2 *c = supported(v->machine->kvm_fd);
	int rc;

	if (!c)
		return -errno;
	for (unsigned i = 0; i < c->nent; i++)
		set_identity(&c->entries[i], v->id, v->machine->nr_vcpus);
	rc = ioctl(v->fd, KVM_SET_CPUID2, c) < 0 ? -errno : 0;
	free(c);
	return rc;
}
