/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debug builds: free objects hold a pattern behind their link word. Objects of 8 bytes have no room
 * for it. */
#ifndef MM_SLAB_DEBUG_H
#define MM_SLAB_DEBUG_H

struct kmem_cache;

/* The object has become free for the first time. */
void slab_debug_fill(const struct kmem_cache *cache, void *object);
/* It is about to be used: panics if it was written to while free; then garbage, not zeros. */
void slab_debug_alloc(const struct kmem_cache *cache, void *object);
/* It is about to be freed: panics if it is no object of the cache, or free already. */
void slab_debug_free(const struct kmem_cache *cache, void *object);
/* Panics if the free object was written to. */
void slab_debug_verify(const struct kmem_cache *cache, const void *object);

#endif
