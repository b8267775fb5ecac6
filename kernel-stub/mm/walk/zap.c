/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unmapping the pages of a range.
 *
 * 1. A piece of a lowest-level table at a time, under its ptl: PTEs are taken out and their pages
 *    gathered. A page keeps the PTE's reference, so nobody can reuse its frame yet.
 * 2. The translations are flushed: page by page if they are few, else the whole TLB (tlb.h).
 * 3. Only then the references are dropped, and pages that nobody else has are freed. Freed before
 *    2, a frame could be handed out while another CPU still writes to it through its TLB.
 *
 * Between 1 and 2 other holders of mm->lock for reading may come by: one that drops the same pages
 * finds nothing there, and must not return while a CPU, its own above all, may still use them. So a
 * CPU says in its own slot (mm_cpu.zapping) that it is between the two, where no other CPU writes,
 * and who has found that somebody is flushes the range as well:
 *
 *     the first                           the second
 *     zapping = mm                        finds the entry empty: the exchange was before
 *     exchange the entry   (locked)       anybody's zapping == mm?  yes: flush the range
 *     flush                               no: that flush is over, everywhere
 *     zapping = NULL
 *
 * Linux counts the flushes that are pending in the mm (mm_tlb_flush_nested, mm/mmu_gather.c): two
 * locked operations on a line that all share.
 *
 * Lock order: mm->lock, ptl; the LRU lock on its own, after the ptl is released.
 */
#include "mm/walk/zap.h"

#include "mm/pgtable/pgtable.h"

#include "mm/pgtable/tlb.h"
#include "mm/phys/buddy.h"
#include "mm/phys/lru.h"
#include "mm/phys/mm_cpu.h"
#include "mm/phys/zero_page.h"
#include "mm/rmap/rmap.h"

#define ZAP_PIECE 128u		  /* PTEs looked at under one hold of the ptl */
#define ZAP_BATCH (2 * ZAP_PIECE) /* pages gathered between flushes */

/* What was taken out and not flushed yet. */
struct zap {
	struct mm *mm;
	uint32_t nr_pages;
	int64_t rss[NR_RSS_KINDS];	/* PTEs */
	int64_t unmapped[NR_RSS_KINDS]; /* pages of these that no PTE maps any more */
	struct tlb_batch tlb;
	struct page *pages[ZAP_BATCH];
};

/* Step 1 for the PTEs of [va, end), which lie in one table. */
static inline void zap_piece(struct zap *z, struct pte_slot slot, uint64_t va, uint64_t end)
{
	uint32_t nr_pages = z->nr_pages, before = z->tlb.nr;

	spin_lock(&slot.table->ptl, LOCK_PTL);
	for (; va < end; va += PAGE_SIZE, slot.pte++) {
		struct page *page;
		enum rss_kind kind;

		if (pte_none(port_pte_read(slot.pte)))
			continue;
		page = pfn_to_page(pte_pfn(port_pte_xchg(slot.pte, (pte_t){0})));
		tlb_batch_add(&z->tlb, va);
		if (page == zero_page)
			continue;
		kind = page_rss_kind(page);
		z->rss[kind]++;
		z->unmapped[kind] += rmap_put(page);
		z->pages[nr_pages++] = page;
	}
	slot.table->nr_present -= z->tlb.nr - before;
	spin_unlock(&slot.table->ptl, LOCK_PTL);
	z->nr_pages = nr_pages;
}

static inline void zap_count_none(struct zap *z)
{
	for (unsigned kind = 0; kind < NR_RSS_KINDS; kind++)
		z->rss[kind] = z->unmapped[kind] = 0;
}

static inline void zap_count(struct zap *z)
{
	int64_t *stat = port_mm_cpu()->vmstat;

	stat[FL_VMSTAT_NR_ANON_PAGES] -= z->unmapped[RSS_ANON];
	port_xadd64(&z->mm->rss_anon, -z->rss[RSS_ANON]);
	if (z->rss[RSS_FILE] | z->rss[RSS_SHMEM]) {
		stat[FL_VMSTAT_NR_FILE_MAPPED] -= z->unmapped[RSS_FILE] + z->unmapped[RSS_SHMEM];
		port_xadd64(&z->mm->rss_file, -z->rss[RSS_FILE]);
		port_xadd64(&z->mm->rss_shmem, -z->rss[RSS_SHMEM]);
	}
	zap_count_none(z);
}

/* Steps 2 and 3; the batch is empty afterwards. */
static inline void zap_flush(struct zap *z)
{
	unsigned gone;

	tlb_batch_flush(&z->tlb, z->mm);
	if (!z->nr_pages)
		return;
	zap_count(z);
	gone = lru_put_pages(z->pages, z->nr_pages);
	for (unsigned i = 0; i < gone; i++)
		page_free(z->pages[i]);
	z->nr_pages = 0;
}

/* Where the piece of va ends. */
static inline uint64_t zap_piece_end(uint64_t va, uint64_t end)
{
	uint64_t stop = pgtable_table_end(va, end);

	return stop - va > ZAP_PIECE * PAGE_SIZE ? va + ZAP_PIECE * PAGE_SIZE : stop;
}

/* All steps for a range of several pages. */
static __attribute__((noinline)) void zap_tables(struct mm *mm, uint64_t va, uint64_t end)
{
	struct pte_slot slot = pgtable_next(mm, &va, end);
	struct zap z;

	if (!slot.pte)
		return;
	z.mm = mm;
	z.nr_pages = z.tlb.nr = 0;
	zap_count_none(&z);
	do {
		uint64_t stop = zap_piece_end(va, end);

		zap_piece(&z, slot, va, stop);
		va = stop;
		slot = pgtable_next(mm, &va, end);
		if (!slot.pte || z.nr_pages > ZAP_BATCH - ZAP_PIECE)
			zap_flush(&z);
	} while (slot.pte);
}

