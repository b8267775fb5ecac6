/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VMAs of an address space against what is known of them: vma_check(). */
#include "mm/rmap/anon.h"
#include "mm/object/file.h"
#include "mm/vma/vma_gap.h"

/* Is its gap one that mm->hole_bound speaks of? */
static bool bounded_gap(const struct vma *vma)
{
	const struct vma *widest = vma->mm->widest;

	return widest && vma->start > widest->start && vma->next && vma->end <= vma->mm->mmap_base;
}

static void vma_check_one(const struct mm *mm, const struct vma *vma)
{
	ASSERT(vma->mm == mm);
	ASSERT(!((vma->start | vma->end) & ~PAGE_MASK));
	ASSERT(vma->start < vma->end && vma->end <= TASK_SIZE);
	ASSERT(!vma->prev || vma->prev->end <= vma->start);
	ASSERT(vma->gap ==
	       (vma == mm->widest || !vma->next ? VMA_GAP_ENDLESS : vma_gap_below(vma)));
	ASSERT(!bounded_gap(vma) || vma_gap_below(vma) <= mm->hole_bound);
	ASSERT(vma->prot == vma_prot(vma->flags));
	ASSERT(vma->elsewhere == vma_counts_elsewhere(vma->flags));
	if (vma->file)
		vm_file_check(vma);
	ASSERT(!vma->anon || (vma->anon->mm == mm && vma->anon->refcount));
}

static uint32_t vmas_with_root(const struct mm *mm, const struct anon_root *root)
{
	uint32_t n = 0;

	for (const struct vma *vma = mm->first; vma; vma = vma->next)
		n += vma->anon == root;
	return n;
}

void vma_check(struct mm *mm)
{
	const struct vma *prev = NULL;
	uint64_t pages = 0, data = 0, stack = 0, locked = 0;
	uint32_t count = 0;
	bool hit = !mm->last_hit, widest = !mm->widest;

	for (const struct vma *vma = mm->first; vma; prev = vma, vma = vma->next) {
		ASSERT(vma->prev == prev);
		vma_check_one(mm, vma);
		if (vma->anon)
			ASSERT(vma->anon->refcount == vmas_with_root(mm, vma->anon));
		hit |= mm->last_hit == vma;
		widest |= mm->widest == vma;
		pages += vma_pages_in(vma, vma->start, vma->end);
		data += vm_flags_data(vma->flags) ? vma_pages_in(vma, vma->start, vma->end) : 0;
		stack += vma->flags & VM_GROWSDOWN ? vma_pages_in(vma, vma->start, vma->end) : 0;
		locked += vma->flags & VM_LOCKED ? vma_pages_in(vma, vma->start, vma->end) : 0;
		count++;
	}
	ASSERT(mm->last == prev);
	ASSERT(mm->map_count == count && mm->total_vm == pages);
	ASSERT(mm_data_vm(mm) == data && mm->stack_vm == stack && mm->locked_vm == locked);
	ASSERT(hit && widest);
	vma_index_check(mm);
}
