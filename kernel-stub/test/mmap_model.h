/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flat model: an area of a few pages, each with rights, advice and contents of its own, and no
 * VMA anywhere. Each call is done to the model and to mm/, and the results are compared: what the
 * call returned, each page's flags, each page's contents as the software MMU sees them, and that no
 * two VMAs touch that could be one. For mmap_model_test.c and fuzz/mmap_fuzz.c.
 *
 * The area's place crosses a 1 GiB border in its middle, so that two tables of each of the two
 * lower levels come and go.
 */
#ifndef MMAP_MODEL_H
#define MMAP_MODEL_H

#include "mm/base/mm_errno.h"
#include "test/vma_world.h"

#define MODEL_MAX 16u
#define MODEL_BASE(pages) ((1ull << 30) - (pages) / 2 * PAGE_SIZE)

struct model_page {
	bool mapped;
	uint32_t flags; /* as struct vma's, without VM_ACCOUNT: that is the whole VMA's affair. Each
			   VM_SHARED page is of an object of its own call's, mapped nowhere else */
	uint64_t value; /* its first eight bytes; 0: never written */
};

struct model {
	uint64_t base;
	unsigned n;
	struct model_page page[MODEL_MAX];
};

enum model_call {
	MODEL_MMAP,  /* at `first`, MAP_FIXED; arg: prot, and VM_SHARED for shared memory */
	MODEL_PLACE, /* anywhere; arg: the same */
	MODEL_HINT,  /* the hint `first`; arg: the same */
	MODEL_EXCL,  /* at `first`, MAP_FIXED_NOREPLACE; arg: the same */
	MODEL_MUNMAP,
	MODEL_MPROTECT, /* arg: prot */
	MODEL_MADVISE,	/* arg: advice */
	MODEL_WRITE,	/* `value` to page `first` */
	MODEL_READ,	/* page `first` */
	MODEL_NR_CALLS
};

struct model_op {
	enum model_call call;
	unsigned first, count; /* pages; first + count <= model.n */
	unsigned arg;
	uint64_t value; /* not 0 */
};

static inline void model_open(struct model *m, unsigned pages)
{
	*m = (struct model){.base = MODEL_BASE(pages), .n = pages};
	world_open();
	world_mm->mmap_base = m->base + pages * PAGE_SIZE;
}

static inline uint64_t model_va(const struct model *m, unsigned page)
{
	return m->base + page * PAGE_SIZE;
}

/* ---- the model's side ---- */

static inline bool model_free(const struct model *m, unsigned first, unsigned count)
{
	for (unsigned i = first; i < first + count; i++)
		if (m->page[i].mapped)
			return false;
	return true;
}

static inline int64_t model_map(struct model *m, unsigned first, const struct model_op *op)
{
	uint32_t flags = MAY_ALL | op->arg;

	for (unsigned i = first; i < first + op->count; i++)
		m->page[i] = (struct model_page){.mapped = true, .flags = flags};
	return (int64_t)model_va(m, first);
}

/* Below the area everything is free, so a place is always found. */
static inline int64_t model_place(struct model *m, const struct model_op *op)
{
	unsigned free_low = 0;

	for (unsigned first = m->n - op->count + 1; first-- > 0;)
		if (model_free(m, first, op->count))
			return model_map(m, first, op);
	while (!m->page[free_low].mapped)
		free_low++;
	/* It begins below the area, and model_do() takes it away again. */
	return (int64_t)(model_va(m, free_low) - op->count * PAGE_SIZE);
}

static inline int64_t model_mprotect(struct model *m, const struct model_op *op)
{
	for (unsigned i = op->first; i < op->first + op->count; i++) {
		struct model_page *p = &m->page[i];

		if (!p->mapped)
			return -MM_ENOMEM;
		p->flags = (p->flags & ~(uint32_t)VM_ACCESS_FLAGS) | op->arg;
	}
	return 0;
}

static inline int64_t model_madvise(struct model *m, const struct model_op *op)
{
	int64_t ret = 0;

	for (unsigned i = op->first; i < op->first + op->count; i++) {
		struct model_page *p = &m->page[i];

		if (!p->mapped)
			ret = -MM_ENOMEM;
		else if (op->arg == MADV_DONTNEED_ && !(p->flags & VM_SHARED))
			p->value = 0;
		if (!p->mapped || op->arg > MADV_SEQUENTIAL_)
			continue;
		p->flags &= ~(uint32_t)(VM_RAND_READ | VM_SEQ_READ);
		p->flags |= op->arg == MADV_RANDOM_ ? VM_RAND_READ : 0;
		p->flags |= op->arg == MADV_SEQUENTIAL_ ? VM_SEQ_READ : 0;
	}
	return ret;
}

