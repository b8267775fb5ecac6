/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hosted machine with one address space, and pictures of its VMAs for tests. One character a
 * page, from `base` on:
 *
 *   .        nothing          n r w x e   rights: none, r--, rw-, r-x, rwx (w-- is W, --x is X)
 *   |        between two VMAs that touch
 *   a b      private and read-only: a file, another one, both mapped with page i at base + i pages
 *   A c      the first file: without rights, or read-only and one page further
 *   S        rw-, VM_GROWSDOWN
 *   s q      rw-, MADV_SEQUENTIAL or MADV_RANDOM
 *
 * Needs the hosted library; include it in one file a test.
 */
#ifndef VMA_WORLD_H
#define VMA_WORLD_H

#include <stdio.h>
#include <string.h>

#include "mm/fault/fault.h"
#include "mm/object/file.h"
#include "mm/pgtable/pgtable.h"
#include "mm/phys/buddy.h"
#include "mm/phys/slab.h"
#include "mm/phys/zero_page.h"
#include "mm/rmap/anon.h"
#include "mm/vma/vma.h"
#include "port/hosted/hosted.h"

#define WORLD_FRAMES 8192u
#define PICTURE_MAX 128

#define MAY_ALL ((uint32_t)(VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC))

static struct mm *world_mm;

/* ---- files ---- */

static struct page *world_file_page(struct vm_file *file, uint64_t index)
{
	struct page *page = page_alloc();

	(void)file;
	if (!page)
		return NULL;
	memset(page_to_virt(page), 0, PAGE_SIZE);
	*(uint64_t *)page_to_virt(page) = 0xf11e0000 + index;
	return page;
}

static void world_file_release(struct vm_file *file)
{
	(void)file;
	ASSERT(!"a test's file lost its last reference");
}

#define WORLD_FILE(path_, inode_)                                                                  \
	{                                                                                          \
		.path = (path_), .size = 1 << 20, .inode = (inode_), .refcount = 1,                \
		.get_page = world_file_page, .release = world_file_release, .read_only = true,     \
	}

static struct vm_file world_files[2] = {WORLD_FILE("/a", 1), WORLD_FILE("/b", 2)};

/* ---- life ---- */

static inline void world_open(void)
{
	hosted_boot(WORLD_FRAMES);
	mm_init();
	ASSERT(zero_page_init() == 0);
	world_mm = mm_create();
	ASSERT(world_mm);
	port_load_mm(world_mm);
}

static inline void world_check(void)
{
	mmap_write_lock(world_mm);
	mm_check(world_mm);
	mmap_write_unlock(world_mm);
}

/* Everything goes, and nothing leaks. */
static inline void world_close(void)
{
	world_check();
	port_load_mm(NULL);
	mm_destroy(world_mm);
	ASSERT(world_files[0].refcount == 1 && world_files[1].refcount == 1);
	slab_check();
	buddy_check();
}

/* ---- memory ---- */

/* The byte at va as ring 3 would get it, faults served; NULL: it would get a signal. */
static inline void *world_touch(uint64_t va, enum hosted_access_kind kind)
{
	for (unsigned tries = 0; tries < 4; tries++) {
		struct hosted_access a = hosted_access(world_mm, va, kind, true);
		struct fault_access f = {va, a.fault};

		if (a.host)
			return a.host;
		if (vm_fault(world_mm, &f).outcome != FAULT_DONE)
			return NULL;
	}
	ASSERT(!"a fault was served again and again");
	return NULL;
}

/* ---- pictures ---- */

struct picture_kind {
	char c;
	uint32_t flags; /* beside MAY_ALL */
	const struct vm_file *file;
	uint64_t shift;
};

