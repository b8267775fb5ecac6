/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The set of VMAs.
 *
 * The gap below a VMA (vma_gap.h) depends on its start and on the end of its predecessor. It
 * follows which operations touch gaps at all:
 *
 *   1. A VMA comes into a hole or leaves one behind, or grows into one or shrinks: its own gap and
 *      its successor's change.
 *   2. Two VMAs that touch become one, one becomes two, or the border between them moves: no gap
 *      changes. The upper one's is 0 before and after.
 *
 * Two neighbours can be one VMA if they touch, have the same flags and file, if the upper one
 * continues the file where the lower one ends, and if at most one of them has an anon_root, not one
 * that fork made, or both have the same (anon.h). An anonymous VMA has the pgoff
 * start >> PAGE_SHIFT, so the rule about the file holds for it by itself; if mremap moved its
 * pages, then that of where they were made.
 *
 * Changing the flags of [start, end) inside one VMA, with its neighbours P and N. The letters are
 * flags; the new ones are b. These are all the cases:
 *
 *   3. PPPaaaNNN  bbbaaabbb -> bbbbbbbbb   whole, alike on both sides: three become one
 *   4.            bbbaaa    -> bbbbbb      whole, alike below
 *   5.            bbbaaa    -> bbbbaa      a lower part, alike below: the border moves
 *   6.               aaabbb -> bbbbbb      whole, alike above
 *   7.               aaabbb -> aabbbb      an upper part, alike above: the border moves
 *   8.               aaa    -> abb, bba    one split
 *   9.               aaa    -> aba         two splits
 *
 * In case 3 P and N may each suit the VMA but not one another, having different roots: then P wins,
 * as on Linux (mm/vma.c, can_vma_merge_right).
 */
#include "mm/vma/vma.h"

#include "mm/object/file.h"
#include "mm/pgtable/pgtable.h"
#include "mm/phys/vmstat.h"
#include "mm/vma/vma_gap.h"

struct kmem_cache vma_cache;

/* ---- memory ---- */

void vma_init(void)
{
	kmem_cache_init(&vma_cache, "vma", sizeof(struct vma), 8);
	vma_index_init();
}

void vma_spare_drop(struct vma_spare *spare)
{
	while (spare->n)
		kmem_cache_free(&vma_cache, spare->vma[--spare->n]);
}

static struct vma *spare_take(struct vma_spare *spare)
{
	ASSERT(spare->n);
	return spare->vma[--spare->n];
}

/* ---- linking ---- */

static void list_link(struct mm *mm, struct vma *vma, struct vma *next)
{
	struct vma *prev = next ? next->prev : mm->last;

	vma->next = next;
	vma->prev = prev;
	*(next ? &next->prev : &mm->last) = vma;
	*(prev ? &prev->next : &mm->first) = vma;
}

/* Links it in with that gap, which must not be less than the true one. */
static void link_vma(struct mm *mm, struct vma *vma, struct vma *next, uint64_t gap)
{
	list_link(mm, vma, next);
	vma->gap = next ? gap : VMA_GAP_ENDLESS;
	vma_index_insert(mm, vma);
	mm->map_count++;
	if (!next && vma->prev)
		vma_gap_changed(vma->prev);
}

/* Takes the VMAs from `first` up to `next` (NULL: to the end) out of the list. */
static void list_unlink(struct mm *mm, struct vma *first, struct vma *next)
{
	struct vma *prev = first->prev;

	*(prev ? &prev->next : &mm->first) = next;
	*(next ? &next->prev : &mm->last) = prev;
	if (!next && prev)
		vma_gap_set(prev, VMA_GAP_ENDLESS);
}

/* Takes it, which is out of the list, out of the index, and frees it. */
static void erase_and_free(struct mm *mm, struct vma *vma)
{
	vma_index_erase(mm, vma);
	mm->map_count--;
	if (mm->last_hit == vma)
		mm->last_hit = NULL;
	if (mm->widest == vma)
		mm->widest = NULL;
	if (vma->file)
		vm_file_unlink(vma);
	if (vma->anon)
		anon_put(vma->anon);
	kmem_cache_free(&vma_cache, vma);
}

/* ---- counting ---- */

static __attribute__((noinline)) void count_elsewhere(const struct vma *vma, uint64_t pages)
{
	struct mm *mm = vma->mm;

	if (!vm_flags_data(vma->flags))
		mm->other_vm += pages;
	if (vma->flags & VM_GROWSDOWN)
		mm->stack_vm += pages;
	if (vma->flags & VM_LOCKED)
		mm->locked_vm += pages;
}

/* The VMA has so many pages more. */
static inline void count_pages(struct mm *mm, const struct vma *vma, uint64_t pages)
{
	mm->total_vm += pages;
	if (unlikely(vma->elsewhere))
		count_elsewhere(vma, pages);
}

static inline void add_pages(struct mm *mm, const struct vma *vma, uint64_t start, uint64_t end)
{
	count_pages(mm, vma, (end - start) >> PAGE_SHIFT);
}

