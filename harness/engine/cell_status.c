/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/cell_status.h"

static const char *const names[NR_CELL_STATUSES] = {
#define CELL_STATUS(id, name) [CELL_##id] = name,
#include "engine/cell_status.def"
#undef CELL_STATUS
};

const char *cell_status_name(enum cell_status s)
{
	return names[s];
}
