/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "engine/program.h"

/* A shared library has no PT_INTERP either; what makes a static PIE of it is DF_1_PIE. */
static bool is_pie(Elf *elf, const GElf_Phdr *dynamic)
{
	Elf_Data *d =
		elf_getdata_rawchunk(elf, (int64_t)dynamic->p_offset, dynamic->p_filesz, ELF_T_DYN);
	GElf_Dyn dyn;

	for (int i = 0; d && gelf_getdyn(d, i, &dyn); i++) {
		if (dyn.d_tag == DT_FLAGS_1)
			return dyn.d_un.d_val & DF_1_PIE;
		if (dyn.d_tag == DT_NULL)
			break;
	}
	return false;
}

static const char *segment_fault(const GElf_Phdr *p, uint64_t file_size)
{
	if (p->p_type == PT_INTERP)
		return "is dynamically linked; link it with -static or -static-pie";
	if (p->p_type != PT_LOAD)
		return NULL;
	if (p->p_offset > file_size || p->p_filesz > file_size - p->p_offset)
		return "is truncated: a segment reaches past the end of the file";
	if (p->p_memsz < p->p_filesz)
		return "is damaged: a segment is larger in the file than in memory";
	if (p->p_vaddr + p->p_memsz < p->p_vaddr || p->p_vaddr + p->p_memsz > 1ull << 47)
		return "is damaged: a segment lies outside the user half of the address space";
	return NULL;
}

static const char *segments_fault(Elf *elf, const GElf_Ehdr *ehdr, uint64_t file_size)
{
	size_t n, loads = 0;
	bool pie = ehdr->e_type == ET_EXEC;

	if (elf_getphdrnum(elf, &n) || !n)
		return "is damaged: it has no program headers";
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr p;
		const char *why;

		if (!gelf_getphdr(elf, (int)i, &p))
			return "is truncated: its program headers are not all there";
		why = segment_fault(&p, file_size);
		if (why)
			return why;
		loads += p.p_type == PT_LOAD;
		if (p.p_type == PT_DYNAMIC && !pie)
			pie = is_pie(elf, &p);
	}
	if (!loads)
		return "is damaged: it has nothing to load";
	return pie ? NULL : "is a shared library, not a program";
}

static const char *elf_fault(int fd, uint64_t file_size)
{
	Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	const char *why = NULL;
	GElf_Ehdr ehdr;

	if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &ehdr))
		why = "is not an ELF file";
	else if (gelf_getclass(elf) != ELFCLASS64 || ehdr.e_machine != EM_X86_64)
		why = "is not an x86-64 program";
	else if (ehdr.e_type != ET_EXEC && ehdr.e_type != ET_DYN)
		why = "is not a program (an object file or a core dump)";
	else
		why = segments_fault(elf, &ehdr, file_size);
	elf_end(elf);
	return why;
}

char *program_check(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *why;
	struct stat st;

	if (fd < 0)
		return xasprintf("%s: %s", path, strerror(errno));
	elf_version(EV_CURRENT);
	if (fstat(fd, &st) < 0)
		why = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		why = "is not a regular file";
	else
		why = elf_fault(fd, (uint64_t)st.st_size);
	close(fd);
	return why ? xasprintf("%s: %s", path, why) : NULL;
}