static inline void sub_pages(struct mm *mm, const struct vma *vma, uint64_t start, uint64_t end)
{
	count_pages(mm, vma, -((end - start) >> PAGE_SHIFT));
}

uint64_t vma_pages_in(const struct vma *first, uint64_t start, uint64_t end)
{
	uint64_t pages = 0;

	for (; first && first->start < end; first = first->next) {
		uint64_t from = first->start > start ? first->start : start;
		uint64_t to = first->end < end ? first->end : end;

		pages += (to - from) >> PAGE_SHIFT;
	}
	return pages;
}

static void move_end(struct vma *vma, uint64_t end)
{
	vma->end = end;
	vma_index_end_changed(vma);
}

static void move_start(struct vma *vma, uint64_t start)
{
	vma->pgoff += (uint64_t)((int64_t)(start - vma->start) >> PAGE_SHIFT);
	vma->start = start;
}

/* ---- joining and splitting: no gap changes ---- */

/* vma gets pages of another one, which has that root. */
static void share_anon(struct vma *vma, struct anon_root *anon)
{
	if (vma->anon)
		return;
	anon_get(anon);
	vma->anon = anon;
}

/* vma and its successor, which touches it and is alike, become one. */
static void absorb_next(struct vma *vma)
{
	struct vma *next = vma->next;

	share_anon(vma, next->anon);
	move_end(vma, next->end);
	list_unlink(vma->mm, next, next->next);
	erase_and_free(vma->mm, next);
	vmstat_inc(FL_VMSTAT_VMA_MERGE);
}

/* [addr, end) becomes a VMA of its own, which is returned. */
static struct vma *split(struct vma *vma, uint64_t addr, struct vma_spare *spare)
{
	struct vma *upper = spare_take(spare);

	*upper = *vma;
	move_start(upper, addr);
	move_end(vma, addr);
	if (upper->file)
		vm_file_link(upper);
	anon_get(upper->anon);
	link_vma(vma->mm, upper, vma->next, 0);
	vmstat_inc(FL_VMSTAT_VMA_SPLIT);
	return upper;
}

/* ---- mapping ---- */

static struct vma *map_alone(struct mm *mm, const struct vma_new *new, struct vma *next,
			     struct vma_spare *spare)
{
	struct vma *vma = spare_take(spare);

	vma->start = new->start;
	vma->end = new->end;
	vma_set_flags(vma, new->flags);
	vma->mm = mm;
	vma->file = new->file;
	vma->pgoff = new->pgoff;
	vma->anon = NULL;
	if (vma->file)
		vm_file_link(vma);
	link_vma(mm, vma, next, next ? next->gap : 0);
	vma_gap_divided(mm, vma, next);
	return vma;
}

/* The range grows one of its neighbours, or makes the two and itself one. */
static struct vma *map_joined(const struct vma_new *new, struct vma_neighbours n)
{
	vmstat_inc(FL_VMSTAT_VMA_MERGE);
	if (!n.left) {
		move_start(n.right, new->start);
		vma_gap_changed(n.right);
		return n.right;
	}
	move_end(n.left, new->end);
	if (n.right)
		absorb_next(n.left); /* and what its gap was goes with it */
	else if (n.left->next)
		vma_gap_changed(n.left->next);
	return n.left;
}

void vma_map(struct mm *mm, const struct vma_new *new, struct vma *next, struct vma_neighbours n,
	     struct vma_spare *spare)
{
	struct vma *vma = n.left || n.right ? map_joined(new, n) : map_alone(mm, new, next, spare);

	add_pages(mm, vma, new->start, new->end);
	mm->last_hit = vma;
}

void vma_extend_down(struct vma *vma, uint64_t start)
{
	uint64_t pages = (vma->start - start) >> PAGE_SHIFT;

	vma->mm->total_vm += pages;
	count_elsewhere(vma, pages); /* as every stack does */
	move_start(vma, start);
	vma_gap_changed(vma);
}

/* ---- unmapping ---- */

/* May [start, end), unmapped, have left a lowest-level table to nobody? Not if the one that covers
 * it also covers part of a neighbour: it goes with the last of them. */
static bool table_unused(const struct vma *prev, const struct vma *next, uint64_t start,
			 uint64_t end)
{
	uint64_t low = start & ~(PMD_SIZE - 1), high = low + PMD_SIZE;

	return end > high || ((!prev || prev->end <= low) && (!next || next->start >= high));
}

/* The VMAs in [start, end) go, of which `first` is the first (or the first beyond it, or NULL), and
 * the lower part of one that reaches beyond it. Returns the VMA above the room that is left. */
static struct vma *remove_range(struct mm *mm, struct vma *first, uint64_t start, uint64_t end)
{
	struct vma *vma = first, *next, *above;

