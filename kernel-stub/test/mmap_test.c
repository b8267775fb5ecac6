/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The calls against the Linux that runs the test: each one is made in both places at the same
 * address, in an area that is free here too; the results must be the same, and so must the VMAs
 * that /proc/self/maps shows. What no call can bring about here has tables of its own at the end.
 */
#include <atf-c.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mm/base/mm_errno.h"
#include "test/vma_world.h"

#define AREA 0x200000000000ull
#define AREA_PAGES 32u
#define LAYOUT_MAX 4096
#define P PAGE_SIZE

/* ---- both sides ---- */

enum call { MMAP, MUNMAP, MPROTECT, MADVISE, MREMAP, BRK, NR_CALLS };

static const char *const call_names[NR_CALLS] = {"mmap",    "munmap", "mprotect",
						 "madvise", "mremap", "brk"};

#pragma GCC diagnostic ignored                                                                     \
	"-Wmissing-field-initializers" /* what most requests leave out is 0 */

/* arg: prot or advice. new_len, new_addr: mremap's. */
struct request {
	enum call call;
	uint64_t addr, len;
	unsigned arg, flags;
	uint64_t new_len, new_addr;
};

/* A system call as the kernel returns from it: ASan hears nothing of it. */
static int64_t linux_syscall(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t flags,
			     uint64_t e)
{
	register uint64_t r10 __asm__("r10") = flags;
	register uint64_t r8 __asm__("r8") = e;
	register uint64_t r9 __asm__("r9") = 0;
	int64_t ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

static int64_t linux_call(const struct request *r)
{
	static const long numbers[NR_CALLS] = {SYS_mmap,    SYS_munmap, SYS_mprotect,
					       SYS_madvise, SYS_mremap, SYS_brk};
	bool remap = r->call == MREMAP;

	return linux_syscall(numbers[r->call], r->addr, r->len, remap ? r->new_len : r->arg,
			     r->flags, remap ? r->new_addr : ~0ull /* no file */);
}

static int64_t stub_call(const struct request *r)
{
	switch (r->call) {
	case MMAP:
		return vm_mmap(world_mm, r->addr, r->len, r->arg, r->flags, NULL, 0, 0);
	case MUNMAP:
		return vm_munmap(world_mm, r->addr, r->len);
	case MPROTECT:
		return vm_mprotect(world_mm, r->addr, r->len, r->arg);
	case MADVISE:
		return vm_madvise(world_mm, r->addr, r->len, (int)r->arg);
	case MREMAP:
		return vm_mremap(world_mm, r->addr, r->len, r->new_len, r->flags, r->new_addr);
	default:
		return (int64_t)vm_brk(world_mm, r->addr);
	}
}

/* ---- layouts: "first-end perms" for each VMA in the window, in pages from its start ---- */

struct layout {
	char text[LAYOUT_MAX];
	size_t used;
};

static void layout_add(struct layout *l, uint64_t window, unsigned pages, uint64_t start,
		       uint64_t end, const char *perms)
{
	uint64_t stop = window + pages * P;

	if (end <= window || start >= stop)
		return;
	start = start > window ? start : window;
	end = end < stop ? end : stop;
	l->used += (size_t)snprintf(l->text + l->used, LAYOUT_MAX - l->used, "%u-%u%.3s ",
				    (unsigned)((start - window) / P),
				    (unsigned)((end - window) / P), perms);
	ATF_REQUIRE(l->used < LAYOUT_MAX);
}

static void linux_layout(struct layout *l, uint64_t window, unsigned pages)
{
	static FILE *maps;
	uint64_t start, end;
	char line[512], perms[8];

	*l = (struct layout){.used = 0};
	if (!maps)
		maps = fopen("/proc/self/maps", "r");
	ATF_REQUIRE(maps != NULL);
	rewind(maps);
	while (fgets(line, sizeof(line), maps)) {
		ATF_REQUIRE_EQ(3, sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &start, &end, perms));
		layout_add(l, window, pages, start, end, perms);
	}
}

static void stub_layout(struct layout *l, uint64_t window, unsigned pages)
{
	*l = (struct layout){.used = 0};
	for (const struct vma *vma = world_mm->first; vma; vma = vma->next) {
		char perms[4] = {vma->flags & VM_READ ? 'r' : '-',
				 vma->flags & VM_WRITE ? 'w' : '-',
				 vma->flags & VM_EXEC ? 'x' : '-'};

		layout_add(l, window, pages, vma->start, vma->end, perms);
	}
}

static void compare_layouts(uint64_t window, unsigned pages, const char *when)
{
	static struct layout here, stub;

	linux_layout(&here, window, pages);
	stub_layout(&stub, window, pages);
	ATF_REQUIRE_STREQ_MSG(here.text, stub.text, "%s: Linux has %s, the stub %s", when,
			      here.text, stub.text);
}

/* ---- the area ---- */

#define PRIV (MAP_PRIVATE_ | MAP_ANONYMOUS_)
#define FIXED (PRIV | MAP_FIXED_)
#define EXCL (PRIV | MAP_FIXED_NOREPLACE_)
#define R PROT_READ_
#define RW (PROT_READ_ | PROT_WRITE_)

