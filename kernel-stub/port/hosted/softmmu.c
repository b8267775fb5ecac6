/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The software MMU: an access walks the page tables in the arena as a CPU does (SDM vol. 3, 4.5 to
 * 4.10), through caches that really cache, so that a flush that mm/ forgets shows in a hosted test.
 *
 *   TLB     translations of pages. While a cached one permits an access, the tables are not read.
 *   PSC     paging-structure caches: for each upper level, which table an entry pointed to.
 *
 * What the SDM leaves open is settled so that bugs show:
 *
 * 1. A cached translation that forbids an access raises the fault, even if the tables have since
 *    come to allow it (4.10.4.3: a spurious fault).
 * 2. A fault drops what is cached for its address (4.10.4.1), so that the retry of a spurious one
 *    succeeds; but at once, before the handler runs, the address is walked again and cached, as a
 *    CPU that speculates may do. So a handler that puts another page in place of one must flush.
 *    One that only adds rights need not: what was walked by speculation raises no fault by itself
 *    (on a CPU it could, once; that is a spurious one again), an access that it forbids walks anew.
 * 3. Entries are replaced only when their slot is needed: never by chance, and not for capacity in
 *    small tests.
 *
 * Using what is stale for sure panics: a translation to a frame that is free, a PSC entry that the
 * table above it no longer holds. hosted_tlb_check finds the rest without an access.
 *
 * Several CPUs: a thread may play each (hosted_cpu_begin). It answers what others ask of it when it
 * waits for something (port_cpu_relax) and before each access, and at no other time: what is cached
 * stays so until it is told. A CPU without a thread is served by who asks.
 *
 * Invalidation follows 4.10.4.1: INVLPG drops the page's translation and all of the PSC; a load of
 * CR3 drops everything (there are no global pages in user space, and no PCID).
 */
#include <string.h>

#include "mm/phys/buddy.h"
#include "mm/phys/page.h"
#include "port/hosted/hosted.h"

#define TLB_SLOTS 64u
#define PSC_SLOTS 16u

/* What the entries from the root down to one of them allow together. */
struct rights {
	bool write, user, exec;
};

struct tlb_entry {
	bool valid, dirty;
	bool guessed; /* walked by speculation (point 2) */
	struct rights rights;
	uint64_t vpn, pfn;
};

struct psc_entry {
	bool valid;
	struct rights rights;
	uint64_t prefix; /* of the address: what the walk down to the entry consumed */
	uint64_t table;	 /* frame of the table that the entry pointed to */
};

static struct softmmu {
	struct mm *mm;
	uint64_t root_pfn;
	struct tlb_entry tlb[TLB_SLOTS];
	struct psc_entry psc[PT_LEVELS][PSC_SLOTS]; /* [level of the entry] */
	struct hosted_tlb_count count;
} mmus[MAX_CPUS];

/* What a CPU asks of others: one thing at a time, since it waits (port_tlb_shootdown). */
struct request {
	struct mm *mm;
	const uint64_t *va;
	uint32_t nr;
};

static struct box {
	struct request request;
	uint32_t waiting; /* CPUs that have not answered; atomic */
	bool thread;	  /* a thread plays this CPU, and answers for it; atomic */
	uint64_t asked;	  /* who asks something of this CPU; atomic */
} boxes[MAX_CPUS];

void hosted_softmmu_reset(void)
{
	memset(mmus, 0, sizeof(mmus));
	memset(boxes, 0, sizeof(boxes));
}

static struct softmmu *this_mmu(void)
{
	return &mmus[port_cpu_id()];
}

struct hosted_tlb_count hosted_tlb_count(void)
{
	return this_mmu()->count;
}

/* ---- invalidation ---- */

static void psc_clear(struct softmmu *m)
{
	memset(m->psc, 0, sizeof(m->psc));
}

static void tlb_clear(struct softmmu *m)
{
	memset(m->tlb, 0, sizeof(m->tlb));
	psc_clear(m);
}

static struct tlb_entry *tlb_slot(struct softmmu *m, uint64_t va)
{
	return &m->tlb[(va >> PAGE_SHIFT) % TLB_SLOTS];
}

static struct tlb_entry *tlb_lookup(struct softmmu *m, uint64_t va)
{
	struct tlb_entry *t = tlb_slot(m, va);

	return t->valid && t->vpn == va >> PAGE_SHIFT ? t : NULL;
}

static void drop_translation(struct softmmu *m, uint64_t va)
{
	struct tlb_entry *t = tlb_lookup(m, va);

	if (t)
		t->valid = false;
}

static void flush_page(struct softmmu *m, uint64_t va)
{
	drop_translation(m, va & PAGE_MASK);
	psc_clear(m);
}

