/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel memory by pages, and how address spaces come to know of it.
 *
 *   top-level table      the kernel's own      of some mm
 *     …                    …                     …
 *     slot 0, the eager    ──► tables            the same entry, from birth
 *     slot 1               ──► tables            none: a fault, then the same entry
 *     …
 *
 *   1. An area is mapped in the kernel's own tables only. An mm is born without the entries of
 *      the lazy slots, so that what follows does not depend on which is older, the area or the
 *      mm. It takes a page fault when the kernel first touches a slot while that mm is loaded:
 *      vmalloc_fault() copies the entry, and the access is made again (kernel.minor.vmalloc;
 *      Linux up to 5.7, vmalloc_fault() in arch/x86/mm/fault.c, where a new mm has what there is
 *      already). So there is exactly one such fault for each slot that is used in each address
 *      space; who wants more of them puts areas into different slots.
 *   2. What is copied is the topmost level alone, so that everything below is shared: a change
 *      there is a change in every mm. For that to stay sound, an entry of the kernel's top-level
 *      table, once made, never changes. Tables of the lower levels are not freed either: no CPU
 *      then ever walks through a freed one that its paging-structure caches remember, and vfree
 *      flushes leaves alone. What is kept is bounded by the most that was mapped at a time, as
 *      places are given by the first that fits.
 *   3. vfree empties the PTEs, flushes them on every CPU, and only then gives pages and addresses
 *      back. PTEs are not global: a switch of address spaces forgets them, too, and whether an
 *      access takes the fault of 1 depends on the tables alone and not on what the TLB remembers.
 *   4. In front of each area and behind it lies an unmapped page: running over is an oops (or,
 *      below a kernel stack, a double fault).
 *
 * Locks: LOCK_VMALLOC for the lists of areas and for making tables. PTEs of an area belong to who
 * made it, before it is handed out and after it came back. The fault takes no lock: it reads the
 * kernel's tables, of which nothing is ever freed, and stores what can only be one value.
 */
#include "mm/pgtable/vmalloc.h"

#include "mm/base/mm_errno.h"
#include "mm/pgtable/pgtable.h"
#include "mm/pgtable/tlb.h"
#include "mm/phys/buddy.h"
#include "mm/phys/slab.h"

struct vm_area {
	struct list_node link; /* of its slot, by address */
	uint64_t start, end;   /* what is mapped */
};

struct vmalloc_slot {
	struct list_node areas;
	struct list_node *hint; /* the search for a place begins behind this area */
};

static struct {
	struct spinlock lock;
	struct vmalloc_slot slot[VMALLOC_SLOTS];
	struct kmem_cache cache; /* struct vm_area */
} vmalloc_space;

static struct vm_area *area_of(struct list_node *link)
{
	return list_entry(link, struct vm_area, link);
}

static uint64_t slot_start(unsigned slot)
{
	return VMALLOC_START + slot * VMALLOC_SLOT_SIZE;
}

static unsigned slot_of(uint64_t addr)
{
	return (unsigned)((addr - VMALLOC_START) / VMALLOC_SLOT_SIZE);
}

static bool in_vmalloc(uint64_t addr)
{
	return addr >= VMALLOC_START && addr < VMALLOC_END;
}

/* ---- the kernel's tables ---- */

static pte_t *kernel_root(void)
{
	return port_pfn_to_virt(port_kernel_root_pfn());
}

/* The PTE of va; NULL if a table on the way is missing. */
static pte_t *kernel_pte(uint64_t va)
{
	pte_t *table = kernel_root();

	for (unsigned level = PT_LEVELS - 1; level > 0; level--) {
		pte_t e = port_pte_read(&table[pgtable_index(va, level)]);

		if (pte_none(e))
			return NULL;
		table = pgtable_below(e);
	}
	return &table[pgtable_index(va, 0)];
}

/* The page that is mapped at va, or NULL. */
static struct page *kernel_page(uint64_t va)
{
	const pte_t *pte = kernel_pte(va);
	pte_t e = pte ? port_pte_read(pte) : (pte_t){0};

	return pte_none(e) ? NULL : pfn_to_page(pte_pfn(e));
}