#define MAYMOVE MREMAP_MAYMOVE_
#define TO (MREMAP_MAYMOVE_ | MREMAP_FIXED_)
#define HINT (MREMAP_MAYMOVE_ | MREMAP_DONTUNMAP_)
#define KEEP (TO | MREMAP_DONTUNMAP_)

#define AT(page) (AREA + (page)*P)
#define TOP TASK_SIZE

/* Before 6.6, memory that once was writable did not merge with memory that never was; then only
 * results and contents can be compared. */
static bool layouts_comparable;

static void probe_merging(void)
{
	struct layout l;

	linux_call(&(struct request){MMAP, AT(0), P, RW, FIXED});
	linux_call(&(struct request){MPROTECT, AT(0), P, R, 0});
	linux_call(&(struct request){MMAP, AT(1), P, R, FIXED});
	linux_layout(&l, AREA, AREA_PAGES);
	layouts_comparable = !strcmp(l.text, "0-2r-- ");
	linux_call(&(struct request){MUNMAP, AT(0), AREA_PAGES * P, 0, 0});
}

static void open_area(void)
{
	const struct request probe = {MMAP, AREA, AREA_PAGES * P, 0, EXCL};

	if (linux_call(&probe) != (int64_t)AREA)
		atf_tc_skip("the test's area of address space is taken");
	linux_call(&(struct request){MUNMAP, AREA, AREA_PAGES * P, 0, 0});
	probe_merging();
	world_open();
}

/* The same call on both sides. */
static void both(const struct request *r)
{
	char name[128];
	int64_t here = linux_call(r), stub = stub_call(r);

	snprintf(name, sizeof(name),
		 "%s(%#" PRIx64 ", %#" PRIx64 ", %#x, %#x, %#" PRIx64 ", %#" PRIx64 ")",
		 call_names[r->call], r->addr, r->len, r->arg, r->flags, r->new_len, r->new_addr);
	ATF_REQUIRE_EQ_MSG(here, stub, "%s: Linux says %" PRId64 ", the stub %" PRId64, name, here,
			   stub);
	if (layouts_comparable)
		compare_layouts(AREA, AREA_PAGES, name);
}

/* Pages 4-8 rw-, 8-10 r--, 12-14 rw-: what each row of the table finds. */
static void set_up_area(void)
{
	both(&(struct request){MUNMAP, AREA, AREA_PAGES * P, 0, 0});
	both(&(struct request){MMAP, AREA + 4 * P, 4 * P, RW, FIXED});
	both(&(struct request){MMAP, AREA + 8 * P, 2 * P, R, FIXED});
	both(&(struct request){MMAP, AREA + 12 * P, 2 * P, RW, FIXED});
}

/* The page's first word here, which ASan knows nothing of. */
__attribute__((no_sanitize("address"))) static uint64_t here_word(uint64_t va, uint64_t write)
{
	volatile uint64_t *p = (volatile uint64_t *)va;

	if (write)
		*p = write;
	return *p;
}

/* Writes the same to a page on both sides, or reads it and compares. */
static void touch_both(unsigned page, uint64_t write)
{
	uint64_t *word = world_touch(AT(page), write ? HOSTED_WRITE : HOSTED_READ);

	if (!word)
		return;
	if (write)
		*word = write;
	ATF_REQUIRE_EQ(here_word(AT(page), write), *word);
}

