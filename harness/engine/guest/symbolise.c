/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "engine/guest/symbolise.h"

#define MARK "[<"

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.section_address = dwfl_offline_section_address,
};

static Dwfl *open_symbols(const char *elf_path)
{
	Dwfl *dwfl = dwfl_begin(&callbacks);

	if (!dwfl)
		return NULL;
	if (dwfl_report_elf(dwfl, "stub", elf_path, -1, 0, false) &&
	    !dwfl_report_end(dwfl, NULL, NULL))
		return dwfl;
	dwfl_end(dwfl);
	return NULL;
}

static void print_line(FILE *to, Dwfl_Module *mod, uint64_t addr)
{
	Dwfl_Line *line = dwfl_module_getsrc(mod, addr);
	const char *file;
	int nr;

	file = line ? dwfl_lineinfo(line, NULL, &nr, NULL, NULL, NULL) : NULL;
	if (file)
		fprintf(to, " %s:%d", text_base_name(file), nr);
}

/* The functions that the one at addr was inlined into carry no address of their own. */
static void print_inlined(FILE *to, Dwfl_Module *mod, uint64_t addr)
{
	Dwarf_Addr bias;
	Dwarf_Die *cu = dwfl_module_addrdie(mod, addr, &bias), *scopes = NULL;
	int n = cu ? dwarf_getscopes(cu, addr - bias, &scopes) : 0;

	for (int i = 0; i < n; i++) {
		if (dwarf_tag(&scopes[i]) == DW_TAG_inlined_subroutine && dwarf_diename(&scopes[i]))
			fprintf(to, " (inlined %s)", dwarf_diename(&scopes[i]));
		if (dwarf_tag(&scopes[i]) == DW_TAG_subprogram)
			break;
	}
	free(scopes);
}

static const char *find_name(Dwfl_Module *mod, uint64_t addr, GElf_Off *offset)
{
	GElf_Sym sym;

	return mod ? dwfl_module_addrinfo(mod, addr, offset, &sym, NULL, NULL, NULL) : NULL;
}

/* A call that never returns may end its function: then the return address lies behind the end. */
static void print_address(FILE *to, Dwfl *dwfl, uint64_t addr)
{
	Dwfl_Module *mod = dwfl_addrmodule(dwfl, addr);
	GElf_Off offset, behind = 0;
	const char *name = find_name(mod, addr, &offset);

	if (!name) {
		name = find_name(mod, --addr, &offset);
		behind = 1;
	}
	if (!name)
		return;
	fprintf(to, " %s+%#" PRIx64, name, (uint64_t)(offset + behind));
	print_line(to, mod, addr);
	print_inlined(to, mod, addr);
}

static void rewrite(FILE *to, Dwfl *dwfl, const char *text)
{
	const char *mark;

	while ((mark = strstr(text, MARK))) {
		char *end;
		uint64_t addr = strtoull(mark + strlen(MARK), &end, 16);

		if (end == mark + strlen(MARK) || strncmp(end, ">]", 2)) {
			end = (char *)mark + strlen(MARK);
			fwrite(text, 1, (size_t)(end - text), to);
		} else {
			end += 2;
			fwrite(text, 1, (size_t)(end - text), to);
			print_address(to, dwfl, addr);
		}
		text = end;
	}
	fputs(text, to);
}

/* Whether opening the ELF, which costs milliseconds, can change anything. */
static Dwfl *symbols_for(const char *text, const char *elf_path)
{
	return strstr(text, MARK) ? open_symbols(elf_path) : NULL;
}

char *symbolise(const char *text, const char *elf_path)
{
	Dwfl *dwfl = symbols_for(text, elf_path);
	char *s = NULL;
	size_t n;
	FILE *to;

	if (!dwfl)
		return xstrdup(text);
	to = open_memstream(&s, &n);
	if (to) {
		rewrite(to, dwfl, text);
		fclose(to);
	}
	dwfl_end(dwfl);
	return s ? s : xstrdup(text);
}
