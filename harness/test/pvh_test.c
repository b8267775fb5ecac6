/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel and program ELFs, whole and damaged; what the loader puts where. */
#include <elf.h>
#include <stdlib.h>

#include "engine/guest/pvh.h"
#include "engine/program.h"
#include "test/guest_run.h"

static char *slurp(const char *path, size_t *len)
{
	FILE *f = fopen(path, "r");
	char *data = malloc(8u << 20);

	ATF_REQUIRE(f != NULL);
	*len = fread(data, 1, 8u << 20, f);
	fclose(f);
	return data;
}

static void spill(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "w");

	ATF_REQUIRE_EQ(len, fwrite(data, 1, len, f));
	fclose(f);
}

static void expect_fault(char *why, const char *word)
{
	ATF_REQUIRE_MSG(why != NULL, "expected a complaint with '%s'", word);
	ATF_CHECK_MSG(strstr(why, word) != NULL, "'%s' does not say '%s'", why, word);
	free(why);
}

static void expect_bad_image(const char *path, const char *word)
{
	struct pvh_image im;

	expect_fault(pvh_image_open(&im, path), word);
	ATF_CHECK(!im.file && !im.nr_segments);
}

ATF_TC_WITHOUT_HEAD(image);
ATF_TC_BODY(image, tc)
{
	struct pvh_image im;
	char path[4096];
	char *why = pvh_image_open(&im, in_build(tc, "guests/hang.elf", path, sizeof(path)));

	ATF_REQUIRE_MSG(!why, "%s", why);
	ATF_CHECK_EQ(1, im.nr_segments);
	ATF_CHECK_EQ(0x100000, im.segments[0].paddr);
	ATF_CHECK(im.entry >= 0x100000 && im.entry < im.highest_paddr);
	pvh_image_close(&im);
}

ATF_TC_WITHOUT_HEAD(no_image);
ATF_TC_BODY(no_image, tc)
{
	char path[4096];

	expect_bad_image("nothing", "No such file");
	spill("empty", "", 0);
	expect_bad_image("empty", "not an ELF");
	spill("text", "#!/bin/sh\n", 10);
	expect_bad_image("text", "not an ELF");
	expect_bad_image("/tmp", "not an ELF");
	/* a good ELF, but no kernel */
	expect_bad_image(in_build(tc, "guests/program", path, sizeof(path)), "PVH note");
}

/* Every length that a copy may have stopped at, in steps: a complaint, never a crash. */
ATF_TC_WITHOUT_HEAD(truncated_image);
ATF_TC_BODY(truncated_image, tc)
{
	char path[4096];
	size_t len;
	char *data = slurp(in_build(tc, "guests/hang.elf", path, sizeof(path)), &len);
	const Elf64_Phdr *p = (const Elf64_Phdr *)(data + ((Elf64_Ehdr *)data)->e_phoff);
	size_t needed = p->p_offset + p->p_filesz;

	for (size_t n = 1; n < needed; n += 7) {
		spill("cut", data, n);
		expect_bad_image("cut", "cut: ");
	}
	free(data);
}

ATF_TC_WITHOUT_HEAD(hostile_image);
ATF_TC_BODY(hostile_image, tc)
{
	char path[4096];
	size_t len;
	char *data = slurp(in_build(tc, "guests/hang.elf", path, sizeof(path)), &len);
	Elf64_Ehdr *e = (Elf64_Ehdr *)data;
	Elf64_Phdr *p = (Elf64_Phdr *)(data + e->e_phoff), good = *p;

	p->p_paddr = 0x1000;
	spill("bad", data, len);
	expect_bad_image("bad", "outside of 1 MiB");
	*p = good;
	p->p_paddr = UINT64_MAX - 4096;
	spill("bad", data, len);
	expect_bad_image("bad", "outside of 1 MiB");
	*p = good;
	p->p_memsz = UINT64_MAX;
	spill("bad", data, len);
	expect_bad_image("bad", "outside of 1 MiB");
	*p = good;
	p->p_offset = UINT64_MAX - 8;
	spill("bad", data, len);
	expect_bad_image("bad", "truncated");
	*p = good;
	p->p_paddr = 0x40000000;
	spill("bad", data, len);
	expect_bad_image("bad", "entry point");
	*p = good;
	e->e_machine = EM_AARCH64;
	spill("bad", data, len);
	expect_bad_image("bad", "x86-64");
	free(data);
}

struct start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist, cmdline, rsdp, memmap;
	uint32_t memmap_entries, reserved;
};

ATF_TC_WITHOUT_HEAD(load);
ATF_TC_BODY(load, tc)
{
	const size_t size = 8u << 20;
	uint8_t *mem = calloc(1, size);
	struct pvh_image im;
	const struct start_info *si;
	const uint64_t *module, *map;
	char path[4096];
	uint64_t at;

	ATF_REQUIRE(!pvh_image_open(&im, in_build(tc, "guests/hang.elf", path, sizeof(path))));
	at = pvh_load(&im, mem, size, size, "a=b c", "archive", 8);
	ATF_REQUIRE(at && at < 0xa0000);
	si = (const struct start_info *)(mem + at);
	ATF_CHECK_EQ(0x336ec578, si->magic);
	ATF_CHECK_EQ(1, si->version);
	ATF_CHECK_STREQ("a=b c", (char *)mem + si->cmdline);
	ATF_REQUIRE_EQ(1, si->nr_modules);
	module = (const uint64_t *)(mem + si->modlist);
	ATF_CHECK_EQ(0, module[0] % 4096);
	ATF_CHECK_EQ(8, module[1]);
	ATF_CHECK_STREQ("archive", (char *)mem + module[0]);
	ATF_REQUIRE_EQ(3, si->memmap_entries);
	map = (const uint64_t *)(mem + si->memmap);
	ATF_CHECK_EQ(0x100000, map[6]);
	ATF_CHECK_EQ(size - 0x100000, map[7]);
	/* too large for what is there */
	ATF_CHECK_EQ(0, pvh_load(&im, mem, size, size, "", mem, size));
	pvh_image_close(&im);
	free(mem);
}

ATF_TC_WITHOUT_HEAD(program);
ATF_TC_BODY(program, tc)
{
	char path[4096];
	size_t len;
	char *data;

	in_build(tc, "guests/program", path, sizeof(path));
	ATF_CHECK_EQ(NULL, program_check(path));
	expect_fault(program_check("nothing"), "No such file");
	expect_fault(program_check("/tmp"), "not a regular file");
	expect_fault(program_check("/bin/sh"), "dynamically linked");
	spill("text", "hello", 5);
	expect_fault(program_check("text"), "not an ELF");
	data = slurp(path, &len);
	for (size_t n = 1; n < 4096; n += 61) {
		spill("cut", data, n);
		expect_fault(program_check("cut"), "cut: ");
	}
	spill("cut", data, len / 2);
	expect_fault(program_check("cut"), "truncated");
	free(data);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, image);
	ATF_TP_ADD_TC(tp, no_image);
	ATF_TP_ADD_TC(tp, truncated_image);
	ATF_TP_ADD_TC(tp, hostile_image);
	ATF_TP_ADD_TC(tp, load);
	ATF_TP_ADD_TC(tp, program);
	return atf_no_error();
}