static const struct picture_kind picture_kinds[] = {
	{'n', 0, NULL, 0},
	{'r', VM_READ, NULL, 0},
	{'w', VM_READ | VM_WRITE, NULL, 0},
	{'x', VM_READ | VM_EXEC, NULL, 0},
	{'e', VM_READ | VM_WRITE | VM_EXEC, NULL, 0},
	{'W', VM_WRITE, NULL, 0},
	{'X', VM_EXEC, NULL, 0},
	{'a', VM_READ, &world_files[0], 0},
	{'b', VM_READ, &world_files[1], 0},
	{'c', VM_READ, &world_files[0], 1},
	{'A', 0, &world_files[0], 0},
	{'S', VM_READ | VM_WRITE | VM_GROWSDOWN, NULL, 0},
	{'s', VM_READ | VM_WRITE | VM_SEQ_READ, NULL, 0},
	{'q', VM_READ | VM_WRITE | VM_RAND_READ, NULL, 0},
};

static inline const struct picture_kind *picture_kind(char c)
{
	for (size_t i = 0; i < sizeof(picture_kinds) / sizeof(*picture_kinds); i++)
		if (picture_kinds[i].c == c)
			return &picture_kinds[i];
	ASSERT(!"an unknown letter in a picture");
	return NULL;
}

/* The letter of one VMA; '?': none fits. */
static inline char picture_letter(const struct vma *vma, uint64_t base)
{
	uint32_t flags = vma->flags & ~(MAY_ALL | VM_ACCOUNT | VM_NORESERVE);

	for (size_t i = 0; i < sizeof(picture_kinds) / sizeof(*picture_kinds); i++) {
		const struct picture_kind *k = &picture_kinds[i];

		if (k->flags == flags && k->file == vma->file &&
		    (!k->file || vma->pgoff == ((vma->start - base) >> PAGE_SHIFT) + k->shift))
			return k->c;
	}
	return '?';
}

/* Draws pages [0, n) from base into buf, which has PICTURE_MAX bytes. */
static inline const char *picture_draw(char *buf, uint64_t base, unsigned n)
{
	const struct vma *prev = NULL;
	char *p = buf;

	ASSERT(2 * n < PICTURE_MAX);
	for (unsigned i = 0; i < n; i++) {
		uint64_t va = base + i * PAGE_SIZE;
		const struct vma *vma = vma_find(world_mm, va);

		if (vma && vma->start > va)
			vma = NULL;
		if (vma && prev && vma != prev)
			*p++ = '|';
		*p++ = vma ? picture_letter(vma, base) : '.';
		prev = vma;
	}
	*p = '\0';
	return buf;
}

/* ---- calls in units of pages from a base ---- */

static inline unsigned prot_of(uint32_t flags)
{
	return flags & (VM_READ | VM_WRITE | VM_EXEC);
}

/* mmap of what the letter stands for, MAP_FIXED. */
static inline int64_t map_letter(uint64_t base, unsigned first, unsigned count, char c)
{
	const struct picture_kind *k = picture_kind(c);
	uint64_t va = base + first * PAGE_SIZE, len = count * PAGE_SIZE;
	unsigned grows = k->flags & VM_GROWSDOWN ? MAP_GROWSDOWN_ : 0;
	int64_t ret =
		vm_mmap(world_mm, va, len, prot_of(k->flags), MAP_PRIVATE_ | MAP_FIXED_ | grows,
			(struct vm_file *)k->file, k->file ? first + k->shift : 0, 0);

	if (ret >= 0 && k->flags & VM_SEQ_READ)
		ret = vm_madvise(world_mm, va, len, MADV_SEQUENTIAL_);
	if (ret >= 0 && k->flags & VM_RAND_READ)
		ret = vm_madvise(world_mm, va, len, MADV_RANDOM_);
	return ret;
}

/* Makes the VMAs that the picture shows, from an address space empty there. */
static inline void picture_make(uint64_t base, const char *picture)
{
	unsigned page = 0;

	while (*picture) {
		size_t run = strspn(picture, (char[]){*picture, '\0'});

		if (*picture != '|' && *picture != '.')
			ASSERT(map_letter(base, page, (unsigned)run, *picture) >= 0);
		if (*picture != '|')
			page += (unsigned)run;
		picture += run;
	}
}

/* Pages that a picture shows. */
static inline unsigned picture_pages(const char *picture)
{
	unsigned n = 0;

	for (; *picture; picture++)
		n += *picture != '|';
	return n;
}

#endif
