/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Physical memory at boot, from hvm_start_info (Xen's public/arch-x86/hvm/start_info.h) to the
 * buddy allocator, without a loop over pages:
 *
 *   1. the memory map and the command line are copied, as nobody says where they lie;
 *   2. all memory goes into the direct map;
 *   3. what is taken is cut out of it: the first megabyte (firmware leaves host addresses there,
 *      and a run must not depend on them), the kernel image, the initrd, the telemetry window.
 *      The image has 2 MiB whatever its size, so that a larger one moves nothing else, and with the
 *      window right above it the rest is one piece up to the initrd;
 *   4. tables of the direct map and the struct page array, indexed by frame number, come from the
 *      start of the first piece that is large enough. They count on memory that is zero at boot.
 *   5. the rest is the allocator's.
 */
#include "kern/boot/boot.h"

#include "arch/x86_64/cpu.h"
#include "kern/kern.h"
#include "mm/phys/buddy.h"

#define START_INFO_MAGIC 0x336ec578u
#define MEMMAP_RAM 1u
#define MEMMAP_MAX 32
#define CMDLINE_MAX 4096u
#define LOW_MEMORY_END (1ull << 20)
#define RAM_LIMIT (1ull << 39) /* one top-level entry */

struct start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist, cmdline, rsdp;
	uint64_t memmap; /* from version 1 on */
	uint32_t memmap_entries, reserved;
};

struct module {
	uint64_t start, size, cmdline, reserved;
};

struct memmap_entry {
	uint64_t addr, size;
	uint32_t type, reserved;
};

struct boot_info boot_info;
struct boot_range boot_telemetry;
uint64_t guest_vmemmap;

static char cmdline[CMDLINE_MAX];
static struct boot_range ram[MEMMAP_MAX]; /* rising, disjoint */
static unsigned nr_ram;
static struct boot_range free_ranges[MEMMAP_MAX]; /* of ram, what is not taken; rising */
static unsigned nr_free;

/* ---- 1. the boot contract ---- */

/* A pointer to physical memory below 4 GiB that is mapped before anything is known of it. */
static const void *early_map(uint64_t phys, uint64_t size)
{
	if (phys >= 4ull << 30 || size > (4ull << 30) - phys)
		panic("boot: start info points to %lx, beyond 4 GiB", phys);
	paging_map_direct(phys, phys + size, NULL);
	return port_pfn_to_virt(0) + phys;
}

static void read_cmdline(uint64_t phys)
{
	const char *from = phys ? early_map(phys, CMDLINE_MAX) : "";
	size_t len = 0;

	while (from[len])
		if (++len == CMDLINE_MAX)
			panic("boot: the command line is longer than %u bytes", CMDLINE_MAX - 1);
	memcpy(cmdline, from, len);
	boot_info.cmdline = cmdline;
}

static void read_module(const struct start_info *si)
{
	const struct module *m;

	if (!si->nr_modules)
		return;
	m = early_map(si->modlist, sizeof(*m));
	boot_info.initrd_start = m->start;
	boot_info.initrd_size = m->size;
}

/* Inserts in rising order. */
static void ram_add(uint64_t start, uint64_t end)
{
	unsigned i = nr_ram;

	if (start >= end)
		return;
	if (nr_ram == MEMMAP_MAX)
		panic("boot: more than %d pieces of memory", MEMMAP_MAX);
	for (; i > 0 && ram[i - 1].start > start; i--)
		ram[i] = ram[i - 1];
	ram[i] = (struct boot_range){start, end};
	nr_ram++;
	boot_info.ram_bytes += end - start;
}

static void read_memmap(const struct start_info *si)
{
	const struct memmap_entry *map;

	if (si->version < 1 || !si->memmap)
		panic("boot: no memory map in the start info");
	map = early_map(si->memmap, si->memmap_entries * sizeof(*map));
	for (uint32_t i = 0; i < si->memmap_entries; i++) {
		uint64_t end = map[i].addr + map[i].size;

		if (map[i].type != MEMMAP_RAM)
			continue;
		if (end > RAM_LIMIT)
			panic("boot: memory at %lx, beyond 512 GiB", end);
		ram_add((map[i].addr + PAGE_SIZE - 1) & PAGE_MASK, end & PAGE_MASK);
	}
}

static void read_cpus(void)
{
	uint64_t n = cmdline_u64("cpus", 1);

	if (n < 1 || n > MAX_CPUS)
		panic("cpus=%lu: want 1 to %d", n, MAX_CPUS);
	boot_info.nr_cpus = (uint32_t)n;
}