static const struct request table[] = {
	/* mmap: lengths, places, order of the checks */
	{MMAP, 0, 0, RW, PRIV},
	{MMAP, AT(4), 0, RW, FIXED},
	{MMAP, 1, 0, RW, FIXED | MAP_SHARED_},
	{MMAP, 0, ~0ull, RW, PRIV},
	{MMAP, 0, ~0ull - P, RW, PRIV},
	{MMAP, 0, TOP + P, RW, PRIV},
	{MMAP, 0, TOP, RW, PRIV},
	{MMAP, AT(0), TOP + P, RW, FIXED},
	{MMAP, AT(0) + 1, P, RW, FIXED},
	{MMAP, AT(0) + 1, P, RW, EXCL},
	{MMAP, TOP - P, 2 * P, RW, FIXED},
	{MMAP, TOP - P + 1, 2 * P, RW, FIXED},
	{MMAP, TOP, P, RW, FIXED},
	{MMAP, TOP + P, P, RW, FIXED},
	{MMAP, ~0ull & PAGE_MASK, P, RW, FIXED},
	{MMAP, ~0ull & PAGE_MASK, 2 * P, RW, EXCL},
	{MMAP, AT(4), P, RW, EXCL},
	{MMAP, AT(3), 2 * P, RW, EXCL},
	{MMAP, AT(3), P, RW, EXCL},
	{MMAP, AT(9), 3 * P, RW, EXCL},
	{MMAP, AT(10), 2 * P, RW, EXCL},
	{MMAP, AT(2), 20 * P, RW, EXCL},
	{MMAP, AT(10), 1, R, FIXED},
	{MMAP, AT(10), P + 1, R, FIXED},
	/* mapping types */
	{MMAP, AT(0), P, RW, MAP_ANONYMOUS_ | MAP_FIXED_},
	{MMAP, AT(4), P, RW, MAP_ANONYMOUS_ | MAP_FIXED_},
	{MMAP, AT(4), P, RW, MAP_ANONYMOUS_ | MAP_FIXED_NOREPLACE_},
	{MMAP, AT(0) + 1, P, RW, MAP_ANONYMOUS_ | MAP_FIXED_},
	{MMAP, AT(0), P, RW, MAP_ANONYMOUS_ | MAP_FIXED_ | MAP_SHARED_VALIDATE_},
	{MMAP, AT(0), P, RW, MAP_ANONYMOUS_ | MAP_FIXED_ | 4},
	{MMAP, AT(0), P, RW, MAP_ANONYMOUS_ | MAP_FIXED_ | MAP_SHARED_ | MAP_GROWSDOWN_},
	{MMAP, AT(0), P, RW, FIXED | MAP_GROWSDOWN_},
	{MMAP, AT(0), P, RW, FIXED | MAP_NORESERVE_},
	{MMAP, AT(0), P, RW, FIXED | MAP_STACK_},
	{MMAP, AT(0), P, RW | 0x100, FIXED},
	/* MAP_FIXED in place of things */
	{MMAP, AT(5), 2 * P, RW, FIXED},
	{MMAP, AT(5), 2 * P, R, FIXED},
	{MMAP, AT(8), P, RW, FIXED},
	{MMAP, AT(2), 12 * P, 0, FIXED},
	{MMAP, AT(10), 2 * P, RW, FIXED},
	{MMAP, AT(8), 4 * P, RW, FIXED},
	{MMAP, AT(14), P, RW, FIXED | MAP_NORESERVE_},
	/* hints */
	{MMAP, AT(10), 2 * P, RW, PRIV},
	{MMAP, AT(10) + 5, P, RW, PRIV},
	{MMAP, AT(14), P, RW, PRIV},

	{MUNMAP, AT(4) + 1, P, 0, 0},
	{MUNMAP, AT(4), 0, 0, 0},
	{MUNMAP, AT(4), 1, 0, 0},
	{MUNMAP, AT(5), P, 0, 0},
	{MUNMAP, AT(0), 2 * P, 0, 0},
	{MUNMAP, AT(0), 20 * P, 0, 0},
	{MUNMAP, AT(7), 6 * P, 0, 0},
	{MUNMAP, TOP, P, 0, 0},
	{MUNMAP, TOP, 0, 0, 0},
	{MUNMAP, TOP + P, P, 0, 0},
	{MUNMAP, AT(0), TOP - AT(0) + 1, 0, 0},
	{MUNMAP, AT(0), ~0ull, 0, 0},
	{MUNMAP, ~0ull & PAGE_MASK, P, 0, 0},

	{MPROTECT, AT(4) + 1, P, R, 0},
	{MPROTECT, AT(4) + 1, 0, R, 0},
	{MPROTECT, AT(4), 0, R, 0},
	{MPROTECT, AT(4), 0, 0x40, 0},
	{MPROTECT, AT(4), P, 0x40, 0},
	{MPROTECT, AT(4) + 1, P, 0x40, 0},
	{MPROTECT, AT(4), P, R | PROT_SEM_, 0},
	{MPROTECT, AT(4), ~0ull, R, 0},
	{MPROTECT, AT(4), ~0ull - P, R, 0},
	{MPROTECT, AT(4), 0 - AT(4), R, 0},
	{MPROTECT, AT(4), 0 - AT(4) - P, R, 0},
	{MPROTECT, ~0ull & PAGE_MASK, P, R, 0},
	{MPROTECT, ~0ull & PAGE_MASK, P, 0x40, 0},
	{MPROTECT, TOP, P, R, 0},
	{MPROTECT, AT(0), P, R, 0},
	{MPROTECT, AT(3), 2 * P, R, 0},
	{MPROTECT, AT(4), 1, R, 0},
	{MPROTECT, AT(5), 2 * P, R, 0},
	{MPROTECT, AT(6), 3 * P, 0, 0},
	{MPROTECT, AT(6), 2 * P, R, 0},
	{MPROTECT, AT(8), P, RW, 0},
	{MPROTECT, AT(8), 2 * P, RW, 0},
	{MPROTECT, AT(9), P, RW, 0},
	{MPROTECT, AT(9), 2 * P, RW, 0},
	{MPROTECT, AT(5), 9 * P, 0, 0},
	{MPROTECT, AT(4), P, R | PROT_GROWSDOWN_, 0},
	{MPROTECT, AT(4), P, R | PROT_GROWSUP_, 0},
	{MPROTECT, AT(4), P, R | PROT_GROWSDOWN_ | PROT_GROWSUP_, 0},
	{MPROTECT, AT(4), 0, R | PROT_GROWSDOWN_ | PROT_GROWSUP_, 0},
	{MPROTECT, AT(3), P, R | PROT_GROWSDOWN_, 0},
	{MPROTECT, AT(3), 2 * P, R | PROT_GROWSDOWN_, 0},
	{MPROTECT, AT(3), 2 * P, R | PROT_GROWSUP_, 0},

	{MADVISE, AT(4) + 1, P, MADV_NORMAL_, 0},
	{MADVISE, AT(4), P, 1000, 0},
	{MADVISE, AT(4) + 1, P, 1000, 0},
	{MADVISE, AT(4), 0, 1000, 0},
	{MADVISE, AT(4), 0, MADV_DONTNEED_, 0},
	{MADVISE, AT(0), 0, MADV_DONTNEED_, 0},
	{MADVISE, AT(4), ~0ull, MADV_DONTNEED_, 0},
	{MADVISE, AT(4), 0 - AT(4), MADV_DONTNEED_, 0},
	{MADVISE, AT(4), P, MADV_WILLNEED_, 0},
	{MADVISE, AT(0), P, MADV_WILLNEED_, 0},
	{MADVISE, AT(3), 2 * P, MADV_WILLNEED_, 0},
	{MADVISE, AT(3), 2 * P, MADV_DONTNEED_, 0},
	{MADVISE, AT(7), 4 * P, MADV_DONTNEED_, 0},
	{MADVISE, AT(0), P, MADV_DONTNEED_, 0},
	{MADVISE, AT(0), P, MADV_RANDOM_, 0},
	{MADVISE, AT(5), P, MADV_RANDOM_, 0},
	{MADVISE, AT(5), 7 * P, MADV_SEQUENTIAL_, 0},
	{MADVISE, AT(0), 13 * P, MADV_RANDOM_, 0},
	{MADVISE, AT(4), 4 * P, MADV_NORMAL_, 0},
	{MADVISE, AT(4) + 1, P, MADV_POPULATE_READ_, 0},
	{MADVISE, AT(0), 0, MADV_POPULATE_READ_, 0},
	{MADVISE, AT(0), P, MADV_POPULATE_READ_, 0},
	{MADVISE, AT(4), 6 * P, MADV_POPULATE_READ_, 0},
	{MADVISE, AT(4), 7 * P, MADV_POPULATE_READ_, 0},
	{MADVISE, AT(4), 4 * P, MADV_POPULATE_WRITE_, 0},
	{MADVISE, AT(4), 5 * P, MADV_POPULATE_WRITE_, 0},
	{MADVISE, AT(4), ~0ull, MADV_POPULATE_WRITE_, 0},

	/* mremap: arguments */
	{MREMAP, AT(4), 4 * P, 0, 8, P, 0},
	{MREMAP, AT(4) + 1, 4 * P, 0, 0, P, 0},
	{MREMAP, AT(4), 4 * P, 0, 0, 0, 0},
	{MREMAP, AT(4), 4 * P, 0, 0, TOP, 0},
	{MREMAP, AT(4), 4 * P, 0, 0, TOP + P, 0},
	{MREMAP, AT(4), 4 * P, 0, 0, ~0ull, 0},
	{MREMAP, AT(4), ~0ull, 0, 0, P, 0},
	{MREMAP, AT(4), 0, 0, 0, P, 0},
	{MREMAP, AT(4), 0, 0, MAYMOVE, P, 0},
	{MREMAP, AT(4), TOP, 0, 0, P, 0},
	{MREMAP, AT(4), 4 * P, 0, MREMAP_FIXED_, 4 * P, AT(20)},
	{MREMAP, AT(4), 4 * P, 0, MREMAP_DONTUNMAP_, 4 * P, AT(20)},
	{MREMAP, AT(4), 4 * P, 0, KEEP, 3 * P, AT(20)},
	{MREMAP, AT(4), 4 * P, 0, TO, 4 * P, AT(20) + 1},
	{MREMAP, AT(4), 4 * P, 0, TO, 4 * P, TOP - P},
	{MREMAP, AT(4), 4 * P, 0, TO, 4 * P, ~0ull & PAGE_MASK},
	{MREMAP, AT(4), 4 * P, 0, TO, 4 * P, AT(7)},
	{MREMAP, AT(4), 4 * P, 0, TO, 4 * P, AT(4)},
	{MREMAP, AT(4), 2 * P, 0, TO, 4 * P, AT(1)},
	{MREMAP, AT(0), P, 0, 0, P, 0},
	{MREMAP, AT(0), P, 0, 0, 2 * P, 0},
	{MREMAP, TOP, P, 0, 0, 2 * P, 0},
	{MREMAP, ~0ull & PAGE_MASK, P, 0, 0, 2 * P, 0},
	/* in place */
	{MREMAP, AT(4), 4 * P, 0, 0, 4 * P, 0},
	{MREMAP, AT(4), 20 * P, 0, 0, 20 * P, 0},
	{MREMAP, AT(4), 4 * P, 0, 0, P, 0},
	{MREMAP, AT(4), 1, 0, 0, P, 0},
	{MREMAP, AT(5), 2 * P, 0, 0, P, 0},
	{MREMAP, AT(4), 20 * P, 0, 0, P, 0},
	{MREMAP, AT(4), 20 * P, 0, MAYMOVE, 3 * P + 1, 0},
	{MREMAP, AT(8), 2 * P, 0, 0, 3 * P, 0},
	{MREMAP, AT(9), P, 0, 0, 3 * P, 0},
	{MREMAP, AT(8), 2 * P, 0, 0, 5 * P, 0},
	{MREMAP, AT(8), P, 0, 0, 3 * P, 0},
	{MREMAP, AT(4), 4 * P, 0, 0, 5 * P, 0},
	{MREMAP, AT(4), 6 * P, 0, 0, 7 * P, 0},
	{MREMAP, AT(4), 6 * P, 0, MAYMOVE, 7 * P, 0},
	{MREMAP, AT(12), 2 * P, 0, 0, 9 * P, 0},
	{MREMAP, AT(13), P, 0, MAYMOVE, 9 * P, 0},
	/* moves */
	{MREMAP, AT(4), 4 * P, 0, TO, 4 * P, AT(20)},
	{MREMAP, AT(5), 2 * P, 0, TO, 2 * P, AT(20)},
	{MREMAP, AT(4), 2 * P, 0, TO, 2 * P, AT(20)},
	{MREMAP, AT(6), 2 * P, 0, TO, P, AT(20)},
	{MREMAP, AT(6), 2 * P, 0, TO, 5 * P, AT(20)},
	{MREMAP, AT(6), 3 * P, 0, TO, 5 * P, AT(20)},
	{MREMAP, AT(4), 5 * P, 0, TO, P, AT(20)},
	{MREMAP, AT(4), 4 * P, 0, TO, 4 * P, AT(10)},
	{MREMAP, AT(8), 2 * P, 0, TO, 2 * P, AT(12)},
	{MREMAP, AT(12), 2 * P, 0, TO, 2 * P, AT(5)},
	{MREMAP, AT(12), 2 * P, 0, TO, 2 * P, AT(2)},
	{MREMAP, AT(4), P, 0, TO, P, AT(14)},
	{MREMAP, AT(4), 2 * P, 0, TO, 2 * P, AT(6)},
	{MREMAP, AT(4), P, 0, TO, P, AT(7)},
	{MREMAP, AT(6), 6 * P, 0, TO, 6 * P, AT(20)},
	{MREMAP, AT(4), 10 * P, 0, TO, 10 * P, AT(18)},
	{MREMAP, AT(3), 5 * P, 0, TO, 5 * P, AT(20)},
	{MREMAP, AT(10), P, 0, TO, P, AT(20)},
	{MREMAP, AT(10), P, 0, TO, 2 * P, AT(20)},
	{MREMAP, AT(4), 4 * P, 0, KEEP, 4 * P, AT(20)},
	{MREMAP, AT(5), 2 * P, 0, KEEP, 2 * P, AT(20)},
	{MREMAP, AT(12), 2 * P, 0, KEEP, 2 * P, AT(14)},
	{MREMAP, AT(6), 6 * P, 0, KEEP, 6 * P, AT(20)},
	{MREMAP, AT(12), 2 * P, 0, HINT, 2 * P, AT(20)},
};

