/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way from the boot contract to a running kernel; only main.c and its helpers need it. */
#ifndef KERN_BOOT_H
#define KERN_BOOT_H

#include "port/port.h"

/* A piece of physical memory, [start, end), page-aligned. */
struct boot_range {
	uint64_t start, end;
};

/* Reads hvm_start_info: fills boot_info and keeps a copy of the memory map and of the command line.
 * Needs: the first tables of boot.S. */
void boot_memory_read(uint64_t start_info_phys);

/* Maps all memory, takes out what is in use, places the struct page array and gives the rest to the
 * buddy allocator. Needs: boot_memory_read, cpu_init. */
void boot_memory_init(void);

/* The telemetry window of the command line; start == end if there is none. */
extern struct boot_range boot_telemetry;

/* What is known before there is a window (telemetry.c). */
void telemetry_tsc_entry(uint64_t tsc);

/* The end of panic(): a report, the reason into the window, the machine's end (oops.c). */
_Noreturn void panic_end(const char *reason);

/* From boot.S: physical address of hvm_start_info, TSC at entry. */
_Noreturn void kernel_main(uint64_t start_info_phys, uint64_t tsc_entry);

#endif