void boot_memory_read(uint64_t start_info_phys)
{
	const struct start_info *si = early_map(start_info_phys, sizeof(*si));

	if (si->magic != START_INFO_MAGIC)
		panic("boot: no hvm_start_info at %lx", start_info_phys);
	read_cmdline(si->cmdline);
	read_module(si);
	read_memmap(si);
	read_cpus();
}

/* ---- 3. what is taken ---- */

static bool inside(const struct boot_range *set, unsigned n, uint64_t start, uint64_t end)
{
	for (unsigned i = 0; i < n; i++)
		if (start >= set[i].start && end <= set[i].end)
			return true;
	return false;
}

/* Cuts [start, end) out of the free ranges. */
static void take(uint64_t start, uint64_t end)
{
	for (unsigned i = 0; i < nr_free; i++) {
		struct boot_range *r = &free_ranges[i];

		if (end <= r->start || start >= r->end)
			continue;
		if (start > r->start && end < r->end) {
			if (nr_free == MEMMAP_MAX)
				panic("boot: memory in too many pieces");
			for (unsigned j = nr_free++; j > i; j--)
				free_ranges[j] = free_ranges[j - 1];
			free_ranges[i].end = start;
			free_ranges[i + 1].start = end;
			return;
		}
		if (start > r->start)
			r->end = start;
		else
			r->start = end < r->end ? end : r->end;
	}
}

static void take_initrd(void)
{
	uint64_t start = boot_info.initrd_start & PAGE_MASK;
	uint64_t end = (boot_info.initrd_start + boot_info.initrd_size + PAGE_SIZE - 1) & PAGE_MASK;

	if (!boot_info.initrd_size)
		return;
	if (!inside(free_ranges, nr_free, start, end))
		panic("boot: initrd at %lx..%lx is not free memory", start, end);
	take(start, end);
}

/* telemetry=SIZE@ADDR */
static void take_telemetry(void)
{
	char text[64];
	const char *at = text, *end;
	uint64_t size, start;

	if (!cmdline_get("telemetry", text, sizeof(text)))
		return;
	size = cmdline_number(at, &end);
	if (end == at || *end != '@')
		panic("telemetry=%s: want SIZE@ADDR", text);
	at = end + 1;
	start = cmdline_number(at, &end);
	if (end == at || *end)
		panic("telemetry=%s: want SIZE@ADDR", text);
	if (!size || (size | start) & ~PAGE_MASK || start + size < start)
		panic("telemetry=%s: want whole pages", text);
	if (!inside(ram, nr_ram, start, start + size))
		panic("telemetry=%s: not memory", text);
	if (!inside(free_ranges, nr_free, start, start + size))
		panic("telemetry=%s: overlaps the kernel or the initrd", text);
	take(start, start + size);
	boot_telemetry = (struct boot_range){start, start + size};
}

/* ---- 4. and 5. ---- */

/* From the start of the first free range that is large enough. Zero, as all memory is at boot. */
static uint64_t take_any(uint64_t size)
{
	for (unsigned i = 0; i < nr_free; i++) {
		uint64_t at = free_ranges[i].start;

		if (at < LOW_MEMORY_END * 2 || free_ranges[i].end - at < size)
			continue;
		free_ranges[i].start += size;
		return at;
	}
	panic("boot: no %lu bytes of memory in one piece", size);
}

static uint64_t alloc_table(void)
{
	return take_any(PAGE_SIZE);
}

static void place_vmemmap(void)
{
	uint64_t frames = ram[nr_ram - 1].end >> PAGE_SHIFT;
	uint64_t size = (frames * sizeof(struct page) + PAGE_SIZE - 1) & PAGE_MASK;

	guest_vmemmap = (uint64_t)port_pfn_to_virt(take_any(size) >> PAGE_SHIFT);
}

static void give_rest(void)
{
	buddy_init();
	for (unsigned i = 0; i < nr_free; i++) {
		uint64_t start = free_ranges[i].start, end = free_ranges[i].end;

		if (start < end && buddy_add_range(start >> PAGE_SHIFT, end >> PAGE_SHIFT))
			panic("boot: more than %d pieces of free memory", BUDDY_RANGES);
	}
}

void boot_memory_init(void)
{
	memcpy(free_ranges, ram, sizeof(ram));
	nr_free = nr_ram;
	take(0, LOW_MEMORY_END);
	take(KERNEL_LOAD, KERNEL_LOAD + PMD_SIZE);
	take_initrd();
	take_telemetry();
	/* Rising: the tables for memory above 4 GiB come from below it, mapped already. */
	for (unsigned i = 0; i < nr_ram; i++)
		paging_map_direct(ram[i].start, ram[i].end, alloc_table);
	place_vmemmap();
	telemetry_init();
	give_rest();
}
