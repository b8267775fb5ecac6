/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of the fault classes (fault_class.def). */
#ifndef HARNESS_FAULT_CLASS_H
#define HARNESS_FAULT_CLASS_H

#include <stdbool.h>

#include "faultline_abi.h"

const char *fault_class_name(enum fl_class c);
/* One line on what happened. */
const char *fault_class_doc(enum fl_class c);
/* False if there is none of that name. */
bool fault_class_find(const char *name, enum fl_class *c);

#endif