ATF_TC(results);
ATF_TC_HEAD(results, tc)
{
	atf_tc_set_md_var(tc, "descr",
			  "each call alone, pages untouched or written: "
			  "result and VMAs as on Linux");
}
ATF_TC_BODY(results, tc)
{
	(void)tc;
	open_area();
	for (size_t i = 0; i < 2 * sizeof(table) / sizeof(*table); i++) {
		set_up_area();
		for (unsigned page = 4; i % 2 && page < 14; page++)
			touch_both(page, page);
		both(&table[i / 2]);
		world_check();
	}
	both(&(struct request){MUNMAP, AREA, AREA_PAGES * P, 0, 0});
	world_close();
}

/* PROT_GROWSDOWN goes down to the start of its VMA. */
ATF_TC_WITHOUT_HEAD(grows_down);
ATF_TC_BODY(grows_down, tc)
{
	(void)tc;
	open_area();
	both(&(struct request){MMAP, AT(8), 8 * P, RW, FIXED | MAP_GROWSDOWN_});
	both(&(struct request){MPROTECT, AT(12), P, R | PROT_GROWSDOWN_, 0});
	both(&(struct request){MPROTECT, AT(6), 4 * P, 0 | PROT_GROWSDOWN_, 0});
	both(&(struct request){MPROTECT, AT(20), P, R | PROT_GROWSDOWN_, 0});
	both(&(struct request){MUNMAP, AREA, AREA_PAGES * P, 0, 0});
	world_close();
}

