/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interrupt descriptor table: vectors, and the entries that they go to. */
#ifndef ARCH_IDT_H
#define ARCH_IDT_H

#include "arch/x86_64/cpu.h"

enum vector {
	VECTOR_DE,
	VECTOR_DB,
	VECTOR_NMI,
	VECTOR_BP,
	VECTOR_OF,
	VECTOR_BR,
	VECTOR_UD,
	VECTOR_NM,
	VECTOR_DF,
	VECTOR_TS = 10,
	VECTOR_NP,
	VECTOR_SS,
	VECTOR_GP,
	VECTOR_PF,
	VECTOR_MF = 16,
	VECTOR_AC,
	VECTOR_MC,
	VECTOR_XM,
	VECTOR_VE,
	VECTOR_CP,
	NR_EXCEPTIONS = 32,
	/* Interrupts. A spurious one ends in four set bits (SDM vol. 3, 11.9). */
	VECTOR_TIMER = NR_EXCEPTIONS,
	VECTOR_RESCHEDULE,
	VECTOR_REQUEST,
	VECTOR_SPURIOUS = 47,
	NR_VECTORS,
};

/* Fills the table, and loads it. */
void idt_init(void);

/* Only loads it, on another CPU. */
void idt_load(void);

/* Has every vector go to that entry, of NR_VECTORS; NULL: stays as it is. */
void idt_set_gates(const char *const *entries);

/* Picks the page-fault entry for a recorder mode. */
void idt_select_page_fault(enum fl_recorder_mode mode);

extern const struct gate *const idt_page; /* a page */

#endif
