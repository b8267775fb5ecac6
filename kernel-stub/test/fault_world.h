/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hosted machine for tests of the fault path: one address space on CPU 0, memory full of garbage,
 * a file of a few pages that stay in memory, and accesses through the software MMU.
 *
 * Include it in one file a test.
 */
#ifndef FAULT_WORLD_H
#define FAULT_WORLD_H

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "mm/base/mm_errno.h"
#include "mm/fault/fault_ctx.h"
#include "mm/object/file.h"
#include "mm/pgtable/pgtable.h"
#include "mm/phys/buddy.h"
#include "mm/phys/lru.h"
#include "mm/phys/slab.h"
#include "mm/phys/zero_page.h"
#include "mm/rmap/rmap.h"
#include "mm/vma/vma_index.h"
#include "port/hosted/hosted.h"

#define WORLD_FRAMES 4096u
#define WORLD_BASE 0x10000000ull
#define FILE_PAGES 8u
#define FILE_BYTES (FILE_PAGES * PAGE_SIZE - 100) /* the last page is not full */

static struct mm *mm;
static uint64_t free_at_start; /* frames, those in slabs included */

/* ---- the file ---- */

static struct page *file_pages[FILE_PAGES];
static void (*file_hook)(void); /* called once in get_page: what another CPU does meanwhile */

static inline uint64_t file_word(uint64_t index)
{
	return 0xf11e000000000000ull + index;
}

static struct page *file_get_page(struct vm_file *file, uint64_t index)
{
	void (*hook)(void) = file_hook;

	(void)file;
	ATF_REQUIRE(index < FILE_PAGES);
	if (hook) {
		file_hook = NULL;
		hook();
	}
	if (port_should_fail())
		return NULL;
	page_get(file_pages[index]);
	return file_pages[index];
}

static void file_release(struct vm_file *file)
{
	(void)file;
	atf_tc_fail("the file lost its last reference");
}

static struct vm_file file = {.path = "/file",
			      .size = FILE_BYTES,
			      .inode = 1,
			      .refcount = 1,
			      .get_page = file_get_page,
			      .release = file_release,
			      .read_only = true};

static void file_make(void)
{
	for (uint64_t i = 0; i < FILE_PAGES; i++) {
		uint64_t *words;

		file_pages[i] = page_alloc();
		ATF_REQUIRE(file_pages[i] != NULL);
		file_pages[i]->mapping = &file;
		file_pages[i]->index = i;
		words = page_to_virt(file_pages[i]);
		memset(words, 0, PAGE_SIZE);
		words[0] = file_word(i);
	}
}

/* ---- life ---- */

/* Fills all free memory with garbage, so that a page that should be zero must be zeroed. */
static inline void world_soil(void)
{
	static struct page *all[WORLD_FRAMES];
	unsigned n = 0;

	while (n < WORLD_FRAMES && (all[n] = page_alloc()) != NULL)
		memset(page_to_virt(all[n++]), 0xa5, PAGE_SIZE);
	while (n)
		page_put(all[--n]);
}

static inline void world_open(void)
{
	hosted_boot(WORLD_FRAMES);
	mm_init();
	ATF_REQUIRE_EQ(zero_page_init(), 0);
	world_soil();
	file_make();
	file_hook = NULL;
	mm = mm_create();
	ATF_REQUIRE(mm != NULL);
	port_load_mm(mm);
	free_at_start = page_nr_free() + (uint64_t)hosted_vmstat(FL_VMSTAT_NR_SLAB);
}

/* Everything that can be checked at any time. */
static inline void world_check(void)
{
	mmap_write_lock(mm);
	mm_check(mm);
	mmap_write_unlock(mm);
	lru_check();
	hosted_tlb_check();
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_ANON_PAGES), mm->rss_anon);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_INACTIVE_ANON),
		     mm->rss_anon + hosted_vmstat(FL_VMSTAT_NR_SHMEM));
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_PAGE_TABLE_PAGES), mm->nr_tables + 1);
}

/* Unmaps all: every frame must come back but those that slabs keep, and the file be as it was. */
static inline void world_close(void)
{
	world_check();
	ATF_REQUIRE_EQ(vm_munmap(mm, WORLD_BASE, TASK_SIZE - WORLD_BASE), 0);
	world_check();
	ATF_CHECK_EQ(mm->nr_tables, 0);
	ATF_CHECK_EQ(page_nr_free() + (uint64_t)hosted_vmstat(FL_VMSTAT_NR_SLAB), free_at_start);
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_NR_FILE_MAPPED), 0);
	for (uint64_t i = 0; i < FILE_PAGES; i++) {
		ATF_CHECK_EQ(file_pages[i]->refcount, 1);
		ATF_CHECK_EQ(file_pages[i]->mapcount, 0);
		ATF_CHECK_EQ(*(uint64_t *)page_to_virt(file_pages[i]), file_word(i));
	}
	ATF_CHECK_EQ(file.refcount, 1);
	port_load_mm(NULL);
	mm_destroy(mm);
	slab_check();
	buddy_check();
}