/* As root, MAP_FIXED may go below mmap_min_addr; a hint may not. */
ATF_TC_WITHOUT_HEAD(below_min_addr);
ATF_TC_BODY(below_min_addr, tc)
{
	const struct request map = {MMAP, P, P, R, FIXED}, unmap = {MUNMAP, P, P, 0, 0};

	(void)tc;
	open_area();
	ATF_CHECK_EQ((int64_t)P, stub_call(&map));
	ATF_CHECK_EQ(0, stub_call(&unmap));
	ATF_CHECK_EQ((int64_t)MMAP_MIN_ADDR, stub_call(&(struct request){MMAP, P, P, R, PRIV}));
	ATF_CHECK_EQ(0, stub_call(&(struct request){MUNMAP, MMAP_MIN_ADDR, P, 0, 0}));
	if (linux_call(&map) != -MM_EPERM)
		ATF_CHECK_EQ(0, linux_call(&unmap));
	else
		atf_tc_skip("this user may not map below mmap_min_addr here");
	world_close();
}

/* ---- random calls ---- */

static uint64_t random_state = 1;

static unsigned random_below(unsigned n)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)((random_state >> 33) % n);
}

/* Growing without a place to go to is refused or ends in the area. */
static struct request random_mremap(void)
{
	static const unsigned flags[] = {0, TO, TO, TO, KEEP, KEEP};
	struct request r = {MREMAP, AT(random_below(AREA_PAGES)), 0, 0, 0, 0, 0};
	unsigned pages = 1 + random_below(8);

