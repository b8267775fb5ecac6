/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "vma_field.h"

#include <errno.h>
#include <sys/mman.h>

#define TABLE_REACH (2u << 20) /* bytes that one page table maps */

/* A free range of addresses: mapped and given back at once, nothing comes between. */
static char *vma_field_place(struct wl_run *run, uint64_t len)
{
	char *p = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		wl_fail(run, "no room for %llu bytes of VMAs: %m", (unsigned long long)len);
	wl_unmap(run, p, len);
	return p;
}

/* Slot i, and the page tables if it is the first in what one of them maps. */
static void map_slot(struct wl_run *run, struct vma_field *f, uint64_t i)
{
	char *p = f->base + i * VMA_FIELD_SLOT;

	if (mmap(p, VMA_FIELD_MAPPED, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != p) {
		if (errno == ENOMEM)
			wl_unsupported(run,
				       "%llu VMAs: the kernel allows no more than %llu "
				       "(vm.max_map_count)",
				       (unsigned long long)f->slots,
				       (unsigned long long)(f->slots - 1 - i));
		wl_fail(run, "mmap of VMA %llu: %m", (unsigned long long)i);
	}
	if (i * VMA_FIELD_SLOT % TABLE_REACH == 0)
		(void)*(volatile char *)(p + VMA_FIELD_MAPPED - WL_PAGE);
}

void vma_field_map(struct wl_run *run, struct vma_field *f, uint64_t slots)
{
	f->slots = slots;
	f->base = vma_field_place(run, slots * VMA_FIELD_SLOT);
	for (uint64_t i = slots; i-- > 0;)
		map_slot(run, f, i);
}

void vma_field_unmap(struct wl_run *run, struct vma_field *f)
{
	wl_unmap(run, f->base, f->slots * VMA_FIELD_SLOT);
}
