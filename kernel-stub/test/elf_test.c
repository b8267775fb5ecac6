/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elf_parse() against programs that are right, wrong in one place each, cut short, and random. */
#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kern/exec/elf.c"

#define NR_PHDRS 5
#define FILE_SIZE 0x5000

/*
 * A program as ld makes it:
 *
 *     0x400000  R    headers
 *     0x401000  R X  text
 *     0x402f00  RW   data, 0x200 bytes in the file, 0x2000 in memory
 */
struct program {
	struct elf64_header ehdr;
	struct elf64_phdr phdr[NR_PHDRS];
	uint8_t rest[FILE_SIZE - sizeof(struct elf64_header) -
		     NR_PHDRS * sizeof(struct elf64_phdr)];
};

static void good_program(struct program *p)
{
	memset(p, 0, sizeof(*p));
	memcpy(p->ehdr.ident,
	       "\x7f"
	       "ELF\2\1\1",
	       7);
	p->ehdr.type = 2;
	p->ehdr.machine = 62;
	p->ehdr.entry = 0x401000;
	p->ehdr.phoff = sizeof(struct elf64_header);
	p->ehdr.phentsize = sizeof(struct elf64_phdr);
	p->ehdr.phnum = NR_PHDRS;
	p->phdr[0] = (struct elf64_phdr){PT_LOAD, PF_R, 0, 0x400000, 0, 0x300, 0x300, 0x1000};
	p->phdr[1] = (struct elf64_phdr){PT_LOAD, PF_R | PF_X, 0x1000, 0x401000,
					 0,	  0x800,       0x800,  0x1000};
	p->phdr[2] = (struct elf64_phdr){PT_LOAD, PF_R | PF_W, 0x1f00, 0x402f00,
					 0,	  0x200,       0x2000, 0x1000};
	p->phdr[3] = (struct elf64_phdr){PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16};
	p->phdr[4] = (struct elf64_phdr){4 /* PT_NOTE */, PF_R, 0x200, 0x400200, 0, 0x20, 0x20, 4};
}

/* Parses a copy that ends where the sanitizer watches. */
static bool parse(const void *file, size_t size, struct elf_image *image, struct elf_error *error)
{
	uint8_t *copy = malloc(size ? size : 1);
	bool ok;

	memcpy(copy, file, size);
	ok = elf_parse(copy, size, image, error);
	free(copy);
	return ok;
}

ATF_TC_WITHOUT_HEAD(good);
ATF_TC_BODY(good, tc)
{
	struct program p;
	struct elf_image i;
	struct elf_error e;

	(void)tc;
	good_program(&p);
	ATF_REQUIRE(parse(&p, sizeof(p), &i, &e));
	ATF_CHECK(!i.dynamic && !i.exec_stack);
	ATF_CHECK_EQ(0x401000, i.entry);
	ATF_CHECK_EQ(0x400040, i.phdr_vaddr);
	ATF_CHECK_EQ(NR_PHDRS, i.nr_headers);
	ATF_REQUIRE_EQ(3, i.nr_segments);
	ATF_CHECK_EQ(ELF_PROT_READ, i.segments[0].prot);
	ATF_CHECK_EQ(ELF_PROT_READ | ELF_PROT_EXEC, i.segments[1].prot);
	ATF_CHECK_EQ(ELF_PROT_READ | ELF_PROT_WRITE, i.segments[2].prot);
	ATF_CHECK_EQ(0x402f00, i.segments[2].vaddr);
	ATF_CHECK_EQ(0x2000, i.segments[2].memsz);
	ATF_CHECK_EQ(0x200, i.segments[2].filesz);
	p.ehdr.type = 3;
	p.phdr[3].flags |= PF_X;
	ATF_REQUIRE(parse(&p, sizeof(p), &i, &e));
	ATF_CHECK(i.dynamic && i.exec_stack);
}

/* A program that the system linker made: this one, which is dynamically linked. */
ATF_TC_WITHOUT_HEAD(own_program);
ATF_TC_BODY(own_program, tc)
{
	FILE *f = fopen("/proc/self/exe", "r");
	static uint8_t file[64 << 20];
	struct elf_image i;
	struct elf_error e;
	size_t n;

	(void)tc;
	ATF_REQUIRE(f);
	n = fread(file, 1, sizeof(file), f);
	fclose(f);
	ATF_CHECK(!elf_parse(file, n, &i, &e));
	ATF_CHECK_MSG(strstr(e.why, "PT_INTERP"), "%s", e.why);
}

struct flaw {
	size_t offset, size; /* of the field in struct program */
	uint64_t value;
	int header;
	const char *why; /* a part of the message */
};

#define FIELD(f) offsetof(struct program, f), sizeof(((struct program *)0)->f)