	for (above = first; above && above->end <= end;)
		above = above->next;
	if (above && above->start < end) {
		sub_pages(mm, above, above->start, end);
		move_start(above, end);
	}
	if (first != above)
		list_unlink(mm, first, above);
	vma_gap_left(mm, above, start, end);
	for (; vma != above; vma = next) {
		next = vma->next;
		sub_pages(mm, vma, vma->start, vma->end);
		erase_and_free(mm, vma);
	}
	return above;
}

void vma_unmap(struct mm *mm, struct vma *first, uint64_t start, uint64_t end,
	       struct vma_spare *spare)
{
	struct vma *vma = first, *next;

	if (vma_unmap_needs(first, start, end))
		split(vma, end, spare);
	if (vma->start < start) {
		sub_pages(mm, vma, start, vma->end);
		move_end(vma, start);
		vma = vma->next;
	}
	next = remove_range(mm, vma, start, end);
	if (table_unused(next ? next->prev : mm->last, next, start, end))
		pgtable_free_range(mm, start, end);
}

/* ---- changing flags ---- */

void vma_plan_change(struct vma_change *change, struct vma *vma, uint64_t start, uint64_t end,
		     uint32_t flags)
{
	struct vma_new new = {start, end, flags, vma->file,
			      vma->pgoff + ((start - vma->start) >> PAGE_SHIFT)};
	struct vma_neighbours n;

	*change = (struct vma_change){.vma = vma, .start = start, .end = end, .flags = flags};
	if (flags == vma->flags)
		return;
	n = vma_plan_map(&new, start == vma->start ? vma->prev : NULL,
			 end == vma->end ? vma->next : NULL, vma->anon);
	change->left = n.left;
	change->right = n.right;
	if (!n.left && !n.right)
		change->nr_new = (start > vma->start) + (end < vma->end);
}

/* Case 5: the lower part of vma goes over to its predecessor. */
static struct vma *give_to_prev(struct vma *vma, uint64_t addr)
{
	share_anon(vma->prev, vma->anon);
	move_end(vma->prev, addr);
	move_start(vma, addr);
	vmstat_inc(FL_VMSTAT_VMA_MERGE);
	return vma->prev;
}

/* Case 7: the upper part of vma goes over to its successor. */
static struct vma *give_to_next(struct vma *vma, uint64_t addr)
{
	share_anon(vma->next, vma->anon);
	move_end(vma, addr);
	move_start(vma->next, addr);
	vmstat_inc(FL_VMSTAT_VMA_MERGE);
	return vma->next;
}

struct vma *vma_do_change(const struct vma_change *change, struct vma_spare *spare)
{
	struct vma *vma = change->vma;

	if (change->flags == vma->flags)
		return vma;
	vma_count_change(vma->mm, vma->flags, change->flags,
			 (change->end - change->start) >> PAGE_SHIFT);
	if (change->left && change->end < vma->end)
		return give_to_prev(vma, change->end);
	if (change->right && change->start > vma->start)
		return give_to_next(vma, change->start);
	if (change->start > vma->start)
		vma = split(vma, change->start, spare);
	if (change->end < vma->end)
		split(vma, change->end, spare);
	vma_set_flags(vma, change->flags);
	if (change->right)
		absorb_next(vma);
	if (change->left) {
		vma = vma->prev;
		absorb_next(vma);
	}
	return vma;
}

int vma_spare_for_changes(struct vma_spare *spare, const struct vma_change *first, uint64_t end)
{
	const struct vma *last;
	unsigned n = first->nr_new;

	if (end > first->vma->end) {
		last = vma_find(first->vma->mm, end);
		n += last && last->start < end;
	}
	return vma_spare_fill(first->vma->mm, spare, n);
}

/* ---- fork ---- */

struct vma *vma_fork(struct mm *mm, const struct vma *from)
{
	bool shares = from->anon && !(from->flags & VM_WIPEONFORK);
	struct anon_root *root = NULL;
	struct vma *vma;

	if (vma_index_reserve(mm, 1) || (shares && !(root = anon_inherit(mm))))
		return NULL;
	vma = kmem_cache_alloc(&vma_cache);
	if (!vma) {
		anon_put(root);
		return NULL;
	}
	*vma = *from;
	vma->mm = mm;
	vma->anon = root;
	vma_set_flags(vma, from->flags & ~(uint32_t)VM_LOCKED_MASK);
	if (vma->file)
		vm_file_link(vma);
	link_vma(mm, vma, NULL, VMA_GAP_ENDLESS);
	add_pages(mm, vma, vma->start, vma->end);
	return vma;
}

/* ---- the end ---- */

void vma_free_all(struct mm *mm)
{
	struct vma *vma, *next;

	for (vma = mm->first; vma; vma = next) {
		next = vma->next;
		if (vma->file)
			vm_file_unlink(vma);
		anon_put(vma->anon);
		kmem_cache_free(&vma_cache, vma);
	}
	vma_index_clear(mm);
	mm->first = mm->last = mm->last_hit = mm->widest = NULL;
	mm->hole_bound = VMA_GAP_ENDLESS;
	mm->map_count = 0;
	mm->total_vm = mm->other_vm = mm->stack_vm = mm->locked_vm = 0;
}
