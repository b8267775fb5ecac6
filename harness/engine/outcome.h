/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the engines fill a struct outcome. */
#ifndef ENGINE_OUTCOME_H
#define ENGINE_OUTCOME_H

#include "engine/engine.h"

/* Sets status and a formatted reason, replacing what was there. */
void outcome_set(struct outcome *out, enum cell_status status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