	r.flags = flags[random_below(6)];
	r.len = pages * P;
	r.new_len = random_below(3) ? r.len : (1 + random_below(8)) * P;
	r.new_addr = AT(random_below(AREA_PAGES - 8));
	if (r.flags == 0 && r.addr + r.new_len > AT(AREA_PAGES))
		r.new_len = P;
	return r;
}

static struct request random_request(void)
{
	static const unsigned prots[] = {0, R, RW, RW, RW, R | PROT_EXEC_, PROT_WRITE_, RW};
	static const unsigned flags[] = {FIXED, FIXED, FIXED, EXCL, FIXED | MAP_NORESERVE_};
	struct request r = {.call = random_below(MREMAP + 1)};
	unsigned first = random_below(AREA_PAGES);

	if (r.call == MREMAP)
		return random_mremap();
	r.addr = AT(first);
	r.len = (1 + random_below(AREA_PAGES - first < 8 ? AREA_PAGES - first : 8)) * P;
	r.flags = flags[random_below(5)];
	r.arg = r.call == MADVISE ? random_below(MADV_DONTNEED_ + 1) : prots[random_below(8)];
	return r;
}

ATF_TC(random_calls);
ATF_TC_HEAD(random_calls, tc)
{
	atf_tc_set_md_var(tc, "descr",
			  "random calls and accesses: results, VMAs and contents as on Linux");
}
ATF_TC_BODY(random_calls, tc)
{
	(void)tc;
	open_area();
	for (unsigned i = 0; i < 20000; i++) {
		struct request r = random_request();

		both(&r);
		touch_both(random_below(AREA_PAGES), i + 1);
		touch_both(random_below(AREA_PAGES), 0);
		if (i % 64 == 0)
			world_check();
	}
	both(&(struct request){MUNMAP, AREA, AREA_PAGES * P, 0, 0});
	world_close();
}

/* ---- as many VMAs as there may be ---- */

#define CROWD (AREA + (1ull << 32)) /* its VMAs use up what the limit leaves */
#define CROWD_PAGES (1ull << 18)

/* Cuts pages off the crowd until no VMA more is allowed. */
static void crowd_fill(int64_t (*call)(const struct request *))
{
	struct request r = {MMAP, CROWD, CROWD_PAGES * P, 0, FIXED | MAP_NORESERVE_};
	int64_t ret = call(&r);

	ATF_REQUIRE_EQ((int64_t)CROWD, ret);
	for (uint64_t page = CROWD_PAGES; page >= 2 && ret != -MM_ENOMEM; page--) {
		r = (struct request){MPROTECT, CROWD + (page - 1) * P, P, page & 1 ? 0 : R, 0};
		if (page & 1)
			r = (struct request){MUNMAP, r.addr, P, 0, 0};
		ret = call(&r);
	}
	ATF_REQUIRE_EQ(-MM_ENOMEM, ret);
}

static const struct request crowded[] = {
	{MPROTECT, AT(5), P, R, 0},	      /* two more */
	{MPROTECT, AT(4), P, R, 0},	      /* one more */
	{MUNMAP, AT(5), P, 0, 0},	      /* one more */
	{MADVISE, AT(5), P, MADV_RANDOM_, 0}, /* two more */
	{MMAP, AT(5), P, R, FIXED},	      /* a hole first */
	{MPROTECT, AT(4), 4 * P, R, 0},	      /* none: it merges */
	{MPROTECT, AT(4), 4 * P, RW, 0},
	{MMAP, AT(14), P, RW, FIXED}, /* joins */
	{MMAP, AT(20), P, RW, FIXED}, /* one more than the limit: allowed */
	{MMAP, AT(24), P, RW, FIXED}, /* not twice */
	{MMAP, AT(15), P, RW, FIXED}, /* nor joined */
	{MUNMAP, AT(5), P, 0, 0},
	{MUNMAP, AT(4), P, 0, 0}, /* the head goes */
	{MUNMAP, AT(20), P, 0, 0},
	{MUNMAP, AT(12), 8 * P, 0, 0},
	{MPROTECT, AT(5), P, 0, 0},  /* one more: allowed now */
	{MPROTECT, AT(6), P, RW, 0}, /* and now not */
	{MREMAP, AT(8), P, 0, TO, P, AT(24)},
	{MREMAP, AT(8), 2 * P, 0, 0, 3 * P, 0}, /* none more */
};

/* vm.max_map_count; some distributions set it so high that filling it up takes too long. */
static unsigned linux_map_max(void)
{
	FILE *f = fopen("/proc/sys/vm/max_map_count", "r");
	unsigned max = 0;

	if (f && fscanf(f, "%u", &max) != 1)
		max = 0;
	if (f)
		fclose(f);
	return max;
}

ATF_TC(map_count);
ATF_TC_HEAD(map_count, tc)
{
	atf_tc_set_md_var(tc, "descr", "calls with as many VMAs as are allowed, as on Linux");
}
ATF_TC_BODY(map_count, tc)
{
	(void)tc;
	open_area();
	if (!linux_map_max() || linux_map_max() > CROWD_PAGES / 2)
		atf_tc_skip("vm.max_map_count is hidden or above %u", (unsigned)CROWD_PAGES / 2);
	if (!layouts_comparable)
		atf_tc_skip("this Linux merges by other rules, so it counts other VMAs");
	world_mm->map_max = 64;
	set_up_area();
	crowd_fill(linux_call);
	crowd_fill(stub_call);
	ATF_CHECK_EQ(world_mm->map_max, world_mm->map_count);
	for (size_t i = 0; i < sizeof(crowded) / sizeof(*crowded); i++)
		both(&crowded[i]);
	both(&(struct request){MUNMAP, CROWD, CROWD_PAGES * P, 0, 0});
	both(&(struct request){MUNMAP, AREA, AREA_PAGES * P, 0, 0});
	world_close();
}

