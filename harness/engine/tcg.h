/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENGINE_TCG_H
#define ENGINE_TCG_H

#include "engine/engine.h"

extern const struct engine engine_tcg;

#endif
