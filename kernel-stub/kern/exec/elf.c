/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a program file must satisfy (System V ABI, gABI ch. 4 and 5; Linux fs/binfmt_elf.c):
 *
 *  1. The file header: ELF64, little-endian, x86-64, ET_EXEC or ET_DYN, program headers of the
 *     known size that lie inside the file.
 *  2. No PT_INTERP: there is no dynamic linker here. A static PIE is an ET_DYN without one.
 *  3. Each PT_LOAD: its file part inside the file and no longer than its memory part, offset and
 *     address congruent modulo a page, zero fill only where it can be written, inside user space,
 *     above the PT_LOAD before and sharing no page with it.
 *  4. The entry point in user space.
 */
#include "kern/exec/kern_elf.h"

#include "port/port.h"

#define ET_EXEC 2
#define ET_DYN 3
#define EM_X86_64 62
#define PN_MAX 128u

enum { PT_LOAD = 1, PT_INTERP = 3, PT_GNU_STACK = 0x6474e551 };
enum { PF_X = 1, PF_W = 2, PF_R = 4 };

struct elf64_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf64_phdr {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

_Static_assert(sizeof(struct elf64_header) == 64 && sizeof(struct elf64_phdr) == 56,
	       "ELF64 headers");

struct elf_parser {
	const uint8_t *file;
	size_t size;
	struct elf64_header header;
	struct elf_image *image;
	struct elf_error *error;
};

static bool refuse(struct elf_parser *p, int header, const char *why)
{
	p->error->why = why;
	p->error->header = header;
	return false;
}

/* 1. */
static bool parse_header(struct elf_parser *p)
{
	static const uint8_t ident[7] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
	struct elf64_header *h = &p->header;

	if (p->size < sizeof(*h))
		return refuse(p, -1, "shorter than an ELF header");
	__builtin_memcpy(h, p->file, sizeof(*h));
	if (__builtin_memcmp(h->ident, ident, sizeof(ident)))
		return refuse(p, -1, "not a little-endian ELF64 file");
	if (h->machine != EM_X86_64)
		return refuse(p, -1, "not for x86-64");
	if (h->type != ET_EXEC && h->type != ET_DYN)
		return refuse(p, -1, "neither ET_EXEC nor ET_DYN");
	if (h->phentsize != sizeof(struct elf64_phdr))
		return refuse(p, -1, "program headers of unknown size");
	if (!h->phnum || h->phnum > PN_MAX)
		return refuse(p, -1, "no program headers, or too many");
	if (h->phoff > p->size || p->size - h->phoff < h->phnum * sizeof(struct elf64_phdr))
		return refuse(p, -1, "program headers beyond the end of the file");
	p->image->dynamic = h->type == ET_DYN;
	p->image->entry = h->entry;
	p->image->nr_headers = h->phnum;
	return true;
}

static unsigned prot_of(uint32_t flags)
{
	return (flags & PF_R ? ELF_PROT_READ : 0) | (flags & PF_W ? ELF_PROT_WRITE : 0) |
	       (flags & PF_X ? ELF_PROT_EXEC : 0);
}

/* 3, against the segment before. */
static bool follows(const struct elf_image *image, const struct elf64_phdr *ph)
{
	const struct elf_segment *last;

	if (!image->nr_segments)
		return true;
	last = &image->segments[image->nr_segments - 1];
	return ((last->vaddr + last->memsz + PAGE_SIZE - 1) & PAGE_MASK) <= (ph->vaddr & PAGE_MASK);
}

/* 3. */
static bool parse_load(struct elf_parser *p, int i, const struct elf64_phdr *ph)
{
	struct elf_image *image = p->image;

	if (ph->offset > p->size || ph->filesz > p->size - ph->offset)
		return refuse(p, i, "segment beyond the end of the file");
	if (ph->filesz > ph->memsz)
		return refuse(p, i, "segment longer in the file than in memory");
	if ((ph->vaddr ^ ph->offset) & ~PAGE_MASK)
		return refuse(p, i, "file offset and address differ modulo a page");
	if (ph->vaddr >= TASK_SIZE || ph->memsz > TASK_SIZE - ph->vaddr)
		return refuse(p, i, "segment above user space");
	if (ph->filesz < ph->memsz && !(ph->flags & PF_W))
		return refuse(p, i, "zero fill in a segment that is not writable");
	if (ph->align & (ph->align - 1))
		return refuse(p, i, "alignment is not a power of two");
	if (!follows(image, ph))
		return refuse(p, i, "segment overlaps or precedes the one before");
	if (image->nr_segments == ELF_MAX_SEGMENTS)
		return refuse(p, i, "too many segments");
	if (ph->align > image->align)
		image->align = ph->align;
	if (p->header.phoff >= ph->offset && p->header.phoff - ph->offset < ph->filesz)
		image->phdr_vaddr = ph->vaddr + (p->header.phoff - ph->offset);
	image->segments[image->nr_segments++] = (struct elf_segment){
		ph->vaddr, ph->memsz, ph->offset, ph->filesz, prot_of(ph->flags)};
	return true;
}

static bool parse_phdr(struct elf_parser *p, int i)
{
	struct elf64_phdr ph;

	__builtin_memcpy(&ph, p->file + p->header.phoff + (size_t)i * sizeof(ph), sizeof(ph));
	switch (ph.type) {
	case PT_LOAD:
		return !ph.memsz || parse_load(p, i, &ph);
	case PT_INTERP: /* 2. */
		return refuse(p, i, "dynamically linked (PT_INTERP): link it with -static");
	case PT_GNU_STACK:
		p->image->exec_stack = ph.flags & PF_X;
		return true;
	}
	return true;
}

bool elf_parse(const uint8_t *file, size_t size, struct elf_image *image, struct elf_error *error)
{
	struct elf_parser p = {.file = file, .size = size, .image = image, .error = error};

	image->exec_stack = false; /* without a PT_GNU_STACK too: Linux's default on x86-64 */
	image->phdr_vaddr = 0;
	image->align = PAGE_SIZE;
	image->nr_segments = 0;
	if (!parse_header(&p))
		return false;
	for (int i = 0; i < p.header.phnum; i++)
		if (!parse_phdr(&p, i))
			return false;
	if (!image->nr_segments)
		return refuse(&p, -1, "nothing to load");
	if (image->entry >= TASK_SIZE)
		return refuse(&p, -1, "entry point above user space"); /* 4. */
	return true;
}