/* ---- mappings ---- */

#define RO PROT_READ_
#define RW (PROT_READ_ | PROT_WRITE_)
#define RX (PROT_READ_ | PROT_EXEC_)

static inline uint64_t map_at(uint64_t va, uint64_t pages, unsigned prot)
{
	int64_t r = vm_mmap(mm, va, pages * PAGE_SIZE, prot,
			    MAP_PRIVATE_ | MAP_ANONYMOUS_ | MAP_FIXED_, NULL, 0, 0);

	ATF_REQUIRE_EQ(r, (int64_t)va);
	return va;
}

static inline uint64_t map_anon(uint64_t pages, unsigned prot)
{
	return map_at(WORLD_BASE, pages, prot);
}

static inline uint64_t map_file(uint64_t va, uint64_t pages, unsigned prot, uint64_t pgoff)
{
	int64_t r = vm_mmap(mm, va, pages * PAGE_SIZE, prot, MAP_PRIVATE_ | MAP_FIXED_, &file,
			    pgoff, 0);

	ATF_REQUIRE_EQ(r, (int64_t)va);
	return va;
}

/* ---- accesses ---- */

/* The entry that maps va; zero if none. */
static inline pte_t pte_at(uint64_t va)
{
	struct pte_slot slot = pgtable_find(mm, va);

	return slot.pte ? *slot.pte : (pte_t){0};
}

static inline struct page *page_at(uint64_t va)
{
	return pfn_to_page(pte_pfn(pte_at(va)));
}

static inline struct fault_verdict fault(uint64_t va, uint32_t flags)
{
	struct fault_access access = {va, flags};

	return vm_fault(mm, &access);
}

/* One access that must fault; what came of it, and the CPU's flags. */
struct faulted {
	struct fault_verdict v;
	uint32_t flags;
};

static inline struct faulted access_faults(uint64_t va, enum hosted_access_kind kind)
{
	struct hosted_access a = hosted_access(mm, va, kind, true);

	ATF_REQUIRE_MSG(!a.host, "no fault at %lx", va);
	return (struct faulted){fault(va, a.fault), a.fault};
}

/* The byte at va as ring 3 reaches it, which must not fault. */
static inline void *access_works(uint64_t va, enum hosted_access_kind kind)
{
	struct hosted_access a = hosted_access(mm, va, kind, true);

	ATF_REQUIRE_MSG(a.host, "a fault at %lx, flags %x", va, a.fault);
	return a.host;
}

/* The byte at va, its faults served; NULL if one is refused. */
static inline void *touch(uint64_t va, enum hosted_access_kind kind)
{
	for (unsigned tries = 0; tries < 3; tries++) {
		struct hosted_access a = hosted_access(mm, va, kind, true);

		if (a.host)
			return a.host;
		if (fault(va, a.fault).outcome != FAULT_DONE)
			return NULL;
	}
	atf_tc_fail("%lx faults again and again", va);
}

static inline uint64_t read_word(uint64_t va)
{
	return *(uint64_t *)touch(va, HOSTED_READ);
}

static inline void write_word(uint64_t va, uint64_t word)
{
	*(uint64_t *)touch(va, HOSTED_WRITE) = word;
}

static inline bool page_is_zero(uint64_t va)
{
	const char *p = access_works(va & PAGE_MASK, HOSTED_READ);

	for (unsigned i = 0; i < PAGE_SIZE; i++)
		if (p[i])
			return false;
	return true;
}

#define CHECK_VERDICT(verdict, class_, outcome_, si_code_)                                         \
	do {                                                                                       \
		struct fault_verdict v_ = (verdict);                                               \
		ATF_CHECK_EQ(v_.class, FL_CLASS_##class_);                                         \
		ATF_CHECK_EQ(v_.outcome, (outcome_));                                              \
		ATF_CHECK_EQ(v_.si_code, (si_code_));                                              \
		ATF_CHECK_EQ(v_.order, 0);                                                         \
	} while (0)

/* An access that faults with exactly these flags and is served as this class; then it works. */
#define CHECK_SERVED(va, kind, flags_, class_)                                                     \
	do {                                                                                       \
		struct faulted f_ = access_faults((va), (kind));                                   \
		ATF_CHECK_EQ(f_.flags, (uint32_t)(flags_));                                        \
		CHECK_VERDICT(f_.v, class_, FAULT_DONE, 0);                                        \
		access_works((va), (kind));                                                        \
		world_check();                                                                     \
	} while (0)

/* An access that faults with these flags and gets this signal. */
#define CHECK_REFUSED(va, kind, flags_, class_, outcome_, si_code_)                                \
	do {                                                                                       \
		struct faulted f_ = access_faults((va), (kind));                                   \
		ATF_CHECK_EQ(f_.flags, (uint32_t)(flags_));                                        \
		CHECK_VERDICT(f_.v, class_, (outcome_), (si_code_));                               \
		world_check();                                                                     \
	} while (0)

#endif
