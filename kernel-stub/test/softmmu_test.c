/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The software MMU by itself, over page tables that are built here by hand: which accesses fault,
 * with which code, and what a missing flush leaves behind.
 */
#include <atf-c.h>
#include <string.h>

#include "mm/phys/buddy.h"
#include "port/hosted/hosted.h"
#include "test/random.h"

#define PAGES 256u
#define VA 0x12345678000ull

static struct mm mm;

static struct page *new_table(void)
{
	struct page *table = page_alloc_kernel();

	ATF_REQUIRE(table != NULL);
	table->flags = 1u << PG_TABLE;
	return table;
}

/* The entry of that level for va; makes the tables above it. */
static pte_t *entry_for(uint64_t va, unsigned level)
{
	uint64_t table = mm.root_pfn;

	for (unsigned l = PT_LEVELS - 1;; l--) {
		pte_t *e = (pte_t *)port_pfn_to_virt(table) +
			   (va >> (PAGE_SHIFT + 9 * l) & (PTRS_PER_TABLE - 1));

		if (l == level)
			return e;
		if (pte_none(*e))
			*e = pte_make_table(page_to_pfn(new_table()));
		table = pte_pfn(*e);
	}
}

static void set_up(void)
{
	hosted_boot(PAGES);
	mm = (struct mm){.root_pfn = page_to_pfn(new_table())};
	port_load_mm(&mm);
}

/* Maps a fresh page at va; its first byte is `mark`. */
static struct page *map_page(uint64_t va, unsigned prot, unsigned char mark)
{
	struct page *page = page_alloc();

	ATF_REQUIRE(page != NULL);
	*(unsigned char *)page_to_virt(page) = mark;
	*entry_for(va, 0) = pte_make(page_to_pfn(page), prot);
	return page;
}

static uint32_t fault_of(uint64_t va, enum hosted_access_kind kind, bool user)
{
	struct hosted_access a = hosted_access(&mm, va, kind, user);

	return a.host ? UINT32_MAX : a.fault;
}

static unsigned char byte_at(uint64_t va)
{
	struct hosted_access a = hosted_access(&mm, va, HOSTED_READ, true);

	ATF_REQUIRE(a.host != NULL);
	return *(unsigned char *)a.host;
}

/* ---- which accesses fault ---- */

#define U PTE_PROT_USER
#define W PTE_PROT_WRITE
#define X PTE_PROT_EXEC

#define OK UINT32_MAX
#define P_ FAULT_PRESENT
#define W_ FAULT_WRITE
#define U_ FAULT_USER
#define R_ FAULT_RSVD
#define F_ FAULT_FETCH

struct code_row {
	const char *entry;
	unsigned prot;
	bool none, rsvd;
	uint32_t user[3], kernel[3]; /* by enum hosted_access_kind */
};

static const struct code_row code_rows[] = {
	{"empty", 0, true, false, {U_, U_ | W_, U_ | F_}, {0, W_, F_}},
	{"PROT_NONE", 0, false, false, {U_, U_ | W_, U_ | F_}, {0, W_, F_}},
	{"PROT_NONE, once writable", W, false, false, {U_, U_ | W_, U_ | F_}, {0, W_, F_}},
	{"r--", U, false, false, {OK, P_ | U_ | W_, P_ | U_ | F_}, {OK, P_ | W_, P_ | F_}},
	{"rw-", U | W, false, false, {OK, OK, P_ | U_ | F_}, {OK, OK, P_ | F_}},
	{"r-x", U | X, false, false, {OK, P_ | U_ | W_, OK}, {OK, P_ | W_, P_ | F_}},
	{"rwx", U | W | X, false, false, {OK, OK, OK}, {OK, OK, P_ | F_}},
	{"rw-, reserved bit",
	 U | W,
	 false,
	 true,
	 {P_ | R_ | U_, P_ | R_ | U_ | W_, P_ | R_ | U_ | F_},
	 {P_ | R_, P_ | R_ | W_, P_ | R_ | F_}},
	{"r--, reserved bit",
	 U,
	 false,
	 true,
	 {P_ | R_ | U_, P_ | R_ | U_ | W_, P_ | R_ | U_ | F_},
	 {P_ | R_, P_ | R_ | W_, P_ | R_ | F_}},
	{"PROT_NONE, reserved bit", 0, false, true, {U_, U_ | W_, U_ | F_}, {0, W_, F_}},
};