/* ---- brk ---- */

#define HEAP_PAGES 48u

/* Field 47 of /proc/self/stat: start_brk. 0 if it is hidden. */
static uint64_t linux_start_brk(void)
{
	FILE *f = fopen("/proc/self/stat", "r");
	char text[2048];
	const char *p;
	size_t n;

	ATF_REQUIRE(f != NULL);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	p = strrchr(text, ')') + 2; /* field 3 */
	for (unsigned field = 3; field < 47; field++)
		p = strchr(p, ' ') + 1;
	return strtoull(p, NULL, 10);
}

static void brk_both(uint64_t window, const struct request *r)
{
	char name[96];
	int64_t here = linux_call(r), stub = stub_call(r);

	snprintf(name, sizeof(name), "%s(start + %#" PRIx64 ", %#" PRIx64 ")", call_names[r->call],
		 r->addr - window, r->len);
	ATF_REQUIRE_EQ_MSG(here, stub, "%s: Linux says %#" PRIx64 ", the stub %#" PRIx64, name,
			   here, stub);
	compare_layouts(window, HEAP_PAGES, name);
}

static struct request random_brk(uint64_t start, uint64_t window)
{
	static const unsigned extra[] = {0, 0, 1, 100, (unsigned)P - 1, (unsigned)P};
	uint64_t page = window + random_below(HEAP_PAGES - 2) * P;

	switch (random_below(8)) {
	case 0:
		return (struct request){MUNMAP, page, P, 0, 0};
	case 1: /* something else in the way, or part of the heap replaced */
		return (struct request){MMAP, page, P, random_below(2) ? R : RW, FIXED};
	case 2:
		return (struct request){MPROTECT, page, P, random_below(2) ? R : RW, 0};
	case 3:
		return (struct request){BRK, start - random_below(2), 0, 0, 0};
	default:
		return (struct request){BRK, page + extra[random_below(6)], 0, 0, 0};
	}
}

ATF_TC(brk_random);
ATF_TC_HEAD(brk_random, tc)
{
	atf_tc_set_md_var(tc, "descr", "random brk, munmap, mmap and mprotect round the heap");
}
ATF_TC_BODY(brk_random, tc)
{
	uint64_t start = linux_start_brk(), window = page_align(start);
	struct layout here;

	(void)tc;
	if (!start || (uint64_t)linux_syscall(SYS_brk, 0, 0, 0, 0, 0) != start)
		atf_tc_skip("this process's heap is hidden or in use");
	linux_layout(&here, window, HEAP_PAGES);
	if (here.used)
		atf_tc_skip("something lies above this process's heap");
	world_open();
	world_mm->start_brk = world_mm->brk = start;
	brk_both(window, &(struct request){BRK, 0, 0, 0, 0});
	brk_both(window, &(struct request){BRK, ~0ull, 0, 0, 0});
	brk_both(window, &(struct request){BRK, TOP + 1, 0, 0, 0});
	for (unsigned i = 0; i < 10000; i++) {
		struct request r = random_brk(start, window);

		brk_both(window, &r);
		if (i % 64 == 63)
			brk_both(window, &(struct request){MUNMAP, window, HEAP_PAGES * P, 0, 0});
		if (i % 256 == 255)
			brk_both(window, &(struct request){BRK, start, 0, 0, 0});
		world_check();
	}
	brk_both(window, &(struct request){MUNMAP, window, HEAP_PAGES * P, 0, 0});
	world_close();
}

/* Each allocation that brk makes fails: the old break. */
ATF_TC_WITHOUT_HEAD(brk_refused);
ATF_TC_BODY(brk_refused, tc)
{
	const uint64_t start = 1ull << 32;

	(void)tc;
	world_open();
	world_mm->start_brk = world_mm->brk = start;
	hosted_fail_nth(1);
	ATF_CHECK_EQ(start, vm_brk(world_mm, start + P));
	ATF_CHECK_EQ(1u, hosted_fail_refused());
	hosted_fail_none();
	ATF_CHECK_EQ(start + 4 * P, vm_brk(world_mm, start + 4 * P));
	ATF_CHECK(vma_is_heap(world_mm->first));
	hosted_fail_nth(1);
	ATF_CHECK_EQ(start + 8 * P, vm_brk(world_mm, start + 8 * P));
	ATF_CHECK_EQ(start + P, vm_brk(world_mm, start + P));
	ATF_CHECK_EQ(0u, hosted_fail_asked());
	/* A gap has to be cut where the heap has joined what lies above the break. */
	hosted_fail_none();
	ATF_CHECK(vm_mmap(world_mm, start + P, 3 * P, RW, FIXED, NULL, 0, 0) > 0);
	world_mm->brk = start + 2 * P;
	hosted_fail_nth(1);
	ATF_CHECK_EQ(start + 2 * P, vm_brk(world_mm, start + P));
	ATF_CHECK_EQ(1u, hosted_fail_refused());
	hosted_fail_none();
	ATF_CHECK_EQ(1u, world_mm->map_count);
	ATF_CHECK_EQ(start + P, vm_brk(world_mm, start + P));
	ATF_CHECK_EQ(2u, world_mm->map_count);
	world_close();
}

