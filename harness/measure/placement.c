/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <hwloc.h>
#include <numa.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "measure/placement.h"

#define MAX_PUS 64u

static struct {
	hwloc_topology_t topology;
	int cpu[MAX_PUS];
	unsigned n;
	char text[128];
} host;

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The PUs of one rank (first threads of all cores, then second ones, …) that we may run on. */
static unsigned add_rank(unsigned rank)
{
	unsigned seen = 0;
	hwloc_obj_t core = NULL;

	while ((core = hwloc_get_next_obj_by_type(host.topology, HWLOC_OBJ_CORE, core))) {
		hwloc_obj_t pu = hwloc_get_obj_inside_cpuset_by_type(host.topology, core->cpuset,
								     HWLOC_OBJ_PU, rank);

		if (!pu)
			continue;
		seen++;
		if (host.n < MAX_PUS)
			host.cpu[host.n++] = (int)pu->os_index;
	}
	return seen;
}

static int count(hwloc_obj_type_t type)
{
	int n = hwloc_get_nbobjs_by_type(host.topology, type);

	return n < 0 ? 0 : n;
}

static void load(void)
{
	hwloc_bitmap_t allowed = hwloc_bitmap_alloc();

	if (hwloc_topology_init(&host.topology) || hwloc_topology_load(host.topology)) {
		snprintf(host.text, sizeof(host.text), "hwloc cannot read the topology");
		hwloc_bitmap_free(allowed);
		return;
	}
	/* a taskset or a cgroup may leave this process fewer than the machine has */
	if (!hwloc_get_cpubind(host.topology, allowed, HWLOC_CPUBIND_PROCESS))
		hwloc_topology_restrict(host.topology, allowed, 0);
	hwloc_bitmap_free(allowed);
	for (unsigned rank = 0; add_rank(rank); rank++)
		;
	snprintf(host.text, sizeof(host.text),
		 "%d package(s), %d core(s), %d PU(s), %d NUMA node(s)", count(HWLOC_OBJ_PACKAGE),
		 count(HWLOC_OBJ_CORE), count(HWLOC_OBJ_PU), count(HWLOC_OBJ_NUMANODE));
}

const char *placement_describe(void)
{
	pthread_once(&once, load);
	return host.text;
}

int placement_cpu(unsigned vcpu)
{
	pthread_once(&once, load);
	return vcpu < host.n ? host.cpu[vcpu] : -1;
}

unsigned placement_count(void)
{
	pthread_once(&once, load);
	return host.n;
}

const char *placement_pin(unsigned vcpu)
{
	int cpu = placement_cpu(vcpu);
	hwloc_bitmap_t set;
	int rc;

	if (cpu < 0)
		return "more vCPUs than host CPUs: not pinned";
	set = hwloc_bitmap_alloc();
	hwloc_bitmap_only(set, (unsigned)cpu);
	rc = hwloc_set_cpubind(host.topology, set, HWLOC_CPUBIND_THREAD);
	hwloc_bitmap_free(set);
	return rc ? "the host refuses to pin threads" : NULL;
}

const char *placement_bind_memory(void *mem, size_t size)
{
	int cpu = placement_cpu(0), node;

	if (numa_available() < 0)
		return "the host kernel has no NUMA policies";
	if (cpu < 0)
		return "hwloc cannot read the topology";
	node = numa_node_of_cpu(cpu);
	if (node < 0)
		return "the host does not say which node a CPU is on";
	numa_set_strict(0);
	numa_tonode_memory(mem, size, node);
	return NULL;
}
