/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults ahead of the accesses: MAP_POPULATE, MADV_POPULATE_READ, MADV_POPULATE_WRITE. Each page
 * that is not there as wanted goes through vm_fault() as if ring 3 had touched it. As on Linux
 * (mm/gup.c), it counts as pgfault; as there, no exception was taken, so no fault is recorded.
 *
 * Between two pages mm->lock is free, so the VMA is looked up anew for each.
 */
#include "mm/mm.h"

#include "mm/base/mm_errno.h"
#include "mm/fault/fault.h"
#include "mm/pgtable/pgtable.h"
#include "mm/vma/vma.h"

/* What there is at an address, and what to do about it. */
struct populate {
	uint64_t end; /* of the VMA, or where the next one starts (TASK_SIZE: none) */
	uint32_t flags;
	bool mapped;  /* there is a VMA */
	bool present; /* with a page */
	bool writable;
};

static struct populate populate_look(struct mm *mm, uint64_t addr)
{
	struct populate p = {.end = TASK_SIZE};
	struct pte_slot slot;
	struct vma *vma;

	mmap_read_lock(mm);
	vma = vma_find(mm, addr);
	if (vma) {
		p.mapped = vma->start <= addr;
		p.end = p.mapped ? vma->end : vma->start;
		p.flags = vma->flags;
	}
	slot = pgtable_find(mm, addr);
	if (slot.pte) {
		p.present = !pte_none(port_pte_read(slot.pte));
		p.writable = p.present && pte_write(port_pte_read(slot.pte));
	}
	mmap_read_unlock(mm);
	return p;
}

int vm_fault_in(struct mm *mm, uint64_t addr, bool write)
{
	struct fault_access access = {addr, FAULT_USER | (write ? FAULT_WRITE : 0)};

	switch (vm_fault(mm, &access).outcome) {
	case FAULT_DONE:
		return 0;
	case FAULT_OOM:
		return -MM_ENOMEM;
	default:
		return -MM_EFAULT;
	}
}

static int populate_page(struct mm *mm, uint64_t addr, const struct populate *p, bool write)
{
	return (write ? p->writable : p->present) ? 0 : vm_fault_in(mm, addr, write);
}

int64_t vm_populate_advice(struct mm *mm, uint64_t start, uint64_t end, bool write)
{
	for (; start < end; start += PAGE_SIZE) {
		struct populate p;
		int err;

		if (start >= TASK_SIZE)
			return -MM_ENOMEM;
		p = populate_look(mm, start);
		if (!p.mapped)
			return -MM_ENOMEM;
		if (!(p.flags & (write ? VM_WRITE : VM_READ)))
			return -MM_EINVAL;
		err = populate_page(mm, start, &p, write);
		if (err)
			return err;
	}
	return 0;
}

/* What VM_LOCKONFAULT leaves to the faults is passed over. A VMA without rights has no page to be
 * had. */
int vm_populate_strict(struct mm *mm, uint64_t start, uint64_t end)
{
	while (start < end) {
		struct populate p = populate_look(mm, start);
		int err;

		if (!p.mapped || p.flags & VM_LOCKONFAULT) {
			start = p.end;
			continue;
		}
		if (!(p.flags & VM_ACCESS_FLAGS))
			return -MM_EFAULT;
		err = populate_page(mm, start, &p, p.flags & VM_WRITE);
		if (err)
			return err;
		start += PAGE_SIZE;
	}
	return 0;
}

/* In VMAs that have `need`. */
static void populate_where(struct mm *mm, uint64_t start, uint64_t end, uint32_t need)
{
	while (start < end) {
		struct populate p = populate_look(mm, start);

		if (!p.mapped || !(p.flags & VM_ACCESS_FLAGS) || p.flags & VM_LOCKONFAULT ||
		    (p.flags & need) != need || populate_page(mm, start, &p, p.flags & VM_WRITE))
			start = p.end; /* the rest of this VMA is left to its faults */
		else
			start += PAGE_SIZE;
	}
}

void vm_populate(struct mm *mm, uint64_t start, uint64_t end)
{
	populate_where(mm, start, end, 0);
}

void vm_populate_writable(struct mm *mm, uint64_t start, uint64_t end)
{
	populate_where(mm, start, end < TASK_SIZE ? end : TASK_SIZE, VM_LOCKED | VM_WRITE);
}

void vm_populate_locked(struct mm *mm, uint64_t start, uint64_t end)
{
	populate_where(mm, start, end < TASK_SIZE ? end : TASK_SIZE, VM_LOCKED);
}
