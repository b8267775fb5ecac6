/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "prefault.h"

#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>

#define STACK_STEP (64u << 10)
#define STACK_LEAST (32u << 10)
#define STACK_MAPPED (132u << 10) /* what Linux maps for a start, and a page */

static void prefault_read(uintptr_t from, uintptr_t to)
{
	for (uintptr_t p = from & ~(uintptr_t)(WL_PAGE - 1); p < to; p += WL_PAGE)
		(void)*(volatile unsigned char *)p;
}

static void prefault_write(uintptr_t from, uintptr_t to)
{
	for (uintptr_t p = from & ~(uintptr_t)(WL_PAGE - 1); p < to; p += WL_PAGE) {
		volatile unsigned char *byte = (volatile unsigned char *)p;

		*byte = *byte;
	}
}

void prefault_range(void *p, size_t len)
{
	prefault_write((uintptr_t)p, (uintptr_t)p + len);
}

/* The end of the pages that libc has made read-only after relocating them, else 0. */
static uintptr_t prefault_relro_end(const struct dl_phdr_info *info)
{
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];

		if (ph->p_type == PT_GNU_RELRO)
			return (info->dlpi_addr + ph->p_vaddr + ph->p_memsz) &
			       ~(uintptr_t)(WL_PAGE - 1);
	}
	return 0;
}

static int prefault_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	uintptr_t relro_end = prefault_relro_end(info);

	(void)size;
	(void)arg;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + ph->p_vaddr, end = start + ph->p_memsz;

		if (ph->p_type != PT_LOAD)
			continue;
		if (!(ph->p_flags & PF_W)) {
			prefault_read(start, end);
			continue;
		}
		if (relro_end > start && relro_end < end) {
			prefault_read(start, relro_end);
			start = relro_end;
		}
		prefault_write(start, end);
	}
	return 0;
}

/* The end of the stack's last page, since the program's name is the last thing on it; 0 if unknown.
 */
static uintptr_t prefault_stack_end(void)
{
	const char *name = (const char *)getauxval(AT_EXECFN);

	return name ? ((uintptr_t)(name + strlen(name)) | (WL_PAGE - 1)) + 1 : 0;
}

static uintptr_t prefault_stack_step(uintptr_t p)
{
	return p & ~(uintptr_t)(STACK_STEP - 1);
}

/* To the end of the environment, and a page beyond what is mapped so that the mapping grows: each
 * from a multiple of STACK_STEP, for the stack to be the same with a larger environment. */
static void prefault_stack(void)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	uintptr_t bottom = prefault_stack_step(here - STACK_MAPPED);

	prefault_write(bottom, bottom + 1);
	prefault_write(prefault_stack_step(here - STACK_LEAST), prefault_stack_end());
}

void prefault_program(void)
{
	prefault_stack();
	dl_iterate_phdr(prefault_object, NULL);
}
