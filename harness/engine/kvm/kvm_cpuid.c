/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What CPU the guest sees: the one of engine tcg (CPU_MODEL in tcg.c), not the host's.
 *
 * Ring 3 chooses its code by CPUID: a C library takes one of a dozen memmoves by features, cache
 * sizes and vendor, and each lies in pages of its own, so that a program meets other faults on
 * another CPU. Hence
 *   1. identity, features and caches are those of the model; a feature that this KVM lacks is left
 *      out (none that ring 3's code hangs on: they are x86-64's first);
 *   2. how many CPUs there are, and which one this is, is the machine's own;
 *   3. what is the host's to say and no code hangs on is as KVM says: its own leaves, the TSC's
 *      kind, the width of physical addresses, the brand;
 *   4. no other leaf is there.
 * The vendor is AMD's on every host: by it a leaf out of range reads as zero, not as another leaf.
 *
 * On kvm_pvm this is what ring 0 sees. Ring 3 runs on the host's CPU and no cpuid in it exits.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "base/xalloc.h"
#include "engine/kvm/kvm_machine.h"

#define HTT (1u << 28)
#define MAX_ENTRIES 1024u
#define TOPOLOGY_ENTRIES 2u
#define HYPERVISOR_FIRST 0x40000000u
#define HYPERVISOR_LAST 0x400000ffu

/* "AuthenticAMD" */
#define VENDOR_B 0x68747541u
#define VENDOR_C 0x444d4163u
#define VENDOR_D 0x69746e65u

struct registers {
	uint32_t a, b, c, d;
};

struct leaf {
	uint32_t function;
	struct registers model;	   /* what tcg shows with one CPU */
	struct registers features; /* which bits of it only if KVM has them, too */
	struct registers host;	   /* which bits are KVM's instead */
};

#define ANY ~0u

static const struct leaf leaves[] = {
	{0, {0xd, VENDOR_B, VENDOR_C, VENDOR_D}, {0}, {0}},
	/* family 15; SSE3, CMPXCHG16B, hypervisor; x86-64's first features without VME */
	{1, {0x60fb1, 0x800, 0x80002001, 0x078bfbfd}, {.c = 0x2001, .d = ANY}, {0}},
	/* FSGSBASE, SMEP, SMAP */
	{7, {.b = 0x100081}, {.b = ANY}, {0}},
	{0x80000000, {0x8000000a, VENDOR_B, VENDOR_C, VENDOR_D}, {0}, {0}},
	/* LAHF; SYSCALL, NX, 1 GiB pages, 64-bit mode, and what leaf 1 says, too */
	{0x80000001, {0x60fb1, 0, 1, 0x2593fbfd}, {.c = 1, .d = 0x24100800}, {0}},
	{0x80000002, {0}, {0}, {ANY, ANY, ANY, ANY}},
	{0x80000003, {0}, {0}, {ANY, ANY, ANY, ANY}},
	{0x80000004, {0}, {0}, {ANY, ANY, ANY, ANY}},
	/* 64 KiB of L1, 512 KiB of L2, 16 MiB of L3 */
	{0x80000005, {0x01ff01ff, 0x01ff01ff, 0x40020140, 0x40020140}, {0}, {0}},
	{0x80000006, {0, 0x42004200, 0x02008140, 0x00808140}, {0}, {0}},
	{0x80000007, {0}, {0}, {.d = ANY}},
	{0x80000008, {0}, {0}, {.a = ANY}},
};
#define NR_LEAVES (sizeof(leaves) / sizeof(leaves[0]))

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

/* How many bits of an APIC id tell the CPUs apart. */
static unsigned id_bits(unsigned nr_cpus)
{
	return nr_cpus > 1 ? 32 - (unsigned)__builtin_clz(nr_cpus - 1) : 0;
}

/* The guest's CPUs are cores of one package with one thread each. */
static void set_identity(struct kvm_cpuid_entry2 *e, unsigned id, unsigned nr_cpus)
{
	switch (e->function) {
	case 1:
		e->ebx = (e->ebx & 0xffffu) | id << 24;
		if (nr_cpus > 1) {
			e->ebx |= nr_cpus << 16;
			e->edx |= HTT;
		}
		break;
	case 0x80000008:
		e->ecx = id_bits(nr_cpus) << 12 | (nr_cpus - 1);
		break;
	}
}

static uint32_t shown(uint32_t model, uint32_t features, uint32_t host, uint32_t kvm)
{
	return ((model & (kvm | ~features)) & ~host) | (kvm & host);
}

static const struct kvm_cpuid_entry2 *find(const struct kvm_cpuid2 *c, uint32_t function)
{
	static const struct kvm_cpuid_entry2 none;

	for (unsigned i = 0; i < c->nent; i++)
		if (c->entries[i].function == function && !c->entries[i].index)
			return &c->entries[i];
	return &none;
}

static struct kvm_cpuid_entry2 model_entry(const struct leaf *l, const struct kvm_cpuid2 *kvm)
{
	const struct kvm_cpuid_entry2 *k = find(kvm, l->function);

	return (struct kvm_cpuid_entry2){
		.function = l->function,
		.flags = l->function == 7 ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
		.eax = shown(l->model.a, l->features.a, l->host.a, k->eax),
		.ebx = shown(l->model.b, l->features.b, l->host.b, k->ebx),
		.ecx = shown(l->model.c, l->features.c, l->host.c, k->ecx),
		.edx = shown(l->model.d, l->features.d, l->host.d, k->edx),
	};
}

/* Leaf 0xb, the extended topology. */
static unsigned put_topology(struct kvm_cpuid_entry2 *to, unsigned id, unsigned nr_cpus)
{
	to[0] = (struct kvm_cpuid_entry2){
		.function = 0xb, .index = 0, .ebx = 1, .ecx = 1 << 8, .edx = id};
	to[1] = (struct kvm_cpuid_entry2){.function = 0xb,
					  .index = 1,
					  .eax = id_bits(nr_cpus),
					  .ebx = nr_cpus,
					  .ecx = 2 << 8 | 1,
					  .edx = id};
	to[0].flags = to[1].flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
	return TOPOLOGY_ENTRIES;
}

/* KVM's own leaves. */
static unsigned put_hypervisor(struct kvm_cpuid_entry2 *to, const struct kvm_cpuid2 *kvm)
{
	unsigned n = 0;

	for (unsigned i = 0; i < kvm->nent; i++)
		if (kvm->entries[i].function >= HYPERVISOR_FIRST &&
		    kvm->entries[i].function <= HYPERVISOR_LAST)
			to[n++] = kvm->entries[i];
	return n;
}

int kvm_cpuid_set(struct kvm_vcpu *v)
{
	struct kvm_cpuid2 *kvm = supported(v->machine->kvm_fd), *c;
	unsigned nr_cpus = v->machine->nr_vcpus;
	int rc;

	if (!kvm)
		return -errno;
	c = xcalloc(1, sizeof(*c) +
			       (NR_LEAVES + TOPOLOGY_ENTRIES + kvm->nent) * sizeof(c->entries[0]));
	for (unsigned i = 0; i < NR_LEAVES; i++) {
		c->entries[i] = model_entry(&leaves[i], kvm);
		set_identity(&c->entries[i], v->id, nr_cpus);
	}
	c->nent = NR_LEAVES;
	c->nent += put_topology(c->entries + c->nent, v->id, nr_cpus);
	c->nent += put_hypervisor(c->entries + c->nent, kvm);
	rc = ioctl(v->fd, KVM_SET_CPUID2, c) < 0 ? -errno : 0;
	free(c);
	free(kvm);
	return rc;
}