void port_tlb_flush_page(struct mm *mm, uint64_t va)
{
	struct softmmu *m = this_mmu();

	ASSERT(m->mm == mm);
	m->count.flush_page++;
	flush_page(m, va);
}

void port_tlb_flush_all(struct mm *mm)
{
	struct softmmu *m = this_mmu();

	ASSERT(m->mm == mm);
	m->count.flush_all++;
	tlb_clear(m);
}

/* ---- other CPUs ---- */

/* Carries out on one CPU what another asks of it. */
static void request_serve(unsigned cpu, const struct request *r)
{
	struct softmmu *m = &mmus[cpu];

	if (!r->mm || m->mm == r->mm) {
		if (!r->va)
			tlb_clear(m);
		for (uint32_t i = 0; i < r->nr; i++)
			flush_page(m, r->va[i]);
	}
	hosted_count_received(cpu);
}

void hosted_answer(void)
{
	unsigned me = port_cpu_id();
	uint64_t from = __atomic_load_n(&boxes[me].asked, __ATOMIC_RELAXED);

	if (likely(!from))
		return;
	for (from = __atomic_exchange_n(&boxes[me].asked, 0, __ATOMIC_SEQ_CST); from;
	     from &= from - 1) {
		struct box *asker = &boxes[__builtin_ctzll(from)];

		request_serve(me, &asker->request);
		__atomic_fetch_sub(&asker->waiting, 1, __ATOMIC_SEQ_CST);
	}
}

/* The CPUs that have no thread of their own (any more) are served by who asks. */
static void serve_threadless(uint64_t cpus, struct box *mine)
{
	uint64_t bit = port_cpu_bit();

	for (; cpus; cpus &= cpus - 1) {
		unsigned cpu = (unsigned)__builtin_ctzll(cpus);

		if (__atomic_load_n(&boxes[cpu].thread, __ATOMIC_SEQ_CST) ||
		    !(__atomic_fetch_and(&boxes[cpu].asked, ~bit, __ATOMIC_SEQ_CST) & bit))
			continue;
		request_serve(cpu, &mine->request);
		__atomic_fetch_sub(&mine->waiting, 1, __ATOMIC_SEQ_CST);
	}
}

void port_tlb_shootdown(struct mm *mm, uint64_t cpus, const uint64_t *va, uint32_t nr, bool tables)
{
	struct box *mine = &boxes[port_cpu_id()];

	(void)tables; /* nobody is lazy */
	ASSERT(!(cpus & port_cpu_bit()));
	mine->request = (struct request){mm, va, nr};
	__atomic_store_n(&mine->waiting, (uint32_t)__builtin_popcountll(cpus), __ATOMIC_SEQ_CST);
	for (uint64_t left = cpus; left; left &= left - 1)
		port_set_bits64(&boxes[__builtin_ctzll(left)].asked, port_cpu_bit());
	while (__atomic_load_n(&mine->waiting, __ATOMIC_SEQ_CST)) {
		serve_threadless(cpus, mine);
		port_cpu_relax();
	}
}

void hosted_cpu_begin(unsigned cpu)
{
	ASSERT(cpu < MAX_CPUS);
	hosted_set_cpu(cpu);
	__atomic_store_n(&boxes[cpu].thread, true, __ATOMIC_SEQ_CST);
}

void hosted_cpu_end(void)
{
	port_load_mm(NULL);
	__atomic_store_n(&boxes[port_cpu_id()].thread, false, __ATOMIC_SEQ_CST);
	hosted_answer();
}

/* Those that have anything loaded. */
uint64_t port_other_cpus(void)
{
	uint64_t cpus = 0;

	for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++)
		if (cpu != port_cpu_id() && mmus[cpu].mm)
			cpus |= 1ull << cpu;
	return cpus;
}

/* ---- this CPU ---- */

void port_tlb_flush_kernel_page(uint64_t va)
{
	struct softmmu *m = this_mmu();

	m->count.flush_page++;
	drop_translation(m, va & PAGE_MASK);
	psc_clear(m);
}

void port_tlb_flush_kernel_all(void)
{
	struct softmmu *m = this_mmu();

	m->count.flush_all++;
	tlb_clear(m);
}

void port_load_mm(struct mm *mm)
{
	struct softmmu *m = this_mmu();
	struct mm *old = m->mm;

	if (mm)
		port_set_bits64(&mm->cpus, port_cpu_bit());
	m->mm = mm;
	m->root_pfn = mm ? mm->root_pfn : 0;
	tlb_clear(m);
	if (old && old != mm)
		port_clear_bits64(&old->cpus, port_cpu_bit());
}

/* ---- the walk ---- */

static unsigned level_shift(unsigned level)
{
	return PAGE_SHIFT + 9 * level;
}

static pte_t *entry_at(uint64_t table, uint64_t va, unsigned level)
{
	pte_t *entries = port_pfn_to_virt(table);

	return &entries[va >> level_shift(level) & (PTRS_PER_TABLE - 1)];
}