static inline int64_t *zap_rss(struct mm *mm, enum rss_kind kind)
{
	if (likely(kind == RSS_ANON))
		return &mm->rss_anon;
	return kind == RSS_FILE ? &mm->rss_file : &mm->rss_shmem;
}

/* ---- while others read mm->lock as well ---- */

static inline void zap_begin_shared(struct mm *mm)
{
	__atomic_store_n(&port_mm_cpu()->zapping, mm, __ATOMIC_RELAXED);
}

static inline void zap_end_shared(void)
{
	__atomic_store_n(&port_mm_cpu()->zapping, NULL, __ATOMIC_RELEASE);
}

static bool zapped_elsewhere(const struct mm *mm)
{
	uint64_t cpus = __atomic_load_n(&mm->cpus, __ATOMIC_SEQ_CST) & ~port_cpu_bit();

	for (; cpus; cpus &= cpus - 1) {
		const struct mm_cpu *cpu = mm_cpu_of((unsigned)__builtin_ctzll(cpus));

		if (__atomic_load_n(&cpu->zapping, __ATOMIC_ACQUIRE) == mm)
			return true;
	}
	return false;
}

/* What was found empty in the range may be somebody else's, under way still: gone on every CPU
 * afterwards. */
static __attribute__((noinline)) void zap_finish_others(struct mm *mm, uint64_t start, uint64_t end)
{
	struct tlb_batch tlb;

	if (!zapped_elsewhere(mm))
		return;
	tlb.nr = 0;
	for (; start < end && tlb.nr <= TLB_FLUSH_CEILING; start += PAGE_SIZE)
		tlb_batch_add(&tlb, start);
	tlb_batch_flush(&tlb, mm);
}

/* ---- one page ---- */

/* Steps 2 and 3 for one entry. */
static inline __attribute__((always_inline)) void zap_taken(struct mm *mm, uint64_t va, pte_t old,
							    bool shared)
{
	struct page *page = pfn_to_page(pte_pfn(old));
	enum rss_kind kind;

	tlb_flush_page(mm, va);
	if (shared)
		zap_end_shared();
	if (page == zero_page)
		return;
	kind = page_rss_kind(page);
	port_xadd64(zap_rss(mm, kind), -1);
	if (rmap_put(page))
		vmstat_add(kind == RSS_ANON ? FL_VMSTAT_NR_ANON_PAGES : FL_VMSTAT_NR_FILE_MAPPED,
			   -1);
	if (lru_put_pages(&page, 1))
		page_free(page);
}

/* All steps for one entry. */
static inline __attribute__((always_inline)) void zap_page(struct mm *mm, struct pte_slot slot,
							   uint64_t va, bool shared)
{
	pte_t old;

	if (shared)
		zap_begin_shared(mm);
	spin_lock(&slot.table->ptl, LOCK_PTL);
	old = port_pte_xchg(slot.pte, (pte_t){0});
	slot.table->nr_present -= !pte_none(old);
	spin_unlock(&slot.table->ptl, LOCK_PTL);
	if (!pte_none(old)) {
		zap_taken(mm, va, old, shared);
	} else if (shared) {
		zap_end_shared();
		if (!tlb_alone(mm))
			zap_finish_others(mm, va, va + PAGE_SIZE);
	}
}

void zap_page_if(struct mm *mm, struct pte_slot slot, uint64_t va, pte_t old)
{
	bool same;

	zap_begin_shared(mm);
	spin_lock(&slot.table->ptl, LOCK_PTL);
	same = port_pte_cmpxchg(slot.pte, &old, (pte_t){0});
	slot.table->nr_present -= same;
	spin_unlock(&slot.table->ptl, LOCK_PTL);
	if (same)
		zap_taken(mm, va, old, true);
	else
		zap_end_shared();
}

static inline struct pte_slot zap_slot(struct mm *mm, uint64_t va)
{
	struct page *table = pgtable_try(mm, va);

	return table ? pgtable_slot(table, va) : pgtable_find(mm, va);
}

/* Apart, so that a page that is not there costs no register saved. */
static __attribute__((noinline)) void zap_present(struct mm *mm, struct pte_slot slot, uint64_t va)
{
	zap_page(mm, slot, va, false);
}

static inline void zap_single(struct mm *mm, uint64_t va)
{
	struct pte_slot slot = zap_slot(mm, va);

	if (slot.pte && !pte_none(port_pte_read(slot.pte)))
		zap_present(mm, slot, va);
}

/* By a holder of mm->lock for reading, to whom an entry that is empty now says nothing. */
static inline void zap_single_shared(struct mm *mm, uint64_t va)
{
	struct pte_slot slot = zap_slot(mm, va);

	if (slot.pte)
		zap_page(mm, slot, va, true);
}

/* ---- ranges ---- */

void zap_range(struct mm *mm, uint64_t start, uint64_t end)
{
	ASSERT(start <= end && end <= TASK_SIZE);
	if (end - start == PAGE_SIZE)
		zap_single(mm, start);
	else
		zap_tables(mm, start, end);
}

void zap_range_shared(struct mm *mm, uint64_t start, uint64_t end)
{
	ASSERT(start <= end && end <= TASK_SIZE);
	if (end - start == PAGE_SIZE) {
		zap_single_shared(mm, start);
		return;
	}
	zap_begin_shared(mm);
	zap_tables(mm, start, end);
	zap_end_shared();
	if (!tlb_alone(mm))
		zap_finish_others(mm, start, end);
}