/* Each twice: the second time from what the first left in the caches. */
static void check_codes(const struct code_row *row)
{
	for (unsigned i = 0; i < 12; i++) {
		unsigned kind = i % 3;
		bool user = i / 3 % 2;
		uint32_t want = user ? row->user[kind] : row->kernel[kind];
		uint32_t got = fault_of(VA, (enum hosted_access_kind)kind, user);

		ATF_REQUIRE_MSG(got == want, "%s: kind %u, user %d: code %x, not %x", row->entry,
				kind, user, got, want);
		hosted_tlb_check();
	}
}

ATF_TC_WITHOUT_HEAD(fault_codes);
ATF_TC_BODY(fault_codes, tc)
{
	(void)tc;
	for (size_t i = 0; i < sizeof(code_rows) / sizeof(code_rows[0]); i++) {
		pte_t *e;

		set_up();
		map_page(VA, code_rows[i].prot, 1);
		e = entry_for(VA, 0);
		if (code_rows[i].none)
			*e = (pte_t){0};
		if (code_rows[i].rsvd)
			*e = pte_set_rsvd(*e);
		check_codes(&code_rows[i]);
	}
}

ATF_TC_WITHOUT_HEAD(missing_table);
ATF_TC_BODY(missing_table, tc)
{
	(void)tc;
	for (unsigned level = 1; level < PT_LEVELS; level++) {
		set_up();
		map_page(VA, U | W | X, 1);
		*entry_for(VA, level) = (pte_t){0};
		ATF_REQUIRE_EQ(fault_of(VA, HOSTED_WRITE, true), U_ | W_);
		ATF_REQUIRE_EQ(fault_of(VA, HOSTED_EXEC, false), F_);
	}
}

ATF_TC_WITHOUT_HEAD(reserved_in_table);
ATF_TC_BODY(reserved_in_table, tc)
{
	(void)tc;
	for (unsigned level = 1; level < PT_LEVELS; level++) {
		set_up();
		map_page(VA, U | W | X, 1);
		entry_for(VA, level)->v |= level == 3 ? PTE_PS : PTE_RSVD;
		ATF_REQUIRE_EQ(fault_of(VA, HOSTED_READ, true), P_ | R_ | U_);
	}
}

ATF_TC_WITHOUT_HEAD(accessed_and_dirty);
ATF_TC_BODY(accessed_and_dirty, tc)
{
	pte_t *e;

	(void)tc;
	set_up();
	map_page(VA, U | W, 1);
	e = entry_for(VA, 0);
	ATF_REQUIRE(pte_young(*e) && pte_dirty(*e));
	e->v &= ~(PTE_A | PTE_D);
	entry_for(VA, 2)->v &= ~PTE_A;
	ATF_REQUIRE_EQ(fault_of(VA, HOSTED_READ, true), OK);
	ATF_REQUIRE(pte_young(*e) && !pte_dirty(*e));
	ATF_REQUIRE(pte_young(*entry_for(VA, 2)));
	/* The cached translation is not dirty: a write walks again to set the bit. */
	ATF_REQUIRE_EQ(fault_of(VA, HOSTED_WRITE, true), OK);
	ATF_REQUIRE(pte_dirty(*e));
}

/* ---- entries, as pte.h makes them ---- */

