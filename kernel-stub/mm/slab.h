/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects smaller than a page. Each cache has, per CPU, a slab that it allocates from without a
 * lock, and a shared list of partly used slabs.
 */
#ifndef MM_SLAB_H
#define MM_SLAB_H

#include "port.h"

#include "list.h"
#include "lock.h"

struct kmem_cache {
	const char *name;
	uint32_t size; /* of an object, rounded up to `align` */
	uint32_t align;
	uint32_t per_slab;
	uint32_t slab_order;
	struct spinlock lock;
	struct list_node partial; /* slabs with free objects that no CPU holds; lock */
	struct page *cpu_slab[MAX_CPUS];
	int64_t nr_objects;	 /* in use; atomic */
	struct list_node caches; /* all caches, for slab_check and leak tests */
};

/* Needs: size 8..2048, align a power of two <= 64. Cannot fail; allocates nothing. */
void kmem_cache_init(struct kmem_cache *cache, const char *name, uint32_t size, uint32_t align);

/* An object, contents undefined; NULL if no memory (or injected failure). */
void *kmem_cache_alloc(struct kmem_cache *cache);
void kmem_cache_free(struct kmem_cache *cache, void *object);

/* General-purpose: 8..2048 bytes from power-of-two caches, more (up to 4 MiB) from the buddy. */
void *kmalloc(size_t size);
void *kzalloc(size_t size);
void kfree(void *p); /* NULL is fine */

void slab_init(void);
/* Panics unless every freelist and count is right. */
void slab_check(void);

#endif
