/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page tables of an mm against everything else that knows of them (pgtable.h). */
#include "mm/walk/pgtable_check.h"

#include "mm/pgtable/pgtable.h"

#include "mm/object/file.h"
#include "mm/phys/zero_page.h"
#include "mm/rmap/rmap.h"
#include "mm/vma/vma_index.h"

struct pgtable_census {
	int64_t tables; /* below the root */
	int64_t rss[NR_RSS_KINDS];
};

/* The zero page: read-only, uncounted, still zero. */
static void check_zero_pte(pte_t pte)
{
	const uint64_t *words = page_to_virt(zero_page);

	ASSERT(!pte_write(pte));
	ASSERT(page_flag(zero_page, PG_RESERVED) && zero_page->mapcount == 0);
	for (unsigned i = 0; i < PAGE_SIZE / sizeof(*words); i++)
		ASSERT(words[i] == 0);
}

static void check_rights(const struct vma *vma, const struct page *page, pte_t pte)
{
	ASSERT(!pte_write(pte) ||
	       (vma->flags & VM_WRITE && (page_is_anon(page) || vma->flags & VM_SHARED)));
	ASSERT(!pte_exec(pte) || vma->flags & VM_EXEC || !pte_user(pte));
	ASSERT(!pte_user(pte) || vma->flags & VM_ACCESS_FLAGS);
}

/* It is the page that the VMA's object has for that address. */
static void check_shmem_page(const struct vma *vma, const struct page *page, uint64_t va)
{
	ASSERT(page->mapping == vma->file && vma->file->kind == VM_FILE_SHMEM);
	ASSERT(page->index == vma->pgoff + ((va - vma->start) >> PAGE_SHIFT));
	ASSERT(page_index_find(&vma->file->pages, page->index) == page);
}

static void check_pte(struct mm *mm, pte_t pte, uint64_t va, struct pgtable_census *census)
{
	struct page *page = pfn_to_page(pte_pfn(pte));
	const struct vma *vma = vma_lookup(mm, va);

	ASSERT(pte_present(pte));
	ASSERT(vma);
	check_rights(vma, page, pte);
	if (page == zero_page) {
		check_zero_pte(pte);
		return;
	}
	rmap_check(mm, page, va);
	ASSERT(page_is_anon(page) ? !(vma->flags & VM_SHARED) : vma->file != NULL);
	if (page_flag(page, PG_SHMEM))
		check_shmem_page(vma, page, va);
	census->rss[page_rss_kind(page)]++;
}

/* The table of that level whose first entry is for va. */
static void check_table(struct mm *mm, const struct page *table, unsigned level, uint64_t va,
			struct pgtable_census *census)
{
	unsigned entries = level == PT_LEVELS - 1 ? PTRS_PER_TABLE / 2 : PTRS_PER_TABLE;
	const pte_t *e = table->entries;
	unsigned used = 0;

	ASSERT(page_flag(table, PG_TABLE) && table->refcount == 1);
	ASSERT(e == page_to_virt(table));
	ASSERT(table->piece == (level ? PGTABLE_NO_PIECE : pgtable_piece(va)));
	for (unsigned i = 0; i < entries; i++, va += pgtable_span(level)) {
		if (pte_none(e[i]))
			continue;
		used++;
		if (level == 0) {
			check_pte(mm, e[i], va, census);
			continue;
		}
		census->tables++;
		check_table(mm, pfn_to_page(pte_pfn(e[i])), level - 1, va, census);
	}
	ASSERT(used == table->nr_present);
}

void pgtable_check(struct mm *mm)
{
	struct pgtable_census census = {0};

	check_table(mm, pfn_to_page(mm->root_pfn), PT_LEVELS - 1, 0, &census);
	ASSERT(census.tables == mm->nr_tables);
	ASSERT(census.rss[RSS_ANON] == mm->rss_anon);
	ASSERT(census.rss[RSS_FILE] == mm->rss_file);
	ASSERT(census.rss[RSS_SHMEM] == mm->rss_shmem);
}
