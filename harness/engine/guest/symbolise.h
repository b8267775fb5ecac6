/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gives the addresses in a kernel console their names. */
#ifndef ENGINE_SYMBOLISE_H
#define ENGINE_SYMBOLISE_H

/* A copy of the text in which each `[<address>]` is followed by function+offset and file:line from
 * the ELF's symbols and DWARF, inlined callers included. Without the ELF, or for an address that it
 * does not have, the text stays as it is. malloc'ed. */
char *symbolise(const char *text, const char *elf_path);

#endif
