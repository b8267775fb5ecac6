/* SPDX-License-Identifier: GPL-2.0-or-later */
/* anon_root: see anon.h. */
#include "mm/rmap/anon.h"

#include "mm/phys/slab.h"

static struct kmem_cache anon_cache;

void anon_init(void)
{
	kmem_cache_init(&anon_cache, "anon_root", sizeof(struct anon_root), 8);
}

/* Could the two be one VMA after a change of rights? Needs: both in one mm, `lower` below `upper`.
 */
static bool alike(const struct vma *lower, const struct vma *upper)
{
	return lower->end == upper->start && lower->file == upper->file &&
	       !((lower->flags ^ upper->flags) & ~(uint32_t)VM_ACCESS_FLAGS) &&
	       upper->pgoff - lower->pgoff == (upper->start - lower->start) >> PAGE_SHIFT;
}

static bool has_root_to_share(const struct vma *vma)
{
	return vma->anon && !vma->anon->inherited;
}

static struct anon_root *neighbours_root(const struct vma *vma)
{
	if (vma->next && has_root_to_share(vma->next) && alike(vma, vma->next))
		return vma->next->anon;
	if (vma->prev && has_root_to_share(vma->prev) && alike(vma->prev, vma))
		return vma->prev->anon;
	return NULL;
}

static struct anon_root *new_root(struct mm *mm)
{
	struct anon_root *root = kmem_cache_alloc(&anon_cache);

	if (root)
		*root = (struct anon_root){.mm = mm};
	return root;
}

struct anon_root *anon_attach(struct vma *vma)
{
	struct mm *mm = vma->mm;
	struct anon_root *root;

	spin_lock(&mm->table_lock, LOCK_PTL_UPPER);
	root = vma->anon;
	if (!root) {
		root = neighbours_root(vma);
		if (!root)
			root = new_root(mm);
		anon_get(root);
		__atomic_store_n(&vma->anon, root, __ATOMIC_RELEASE);
	}
	spin_unlock(&mm->table_lock, LOCK_PTL_UPPER);
	return root;
}

struct anon_root *anon_inherit(struct mm *mm)
{
	struct anon_root *root = new_root(mm);

	if (root) {
		root->refcount = 1;
		root->inherited = true;
	}
	return root;
}

void anon_get(struct anon_root *root)
{
	if (root)
		root->refcount++;
}

void anon_put(struct anon_root *root)
{
	if (!root)
		return;
	ASSERT(root->refcount);
	if (!--root->refcount)
		kmem_cache_free(&anon_cache, root);
}
