/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENGINE_LINUX_H
#define ENGINE_LINUX_H

#include "engine/engine.h"

extern const struct engine engine_linux;

#endif