/* The tables of va from the top down to `lowest`: 0, or -MM_ENOMEM. Needs: the lock. */
static int make_tables(uint64_t va, unsigned lowest)
{
	pte_t *table = kernel_root();

	for (unsigned level = PT_LEVELS - 1; level > lowest; level--) {
		pte_t *e = &table[pgtable_index(va, level)];

		if (pte_none(*e)) {
			struct page *below = page_alloc_kernel();

			if (!below)
				return -MM_ENOMEM;
			port_pte_set(e, pte_make_table(page_to_pfn(below)));
		}
		table = pgtable_below(*e);
	}
	return 0;
}

/* All the tables of [va, end). The same need. */
static int make_all_tables(uint64_t va, uint64_t end)
{
	for (; va < end; va = pgtable_table_end(va, end))
		if (make_tables(va, 0))
			return -MM_ENOMEM;
	return 0;
}

/* ---- places ---- */

/* The lowest place of `size` bytes behind `after`, with a page to spare on both sides: where it
 * starts, or 0, and in *after what it is to be linked behind. Needs: the lock. */
static uint64_t find_place(unsigned slot, uint64_t size, struct list_node **after)
{
	struct list_node *head = &vmalloc_space.slot[slot].areas;
	uint64_t slot_end = slot_start(slot) + VMALLOC_SLOT_SIZE;

	for (struct list_node *at = *after;; at = at->next) {
		uint64_t from = at == head ? slot_start(slot) : area_of(at)->end;
		uint64_t to = at->next == head ? slot_end : area_of(at->next)->start;

		if (to - from >= size + 2 * PAGE_SIZE) {
			*after = at;
			return from + PAGE_SIZE;
		}
		if (at->next == head)
			return 0;
	}
}

/* Gives the area a place of `size` bytes; false if there is none. Needs: the lock. */
static bool area_place(struct vm_area *area, unsigned slot, uint64_t size)
{
	struct vmalloc_slot *s = &vmalloc_space.slot[slot];
	struct list_node *after = s->hint;

	area->start = find_place(slot, size, &after);
	if (!area->start && s->hint != &s->areas) {
		after = &s->areas;
		area->start = find_place(slot, size, &after);
	}
	if (!area->start)
		return false;
	area->end = area->start + size;
	list_add(&area->link, after);
	s->hint = &area->link;
	return true;
}

/* The reverse. The next search begins no later than here. */
static void area_remove(struct vm_area *area)
{
	struct vmalloc_slot *s = &vmalloc_space.slot[slot_of(area->start)];

	spin_lock(&vmalloc_space.lock, LOCK_VMALLOC);
	if (s->hint == &s->areas || area_of(s->hint)->start >= area->start)
		s->hint = area->link.prev;
	list_del(&area->link);
	spin_unlock(&vmalloc_space.lock, LOCK_VMALLOC);
	kmem_cache_free(&vmalloc_space.cache, area);
}

/* An area with its place and its tables, nothing mapped; NULL without memory. */
static struct vm_area *area_make(unsigned slot, uint64_t size)
{
	struct vm_area *area = kmem_cache_alloc(&vmalloc_space.cache);
	bool placed, complete;

	if (!area)
		return NULL;
	spin_lock(&vmalloc_space.lock, LOCK_VMALLOC);
	placed = area_place(area, slot, size);
	complete = placed && make_all_tables(area->start, area->end) == 0;
	spin_unlock(&vmalloc_space.lock, LOCK_VMALLOC);
	if (complete)
		return area;
	if (placed)
		area_remove(area);
	else
		kmem_cache_free(&vmalloc_space.cache, area);
	return NULL;
}

/* ---- pages ---- */

/* Unmaps and frees the pages of [start, end), which are all there. */
static void unmap_pages(uint64_t start, uint64_t end)
{
	struct page *gone = NULL, *next;

	for (uint64_t va = start; va < end; va += PAGE_SIZE) {
		struct page *page = pfn_to_page(pte_pfn(port_pte_xchg(kernel_pte(va), (pte_t){0})));

		page->next_free = gone;
		gone = page;
	}
	tlb_flush_kernel(start, end);
	for (; gone; gone = next) {
		next = gone->next_free;
		page_put(gone);
	}
}