ATF_TC_WITHOUT_HEAD(pte_set_prot_all);
ATF_TC_BODY(pte_set_prot_all, tc)
{
	(void)tc;
	for (unsigned from = 0; from < 8; from++)
		for (unsigned to = 0; to < 8; to++) {
			pte_t a = pte_make(0x7fffffffff, from), b = pte_set_prot(a, to);

			ATF_REQUIRE(pte_present(a) && pte_present(b) && !pte_none(b));
			ATF_REQUIRE_EQ(pte_pfn(b), 0x7fffffffff);
			ATF_REQUIRE_EQ(pte_write(b), !!(to & W));
			ATF_REQUIRE_EQ(pte_exec(b), !!(to & X));
			ATF_REQUIRE_EQ(pte_user(b), !!(to & U));
			ATF_REQUIRE_EQ(!!(b.v & PTE_P), !!(to & U));
			ATF_REQUIRE_EQ(pte_dirty(b), !!((from | to) & W));
			ATF_REQUIRE(pte_young(b));
			a.v &= ~PTE_A;
			ATF_REQUIRE(!pte_young(pte_set_prot(a, to)));
			ATF_REQUIRE_EQ(pte_pfn(pte_set_rsvd(b)), 0x7fffffffff);
			ATF_REQUIRE(pte_set_prot(pte_set_rsvd(a), to).v & PTE_RSVD);
		}
	ATF_REQUIRE(pte_present(pte_make_table(5)) && pte_pfn(pte_make_table(5)) == 5);
	ATF_REQUIRE(pte_none((pte_t){0}) && !pte_present((pte_t){0}));
}

/* ---- what is cached stays until it is flushed ---- */

static void flush_this_page(void)
{
	port_tlb_flush_page(&mm, VA);
}

static void flush_all(void)
{
	port_tlb_flush_all(&mm);
}

static void load_again(void)
{
	port_load_mm(&mm);
}

static void (*const flushes[])(void) = {flush_this_page, flush_all, load_again};
#define NR_FLUSHES (sizeof(flushes) / sizeof(flushes[0]))

static void access_read(void *va)
{
	fault_of(*(uint64_t *)va, HOSTED_READ, true);
}

static void tlb_check(void *unused)
{
	(void)unused;
	hosted_tlb_check();
}

static void require_panic(void (*fn)(void *), void *arg, const char *says)
{
	const char *message = hosted_catch_panic(fn, arg);

	ATF_REQUIRE_MSG(message && strstr(message, says), "%s: got %s", says,
			message ? message : "no panic");
}

ATF_TC_WITHOUT_HEAD(stale_frame);
ATF_TC_BODY(stale_frame, tc)
{
	(void)tc;
	for (unsigned i = 0; i < NR_FLUSHES; i++) {
		set_up();
		map_page(VA, U | W, 1);
		ATF_REQUIRE_EQ(byte_at(VA), 1);
		map_page(VA, U | W, 2);
		ATF_REQUIRE_EQ(byte_at(VA), 1);
		require_panic(tlb_check, NULL, "stale TLB entry");
		port_tlb_flush_page(&mm, VA + PAGE_SIZE);
		ATF_REQUIRE_EQ(byte_at(VA), 1);
		flushes[i]();
		ATF_REQUIRE_EQ(byte_at(VA), 2);
		hosted_tlb_check();
	}
}

ATF_TC_WITHOUT_HEAD(stale_rights);
ATF_TC_BODY(stale_rights, tc)
{
	(void)tc;
	for (unsigned i = 0; i < NR_FLUSHES; i++) {
		pte_t *e;

		set_up();
		map_page(VA, U | W, 1);
		e = entry_for(VA, 0);
		ATF_REQUIRE_EQ(fault_of(VA, HOSTED_WRITE, true), OK);
		*e = pte_set_prot(*e, U);
		ATF_REQUIRE_EQ(fault_of(VA, HOSTED_WRITE, true), OK);
		require_panic(tlb_check, NULL, "rights that it lost");
		flushes[i]();
		ATF_REQUIRE_EQ(fault_of(VA, HOSTED_WRITE, true), P_ | W_ | U_);
		hosted_tlb_check();
		*e = pte_set_prot(*e, 0);
		ATF_REQUIRE_EQ(fault_of(VA, HOSTED_READ, true), OK);
		require_panic(tlb_check, NULL, "stale TLB entry");
	}
}

