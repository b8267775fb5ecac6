/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KVM's statistics (Documentation/virt/kvm/api.rst, KVM_GET_STATS_FD): a descriptor that describes
 * itself, a header, a table of descriptions with names, and values. Plain counters only: the
 * histograms among them (halt polling) do not fit a named number.
 */
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "engine/kvm/kvm_machine.h"
#include "measure/counter.h"

#define MAX_STATS 1024u
#define MAX_NAME 256u

static struct counter *find(struct counter_list *l, size_t from, const char *name)
{
	for (size_t i = from; i < l->n; i++)
		if (!strcmp(l->v[i].name, name))
			return &l->v[i];
	return NULL;
}

/* Adds a value to the counter of that name among those from index `from` on. */
static void add(struct counter_list *l, size_t from, const char *name, int64_t value)
{
	struct counter *c = find(l, from, name);

	if (c)
		c->value += value;
	else
		counter_list_add(l, name, &value, NULL);
}

static bool read_at(int fd, void *to, size_t n, uint64_t offset)
{
	return pread(fd, to, n, (off_t)offset) == (ssize_t)n;
}

static void add_stat(int fd, const struct kvm_stats_header *h, const char *desc, size_t from,
		     struct counter_list *to)
{
	struct kvm_stats_desc d;
	char name[MAX_NAME];
	uint64_t value;

	memcpy(&d, desc, sizeof(d));
	memcpy(name, desc + sizeof(d), h->name_size);
	name[h->name_size - 1] = '\0';
	if (d.size == 1 && read_at(fd, &value, sizeof(value), h->data_offset + d.offset))
		add(to, from, name, (int64_t)value);
}

/* One descriptor's statistics. False if they cannot be read. */
static bool add_stats(int fd, size_t from, struct counter_list *to)
{
	struct kvm_stats_header h;
	size_t step;
	char *descs;
	bool good;

	if (!read_at(fd, &h, sizeof(h), 0) || h.num_desc > MAX_STATS || !h.name_size ||
	    h.name_size > MAX_NAME)
		return false;
	step = sizeof(struct kvm_stats_desc) + h.name_size;
	descs = xcalloc(h.num_desc, step);
	good = read_at(fd, descs, h.num_desc * step, h.desc_offset);
	for (uint32_t i = 0; good && i < h.num_desc; i++)
		add_stat(fd, &h, descs + i * step, from, to);
	free(descs);
	return good;
}

static bool add_stats_of(int owner, size_t from, struct counter_list *to)
{
	int fd = ioctl(owner, KVM_GET_STATS_FD, 0);
	bool good = fd >= 0 && add_stats(fd, from, to);

	if (fd >= 0)
		close(fd);
	return good;
}

void kvm_stats_report(const struct kvm_machine *m, struct counter_list *to)
{
	size_t vcpus_from;
	bool good = add_stats_of(m->vm_fd, 0, to);

	vcpus_from = to->n;
	for (unsigned i = 0; i < m->nr_vcpus; i++)
		good = add_stats_of(m->vcpus[i].fd, vcpus_from, to) && good;
	if (!good)
		counter_list_add(to, "statistics", NULL,
				 "this kernel's KVM has no KVM_GET_STATS_FD (Linux 5.14)");
}
