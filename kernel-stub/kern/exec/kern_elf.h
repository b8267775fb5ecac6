/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the headers of a static ELF64 x86-64 program. Pure: works on a buffer, hosted too. */
#ifndef KERN_ELF_H
#define KERN_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_MAX_SEGMENTS 16u

enum elf_prot {
	ELF_PROT_READ = 1, /* as PROT_READ, PROT_WRITE, PROT_EXEC */
	ELF_PROT_WRITE = 2,
	ELF_PROT_EXEC = 4,
};

/* A PT_LOAD, its address not yet biased. */
struct elf_segment {
	uint64_t vaddr, memsz;
	uint64_t offset, filesz; /* offset and vaddr agree modulo the page size */
	unsigned prot;
};

struct elf_image {
	bool dynamic;	     /* ET_DYN: may be placed anywhere */
	bool exec_stack;     /* as PT_GNU_STACK asks, or without one */
	uint64_t entry;	     /* unbiased */
	uint64_t phdr_vaddr; /* where the program headers are loaded; 0 if nowhere */
	uint64_t align;	     /* the largest p_align of a PT_LOAD, at least a page */
	uint16_t nr_headers;
	unsigned nr_segments;			       /* at least 1 */
	struct elf_segment segments[ELF_MAX_SEGMENTS]; /* rising, no page shared */
};

struct elf_error {
	const char *why; /* static */
	int header;	 /* number of the program header at fault, or -1: the file's */
};

/* Checks the headers of the program in `file` (`size` bytes) and fills *image: true. False: not a
 * program that can run here, and *error says why. Reads nothing outside the buffer. After true,
 * every segment lies inside the file and, if not dynamic, below TASK_SIZE. */
bool elf_parse(const uint8_t *file, size_t size, struct elf_image *image, struct elf_error *error);

#endif
