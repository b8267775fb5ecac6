/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Release builds: objects are neither filled nor verified. */
#ifndef MM_SLAB_DEBUG_H
#define MM_SLAB_DEBUG_H

struct kmem_cache;

static inline void slab_debug_fill(const struct kmem_cache *cache, void *object)
{
	(void)cache;
	(void)object;
}

static inline void slab_debug_alloc(const struct kmem_cache *cache, void *object)
{
	(void)cache;
	(void)object;
}

static inline void slab_debug_free(const struct kmem_cache *cache, void *object)
{
	(void)cache;
	(void)object;
}

static inline void slab_debug_verify(const struct kmem_cache *cache, const void *object)
{
	(void)cache;
	(void)object;
}

#endif
