/* SPDX-License-Identifier: GPL-2.0-or-later */
/* No index at all: the list of the VMAs is walked. */
#ifndef MM_VMA_INDEX_TYPES_H
#define MM_VMA_INDEX_TYPES_H

#define VMA_INDEX_NAME "list"

struct vma_index {
};

struct vma_link {
};

#endif