/* Rights gained without a flush: one spurious fault, then the retry succeeds. */
ATF_TC_WITHOUT_HEAD(spurious);
ATF_TC_BODY(spurious, tc)
{
	pte_t *e;

	(void)tc;
	set_up();
	map_page(VA, U, 1);
	e = entry_for(VA, 0);
	ATF_REQUIRE_EQ(fault_of(VA, HOSTED_READ, true), OK);
	*e = pte_set_prot(*e, U | W);
	hosted_tlb_check();
	ATF_REQUIRE_EQ(fault_of(VA, HOSTED_WRITE, true), P_ | W_ | U_);
	ATF_REQUIRE_EQ(fault_of(VA, HOSTED_WRITE, true), OK);
}

/* The fault itself drops the cached translation, also where the tables have none any more. */
ATF_TC_WITHOUT_HEAD(fault_drops);
ATF_TC_BODY(fault_drops, tc)
{
	(void)tc;
	set_up();
	map_page(VA, U, 1);
	ATF_REQUIRE_EQ(fault_of(VA, HOSTED_READ, true), OK);
	*entry_for(VA, 0) = (pte_t){0};
	ATF_REQUIRE_EQ(fault_of(VA, HOSTED_READ, true), OK);
	ATF_REQUIRE_EQ(fault_of(VA, HOSTED_WRITE, true), P_ | W_ | U_);
	ATF_REQUIRE_EQ(fault_of(VA, HOSTED_READ, true), U_);
}

/* A write fault on a read-only entry leaves that entry cached: replacing it needs a flush. */
ATF_TC_WITHOUT_HEAD(replaced_after_fault);
ATF_TC_BODY(replaced_after_fault, tc)
{
	(void)tc;
	set_up();
	map_page(VA, U, 1);
	ATF_REQUIRE_EQ(fault_of(VA, HOSTED_WRITE, true), P_ | W_ | U_);
	map_page(VA, U | W, 2);
	ATF_REQUIRE_EQ(byte_at(VA), 1);
	flush_this_page();
	ATF_REQUIRE_EQ(byte_at(VA), 2);
	/* What was not present was not cached: no flush. */
	ATF_REQUIRE_EQ(fault_of(VA + PAGE_SIZE, HOSTED_WRITE, true), W_ | U_);
	map_page(VA + PAGE_SIZE, U | W, 3);
	ATF_REQUIRE_EQ(byte_at(VA + PAGE_SIZE), 3);
}

ATF_TC_WITHOUT_HEAD(freed_frame);
ATF_TC_BODY(freed_frame, tc)
{
	uint64_t va = VA;
	struct page *page;

	(void)tc;
	set_up();
	page = map_page(VA, U | W, 1);
	ATF_REQUIRE_EQ(byte_at(VA), 1);
	*entry_for(VA, 0) = (pte_t){0};
	page_put(page);
	require_panic(access_read, &va, "stale TLB entry");
	flush_this_page();
	ATF_REQUIRE_EQ(fault_of(VA, HOSTED_READ, true), U_);
}

/* A table goes, and its entry above: an access to another page below it must not use it. */
ATF_TC_WITHOUT_HEAD(freed_table);
ATF_TC_BODY(freed_table, tc)
{
	(void)tc;
	for (unsigned level = 1; level < PT_LEVELS; level++)
		for (unsigned i = 0; i < NR_FLUSHES; i++) {
			uint64_t va = VA + PAGE_SIZE;
			struct page *table;
			pte_t *e;

			set_up();
			map_page(VA, U | W, 1);
			ATF_REQUIRE_EQ(byte_at(VA), 1);
			e = entry_for(VA, level);
			table = pfn_to_page(pte_pfn(*e));
			*e = (pte_t){0};
			table->flags = 0;
			page_put(table);
			require_panic(access_read, &va, "stale paging-structure cache");
			flushes[i]();
			ATF_REQUIRE_EQ(fault_of(va, HOSTED_READ, true), U_);
			if (i > 0)
				hosted_tlb_check();
		}
}