/* Maps fresh pages all over the area: 0, or -MM_ENOMEM with nothing mapped. */
static int map_pages(struct vm_area *area)
{
	for (uint64_t va = area->start; va < area->end; va += PAGE_SIZE) {
		struct page *page = page_alloc_type(MT_UNMOVABLE);

		if (!page) {
			unmap_pages(area->start, va);
			return -MM_ENOMEM;
		}
		page->mapping = area;
		port_pte_set(kernel_pte(va), pte_make_kernel(page_to_pfn(page)));
	}
	return 0;
}

/* ---- calls ---- */

int vmalloc_init(void)
{
	vmalloc_space.lock = (struct spinlock){0};
	for (unsigned i = 0; i < VMALLOC_SLOTS; i++) {
		list_init(&vmalloc_space.slot[i].areas);
		vmalloc_space.slot[i].hint = &vmalloc_space.slot[i].areas;
	}
	kmem_cache_init(&vmalloc_space.cache, "vm_area", sizeof(struct vm_area), 8);
	return make_tables(slot_start(VMALLOC_EAGER_SLOT), PT_LEVELS - 2);
}

void *vmalloc_slot(unsigned slot, size_t size)
{
	struct vm_area *area;

	ASSERT(slot < VMALLOC_SLOTS);
	if (!size || size > VMALLOC_MAX)
		return NULL;
	area = area_make(slot, (size + PAGE_SIZE - 1) & PAGE_MASK);
	if (!area)
		return NULL;
	if (map_pages(area)) {
		area_remove(area);
		return NULL;
	}
	return (void *)area->start;
}

void vfree(void *p)
{
	struct vm_area *area;

	if (!p)
		return;
	ASSERT(vmalloc_is_area((uint64_t)p));
	area = kernel_page((uint64_t)p)->mapping;
	unmap_pages(area->start, area->end);
	area_remove(area);
}

bool vmalloc_is_area(uint64_t p)
{
	const struct page *page = in_vmalloc(p) ? kernel_page(p) : NULL;

	return page && ((const struct vm_area *)page->mapping)->start == p;
}

bool vmalloc_holds(uint64_t addr, size_t n)
{
	const struct page *page = in_vmalloc(addr) ? kernel_page(addr) : NULL;

	return page && n <= ((const struct vm_area *)page->mapping)->end - addr;
}

bool vmalloc_fault(struct mm *mm, uint64_t addr)
{
	unsigned i = pgtable_index(addr, PT_LEVELS - 1);
	pte_t *root;

	if (!in_vmalloc(addr) || !kernel_page(addr))
		return false;
	root = port_pfn_to_virt(mm->root_pfn);
	port_pte_set(&root[i], port_pte_read(&kernel_root()[i]));
	return true;
}

/* ---- checking ---- */

uint64_t vmalloc_nr_areas(void)
{
	return (uint64_t)kmem_cache_nr_objects(&vmalloc_space.cache);
}

static void check_area(const struct vm_area *area, uint64_t floor)
{
	ASSERT(area->start < area->end && area->start - PAGE_SIZE >= floor);
	ASSERT(!kernel_page(area->start - PAGE_SIZE) && !kernel_page(area->end));
	for (uint64_t va = area->start; va < area->end; va += PAGE_SIZE) {
		const struct page *page = kernel_page(va);

		ASSERT(page && page->mapping == area && page->refcount == 1 && !page->mapcount);
	}
}

void vmalloc_check(void)
{
	uint64_t n = 0;

	spin_lock(&vmalloc_space.lock, LOCK_VMALLOC);
	for (unsigned i = 0; i < VMALLOC_SLOTS; i++) {
		uint64_t floor = slot_start(i);

		list_for_each (node, &vmalloc_space.slot[i].areas) {
			check_area(area_of(node), floor);
			floor = area_of(node)->end;
			n++;
		}
		ASSERT(floor <= slot_start(i) + VMALLOC_SLOT_SIZE);
	}
	spin_unlock(&vmalloc_space.lock, LOCK_VMALLOC);
	ASSERT(n == vmalloc_nr_areas());
}