/* What the call must return. Accesses: 1 if allowed. */
static inline int64_t model_predict(struct model *m, const struct model_op *op)
{
	struct model_page *p = &m->page[op->first];

	switch (op->call) {
	case MODEL_MMAP:
		return model_map(m, op->first, op);
	case MODEL_EXCL:
		return model_free(m, op->first, op->count) ? model_map(m, op->first, op)
							   : -MM_EEXIST;
	case MODEL_HINT:
		if (model_free(m, op->first, op->count))
			return model_map(m, op->first, op);
		return model_place(m, op);
	case MODEL_PLACE:
		return model_place(m, op);
	case MODEL_MUNMAP:
		memset(p, 0, op->count * sizeof(*p));
		return 0;
	case MODEL_MPROTECT:
		return model_mprotect(m, op);
	case MODEL_MADVISE:
		return model_madvise(m, op);
	case MODEL_WRITE:
		if (!p->mapped || !(p->flags & VM_WRITE))
			return 0;
		p->value = op->value;
		return 1;
	case MODEL_READ:
		return p->mapped && p->flags & VM_ACCESS_FLAGS;
	default:
		ASSERT(!"no such call");
		return 0;
	}
}

/* ---- the side of mm/ ---- */

static inline int64_t model_access(const struct model *m, const struct model_op *op)
{
	uint64_t *word = world_touch(model_va(m, op->first),
				     op->call == MODEL_WRITE ? HOSTED_WRITE : HOSTED_READ);

	if (word && op->call == MODEL_WRITE)
		*word = op->value;
	return word != NULL;
}

static inline int64_t model_call(const struct model *m, const struct model_op *op)
{
	uint64_t va = model_va(m, op->first), len = op->count * PAGE_SIZE;
	unsigned anon = MAP_ANONYMOUS_ | (op->arg & VM_SHARED ? MAP_SHARED_ : MAP_PRIVATE_);
	unsigned prot = op->arg & VM_ACCESS_FLAGS;

	switch (op->call) {
	case MODEL_MMAP:
		return vm_mmap(world_mm, va, len, prot, anon | MAP_FIXED_, NULL, 0, 0);
	case MODEL_EXCL:
		return vm_mmap(world_mm, va, len, prot, anon | MAP_FIXED_NOREPLACE_, NULL, 0, 0);
	case MODEL_HINT:
		return vm_mmap(world_mm, va, len, prot, anon, NULL, 0, 0);
	case MODEL_PLACE:
		return vm_mmap(world_mm, 0, len, prot, anon, NULL, 0, 0);
	case MODEL_MUNMAP:
		return vm_munmap(world_mm, va, len);
	case MODEL_MPROTECT:
		return vm_mprotect(world_mm, va, len, op->arg);
	case MODEL_MADVISE:
		return vm_madvise(world_mm, va, len, (int)op->arg);
	default:
		return model_access(m, op);
	}
}

/* ---- comparing ---- */

/* Two neighbours that could be one VMA: merging forgot them. */
static inline bool model_unmerged(const struct vma *a, const struct vma *b)
{
	return b && a->end == b->start && a->flags == b->flags && a->file == b->file &&
	       (!a->anon || !b->anon || a->anon == b->anon);
}

/* Page tables that there may be: one of level 2, and for each half of the area that has a page
 * mapped one of each lower level. */
static inline int64_t model_tables_max(const struct model *m)
{
	bool half[2] = {false, false};

	for (unsigned i = 0; i < m->n; i++)
		half[i >= m->n / 2] |= m->page[i].mapped;
	return (half[0] || half[1]) + 2 * half[0] + 2 * half[1];
}

/* Panics unless the VMAs are what the model's pages say. */
static inline void model_compare(const struct model *m)
{
	const struct vma *vma = vma_find(world_mm, m->base);
	uint64_t mapped = 0;

	for (unsigned i = 0; i < m->n; i++) {
		uint64_t va = model_va(m, i);

		if (vma && vma->end <= va) {
			ASSERT(!model_unmerged(vma, vma->next));
			vma = vma->next;
		}
		ASSERT(m->page[i].mapped == (vma && vma->start <= va));
		if (!m->page[i].mapped)
			continue;
		ASSERT((vma->flags & ~(uint32_t)VM_ACCOUNT) == m->page[i].flags);
		mapped++;
	}
	ASSERT(world_mm->total_vm == mapped);
	ASSERT(world_mm->nr_tables <= model_tables_max(m));
}

/* Panics unless a read of that page gives what the model says. */
static inline void model_compare_value(const struct model *m, unsigned page)
{
	const struct model_page *p = &m->page[page];
	const uint64_t *word = world_touch(model_va(m, page), HOSTED_READ);

	ASSERT((word != NULL) == (p->mapped && p->flags & VM_ACCESS_FLAGS));
	ASSERT(!word || *word == p->value);
}

/* One call to both sides. What lands below the area goes again. */
static inline void model_do(struct model *m, const struct model_op *op)
{
	int64_t expected = model_predict(m, op), got = model_call(m, op);

	ASSERT(got == expected);
	if (op->call <= MODEL_EXCL && got > 0 && (uint64_t)got < m->base)
		ASSERT(vm_munmap(world_mm, (uint64_t)got, op->count * PAGE_SIZE) == 0);
}

#endif
