/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The slab allocator (after Bonwick, "The Slab Allocator", USENIX Summer 1994, and Bonwick and
 * Adams, "Magazines and Vmem", USENIX 2001).
 *
 * A slab is one page (PG_SLAB) cut into objects of one cache. A free object is in one of two
 * places, and its first word links it to the next:
 *
 *   magazine    a CPU's stack of free objects; allocating and freeing touch nothing else
 *   freelist    the slab's own, page->slab_freelist, of page->slab_free objects
 *
 * Objects move between the two SLAB_BATCH at a time, under the cache's lock. Whose slab an object
 * comes from matters only then, so an object may be freed on another CPU than it was allocated on.
 * A slab with a free object on its freelist is on cache->partial, or on cache->aside if
 * slab_settle() put it there; one whose objects are all back is given up; the others need no list.
 *
 *   cache ── partial ── slab ── slab        cpu[0].head ── object ── object
 *                        │       │          cpu[1].head ── object
 *                       free    free
 *
 * Locks: LOCK_SLAB per cache; LOCK_BUDDY is taken below it, for pages. Debug builds fill free
 * objects with a pattern and verify it (slab_debug.h).
 */
#include "mm/phys/slab.h"

#include "mm/phys/buddy.h"

static struct list_node all_caches;

#define KMALLOC_MIN_SHIFT 3
#define KMALLOC_MAX_SHIFT 11
#define NR_KMALLOC (KMALLOC_MAX_SHIFT - KMALLOC_MIN_SHIFT + 1)

static struct kmem_cache kmalloc_caches[NR_KMALLOC];

/* ---- a slab's freelist ---- */

static void *next_free(void *object)
{
	return *(void **)object;
}

static void put_on_slab(struct page *slab, void *object)
{
	*(void **)object = slab->slab_freelist;
	slab->slab_freelist = object;
	slab->slab_free++;
}

static void *take_from_slab(struct page *slab)
{
	void *object = slab->slab_freelist;

	slab->slab_freelist = next_free(object);
	slab->slab_free--;
	return object;
}

/* Needs: cache->lock. */
static struct page *new_slab(struct kmem_cache *cache)
{
	struct page *slab = page_alloc_type(MT_UNMOVABLE);
	char *base;

	if (!slab)
		return NULL;
	page_set_flags(slab, 1u << PG_SLAB);
	slab->slab_cache = cache;
	slab->slab_freelist = NULL;
	slab->private = 0;
	base = page_to_virt(slab);
	for (uint32_t i = cache->per_slab; i-- > 0;) {
		slab_debug_fill(cache, base + i * cache->size);
		put_on_slab(slab, base + i * cache->size);
	}
	list_add(&slab->lru, &cache->partial);
	cache->nr_slabs++;
	vmstat_inc(FL_VMSTAT_NR_SLAB);
	return slab;
}

/* Needs: cache->lock; every object is on the freelist. */
static void give_up_slab(struct kmem_cache *cache, struct page *slab)
{
	list_del(&slab->lru);
	cache->nr_slabs--;
	vmstat_add(FL_VMSTAT_NR_SLAB, -1);
	page_set_flags(slab, 0);
	page_free_order(slab, 0);
}

/* ---- magazines ---- */

static void push(struct kmem_cache_cpu *cpu, void *object)
{
	*(void **)object = cpu->head;
	cpu->head = object;
	cpu->count++;
}

static void *pop(struct kmem_cache_cpu *cpu)
{
	void *object = cpu->head;

	cpu->head = next_free(object);
	cpu->count--;
	return object;
}

/* What slab_settle() set aside is partial again. False: there is none. Needs: cache->lock. */
static bool bring_back(struct kmem_cache *cache)
{
	list_splice_tail(&cache->aside, &cache->partial);
	return !list_empty(&cache->partial);
}