/* ---- places: Linux draws its own at random, so these are against the rule ---- */

ATF_TC_WITHOUT_HEAD(places);
ATF_TC_BODY(places, tc)
{
	const uint64_t base = MMAP_MIN_ADDR + 64 * P, third = 0x2aaaaaaab000;

	(void)tc;
	world_open();
	world_mm->mmap_base = base;
	ATF_CHECK_EQ((int64_t)(base - P), vm_mmap(world_mm, 0, 1, RW, PRIV, NULL, 0, 0));
	ATF_CHECK_EQ((int64_t)(base - 3 * P), vm_mmap(world_mm, 0, 2 * P, R, PRIV, NULL, 0, 0));
	/* A hint that is taken is passed over; so is one that does not fit below the top. */
	ATF_CHECK_EQ((int64_t)(base - 4 * P), vm_mmap(world_mm, base - P, P, RW, PRIV, NULL, 0, 0));
	ATF_CHECK_EQ((int64_t)(base - 6 * P),
		     vm_mmap(world_mm, TASK_SIZE - P, 2 * P, RW, PRIV, NULL, 0, 0));
	/* Nothing fits below mmap_base: upwards from a third of the address space. */
	ATF_CHECK_EQ((int64_t)third, vm_mmap(world_mm, 0, 64 * P, RW, PRIV, NULL, 0, 0));
	ATF_CHECK_EQ((int64_t)(third + 64 * P), vm_mmap(world_mm, 0, 64 * P, R, PRIV, NULL, 0, 0));
	/* The hint of a stack's guard gap is no free place. */
	ATF_CHECK(vm_mmap(world_mm, 1ull << 40, P, RW, FIXED | MAP_GROWSDOWN_, NULL, 0, 0) > 0);
	ATF_CHECK_EQ((int64_t)(base - 7 * P),
		     vm_mmap(world_mm, (1ull << 40) - STACK_GUARD_GAP, P, R, PRIV, NULL, 0, 0));
	ATF_CHECK_EQ((int64_t)((1ull << 40) - STACK_GUARD_GAP - P),
		     vm_mmap(world_mm, (1ull << 40) - STACK_GUARD_GAP - P, P, R, PRIV, NULL, 0, 0));
	world_close();
}

/* ---- what no call brings about here ---- */

ATF_TC_WITHOUT_HEAD(not_here);
ATF_TC_BODY(not_here, tc)
{
	struct vm_file *file = &world_files[0];
	const unsigned shared = MAP_SHARED_ | MAP_FIXED_, private = MAP_PRIVATE_ | MAP_FIXED_;

	(void)tc;
	world_open();
	ATF_CHECK_EQ(-MM_EOVERFLOW, vm_mmap(world_mm, AREA, P, R, private, file, ~0ull, 0));
	ATF_CHECK_EQ(-MM_EACCES, vm_mmap(world_mm, AREA, P, PROT_WRITE_, shared, file, 0, 0));
	ATF_CHECK_EQ(-MM_EINVAL,
		     vm_mmap(world_mm, AREA, P, R, MAP_SHARED_VALIDATE_ | MAP_FIXED_, NULL, 0, 0));
	ATF_CHECK_EQ(-MM_EOPNOTSUPP,
		     vm_mmap(world_mm, AREA, P, R, MAP_SHARED_VALIDATE_ | MAP_FIXED_NOREPLACE_,
			     file, 0, 0));
	ATF_CHECK_EQ(-MM_EINVAL,
		     vm_mmap(world_mm, AREA, P, R, shared | MAP_GROWSDOWN_, NULL, 0, 0));
	ATF_CHECK_EQ(-MM_EINVAL,
		     vm_mmap(world_mm, AREA, P, R, private | MAP_GROWSDOWN_, file, 0, 0));
	ATF_CHECK_EQ(0u, world_mm->map_count);
	/* VM_MAY* holds; what came before it stays changed. */
	picture_make(AREA, "ww|rr");
	world_mm->last->flags &= ~(uint32_t)VM_MAYWRITE;
	ATF_CHECK_EQ(-MM_EACCES, vm_mprotect(world_mm, AREA, 4 * P, PROT_WRITE_));
	ATF_CHECK_EQ(VM_WRITE, world_mm->first->flags & VM_ACCESS_FLAGS);
	ATF_CHECK_EQ(VM_READ, world_mm->last->flags & VM_ACCESS_FLAGS);
	ATF_CHECK_EQ(0, vm_mprotect(world_mm, AREA + 2 * P, 2 * P, 0));
	world_close();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, results);
	ATF_TP_ADD_TC(tp, grows_down);
	ATF_TP_ADD_TC(tp, below_min_addr);
	ATF_TP_ADD_TC(tp, random_calls);
	ATF_TP_ADD_TC(tp, map_count);
	ATF_TP_ADD_TC(tp, brk_random);
	ATF_TP_ADD_TC(tp, brk_refused);
	ATF_TP_ADD_TC(tp, places);
	ATF_TP_ADD_TC(tp, not_here);
	return atf_no_error();
}