static struct psc_entry *psc_slot(struct softmmu *m, uint64_t va, unsigned level)
{
	return &m->psc[level][(va >> level_shift(level)) % PSC_SLOTS];
}

/* Do the tables, from the root down, no longer lead to the table that the cache says? */
static bool psc_is_stale(const struct softmmu *m, const struct psc_entry *c, unsigned level)
{
	uint64_t table = m->root_pfn;

	for (unsigned l = PT_LEVELS; l-- > level;) {
		pte_t e = port_pte_read(entry_at(table, c->prefix << level_shift(level), l));

		if (!(e.v & PTE_P))
			return true;
		table = pte_pfn(e);
	}
	return table != c->table;
}

/* The cached entry of the lowest level that covers va; *level is that entry's. */
static const struct psc_entry *psc_lookup(struct softmmu *m, uint64_t va, unsigned *level)
{
	for (*level = 1; *level < PT_LEVELS; ++*level) {
		const struct psc_entry *c = psc_slot(m, va, *level);

		if (!c->valid || c->prefix != va >> level_shift(*level))
			continue;
		if (psc_is_stale(m, c, *level))
			port_panic("stale paging-structure cache: level %u of %lx", *level, va);
		return c;
	}
	return NULL;
}

/* Reads an entry and sets the bits that a CPU sets on the way, atomically. */
static pte_t use_entry(pte_t *p, uint64_t bits)
{
	pte_t e = port_pte_read(p);

	while ((e.v & PTE_P) && (e.v & bits) != bits)
		if (port_pte_cmpxchg(p, &e, (pte_t){e.v | bits}))
			e.v |= bits;
	return e;
}

static void restrict_rights(struct rights *r, pte_t e)
{
	r->write = r->write && (e.v & PTE_W);
	r->user = r->user && (e.v & PTE_U);
	r->exec = r->exec && pte_exec(e);
}

/* Is the walk over at this entry, and with which of FAULT_PRESENT and FAULT_RSVD? */
static bool entry_stops(pte_t e, unsigned level, uint32_t *fault)
{
	*fault = 0;
	if (!(e.v & PTE_P))
		return true;
	*fault = FAULT_RSVD | FAULT_PRESENT;
	if ((e.v & PTE_RSVD) || (level == PT_LEVELS - 1 && (e.v & PTE_PS)))
		return true;
	if (level && (e.v & PTE_PS))
		port_panic("software MMU: large pages are not modelled");
	return false;
}

struct walk {
	pte_t *leaf;	/* NULL: it ended earlier, with `fault` */
	pte_t pte;	/* the leaf as it was read */
	uint32_t fault; /* FAULT_PRESENT | FAULT_RSVD, or 0: not present */
	struct rights rights;
};

/* From the lowest level that the PSC knows down to the leaf; fills the PSC on the way. */
static struct walk walk_tables(struct softmmu *m, uint64_t va)
{
	struct walk w = {.rights = {true, true, true}};
	uint64_t table = m->root_pfn;
	unsigned level = PT_LEVELS;
	const struct psc_entry *c = psc_lookup(m, va, &level);

	m->count.walk++;
	if (c) {
		table = c->table;
		w.rights = c->rights;
	}
	while (level-- > 0) {
		pte_t *p = entry_at(table, va, level), e = use_entry(p, level ? PTE_A : 0);

		if (entry_stops(e, level, &w.fault))
			return w;
		restrict_rights(&w.rights, e);
		table = pte_pfn(e);
		if (level)
			*psc_slot(m, va, level) = (struct psc_entry){
				.valid = true,
				.rights = w.rights,
				.prefix = va >> level_shift(level),
				.table = table,
			};
		else {
			w.leaf = p;
			w.pte = e;
		}
	}
	return w;
}

/* SDM vol. 3, 4.6.1, with CR0.WP, SMEP and RFLAGS.AC (as in copy_to_user) set. */
static bool permits(struct rights r, enum hosted_access_kind kind, bool user)
{
	if (user && !r.user)
		return false;
	if (kind == HOSTED_WRITE)
		return r.write;
	if (kind == HOSTED_EXEC)
		return r.exec && user == r.user;
	return true;
}

/* Caches the leaf, with the accessed bit set, and the dirty bit for a write. NULL if another CPU
 * has changed it since it was read. */
static struct tlb_entry *tlb_fill(struct softmmu *m, uint64_t va, const struct walk *w, bool write)
{
	struct tlb_entry *t = tlb_slot(m, va);
	uint64_t bits = write ? PTE_A | PTE_D : PTE_A;
	pte_t e = w->pte;

