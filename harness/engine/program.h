/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be told of a ring-3 program before it boots. */
#ifndef ENGINE_PROGRAM_H
#define ENGINE_PROGRAM_H

/* NULL if the file is a whole, static x86-64 ELF program (ET_EXEC or static PIE); else why not,
 * malloc'ed, with the path in it. */
char *program_check(const char *path);

#endif
