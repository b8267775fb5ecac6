/* SPDX-License-Identifier: GPL-2.0-or-later */
/* References to a mapped file. */
#include "file.h"

void vm_file_get(struct vm_file *file)
{
	port_xadd32(&file->refcount, 1);
}

void vm_file_put(struct vm_file *file)
{
	uint32_t old = port_xadd32(&file->refcount, -1u);

	ASSERT(old != 0);
	if (old == 1)
		file->release(file);
}