/* Up to SLAB_BATCH objects; a new slab is made only for the first. False: no memory. */
bool kmem_cache_refill(struct kmem_cache *cache, struct kmem_cache_cpu *cpu)
{
	spin_lock(&cache->lock, LOCK_SLAB);
	if (!list_empty(&cache->partial) || new_slab(cache) || bring_back(cache))
		while (cpu->count < SLAB_BATCH && !list_empty(&cache->partial)) {
			struct page *slab = list_entry(cache->partial.next, struct page, lru);

			push(cpu, take_from_slab(slab));
			if (!slab->slab_free)
				list_del(&slab->lru);
		}
	spin_unlock(&cache->lock, LOCK_SLAB);
	return cpu->count > 0;
}

/* Gives `n` objects back to their slabs. */
void kmem_cache_drain(struct kmem_cache *cache, struct kmem_cache_cpu *cpu, uint32_t n)
{
	spin_lock(&cache->lock, LOCK_SLAB);
	while (n-- > 0) {
		void *object = pop(cpu);
		struct page *slab = virt_to_page(object);

		put_on_slab(slab, object);
		if (slab->slab_free == 1)
			list_add(&slab->lru, &cache->partial);
		if (slab->slab_free == cache->per_slab)
			give_up_slab(cache, slab);
	}
	spin_unlock(&cache->lock, LOCK_SLAB);
}

/* ---- caches ---- */

void kmem_cache_init(struct kmem_cache *cache, const char *name, uint32_t size, uint32_t align)
{
	ASSERT(size >= 8 && size <= 1u << KMALLOC_MAX_SHIFT);
	ASSERT(align >= 8 && align <= 64 && !(align & (align - 1)));
	if (cache->size) /* a second time: in tests only */
		__builtin_memset(cache, 0, sizeof(*cache));
	cache->name = name;
	cache->align = align;
	cache->size = (size + align - 1) & ~(align - 1);
	cache->per_slab = (uint32_t)PAGE_SIZE / cache->size;
	list_init(&cache->partial);
	list_init(&cache->aside);
	list_add_tail(&cache->caches, &all_caches);
}

int64_t kmem_cache_nr_objects(const struct kmem_cache *cache)
{
	int64_t n = 0;

	for (unsigned i = 0; i < MAX_CPUS; i++)
		n += cache->cpu[i].nr_objects;
	return n;
}

void slab_drain(void)
{
	list_for_each (node, &all_caches) {
		struct kmem_cache *cache = list_entry(node, struct kmem_cache, caches);
		struct kmem_cache_cpu *cpu = &cache->cpu[port_cpu_id()];

		kmem_cache_drain(cache, cpu, cpu->count);
	}
}

void slab_settle(void)
{
	slab_drain();
	list_for_each (node, &all_caches) {
		struct kmem_cache *cache = list_entry(node, struct kmem_cache, caches);

		spin_lock(&cache->lock, LOCK_SLAB);
		list_splice_tail(&cache->partial, &cache->aside);
		spin_unlock(&cache->lock, LOCK_SLAB);
	}
}

/* ---- kmalloc ---- */

void slab_init(void)
{
	static const char *const names[NR_KMALLOC] = {
		"kmalloc-8",   "kmalloc-16",  "kmalloc-32",   "kmalloc-64",   "kmalloc-128",
		"kmalloc-256", "kmalloc-512", "kmalloc-1024", "kmalloc-2048",
	};

	list_init(&all_caches);
	/* A power of two is aligned to itself, from the page's start on. */
	for (unsigned i = 0; i < NR_KMALLOC; i++)
		kmem_cache_init(&kmalloc_caches[i], names[i], 1u << (KMALLOC_MIN_SHIFT + i), 8);
}

/* The smallest n with 2^n >= size. Needs: size > 0. */
static unsigned log2_ceil(size_t size)
{
	return size > 1 ? 64u - (unsigned)__builtin_clzll(size - 1) : 0;
}

static void *kmalloc_large(size_t size)
{
	struct page *page;

	if (size > PAGE_SIZE << MAX_ORDER)
		return NULL;
	page = page_alloc_order(log2_ceil((size + PAGE_SIZE - 1) >> PAGE_SHIFT), MT_UNMOVABLE);
	return page ? page_to_virt(page) : NULL;
}

