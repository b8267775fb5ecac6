/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects smaller than a page. Each cache has, per CPU, a stack of free objects that it allocates
 * from without a lock, and a shared list of partly used slabs. See slab.c.
 */
#ifndef MM_SLAB_H
#define MM_SLAB_H

#include "port/port.h"

#include "mm/base/list.h"
#include "mm/base/lock.h"
#include "slab_debug.h"

#define SLAB_BATCH 16		   /* objects moved between a CPU and the slabs at a time */
#define SLAB_HIGH (2 * SLAB_BATCH) /* beyond this, SLAB_BATCH go back */

/* Owned by its CPU, no lock; a cache line of its own. */
struct kmem_cache_cpu {
	void *head; /* free objects, each pointing to the next in its first word */
	uint32_t count;
	int64_t nr_objects; /* allocated less freed by this CPU */
} __attribute__((aligned(64)));

struct kmem_cache {
	const char *name;
	uint32_t size; /* of an object, rounded up to `align` */
	uint32_t align;
	uint32_t per_slab;
	struct spinlock lock;
	struct list_node partial; /* slabs with free objects; lock */
	struct list_node aside;	  /* the same, of before slab_settle(); lock */
	uint32_t nr_slabs;	  /* lock */
	struct list_node caches;  /* all caches, for slab_check and slab_drain */
	struct kmem_cache_cpu cpu[MAX_CPUS];
};

/* Needs: *cache all zero, which is long for a boot to make it with so many CPUs, or initialised
 * before; size 8..2048, align a power of two 8..64; the cache stays for good; at boot, on one CPU.
 * Cannot fail; allocates nothing. */
void kmem_cache_init(struct kmem_cache *cache, const char *name, uint32_t size, uint32_t align);

/* The slow halves of the two below. */
bool kmem_cache_refill(struct kmem_cache *cache, struct kmem_cache_cpu *cpu);
void kmem_cache_drain(struct kmem_cache *cache, struct kmem_cache_cpu *cpu, uint32_t n);

/* An object, contents undefined; NULL if no memory (or injected failure). */
static inline void *kmem_cache_alloc(struct kmem_cache *cache)
{
	struct kmem_cache_cpu *cpu = &cache->cpu[port_cpu_id()];
	void *object;

	if (unlikely(port_should_fail()))
		return NULL;
	if (unlikely(!cpu->head) && !kmem_cache_refill(cache, cpu))
		return NULL;
	object = cpu->head;
	cpu->head = *(void **)object;
	cpu->count--;
	cpu->nr_objects++;
	slab_debug_alloc(cache, object);
	return object;
}

static inline void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	struct kmem_cache_cpu *cpu = &cache->cpu[port_cpu_id()];

	slab_debug_free(cache, object);
	*(void **)object = cpu->head;
	cpu->head = object;
	cpu->nr_objects--;
	if (unlikely(++cpu->count > SLAB_HIGH))
		kmem_cache_drain(cache, cpu, SLAB_BATCH);
}

/* Objects in use. Exact while the other CPUs rest. */
int64_t kmem_cache_nr_objects(const struct kmem_cache *cache);

/* General-purpose: 8..2048 bytes from power-of-two caches, more (up to 4 MiB) from the buddy; NULL
 * if no memory, or for 0 or too many bytes. Aligned to its size, rounded up to a power of two.
 */
void *kmalloc(size_t size);
void *kzalloc(size_t size);
void kfree(void *p); /* NULL is fine */

/* Objects in use that came from kmalloc's caches. */
int64_t kmalloc_nr_objects(void);

/* The same of every cache, and the pages of all slabs. */
int64_t slab_nr_objects(void);
uint64_t slab_nr_pages(void);

/* Needs: once, after buddy_init, before any other call. Forgets everything. */
void slab_init(void);
/* Returns the free objects that this CPU holds to their slabs, and empty slabs to the buddy. */
void slab_drain(void);
/* Allocations from here on come from new slabs, so that what they cost does not hang on how many
 * there were before: what is free in slabs as they are is used again when memory is short. Other
 * CPUs' stacks stay. May allocate nothing; to be followed by buddy_settle(). */
void slab_settle(void);
/* Panics unless every freelist and count is right. Needs: the other CPUs at rest. */
void slab_check(void);

#endif