static const struct flaw flaws[] = {
	{FIELD(ehdr.ident[0]), 0, -1, "ELF64"},
	{FIELD(ehdr.ident[4]), 1, -1, "ELF64"},
	{FIELD(ehdr.ident[5]), 2, -1, "ELF64"},
	{FIELD(ehdr.machine), 3, -1, "x86-64"},
	{FIELD(ehdr.type), 1, -1, "ET_EXEC"},
	{FIELD(ehdr.phentsize), 32, -1, "unknown size"},
	{FIELD(ehdr.phnum), 0, -1, "no program headers"},
	{FIELD(ehdr.phnum), 0xffff, -1, "too many"},
	{FIELD(ehdr.phoff), FILE_SIZE - 8, -1, "beyond the end"},
	{FIELD(ehdr.phoff), ~0ull - 8, -1, "beyond the end"},
	{FIELD(ehdr.entry), 0xffff800000000000, -1, "entry point"},
	{FIELD(phdr[4].type), PT_INTERP, 4, "PT_INTERP"},
	{FIELD(phdr[1].offset), FILE_SIZE, 1, "beyond the end"},
	{FIELD(phdr[1].offset), ~0xfffull, 1, "beyond the end"},
	{FIELD(phdr[1].filesz), ~0ull, 1, "beyond the end"},
	{FIELD(phdr[1].filesz), 0x900, 1, "longer in the file"},
	{FIELD(phdr[1].offset), 0x1001, 1, "modulo"},
	{FIELD(phdr[2].memsz), 1ull << 47, 2, "above user space"},
	{FIELD(phdr[2].memsz), ~0ull, 2, "above user space"},
	{FIELD(phdr[2].vaddr), 0xffff888000000f00, 2, "above user space"},
	{FIELD(phdr[2].flags), PF_R, 2, "not writable"},
	{FIELD(phdr[1].align), 0x1800, 1, "power of two"},
	{FIELD(phdr[2].vaddr), 0x401f00, 2, "overlaps"},
	{FIELD(phdr[2].vaddr), 0x300f00, 2, "overlaps"},
};

ATF_TC_WITHOUT_HEAD(flawed);
ATF_TC_BODY(flawed, tc)
{
	struct program p;
	struct elf_image i;
	struct elf_error e;

	(void)tc;
	for (size_t n = 0; n < sizeof(flaws) / sizeof(*flaws); n++) {
		const struct flaw *f = &flaws[n];

		good_program(&p);
		memcpy((char *)&p + f->offset, &f->value, f->size);
		ATF_CHECK_MSG(!parse(&p, sizeof(p), &i, &e), "flaw %zu accepted", n);
		ATF_CHECK_MSG(strstr(e.why, f->why), "flaw %zu: %s", n, e.why);
		ATF_CHECK_MSG(e.header == f->header, "flaw %zu: header %d", n, e.header);
	}
}

ATF_TC_WITHOUT_HEAD(truncated);
ATF_TC_BODY(truncated, tc)
{
	struct program p;
	struct elf_image i;
	struct elf_error e;

	(void)tc;
	good_program(&p);
	for (size_t size = 0; size < 0x2100; size++)
		ATF_REQUIRE_MSG(!parse(&p, size, &i, &e), "%zu bytes accepted", size);
	ATF_CHECK(parse(&p, 0x2100, &i, &e));
}

/* Nothing to load, and more to load than there is room for. */
ATF_TC_WITHOUT_HEAD(segments);
ATF_TC_BODY(segments, tc)
{
	static uint8_t file[FILE_SIZE];
	struct program p;
	struct elf_image i;
	struct elf_error e;
	struct elf64_phdr *ph = (struct elf64_phdr *)(file + sizeof(struct elf64_header));

	(void)tc;
	good_program(&p);
	for (int n = 0; n < 3; n++)
		p.phdr[n].type = 0 /* PT_NULL */;
	ATF_CHECK(!parse(&p, sizeof(p), &i, &e));
	ATF_CHECK_STREQ("nothing to load", e.why);
	good_program(&p);
	p.ehdr.phnum = 40;
	memcpy(file, &p.ehdr, sizeof(p.ehdr));
	for (unsigned n = 0; n < 40; n++)
		ph[n] = (struct elf64_phdr){PT_LOAD, PF_R, 0, 0x400000 + n * 0x1000,
					    0,	     8,	   8, 0x1000};
	ATF_CHECK(!parse(file, sizeof(file), &i, &e));
	ATF_CHECK_STREQ("too many segments", e.why);
	ATF_CHECK_EQ((int)ELF_MAX_SEGMENTS, e.header);
}

static uint64_t next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	return *s ^= *s << 17;
}

/* What kern_elf.h promises of an accepted program, whatever was in the file. */
static void check_promise(const struct elf_image *i, size_t size)
{
	uint64_t end = 0;

	ATF_REQUIRE(i->nr_segments >= 1 && i->nr_segments <= ELF_MAX_SEGMENTS);
	ATF_REQUIRE(i->entry < TASK_SIZE);
	for (unsigned n = 0; n < i->nr_segments; n++) {
		const struct elf_segment *s = &i->segments[n];

		ATF_REQUIRE(s->offset <= size && s->filesz <= size - s->offset);
		ATF_REQUIRE(s->filesz <= s->memsz && s->memsz <= TASK_SIZE - s->vaddr);
		ATF_REQUIRE((s->vaddr & PAGE_MASK) >= end);
		end = (s->vaddr + s->memsz + PAGE_SIZE - 1) & PAGE_MASK;
	}
}

ATF_TC_WITHOUT_HEAD(random_damage);
ATF_TC_BODY(random_damage, tc)
{
	uint64_t seed = 88172645463325252ull;
	unsigned accepted = 0;
	struct program p;
	struct elf_image i;
	struct elf_error e;

	(void)tc;
	for (int n = 0; n < 200000; n++) {
		good_program(&p);
		for (unsigned k = next_random(&seed) % 4 + 1; k; k--) {
			size_t at = next_random(&seed) % offsetof(struct program, rest);

			((uint8_t *)&p)[at] = (uint8_t)next_random(&seed);
		}
		if (!elf_parse((uint8_t *)&p, sizeof(p), &i, &e))
			continue;
		accepted++;
		check_promise(&i, sizeof(p));
	}
	ATF_CHECK(accepted > 1000);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, good);
	ATF_TP_ADD_TC(tp, own_program);
	ATF_TP_ADD_TC(tp, flawed);
	ATF_TP_ADD_TC(tp, truncated);
	ATF_TP_ADD_TC(tp, segments);
	ATF_TP_ADD_TC(tp, random_damage);
	return atf_no_error();
}