/* The fault on an address drops what is cached for it, but not the tables of others. */
ATF_TC_WITHOUT_HEAD(freed_table_after_fault);
ATF_TC_BODY(freed_table_after_fault, tc)
{
	uint64_t other = VA + 3 * PMD_SIZE;

	(void)tc;
	set_up();
	map_page(VA, U, 1);
	map_page(other, U, 2);
	ATF_REQUIRE_EQ(byte_at(other), 2);
	ATF_REQUIRE_EQ(fault_of(VA, HOSTED_WRITE, true), P_ | W_ | U_);
	*entry_for(other, 1) = (pte_t){0};
	other += PAGE_SIZE;
	require_panic(access_read, &other, "stale paging-structure cache");
}

ATF_TC_WITHOUT_HEAD(per_cpu);
ATF_TC_BODY(per_cpu, tc)
{
	(void)tc;
	set_up();
	map_page(VA, U, 1);
	ATF_REQUIRE_EQ(byte_at(VA), 1);
	hosted_set_cpu(1);
	port_load_mm(&mm);
	ATF_REQUIRE_EQ(byte_at(VA), 1);
	map_page(VA, U, 2);
	flush_this_page();
	ATF_REQUIRE_EQ(byte_at(VA), 2);
	hosted_set_cpu(0);
	ATF_REQUIRE_EQ(byte_at(VA), 1);
	flush_this_page();
	ATF_REQUIRE_EQ(byte_at(VA), 2);
}

ATF_TC_WITHOUT_HEAD(counts);
ATF_TC_BODY(counts, tc)
{
	struct hosted_tlb_count n;

	(void)tc;
	set_up();
	map_page(VA, U, 1);
	for (unsigned i = 0; i < 5; i++)
		byte_at(VA);
	flush_this_page();
	flush_this_page();
	flush_all();
	n = hosted_tlb_count();
	ATF_REQUIRE_EQ(n.walk, 1);
	ATF_REQUIRE_EQ(n.hit, 4);
	ATF_REQUIRE_EQ(n.flush_page, 2);
	ATF_REQUIRE_EQ(n.flush_all, 1);
}

/* Random changes, each followed by the flush that it needs: never stale, always the right byte. */
ATF_TC_WITHOUT_HEAD(random_flushed);
ATF_TC_BODY(random_flushed, tc)
{
	enum { N = 100 };
	static unsigned char mark[N]; /* 0: not mapped */
	uint64_t seed = 1;

	(void)tc;
	set_up();
	for (unsigned step = 0; step < 50000; step++) {
		unsigned i = (unsigned)random_below(&seed, N);
		uint64_t va = VA + i * PAGE_SIZE;

		if (random_below(&seed, 4) == 0) {
			pte_t *e = entry_for(va, 0), old = *e;

			*e = (pte_t){0};
			mark[i] = 0;
			port_tlb_flush_page(&mm, va);
			if (!pte_none(old))
				page_put(pfn_to_page(pte_pfn(old)));
			else
				map_page(va, U, mark[i] = (unsigned char)(1 + step % 255));
		}
		if (mark[i])
			ATF_REQUIRE_EQ(byte_at(va), mark[i]);
		else
			ATF_REQUIRE_EQ(fault_of(va, HOSTED_READ, true), U_);
		hosted_tlb_check();
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, fault_codes);
	ATF_TP_ADD_TC(tp, missing_table);
	ATF_TP_ADD_TC(tp, reserved_in_table);
	ATF_TP_ADD_TC(tp, accessed_and_dirty);
	ATF_TP_ADD_TC(tp, pte_set_prot_all);
	ATF_TP_ADD_TC(tp, stale_frame);
	ATF_TP_ADD_TC(tp, stale_rights);
	ATF_TP_ADD_TC(tp, spurious);
	ATF_TP_ADD_TC(tp, fault_drops);
	ATF_TP_ADD_TC(tp, replaced_after_fault);
	ATF_TP_ADD_TC(tp, freed_frame);
	ATF_TP_ADD_TC(tp, freed_table);
	ATF_TP_ADD_TC(tp, freed_table_after_fault);
	ATF_TP_ADD_TC(tp, per_cpu);
	ATF_TP_ADD_TC(tp, counts);
	ATF_TP_ADD_TC(tp, random_flushed);
	return atf_no_error();
}
