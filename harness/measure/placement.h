/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a guest runs: each vCPU on a processing unit of its own, cores before their hardware
 * threads (hwloc), and the guest's memory on the first vCPU's NUMA node (libnuma).
 */
#ifndef ENGINE_PLACEMENT_H
#define ENGINE_PLACEMENT_H

#include <stddef.h>

/* The host CPU for a vCPU, or -1 if there are fewer CPUs than that: it then floats. */
int placement_cpu(unsigned vcpu);

/* How many there are for which placement_cpu() has an answer. */
unsigned placement_count(void);

/* Binds the calling thread to placement_cpu(vcpu). NULL, or why not (static). */
const char *placement_pin(unsigned vcpu);

/* Asks for the pages of [mem, mem + size) on the node of placement_cpu(0). NULL, or why not
 * (static): the memory then comes from wherever it is touched first. */
const char *placement_bind_memory(void *mem, size_t size);

/* For doctor: "2 packages, 8 cores, 16 PUs, 2 NUMA nodes". Kept. */
const char *placement_describe(void);

#endif
