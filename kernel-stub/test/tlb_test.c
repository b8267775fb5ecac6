/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flushes of other CPUs: what each change of an address space asks of a second CPU that has all of
 * its pages in its TLB, and that nothing stale is left there. One thread plays both CPUs.
 */
#include "test/fault_world.h"

#define PAGES 40u
#define HERE 0
#define OTHER 1

static struct mm *child;

static void on_cpu(unsigned cpu)
{
	hosted_set_cpu(cpu);
}

/* Both CPUs have read all pages; the first page of each table is written. */
static void both_cache(void)
{
	for (unsigned cpu = HERE; cpu <= OTHER; cpu++) {
		on_cpu(cpu);
		port_load_mm(mm);
		for (unsigned i = 0; i < PAGES; i++)
			touch(WORLD_BASE + i * PAGE_SIZE, HOSTED_READ);
	}
	on_cpu(HERE);
}

static void write_all(void)
{
	for (unsigned i = 0; i < PAGES; i++)
		write_word(WORLD_BASE + i * PAGE_SIZE, i + 1);
}

static void prepare_written(void)
{
	map_anon(PAGES, RW);
	write_all();
}

static void prepare_zero(void)
{
	map_anon(PAGES, RW);
}

static void prepare_file(void)
{
	map_anon(PAGES, RW);
	map_file(WORLD_BASE, 2, RW, 0);
}

static void prepare_forked(void)
{
	prepare_written();
	child = mm_fork(mm);
	ATF_REQUIRE(child != NULL);
}

static void prepare_left_alone(void)
{
	prepare_forked();
	mm_destroy(child);
	child = NULL;
}

static void op_munmap_one(void)
{
	ATF_REQUIRE_EQ(vm_munmap(mm, WORLD_BASE + PAGE_SIZE, PAGE_SIZE), 0);
}

static void op_munmap_all(void)
{
	ATF_REQUIRE_EQ(vm_munmap(mm, WORLD_BASE, PAGES * PAGE_SIZE), 0);
}

static void op_dontneed(void)
{
	ATF_REQUIRE_EQ(vm_madvise(mm, WORLD_BASE, 2 * PAGE_SIZE, MADV_DONTNEED_), 0);
}

static void op_dontneed_one(void)
{
	ATF_REQUIRE_EQ(vm_madvise(mm, WORLD_BASE, PAGE_SIZE, MADV_DONTNEED_), 0);
}

static void op_protect_one(void)
{
	ATF_REQUIRE_EQ(vm_mprotect(mm, WORLD_BASE, PAGE_SIZE, RO), 0);
}

static void op_protect_all(void)
{
	ATF_REQUIRE_EQ(vm_mprotect(mm, WORLD_BASE, PAGES * PAGE_SIZE, PROT_READ_), 0);
}

static void op_fork(void)
{
	child = mm_fork(mm);
	ATF_REQUIRE(child != NULL);
}

static void op_move(void)
{
	ATF_REQUIRE(vm_mremap(mm, WORLD_BASE, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE_ | MREMAP_FIXED_,
			      WORLD_BASE + 64 * PAGE_SIZE) > 0);
}

static void op_write(void)
{
	write_word(WORLD_BASE, 77);
}

static void op_allow(void)
{
	struct vma *vma = vma_lookup(mm, WORLD_BASE);

	ATF_REQUIRE_EQ(vm_mprotect(mm, WORLD_BASE, PAGES * PAGE_SIZE, RW | PROT_EXEC_), 0);
	ATF_REQUIRE(vma->flags & VM_EXEC);
}

static const struct {
	const char *name;
	void (*prepare)(void), (*op)(void);
	int64_t remote; /* times that the other CPU was asked */
} rows[] = {
	{"munmap of a page", prepare_written, op_munmap_one, 1},
	{"munmap of all, a table too", prepare_written, op_munmap_all, 2},
	{"DONTNEED", prepare_written, op_dontneed, 1},
	{"DONTNEED of a page", prepare_written, op_dontneed_one, 1},
	{"mprotect of a page", prepare_written, op_protect_one, 1},
	{"mprotect of all", prepare_written, op_protect_all, 1},
	{"mprotect that adds a right", prepare_written, op_allow, 0},
	{"fork", prepare_written, op_fork, 1},
	{"mremap", prepare_written, op_move, 1},
	{"mremap of a shared page", prepare_forked, op_move, 2},
	{"write to the zero page", prepare_zero, op_write, 1},
	{"write to a page of a file", prepare_file, op_write, 1},
	{"write to a page that fork shared", prepare_forked, op_write, 1},
	{"write by the last owner", prepare_left_alone, op_write, 0},
};

ATF_TC_WITHOUT_HEAD(two_cpus);
ATF_TC_BODY(two_cpus, tc)
{
	(void)tc;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t asked, received, gen;

		world_open();
		child = NULL;
		rows[i].prepare();
		both_cache();
		asked = hosted_vmstat(FL_VMSTAT_TLB_REMOTE_FLUSH);
		received = hosted_vmstat(FL_VMSTAT_TLB_REMOTE_FLUSH_RECEIVED);
		gen = mm->tlb_gen;
		rows[i].op();
		asked = hosted_vmstat(FL_VMSTAT_TLB_REMOTE_FLUSH) - asked;
		received = hosted_vmstat(FL_VMSTAT_TLB_REMOTE_FLUSH_RECEIVED) - received;
		ATF_CHECK_MSG(asked == rows[i].remote, "%s: %ld", rows[i].name, (long)asked);
		ATF_CHECK_EQ(received, asked);
		ATF_CHECK_EQ(mm->tlb_gen - gen, asked);
		on_cpu(OTHER);
		hosted_tlb_check();
		port_load_mm(NULL);
		on_cpu(HERE);
		if (child)
			mm_destroy(child);
		world_close();
	}
}

/* mm->cpus follows what is loaded where, and who is alone asks nobody. */
ATF_TC_WITHOUT_HEAD(mask);
ATF_TC_BODY(mask, tc)
{
	struct mm *second;

	(void)tc;
	world_open();
	second = mm_create();
	ATF_REQUIRE(second != NULL);
	ATF_CHECK_EQ(mm->cpus, 1);
	on_cpu(OTHER);
	port_load_mm(mm);
	ATF_CHECK_EQ(mm->cpus, 3);
	port_load_mm(mm);
	ATF_CHECK_EQ(mm->cpus, 3);
	port_load_mm(second);
	ATF_CHECK_EQ(mm->cpus, 1);
	ATF_CHECK_EQ(second->cpus, 2);
	port_load_mm(NULL);
	ATF_CHECK_EQ(second->cpus, 0);
	on_cpu(HERE);
	prepare_written();
	op_munmap_all();
	ATF_CHECK_EQ(hosted_vmstat(FL_VMSTAT_TLB_REMOTE_FLUSH), 0);
	ATF_CHECK_EQ(mm->tlb_gen, 0);
	mm_destroy(second);
	world_close();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, two_cpus);
	ATF_TP_ADD_TC(tp, mask);
	return atf_no_error();
}
