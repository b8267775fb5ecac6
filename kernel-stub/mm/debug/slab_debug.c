/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Poisoning of slab objects. See slab_debug.h. */
#include "slab_debug.h"

#include "mm/phys/page.h"
#include "mm/phys/slab.h"

#define POISON_FREE 0x6b /* Linux's values, known from many an oops */
#define POISON_INUSE 0x5a

static bool is_poisoned(const struct kmem_cache *cache, const void *object)
{
	const unsigned char *p = object;

	for (uint32_t i = sizeof(void *); i < cache->size; i++)
		if (p[i] != POISON_FREE)
			return false;
	return true;
}

void slab_debug_fill(const struct kmem_cache *cache, void *object)
{
	__builtin_memset(object, POISON_FREE, cache->size);
}

void slab_debug_verify(const struct kmem_cache *cache, const void *object)
{
	if (!is_poisoned(cache, object))
		port_panic("slab: %s: object %p was written to after it was freed", cache->name,
			   object);
}

void slab_debug_alloc(const struct kmem_cache *cache, void *object)
{
	slab_debug_verify(cache, object);
	__builtin_memset(object, POISON_INUSE, cache->size);
}

void slab_debug_free(const struct kmem_cache *cache, void *object)
{
	const struct page *slab = virt_to_page(object);

	if (!page_flag(slab, PG_SLAB) || slab->slab_cache != cache)
		port_panic("slab: %s: freeing %p, which is in no slab of it", cache->name, object);
	if (((uintptr_t)object & ~PAGE_MASK) % cache->size)
		port_panic("slab: %s: freeing %p, inside an object", cache->name, object);
	if (cache->size > sizeof(void *) && is_poisoned(cache, object))
		port_panic("slab: %s: object %p freed twice", cache->name, object);
	slab_debug_fill(cache, object);
}
