/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/vmstat.h"

static const struct {
	const char *name;
	bool gauge;
} counters[FL_NR_VMSTAT] = {
#define VMSTAT_EVENT(id, name) [FL_VMSTAT_##id] = {name, false},
#define VMSTAT_GAUGE(id, name) [FL_VMSTAT_##id] = {name, true},
#include "vmstat.def"
#undef VMSTAT_EVENT
#undef VMSTAT_GAUGE
};

const char *vmstat_name(enum fl_vmstat v)
{
	return counters[v].name;
}

bool vmstat_is_gauge(enum fl_vmstat v)
{
	return counters[v].gauge;
}

bool vmstat_find(const char *name, enum fl_vmstat *v)
{
	for (unsigned i = 0; i < FL_NR_VMSTAT; i++)
		if (!strcmp(counters[i].name, name)) {
			*v = (enum fl_vmstat)i;
			return true;
		}
	return false;
}