	if ((e.v & bits) != bits) {
		if (!port_pte_cmpxchg(w->leaf, &e, (pte_t){e.v | bits}))
			return NULL;
		e.v |= bits;
	}
	*t = (struct tlb_entry){
		.valid = true,
		.dirty = pte_dirty(e),
		.rights = w->rights,
		.vpn = va >> PAGE_SHIFT,
		.pfn = pte_pfn(e),
	};
	return t;
}

/* ---- accesses ---- */

static uint32_t error_code(uint32_t fault, enum hosted_access_kind kind, bool user)
{
	return fault | (kind == HOSTED_WRITE ? FAULT_WRITE : 0) |
	       (kind == HOSTED_EXEC ? FAULT_FETCH : 0) | (user ? FAULT_USER : 0);
}

/* Point 2 above. */
static struct hosted_access raise_fault(struct softmmu *m, uint64_t va, uint32_t code)
{
	struct tlb_entry *t;
	struct walk w;

	drop_translation(m, va);
	for (unsigned level = 1; level < PT_LEVELS; level++) {
		struct psc_entry *c = psc_slot(m, va, level);

		if (c->prefix == va >> level_shift(level))
			c->valid = false;
	}
	w = walk_tables(m, va);
	t = w.leaf ? tlb_fill(m, va, &w, false) : NULL;
	if (t)
		t->guessed = true;
	return (struct hosted_access){NULL, code};
}

static struct hosted_access reach(const struct tlb_entry *t, uint64_t va)
{
	const struct page *page = pfn_to_page(t->pfn);
	char *frame = port_pfn_to_virt(t->pfn);

	if (!page_flag(page, PG_RESERVED) && !port_load_acquire32(&page->refcount))
		port_panic("stale TLB entry: %lx leads to frame %lx, which is free", va, t->pfn);
	return (struct hosted_access){frame + (va & ~PAGE_MASK), 0};
}

struct hosted_access hosted_access(struct mm *mm, uint64_t va, enum hosted_access_kind kind,
				   bool user)
{
	struct softmmu *m = this_mmu();
	struct tlb_entry *t;
	bool write = kind == HOSTED_WRITE;
	struct walk w;

	hosted_answer();
	t = tlb_lookup(m, va);
	ASSERT(m->mm == mm && m->root_pfn == mm->root_pfn);
	ASSERT((uint64_t)((int64_t)(va << 16) >> 16) == va);
	if (t && !t->guessed && !permits(t->rights, kind, user))
		return raise_fault(m, va, error_code(FAULT_PRESENT, kind, user));
	if (t && permits(t->rights, kind, user) && (t->dirty || !write)) {
		m->count.hit++;
		return reach(t, va);
	}
	do {
		w = walk_tables(m, va);
		if (!w.leaf)
			return raise_fault(m, va, error_code(w.fault, kind, user));
		if (!permits(w.rights, kind, user))
			return raise_fault(m, va, error_code(FAULT_PRESENT, kind, user));
		t = tlb_fill(m, va, &w, write);
	} while (!t);
	return reach(t, va);
}

/* ---- checking ---- */

/* What the tables say of va now: nothing cached, no bit set. */
static struct walk look_up(uint64_t table, uint64_t va)
{
	struct walk w = {.rights = {true, true, true}};

	for (unsigned level = PT_LEVELS; level-- > 0;) {
		pte_t *p = entry_at(table, va, level), e = port_pte_read(p);

		if (entry_stops(e, level, &w.fault))
			return w;
		restrict_rights(&w.rights, e);
		table = pte_pfn(e);
		if (!level)
			w.leaf = p;
	}
	return w;
}

static void check_tlb_entry(const struct softmmu *m, const struct tlb_entry *t)
{
	uint64_t va = t->vpn << PAGE_SHIFT;
	struct walk w = look_up(m->root_pfn, va);

	if (!w.leaf || pte_pfn(port_pte_read(w.leaf)) != t->pfn)
		port_panic("stale TLB entry: %lx leads to frame %lx still", va, t->pfn);
	if (t->rights.write > w.rights.write || t->rights.user > w.rights.user ||
	    t->rights.exec > w.rights.exec)
		port_panic("stale TLB entry: %lx has rights that it lost", va);
}

void hosted_tlb_check(void)
{
	const struct softmmu *m = this_mmu();

	for (unsigned i = 0; m->mm && i < TLB_SLOTS; i++)
		if (m->tlb[i].valid)
			check_tlb_entry(m, &m->tlb[i]);
	for (unsigned level = 1; m->mm && level < PT_LEVELS; level++)
		for (unsigned i = 0; i < PSC_SLOTS; i++) {
			const struct psc_entry *c = &m->psc[level][i];

			if (c->valid && psc_is_stale(m, c, level))
				port_panic("stale paging-structure cache: level %u of %lx", level,
					   c->prefix << level_shift(level));
		}
}