void *kmalloc(size_t size)
{
	if (size == 0)
		return NULL;
	if (size > 1u << KMALLOC_MAX_SHIFT)
		return kmalloc_large(size);
	if (size < 1u << KMALLOC_MIN_SHIFT)
		size = 1u << KMALLOC_MIN_SHIFT;
	return kmem_cache_alloc(&kmalloc_caches[log2_ceil(size) - KMALLOC_MIN_SHIFT]);
}

void *kzalloc(size_t size)
{
	void *p = kmalloc(size);

	if (p)
		__builtin_memset(p, 0, size);
	return p;
}

void kfree(void *p)
{
	struct page *page;

	if (!p)
		return;
	page = virt_to_page(p);
	if (page_flag(page, PG_SLAB))
		kmem_cache_free(page->slab_cache, p);
	else
		page_free_order(page, page->order);
}

int64_t kmalloc_nr_objects(void)
{
	int64_t n = 0;

	for (unsigned i = 0; i < NR_KMALLOC; i++)
		n += kmem_cache_nr_objects(&kmalloc_caches[i]);
	return n;
}

int64_t slab_nr_objects(void)
{
	int64_t n = 0;

	list_for_each (node, &all_caches)
		n += kmem_cache_nr_objects(list_entry(node, struct kmem_cache, caches));
	return n;
}

uint64_t slab_nr_pages(void)
{
	uint64_t n = 0;

	list_for_each (node, &all_caches)
		n += list_entry(node, struct kmem_cache, caches)->nr_slabs;
	return n;
}

/* ---- checking ---- */

static void check_object(struct kmem_cache *cache, const void *object)
{
	const struct page *slab = virt_to_page(object);

	if (!page_flag(slab, PG_SLAB) || slab->slab_cache != cache)
		port_panic("slab: %s: free object %p is in no slab of it", cache->name, object);
	if (((uintptr_t)object & ~PAGE_MASK) % cache->size)
		port_panic("slab: %s: free object %p starts inside one", cache->name, object);
	slab_debug_verify(cache, object);
}

/* Objects of a chain that must be `n` long. */
static uint64_t check_chain(struct kmem_cache *cache, void *head, uint32_t n)
{
	uint32_t found = 0;

	for (void *object = head; object && found <= n; object = next_free(object), found++)
		check_object(cache, object);
	if (found != n)
		port_panic("slab: %s: %u free objects in a chain of %u", cache->name, found, n);
	return n;
}

/* The free objects of the slabs on a list. */
static uint64_t check_slabs(struct kmem_cache *cache, const struct list_node *slabs)
{
	uint64_t free = 0;

	list_for_each (node, slabs) {
		struct page *slab = list_entry(node, struct page, lru);

		if (!slab->slab_free || slab->slab_free >= cache->per_slab)
			port_panic("slab: %s: a partial slab with %u free of %u", cache->name,
				   slab->slab_free, cache->per_slab);
		free += check_chain(cache, slab->slab_freelist, slab->slab_free);
	}
	return free;
}

static void check_cache(struct kmem_cache *cache)
{
	uint64_t free = check_slabs(cache, &cache->partial) + check_slabs(cache, &cache->aside);
	uint64_t in_use = (uint64_t)kmem_cache_nr_objects(cache);

	for (unsigned i = 0; i < MAX_CPUS; i++)
		free += check_chain(cache, cache->cpu[i].head, cache->cpu[i].count);
	if (free + in_use != (uint64_t)cache->nr_slabs * cache->per_slab)
		port_panic("slab: %s: %lu free and %lu in use, in %u slabs of %u", cache->name,
			   free, in_use, cache->nr_slabs, cache->per_slab);
}

void slab_check(void)
{
	list_for_each (node, &all_caches) {
		struct kmem_cache *cache = list_entry(node, struct kmem_cache, caches);

		spin_lock(&cache->lock, LOCK_SLAB);
		check_cache(cache);
		spin_unlock(&cache->lock, LOCK_SLAB);
	}
}
