/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A field of VMAs to measure among: n slots of four pages, three mapped read-write and a hole of
 * one page behind them, so that no two merge.
 *
 *    base                                   base + n * 16 KiB
 *     |RRR.|RRR.|RRR.|  …  |RRR.|RRR.|
 */
#ifndef WORKLOADS_VMA_FIELD_H
#define WORKLOADS_VMA_FIELD_H

#include <stdint.h>

#include "workload.h"

#define VMA_FIELD_SLOT ((uint64_t)4 * WL_PAGE)
#define VMA_FIELD_MAPPED ((uint64_t)3 * WL_PAGE)

struct vma_field {
	char *base;
	uint64_t slots;
};

/* Maps one, from the highest slot down as a kernel that places mappings does, and reads one page in
 * each 2 MiB of it, so that the page tables are there. Reports `unsupported` where the kernel does
 * not allow that many VMAs. */
void vma_field_map(struct wl_run *run, struct vma_field *f, uint64_t slots);
void vma_field_unmap(struct wl_run *run, struct vma_field *f);

/* The first byte of a random slot. */
static inline char *vma_field_random(const struct vma_field *f, struct random *r)
{
	return f->base + random_below(r, f->slots) * VMA_FIELD_SLOT;
}

#endif
