/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a cell ended. engine.h says what an engine means by each, docs/results-format.md what results
 * do. */
#ifndef HARNESS_CELL_STATUS_H
#define HARNESS_CELL_STATUS_H

enum cell_status {
#define CELL_STATUS(id, name) CELL_##id,
#include "engine/cell_status.def"
#undef CELL_STATUS
	NR_CELL_STATUSES
};

/* "ok", "failed", … as in results. */
const char *cell_status_name(enum cell_status s);

#endif
