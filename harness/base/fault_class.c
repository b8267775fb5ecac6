/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/fault_class.h"

static const struct {
	const char *name, *doc;
} classes[FL_NR_CLASSES] = {
#define FAULT_CLASS(id, name, doc) [FL_CLASS_##id] = {name, doc},
#include "fault_class.def"
#undef FAULT_CLASS
};

const char *fault_class_name(enum fl_class c)
{
	return classes[c].name;
}

const char *fault_class_doc(enum fl_class c)
{
	return classes[c].doc;
}

bool fault_class_find(const char *name, enum fl_class *c)
{
	for (unsigned i = 0; i < FL_NR_CLASSES; i++)
		if (!strcmp(classes[i].name, name)) {
			*c = (enum fl_class)i;
			return true;
		}
	return false;
}
