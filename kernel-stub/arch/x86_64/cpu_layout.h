/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers that assembly and C must agree on: selectors, the fields of struct cpu that are reached
 * by %gs, the offsets of struct trap_frame. cpu.c asserts each against the C definition.
 */
#ifndef ARCH_CPU_LAYOUT_H
#define ARCH_CPU_LAYOUT_H

/* Where the kernel is linked, less where it is loaded. */
#define KERNEL_BASE 0xffffffff80000000
#define KERNEL_LOAD 0x200000
#define DIRECT_MAP_BASE 0xffff888000000000

/* Linux's selectors: ring 3 sees them in signal frames. SYSRET wants user32, data, code in a row.
 */
#define GDT_BOOT_CODE32 0x08 /* of boot.S alone */
#define GDT_KERNEL_CODE 0x10
#define GDT_KERNEL_DATA 0x18
#define GDT_USER32_CODE 0x23
#define GDT_USER_DATA 0x2b
#define GDT_USER_CODE 0x33
#define GDT_TSS 0x40
#define GDT_ENTRIES 10

#define CPU_MM_CPU 0	   /* struct mm_cpu *: port_mm_cpu() */
#define CPU_KERNEL_STACK 8 /* where entries from ring 3 start */
#define CPU_USER_RSP 16	   /* ring 3's stack pointer for the first instructions of a call */
#define CPU_LOADED_MM 24   /* struct mm * in CR3; NULL: the kernel's own tables */
#define CPU_ID 32
#define CPU_TASK 40	    /* struct task *: current() */
#define CPU_HIST 48	    /* struct fl_hist *: the recorder's, of the set in force */
#define CPU_SCRATCH 96	    /* kpti.S */
#define CPU_ENTRY_STACK 104 /* kpti.S: where entries from ring 3 start with kpti=on */
#define CPU_REQUESTS 128    /* uint64_t: CPUs that ask something of this one (smp.c) */
#define CPU_MM_BIT 208	    /* uint64_t: this CPU's bit in a mask of CPUs */

#define FRAME_R15 0
#define FRAME_R14 8
#define FRAME_R13 16
#define FRAME_R12 24
#define FRAME_RBP 32
#define FRAME_RBX 40
#define FRAME_R11 48
#define FRAME_R10 56
#define FRAME_R9 64
#define FRAME_R8 72
#define FRAME_RAX 80
#define FRAME_RCX 88
#define FRAME_RDX 96
#define FRAME_RSI 104
#define FRAME_RDI 112
#define FRAME_ERROR 120
#define FRAME_RIP 128
#define FRAME_CS 136
#define FRAME_RFLAGS 144
#define FRAME_RSP 152
#define FRAME_SS 160
#define FRAME_SIZE 168

/* struct fault_entry: what stands below the frame of a page fault. */
#define FAULT_ENTRY_ADDR 0
#define FAULT_ENTRY_FLAGS 8
#define FAULT_ENTRY_TSC 16
#define FAULT_ENTRY_VERDICT 24
#define FAULT_ENTRY_RIP 32
#define FAULT_ENTRY_FRAME 40

/* struct fl_hist (faultline_abi.h). */
#define FL_HIST_SIZE 29704
#define FL_HIST_COUNTS 8

#endif
