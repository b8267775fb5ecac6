/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "base/xalloc.h"
#include "engine/kvm/kvm_machine.h"

#define HTT (1u << 28)
#define MAX_ENTRIES 1024u
#define ADDED_ENTRIES 2u /* leaf 0xb, by us */

/* KVM says E2BIG until there is room for all entries. */
static struct kvm_cpuid2 *supported(int kvm_fd)
{
	for (unsigned n = 128; n <= MAX_ENTRIES; n *= 2) {
		struct kvm_cpuid2 *c =
			xcalloc(1, sizeof(*c) + (n + ADDED_ENTRIES) * sizeof(c->entries[0]));
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

/* How many bits of an APIC id tell the CPUs apart. */
static unsigned id_bits(unsigned nr_cpus)
{
	return nr_cpus > 1 ? 32 - (unsigned)__builtin_clz(nr_cpus - 1) : 0;
}

/* Leaf 4: how many core ids the package has, and how many CPUs share this cache: the last level is
 * everybody's (SDM volume 2, CPUID). */
static void set_cache(struct kvm_cpuid_entry2 *e, unsigned nr_cpus)
{
	unsigned level = e->eax >> 5 & 7, sharing = level >= 3 ? nr_cpus - 1 : 0;

	if (e->eax & 31)
		e->eax = (e->eax & 0x3fffu) | sharing << 14 | (nr_cpus - 1) << 26;
}

/* KVM fills these in for the host CPU that it happened to ask. The guest's are cores of one package
 * with one thread each. */
static void set_identity(struct kvm_cpuid_entry2 *e, unsigned id, unsigned nr_cpus)
{
	switch (e->function) {
	case 1:
		e->ebx = (e->ebx & 0xffffu) | nr_cpus << 16 | id << 24;
		e->edx = nr_cpus > 1 ? e->edx | HTT : e->edx & ~HTT;
		break;
	case 4:
		set_cache(e, nr_cpus);
		break;
	case 0x80000008:
		e->ecx = id_bits(nr_cpus) << 12 | (nr_cpus - 1);
		break;
	case 0x8000001e:
		e->eax = e->ebx = id;
		e->ecx = 0;
		break;
	}
}

/* The extended topology: KVM gives the host's or none. */
static void set_topology(struct kvm_cpuid2 *c, unsigned id, unsigned nr_cpus)
{
	const struct kvm_cpuid_entry2 level[ADDED_ENTRIES] = {
		{.function = 0xb, .index = 0, .ebx = 1, .ecx = 1 << 8},
		{.function = 0xb,
		 .index = 1,
		 .eax = id_bits(nr_cpus),
		 .ebx = nr_cpus,
		 .ecx = 2 << 8 | 1},
	};
	bool wanted = false;
	unsigned n = 0;

	for (unsigned i = 0; i < c->nent; i++) {
		wanted |= c->entries[i].function == 0 && c->entries[i].eax >= 0xb;
		if (c->entries[i].function != 0xb && c->entries[i].function != 0x1f)
			c->entries[n++] = c->entries[i];
	}
	for (unsigned i = 0; wanted && i < ADDED_ENTRIES; i++) {
		c->entries[n] = level[i];
		c->entries[n].flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
		c->entries[n++].edx = id;
	}
	c->nent = n;
}

int kvm_cpuid_set(struct kvm_vcpu *v)
{
	struct kvm_cpuid2 *c = supported(v->machine->kvm_fd);
	unsigned nr_cpus = v->machine->nr_vcpus;
	int rc;

	if (!c)
		return -errno;
	for (unsigned i = 0; i < c->nent; i++)
		set_identity(&c->entries[i], v->id, nr_cpus);
	set_topology(c, v->id, nr_cpus);
	rc = ioctl(v->fd, KVM_SET_CPUID2, c) < 0 ? -errno : 0;
	free(c);
	return rc;
}
