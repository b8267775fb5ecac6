/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the harness finds what belongs to it: first where an environment variable says, then next
 * to its own executable (a build directory), then where `make install` puts it (../lib/faultline
 * and
 * ../share/faultline of the executable's directory).
 *
 *   stub.elf         FAULTLINE_STUB        BUILD/stub.elf        PREFIX/lib/faultline/stub.elf
 *   stub-INDEX.elf   next to stub.elf: for vma_index=INDEX
 *   workload NAME    FAULTLINE_WORKLOADS   BUILD/workloads/NAME PREFIX/lib/faultline/workloads/NAME
 *   data (profiles)  FAULTLINE_SOURCE      SOURCE/...            PREFIX/share/faultline/...
 *
 * SOURCE is the checkout: the build directory's parent, or what its link `source` points to.
 */
#ifndef HARNESS_PLACES_H
#define HARNESS_PLACES_H

#include "base/arena.h"

/* The stub's path; it need not exist. Kept. */
const char *places_stub(void);
/* From `--stub`: goes before everything else. NULL is ignored. Not copied. */
void places_set_stub(const char *path);

/* The stub built along with it whose VMA index is that one: STUB itself, or for
 * another than the default DIR/NAME-INDEX.elf beside DIR/NAME.elf. From the arena; it need not
 * exist. */
const char *places_stub_with(struct arena *a, const char *stub, const char *vma_index);

/* A workload's path, malloc'ed; it need not exist. */
char *places_workload(const char *name);

/* The path of a file or directory that belongs to the harness, by its name in the source tree
 * ("workloads/profiles", "plots"), malloc'ed; it need not exist. */
char *places_data(const char *name);

/* The checkout's top directory, or NULL if the harness does not run from a build directory. Kept.
 */
const char *places_source(void);

#endif
